package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

const (
	// followInterval is how often one execution is asked for.
	followInterval = 300 * time.Millisecond
	// patience is how long a watcher bears a server that does not answer: a
	// controller may restart while it deploys, and loses nothing by it.
	patience = time.Minute
)

// wait returns after d, or with an error when ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// patient bears a server that has answered before and does not now.
type patient struct {
	env      *env
	answered bool
	silent   time.Time // since when; zero while it answers
}

// bear returns nil while err may still pass, having told once that it waits.
func (p *patient) bear(err error, tell func(string, ...any)) error {
	switch {
	case err == nil:
		p.answered, p.silent = true, time.Time{}
		return nil
	case !p.answered || slipway.NextOf(err) != slipway.NextRetry:
		return err
	case p.silent.IsZero():
		p.silent = p.env.now()
		tell("waiting: %s", firstLine(err.Error(), 100))
		return nil
	case p.env.now().Sub(p.silent) < patience:
		return nil
	}
	return err
}

// follow watches an execution to its end, tells its progress on stderr, and
// returns it as it ended. When ctx ends it stops watching, says so, and
// returns an error that is ended.
func (e *env) follow(ctx context.Context, backend api.Backend, id string) (slipway.Execution, error) {
	line := &progressLine{env: e, moves: isTerminal(e.Err) && !e.Quiet}
	defer line.end()
	server := patient{env: e, answered: true} // it told us the id
	for {
		execution, err := one(ctx, backend, api.ExecutionQuery{ID: id, Limit: 1})
		if err == nil {
			line.show(execution)
			if execution.Status.Ended() {
				return execution, nil
			}
		}
		if ctx.Err() == nil {
			if err := server.bear(err, line.tell); err != nil {
				return execution, err
			}
		}
		if wait(ctx, followInterval) != nil {
			line.end()
			e.note("stopped watching; the execution goes on: `slipway show %s`", id)
			return execution, &ended{code: exitError}
		}
	}
}

// one returns the newest execution that matches; none is an error.
func one(ctx context.Context, backend api.Backend, query api.ExecutionQuery) (slipway.Execution, error) {
	executions, err := backend.Executions(ctx, query)
	if err != nil {
		return slipway.Execution{}, err
	}
	if len(executions) > 0 {
		return executions[0], nil
	}
	if query.App != nil {
		return slipway.Execution{}, api.NotFoundf("`slipway status` lists the apps there are", "%s was never executed", query.App)
	}
	return slipway.Execution{}, api.NotFoundf("`slipway history CLUSTER/APP` lists an app's executions", "there is no execution %s", query.ID)
}

// progressLine tells how an execution goes on: on a terminal by one line that
// changes, elsewhere by a line for each change; and each new event of the
// service, in ECS's own words.
type progressLine struct {
	env   *env
	moves bool
	last  string
	shown bool // a moving line is on the screen
	seen  map[string]bool
}

func (l *progressLine) show(e slipway.Execution) {
	if e.Observation != nil {
		for _, event := range e.Observation.Events {
			l.event(event)
		}
	}
	if !e.Status.Ended() {
		l.tell("%s %s: %s", e.App(), shortImages(e.Revision.Images), progress(e))
	}
}

func (l *progressLine) event(event slipway.Event) {
	key := event.At.UTC().String() + event.Message
	if l.seen[key] {
		return
	}
	if l.seen == nil {
		l.seen = make(map[string]bool)
	}
	l.seen[key] = true
	l.end()
	l.env.note("%s", l.env.paint(l.env.Err, dim, event.At.UTC().Format(time.TimeOnly)+" "+event.Message))
	if l.moves {
		l.last = "" // the line is gone and is to come back
	}
}

// tell replaces the line by text, or adds text where lines do not move. A
// moving line stays within 79 columns: wrapped, it could not be taken back.
func (l *progressLine) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text == l.last {
		return
	}
	l.last = text
	if !l.moves {
		l.env.note("%s", text)
		return
	}
	l.end()
	_, _ = fmt.Fprint(l.env.Err, firstLine(text, 79))
	l.shown = true
}

// end takes the moving line off the screen.
func (l *progressLine) end() {
	if l.shown {
		_, _ = fmt.Fprint(l.env.Err, "\r\x1b[2K")
		l.shown = false
	}
}
