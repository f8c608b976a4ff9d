package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// errInactive marks a task definition that a service cannot be updated to.
var errInactive = errors.New("TaskDefinition is inactive")

// Rollback puts back what ran before a started deployment, and returns d in phase
// rolling-back, to be observed on. d.RollbackReason says why. It may be called
// again after an error or a crash.
//
// ECS is told to roll the service deployment back while that goes on: it shifts
// the traffic back at once and keeps the old tasks that still run, so that nothing
// has to start. Where it is over, where ECS would return to something else, or may
// not be told, the service is updated to Base.
//
// Nothing is written where the service runs Base again already, because ECS put
// it back; nor where somebody else's deployment is primary: that one stays, and
// Observe says so.
func (e *ECS) Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	if d.Phase == slipway.PhaseRollingBack {
		return d, nil
	}
	if d.Phase != slipway.PhaseStarted || d.Base == "" || d.Base == d.TaskDefinition {
		return d, &slipway.Error{
			Next:    slipway.NextNever,
			Message: fmt.Sprintf("there is nothing to put back in service %s of cluster %s", d.Place.Service, d.Place.Cluster),
		}
	}
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return d, err
	}
	id, err := c.putBack(ctx, d)
	if err != nil {
		return d, err
	}
	d.RollbackID, d.RollbackStartedAt = id, time.Now()
	return enter(d, slipway.PhaseRollingBack), nil
}

// putBack makes the service run Base and returns the id of the deployment that
// does so, which may be ECS's or an earlier attempt's; empty where somebody
// else's deployment is in the way.
func (c *client) putBack(ctx context.Context, d slipway.Deployment) (string, error) {
	s, err := c.deployable(ctx, d.Place)
	if err != nil {
		return "", err
	}
	running := primary(s)
	runs, id := aws.ToString(running.TaskDefinition), aws.ToString(running.Id)
	ours := watch(d).in(s)
	if shifts(d, s) || running == ours && returnsTo(s, d.BaseDeployment) {
		if carrier, err := c.askBack(ctx, d, s); carrier != "" || err != nil {
			return carrier, err
		}
	}
	if running != ours && older(running, ours, d) {
		return id, nil // ECS did it
	}
	arn, err := c.activeBase(ctx, d, false)
	if err != nil {
		return "", err
	}
	if runs == arn {
		return id, nil // an earlier attempt did
	}
	if runs != d.TaskDefinition {
		return "", nil
	}
	made, _, err := c.update(ctx, d, arn)
	if errors.Is(err, errInactive) {
		// Deregistered so lately that its description did not say so yet.
		if arn, err = c.activeBase(ctx, d, true); err != nil {
			return "", err
		}
		made, _, err = c.update(ctx, d, arn)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(made.Id), nil
}

// returnsTo reports whether a rollback of a rolling update by ECS would return to a
// deployment: to the last one that was completed.
func returnsTo(s *types.Service, id string) bool {
	before := withID(s, id)
	return before != nil && before.RolloutState == types.DeploymentRolloutStateCompleted
}

// askBack has ECS roll back the service deployment that carries d out, and returns
// its ARN; empty where it is not going on or ECS may not be told, so that the
// service has to be updated.
func (c *client) askBack(ctx context.Context, d slipway.Deployment, s *types.Service) (string, error) {
	r, err := c.carrier(ctx, d, watch(d), s)
	if r == nil || err != nil {
		return "", c.optional(ctx, err)
	}
	switch r.status {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress:
	case types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress,
		types.ServiceDeploymentStatusRollbackSuccessful:
		return r.arn, nil // ECS did it, or an earlier attempt
	default:
		return "", nil
	}
	var sentAt time.Time
	_, err = c.api.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: aws.String(r.arn), StopType: types.StopServiceDeploymentStopTypeRollback,
	}, c.budget.once(&sentAt))
	if _, over := errors.AsType[*types.ConflictException](err); over {
		return "", &slipway.Error{
			Next: slipway.NextRetry, RetryAfter: afterFailure, Err: err,
			Message: fmt.Sprintf("the deployment of service %s in cluster %s ended while it was to be rolled back", d.Place.Service, d.Place.Cluster),
		}
	}
	if err != nil {
		return "", c.optional(ctx, c.explain(ctx, err, fmt.Sprintf("cannot roll back the deployment of service %s in cluster %s", d.Place.Service, d.Place.Cluster)))
	}
	c.log.InfoContext(ctx, "had ECS roll back a deployment", keyApp, d.App.String(), keyExecution, d.Execution, keyDeployment, r.arn)
	return r.arn, nil
}

// activeBase returns Base, or where it was deregistered a copy of it as it was:
// a service cannot be updated to an INACTIVE task definition. A copy that an
// earlier attempt registered is found again.
func (c *client) activeBase(ctx context.Context, d slipway.Deployment, inactive bool) (string, error) {
	base, err := c.describe(ctx, d.Base)
	if err != nil {
		return "", err
	}
	if base.active && !inactive {
		return d.Base, nil
	}
	wanted := base.withTags(tag{tagExecution, d.Execution})
	copied, err := c.registered(ctx, d.Execution, wanted)
	if err != nil || copied.arn != "" {
		return copied.arn, err
	}
	arn, _, err := c.register(ctx, wanted)
	return arn, err
}
