package cli

import (
	"context"

	"github.com/slipway-cd/slipway"
)

// historyCmd shows an app's commits.
type historyCmd struct {
	App   appArg `arg:"" name:"cluster/app" help:"Whose history."`
	Limit int    `default:"20" help:"The most commits to show."`
}

func (*historyCmd) Help() string {
	return `Examples:

    slipway history cluster1/webapp1
    slipway history cluster1/webapp1 --limit 1 --output json`
}

// Validate refuses a limit that the API would refuse in its own words.
func (c *historyCmd) Validate() error {
	if c.Limit < 1 || c.Limit > 1000 {
		return slipway.Usagef("--limit must be between 1 and 1000, and is %d", c.Limit)
	}
	return nil
}

// Run asks the controller, or the repository alone where that does not answer.
func (c *historyCmd) Run(ctx context.Context, e *env) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	entries, err := backend.History(ctx, c.App.App, c.Limit)
	if e.offline(err) {
		entries, err = e.gitHistory(ctx, c.App.App, c.Limit)
	}
	if err != nil {
		return err
	}
	return e.answer(entries, historyTable(e, entries))
}

func historyTable(e *env, entries []slipway.HistoryEntry) func(*table) {
	return func(t *table) {
		t.heading("COMMIT", "WHEN", "IMAGES", "RESULT", "EXECUTION", "AUTHOR", "MESSAGE")
		for _, entry := range entries {
			images, last, id, reason := shortImages(entry.Images), cell{text: "-"}, "-", entry.Problem
			switch {
			case entry.Removed:
				images = "removed"
			case entry.Problem != "":
				images = "invalid"
			}
			if x := entry.Execution; x != nil {
				last, id = result(*x), shortID(x.ID)
				if why := trouble(*x); why != "" {
					reason = why
				}
			}
			t.row(slipway.ShortCommit(entry.ID), e.ago(entry.Time), images, last, id, name(entry.Author), firstLine(entry.Message, 50))
			if reason != "" {
				t.row("  " + firstLine(reason, 150))
			}
		}
	}
}
