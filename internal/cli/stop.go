package cli

import (
	"context"
	"slices"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// stopCmd ends an execution early.
type stopCmd struct {
	Execution executionArg `arg:"" name:"id|cluster/app" help:"An execution, or the one of an app that runs."`
	Abandon   bool         `help:"Leave the service as it is instead of putting back what ran before."`
	Reason    string       `placeholder:"TEXT" help:"Why, for the record."`
	Wait      bool         `short:"w" help:"Return when it has ended: 0 if it was stopped, otherwise its outcome's code."`
}

func (*stopCmd) Help() string {
	return `What ran before is put back, unless --abandon says otherwise.

Examples:

    slipway stop cluster1/webapp1 --reason "wrong image" --wait
    slipway stop 01930e2a-6b5c --abandon`
}

// Run asks the controller to stop it.
func (c *stopCmd) Run(ctx context.Context, e *env) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	running, err := c.find(ctx, backend)
	if err != nil {
		return err
	}
	execution, err := backend.Command(ctx, api.Command{
		Action: api.ActionStop, Execution: running.ID, By: who(), Reason: c.Reason, Abandon: c.Abandon,
	})
	if err != nil {
		return err
	}
	if c.Wait {
		if execution, err = e.follow(ctx, backend, execution.ID); err != nil {
			return err
		}
	}
	if err := e.answerExecution(execution); err != nil || !c.Wait {
		return err
	}
	if execution.Status == slipway.StatusSucceeded {
		return &slipway.Error{Next: slipway.NextNever, Message: "it succeeded before it could be stopped"}
	}
	if execution.Status == slipway.StatusStopped {
		return nil
	}
	return endedAs(execution)
}

// find returns the execution to stop: of an app the one that runs, or else the
// newest that waits.
func (c *stopCmd) find(ctx context.Context, backend api.Backend) (slipway.Execution, error) {
	executions, err := backend.Executions(ctx, c.Execution.query(api.DefaultLimit))
	if err != nil {
		return slipway.Execution{}, err
	}
	for _, stoppable := range [][]slipway.Status{{slipway.StatusInProgress, slipway.StatusStopping}, {slipway.StatusQueued}} {
		at := slices.IndexFunc(executions, func(e slipway.Execution) bool { return slices.Contains(stoppable, e.Status) })
		if at >= 0 {
			return executions[at], nil
		}
	}
	if len(executions) == 0 {
		return c.Execution.find(ctx, backend)
	}
	return slipway.Execution{}, &slipway.Error{
		Next: slipway.NextPerson, Message: "nothing of " + string(c.Execution) + " is running",
		Hint: "to go back to an earlier revision, use `slipway rollback`",
	}
}
