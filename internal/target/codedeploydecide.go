package target

import (
	"context"
	"fmt"
	"slices"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/codedeploy"
)

// Decide implements decider: it has a deployment that waits for a person go on, or
// stops it and has CodeDeploy roll it back. It may be called again after an error,
// and looks before it acts.
func (k *codeDeploy) Decide(ctx context.Context, d slipway.Deployment, decision slipway.Decision) (slipway.Decision, error) {
	c, deploys, err := k.reach(ctx, d.Place)
	if err != nil {
		return decision, err
	}
	refuse := func(format string, args ...any) error {
		return &slipway.Error{
			Next: slipway.NextPerson, Hint: "`slipway show` says what the deployment waits for",
			Message: fmt.Sprintf("cannot answer the pause of service %s in cluster %s: ", d.Place.Service, d.Place.Cluster) + fmt.Sprintf(format, args...),
		}
	}
	if d.Phase != slipway.PhaseStarted && d.Phase != slipway.PhaseRollingBack {
		return decision, refuse("no deployment is going on")
	}
	hook, err := c.waits(ctx, deploys, d, decision.Hook)
	if err != nil {
		return decision, err
	}
	switch {
	case hook == nil && decision.Hook == "":
		return decision, refuse("it waits for nobody's approval")
	case hook == nil:
		return decision, refuse("it does not wait at %s", decision.Hook)
	}
	decision.Hook, decision.Stage = hook.ID, hook.Stage
	id := followedID(d)
	answer := func() (bool, error) {
		if decision.Approve {
			return deploys.Continue(ctx, id, hook.Stage)
		}
		return deploys.Stop(ctx, id)
	}
	waited, err := answer()
	if slipway.NextOf(err) == slipway.NextRetry {
		// The answer may be lost and its effect not. Saying it again does no harm, and
		// what does not wait any more has heard it.
		_, err = answer()
		waited = err == nil
	}
	switch {
	case err != nil:
		return decision, err
	case !waited:
		return decision, refuse("it does not wait any more")
	}
	c.log.InfoContext(ctx, "answered a wait of CodeDeploy's", keyApp, d.App.String(), keyExecution, d.Execution, keyDeployment, id, "approved", decision.Approve)
	return decision, nil
}

// waits is the wait of that id, or of any where id is empty, in which d is; nil where
// there is none.
func (c *client) waits(ctx context.Context, deploys *codedeploy.Client, d slipway.Deployment, id string) (*slipway.Hook, error) {
	said, err := c.said(ctx, deploys, d)
	if err != nil {
		return nil, err
	}
	hooks := said.Hooks()
	if at := slices.IndexFunc(hooks, func(h slipway.Hook) bool { return id == "" || h.ID == id }); at >= 0 {
		return &hooks[at], nil
	}
	return nil, nil
}
