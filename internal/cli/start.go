package cli

import (
	"context"

	"github.com/slipway-cd/slipway/internal/api"
)

// startCmd starts an app's pipeline by name.
type startCmd struct {
	App appArg `arg:"" name:"cluster/app" help:"Whose pipeline."`
	waiting
}

func (*startCmd) Help() string {
	return `A pipeline starts by itself when a commit changes its revision.json. Start it by name to deploy what git says once more, for example after the service was changed by hand.

Examples:

    slipway start cluster1/webapp1 --wait`
}

// Run asks the controller to start it.
func (c *startCmd) Run(ctx context.Context, e *env) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	execution, err := backend.Command(ctx, api.Command{Action: api.ActionStart, App: c.App.App, By: who()})
	if err != nil {
		return err
	}
	return c.report(ctx, e, backend, execution)
}
