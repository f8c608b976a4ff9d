package cli

import (
	"context"

	"github.com/slipway-cd/slipway/internal/api"
)

// rejectCmd has a deployment rolled back.
type rejectCmd struct{ decision }

func (*rejectCmd) Help() string {
	return `Answers a pause of a deployment, as approve does, so that ECS or CodeDeploy shifts all traffic back to what ran before. Who rejected it is the execution's reason.

Examples:

    slipway reject cluster1/webapp1 --reason "too many errors" --wait`
}

// Run asks the controller to tell AWS.
func (c *rejectCmd) Run(ctx context.Context, e *env) error { return c.tell(ctx, e, api.ActionReject) }
