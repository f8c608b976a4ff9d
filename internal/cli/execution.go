package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// executionArg is an execution's id, or the beginning of one, or CLUSTER/APP
// for one of that app's.
type executionArg string

// Validate refuses what can be neither before anything is asked.
func (a executionArg) Validate() error {
	if strings.Contains(string(a), "/") {
		_, err := slipway.ParseApp(string(a))
		return err
	}
	if a == "" || strings.Trim(string(a), "0123456789abcdef-") != "" {
		return fmt.Errorf("%q is neither an execution's id nor CLUSTER/APP", string(a))
	}
	return nil
}

// query selects what the argument names, newest first.
func (a executionArg) query(limit int) api.ExecutionQuery {
	if app, err := slipway.ParseApp(string(a)); err == nil {
		return api.ExecutionQuery{App: &app, Limit: limit}
	}
	return api.ExecutionQuery{ID: string(a), Limit: limit}
}

// find returns the execution that the argument names: of an app the newest.
func (a executionArg) find(ctx context.Context, backend api.Backend) (slipway.Execution, error) {
	return one(ctx, backend, a.query(1))
}

// appArg is CLUSTER/APP.
type appArg struct{ slipway.App }

// waiting is for the commands that begin an execution.
type waiting struct {
	Wait bool `short:"w" help:"Follow the execution to its end; the exit code is its outcome's."`
}

// report is how a command ends that began an execution: it answers with the
// execution as it is, or follows it and answers with its end.
func (w waiting) report(ctx context.Context, e *env, backend api.Backend, execution slipway.Execution) error {
	if !w.Wait {
		return e.answerExecution(execution)
	}
	execution, err := e.follow(ctx, backend, execution.ID)
	if err != nil {
		return err
	}
	if err := e.answerExecution(execution); err != nil {
		return err
	}
	return endedAs(execution)
}

// answerExecution answers with an execution: in JSON whole, otherwise in a line
// with its reason below. `slipway show` tells more.
func (e *env) answerExecution(execution slipway.Execution) error {
	return e.answer(execution, executionLines(execution))
}

func executionLines(execution slipway.Execution) func(*table) {
	return func(t *table) {
		result := result(*execution.Summary())
		line := fmt.Sprintf("%s %s: %s", execution.App(), shortImages(execution.Revision.Images), t.paint(result.colour, result.text))
		if took := execution.EndedAt.Sub(execution.StartedAt); !execution.StartedAt.IsZero() && took >= time.Second {
			line += " after " + span(took)
		}
		t.row(line + " (execution " + execution.ID + ")")
		if execution.Reason != "" {
			t.row(indented(execution.Reason))
		}
	}
}

// indented moves each line of a text to the right.
func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}
