package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// Decide lets a deployment that pauses for a person go on, or has ECS roll it
// back, and returns the decision with the hook's id and stage filled in. A hook
// that does not wait any more is a slipway.NextPerson error that says what became
// of it: whoever decided before stays the one who did. It may be called again
// after an error, and looks before it acts.
func (e *ECS) Decide(ctx context.Context, d slipway.Deployment, decision slipway.Decision) (slipway.Decision, error) {
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return decision, err
	}
	doing := fmt.Sprintf("cannot answer the pause of service %s in cluster %s", d.Place.Service, d.Place.Cluster)
	refuse := func(hint, format string, args ...any) error {
		return &slipway.Error{Next: slipway.NextPerson, Message: doing + ": " + fmt.Sprintf(format, args...), Hint: hint}
	}
	if d.Phase != slipway.PhaseStarted && d.Phase != slipway.PhaseRollingBack {
		return decision, refuse("", "no deployment is going on")
	}
	s, err := c.deployable(ctx, d.Place)
	if err != nil {
		return decision, err
	}
	r, err := c.carrier(ctx, d, watch(d), s)
	if err != nil {
		return decision, err
	}
	if r == nil || r.detail == nil {
		return decision, refuse("", "ECS shows no service deployment of it")
	}
	hook, problem := pausing(r.detail.LifecycleHookDetails, decision.Hook)
	if problem != "" {
		return decision, refuse("`slipway show` says what the deployment waits for", "%s", problem)
	}
	decision.Hook, decision.Stage = aws.ToString(hook.HookId), string(r.detail.LifecycleStage)
	action := types.DeploymentLifecycleHookActionRollback
	if decision.Approve {
		action = types.DeploymentLifecycleHookActionContinue
	}
	var sentAt time.Time
	_, err = c.api.ContinueServiceDeployment(ctx, &ecs.ContinueServiceDeploymentInput{
		ServiceDeploymentArn: aws.String(r.arn), HookId: hook.HookId, Action: action,
	}, c.budget.once(&sentAt))
	if err == nil {
		c.log.InfoContext(ctx, "answered a pause", keyApp, d.App.String(), keyExecution, d.Execution, keyDeployment, r.arn, "action", action)
		return decision, nil
	}
	if err := c.explain(ctx, err, doing); slipway.NextOf(err) != slipway.NextRetry || !c.answered(ctx, r.arn, decision.Hook) {
		return decision, err
	}
	return decision, nil // the answer was lost, its effect was not
}

// answered reports whether a hook does not wait any more.
func (c *client) answered(ctx context.Context, carrier, hook string) bool {
	r, err := c.detailed(ctx, carrier)
	if err != nil || r == nil {
		return false
	}
	_, problem := pausing(r.detail.LifecycleHookDetails, hook)
	return problem != ""
}

// pausing is the hook of that id, or the only one where id is empty, if it awaits
// a person; otherwise problem says why there is none.
func pausing(hooks []types.DeploymentLifecycleHookDetail, id string) (found types.DeploymentLifecycleHookDetail, problem string) {
	var waiting []types.DeploymentLifecycleHookDetail
	var ids []string
	for _, hook := range hooks {
		if hook.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
			waiting, ids = append(waiting, hook), append(ids, aws.ToString(hook.HookId))
		}
	}
	if id != "" {
		if at := slices.Index(ids, id); at >= 0 {
			return waiting[at], ""
		}
		for _, hook := range slices.Backward(hooks) {
			if aws.ToString(hook.HookId) == id {
				return found, fmt.Sprintf("hook %s does not wait any more: it is %s", id, hook.Status)
			}
		}
		return found, fmt.Sprintf("it has no hook %s", id)
	}
	switch len(waiting) {
	case 0:
		return found, "it waits for nobody's approval"
	case 1:
		return waiting[0], ""
	}
	return found, "it waits at several hooks, so name one: " + strings.Join(ids, ", ")
}
