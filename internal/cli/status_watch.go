package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// statusInterval is how often --watch asks for all apps.
const statusInterval = time.Second

// watch shows the apps whenever something has changed: on a terminal the whole
// table anew, elsewhere a line for each app that changed, and in JSON one line
// with the whole list. Being interrupted is how it ends, and no error.
func (c *statusCmd) watch(ctx context.Context, e *env, backend api.Backend) error {
	show := showChanges(e)
	switch {
	case e.Output == "json":
		show = showLists(e)
	case isTerminal(e.Out):
		show = showScreen(e)
	}
	server := patient{env: e}
	for {
		view, err := c.look(ctx, backend)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = show(view)
		}
		if err := server.bear(err, e.note); err != nil {
			return err
		}
		if wait(ctx, statusInterval) != nil {
			return nil
		}
	}
}

// showScreen draws the table anew each time: its relative times move on.
func showScreen(e *env) func(statusView) error {
	return func(view statusView) error {
		if _, err := fmt.Fprint(e.Out, "\x1b[H\x1b[2J"); err != nil {
			return err
		}
		return e.answer(view.apps, view.table(e))
	}
}

func showLists(e *env) func(statusView) error {
	var last []byte
	return func(view statusView) error {
		line, err := json.Marshal(view.apps)
		if err != nil || bytes.Equal(line, last) {
			return err
		}
		last = line
		_, err = fmt.Fprintf(e.Out, "%s\n", line)
		return err
	}
}

func showChanges(e *env) func(statusView) error {
	last := make(map[slipway.App]string)
	return func(view statusView) error {
		for _, status := range view.apps {
			line := view.sentence(status)
			if line == last[status.App] || last[status.App] == "" && view.past(status) {
				continue
			}
			last[status.App] = line
			if _, err := fmt.Fprintln(e.Out, line); err != nil {
				return err
			}
		}
		return nil
	}
}
