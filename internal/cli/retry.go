package cli

import (
	"context"

	"github.com/slipway-cd/slipway/internal/api"
)

// retryCmd runs an ended execution's revision again.
type retryCmd struct {
	Execution executionArg `arg:"" name:"id|cluster/app" help:"An execution, or the newest of an app."`
	waiting
}

func (*retryCmd) Help() string {
	return `Examples:

    slipway retry cluster1/webapp1 --wait
    slipway retry 01930e2a-6b5c`
}

// Run asks the controller for a new execution of the same revision.
func (c *retryCmd) Run(ctx context.Context, e *env) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	failed, err := c.Execution.find(ctx, backend)
	if err != nil {
		return err
	}
	execution, err := backend.Command(ctx, api.Command{Action: api.ActionRetry, Execution: failed.ID, By: who()})
	if err != nil {
		return err
	}
	return c.report(ctx, e, backend, execution)
}
