package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// approveCmd lets a deployment go on.
type approveCmd struct{ decision }

func (*approveCmd) Help() string {
	return `A deployment pauses where its ECS service has a lifecycle hook of the type PAUSE. One of CodeDeploy waits before the traffic is shifted, where its deployment group says so, and before the original task set is terminated; to approve that is to end the wait early. Who approved is written down with the execution.

Examples:

    slipway approve cluster1/webapp1 --wait
    slipway approve 01930e2a-6b5c --hook ecs-pause-0a1b2c --reason "smoke tests passed"`
}

// Run asks the controller to tell AWS.
func (c *approveCmd) Run(ctx context.Context, e *env) error { return c.tell(ctx, e, api.ActionApprove) }

// decision is what the commands that answer a pause have in common.
type decision struct {
	Execution executionArg `arg:"" name:"id|cluster/app" help:"An execution, or the one of an app that runs."`
	Hook      string       `placeholder:"ID" help:"Which pause, where there are several."`
	Reason    string       `placeholder:"TEXT" help:"Why, for the record."`
	waiting
}

// tell answers the pause that was seen: should the deployment have gone on to
// another one meanwhile, that one is not answered.
func (c *decision) tell(ctx context.Context, e *env, action api.Action) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	executions, err := backend.Executions(ctx, c.Execution.query(api.DefaultLimit))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(executions, func(x slipway.Execution) bool {
		return x.Status == slipway.StatusInProgress || x.Status == slipway.StatusStopping
	})
	if at < 0 {
		if _, err := c.Execution.find(ctx, backend); err != nil {
			return err
		}
		return &slipway.Error{Next: slipway.NextPerson, Message: "nothing of " + string(c.Execution) + " is running"}
	}
	hook, err := c.hook(executions[at])
	if err != nil {
		return err
	}
	execution, err := backend.Command(ctx, api.Command{
		Action: action, Execution: executions[at].ID, Hook: hook, By: who(), Reason: c.Reason,
	})
	if err != nil {
		return err
	}
	return c.report(ctx, e, backend, execution)
}

// hook is the pause to answer.
func (c *decision) hook(running slipway.Execution) (string, error) {
	var ids []string
	for _, hook := range running.Awaits() {
		ids = append(ids, hook.ID)
	}
	switch {
	case c.Hook != "":
		return c.Hook, nil
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) == 0:
		return "", &slipway.Error{
			Next: slipway.NextPerson, Message: "execution " + running.ID + " waits for nobody's approval: " + progress(running),
			Hint: "`slipway show " + running.App().String() + "` says what it waits for",
		}
	}
	return "", slipway.Usagef("execution %s waits at several hooks: name one with --hook, of %s", running.ID, strings.Join(ids, ", "))
}
