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

// maxRestarts bounds how often a deployment begins anew because somebody else
// changed the service between our reading it and our updating it.
const maxRestarts = 5

// Advance takes the one step out of d.Phase and returns d as it is to be
// persisted before the next step: Attempt is 0 when a phase was left.
//
//	new        -> prepared, unchanged, or started (on a deployment found in progress)
//	prepared   -> registered
//	registered -> started, or new again where the service was changed meanwhile
//
// The caller has persisted d.Attempt before. Above 1, the step looks whether an
// earlier attempt had its effect before it writes. With an error, d is returned
// as it was. A step may wait for its turn within ECS's request rates, as long as
// ctx allows; with a deadline on ctx that is too near, it returns NextRetry.
func (e *ECS) Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return d, err
	}
	var next slipway.Deployment
	switch d.Phase {
	case slipway.PhaseNew:
		next, _, err = c.prepare(ctx, d)
	case slipway.PhasePrepared:
		next, err = c.prepared(ctx, d)
	case slipway.PhaseRegistered:
		next, err = c.start(ctx, d)
	default:
		err = &slipway.Error{Next: slipway.NextNever, Message: fmt.Sprintf("a deployment in phase %q has no next step", d.Phase)}
	}
	if err != nil {
		return d, err
	}
	return next, nil
}

// Plan says what a deployment would change, and writes nothing. prepared is d as
// Advance would return it out of its first phase.
func (e *ECS) Plan(ctx context.Context, d slipway.Deployment) (prepared slipway.Deployment, changes []slipway.FieldChange, err error) {
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	prepared, changes, err = c.prepare(ctx, d)
	if err != nil {
		return d, nil, err
	}
	return prepared, changes, nil
}

// enter is d in its next phase.
func enter(d slipway.Deployment, phase slipway.Phase) slipway.Deployment {
	d.Phase, d.Attempt = phase, 0
	return d
}

// prepare reads what the service runs, and whether there is anything to change.
func (c *client) prepare(ctx context.Context, d slipway.Deployment) (slipway.Deployment, []slipway.FieldChange, error) {
	s, err := c.deployable(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	running := primary(s)
	d.PreparedAt = time.Now()
	d.BaseDeployment = aws.ToString(running.Id)
	d.Strategy = strategyOf(s)
	d, changes, err := c.compare(ctx, d, aws.ToString(running.TaskDefinition))
	if err != nil {
		return d, nil, err
	}
	switch {
	case len(changes) > 0:
		return enter(d, slipway.PhasePrepared), changes, nil
	case running.RolloutState == types.DeploymentRolloutStateFailed:
		// The right images, but ECS has given up on them and starts no more tasks;
		// only a new deployment does. A copy with nothing changed makes one.
		return enter(d, slipway.PhasePrepared), nil, nil
	case complete(s, running) && !lingering(s):
		return enter(d, slipway.PhaseUnchanged), nil, nil
	}
	return found(d, s, running), nil, nil
}

// compare is d with a task definition as its Base, and what has to change in that.
func (c *client) compare(ctx context.Context, d slipway.Deployment, arn string) (slipway.Deployment, []slipway.FieldChange, error) {
	base, err := c.describe(ctx, arn)
	if err != nil {
		return d, nil, err
	}
	_, changes, err := base.withImages(d.Images)
	if err != nil {
		return d, nil, err
	}
	d.Base = arn
	d.BaseImages = slices.DeleteFunc(base.images(), func(image slipway.Image) bool {
		return !slices.ContainsFunc(d.Images, func(wanted slipway.Image) bool { return wanted.Container == image.Container })
	})
	return d, changes, nil
}

// found is d on a deployment that somebody else began and that will make the
// service run our images, if it succeeds: nothing is written, and it is observed
// to its end. What it replaces is what a rollback would put back; where ECS does
// not list that any more, Base is the task definition itself and there is
// nothing to put back.
func found(d slipway.Deployment, s *types.Service, running *types.Deployment) slipway.Deployment {
	d.TaskDefinition, d.ID, d.StartedAt = d.Base, d.BaseDeployment, aws.ToTime(running.CreatedAt)
	for i := range s.Deployments {
		before := &s.Deployments[i]
		if before != running && complete(s, before) {
			d.Base, d.BaseDeployment = aws.ToString(before.TaskDefinition), aws.ToString(before.Id)
			break
		}
	}
	return enter(d, slipway.PhaseStarted)
}

// prepared makes sure that the task definition to run is registered.
func (c *client) prepared(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	base, err := c.describe(ctx, d.Base)
	if err != nil {
		return d, err
	}
	wanted, _, err := base.withImages(d.Images)
	if err != nil {
		return d, err
	}
	wanted = wanted.withoutOurTags().withTags(ours(d)...)

	// An update to the task definition that runs would start nothing.
	others := slices.DeleteFunc(slices.Clone(d.Reusable), func(arn string) bool { return arn == d.Base })
	if d.TaskDefinition, err = c.reusable(ctx, others, wanted); err != nil {
		return d, err
	}
	if d.TaskDefinition != "" {
		d.Reused = true
		return enter(d, slipway.PhaseRegistered), nil
	}
	arn, at, err := c.registerOnce(ctx, d, wanted)
	if err != nil {
		return d, err
	}
	d.TaskDefinition = arn
	d.FirstWriteAt = earliest(d.FirstWriteAt, at)
	return enter(d, slipway.PhaseRegistered), nil
}

// registerOnce registers wanted unless an earlier attempt of this execution did.
func (c *client) registerOnce(ctx context.Context, d slipway.Deployment, wanted definition) (arn string, at time.Time, err error) {
	if d.Attempt > 1 {
		before, err := c.registered(ctx, d.Execution, wanted)
		if err != nil || before.arn != "" {
			return before.arn, before.registeredAt, err
		}
	}
	arn, at, err = c.register(ctx, wanted)
	if err != nil {
		return "", time.Time{}, err
	}
	c.log.InfoContext(ctx, "registered a task definition", keyApp, d.App.String(), keyExecution, d.Execution, keyTaskDefinition, arn)
	return arn, at, nil
}

// start updates the service, unless an earlier attempt did.
func (c *client) start(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	s, err := c.deployable(ctx, d.Place)
	if err != nil {
		return d, err
	}
	before, err := c.startedBefore(ctx, d, s)
	if err != nil {
		return d, err
	}
	if before.id != "" {
		return started(d, before.id, before.at, before.at), nil
	}
	running := primary(s)
	if aws.ToString(running.TaskDefinition) != d.Base {
		return restart(d, running)
	}
	// Somebody may have forced a new deployment of the same task definition: our
	// copy of it is still right.
	d.BaseDeployment = aws.ToString(running.Id)
	d.Strategy = strategyOf(s)

	made, sentAt, err := c.update(ctx, d, d.TaskDefinition)
	if err != nil {
		return d, err
	}
	return started(d, aws.ToString(made.Id), aws.ToTime(made.CreatedAt), sentAt), nil
}

// started is d once the service was updated. StartedAt is by AWS's clock, like
// everything that it is compared with.
func started(d slipway.Deployment, id string, createdAt, sentAt time.Time) slipway.Deployment {
	d.ID, d.StartedAt = id, createdAt
	if createdAt.IsZero() {
		d.StartedAt = sentAt
	}
	d.FirstWriteAt = earliest(d.FirstWriteAt, sentAt)
	return enter(d, slipway.PhaseStarted)
}

// restart is d from its beginning, on what the service runs now: the copy that
// was made would undo what somebody changed in between.
func restart(d slipway.Deployment, running *types.Deployment) (slipway.Deployment, error) {
	if d.Restarts >= maxRestarts {
		return d, &slipway.Error{
			Next: slipway.NextPerson,
			Message: fmt.Sprintf("service %s in cluster %s was changed %d times while it was read; it now runs %s",
				d.Place.Service, d.Place.Cluster, d.Restarts+1, lastPart(aws.ToString(running.TaskDefinition))),
			Hint: "find out who else deploys to the service, then retry",
		}
	}
	d.Restarts++
	d.PreparedAt, d.Base, d.BaseDeployment, d.BaseImages, d.Strategy = time.Time{}, "", "", nil, ""
	d.TaskDefinition, d.Reused = "", false
	return enter(d, slipway.PhaseNew), nil
}

// update makes the service run a task definition, and returns the deployment
// that this made and when the call went out.
func (c *client) update(ctx context.Context, d slipway.Deployment, arn string) (made *types.Deployment, sentAt time.Time, err error) {
	doing := fmt.Sprintf("cannot update service %s in cluster %s to %s", d.Place.Service, d.Place.Cluster, lastPart(arn))
	out, err := c.api.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String(d.Place.Cluster), Service: aws.String(d.Place.Service), TaskDefinition: aws.String(arn),
	}, c.budget.once(&sentAt))
	if isInactive(err) {
		return nil, sentAt, &slipway.Error{
			Next: slipway.NextPerson, Message: doing + ": the task definition was deregistered (it is INACTIVE)", Err: errInactive,
			Hint: "retry the execution: it registers the task definition anew; and find out what deregisters task definitions in use",
		}
	}
	if err != nil {
		return nil, sentAt, c.explain(ctx, err, doing)
	}
	made = primary(out.Service)
	if made == nil || aws.ToString(made.TaskDefinition) != arn {
		return nil, sentAt, &slipway.Error{
			Next: slipway.NextRetry, RetryAfter: afterFailure,
			Message: doing + ": ECS answered without a deployment of it",
		}
	}
	c.log.InfoContext(ctx, "updated a service", keyApp, d.App.String(), keyExecution, d.Execution,
		keyTaskDefinition, arn, keyDeployment, aws.ToString(made.Id))
	return made, sentAt, nil
}

// withoutOurTags is d without the tags of the deployment that registered it.
func (d definition) withoutOurTags() definition {
	d.tags = slices.DeleteFunc(slices.Clone(d.tags), func(t tag) bool { return strings.HasPrefix(t.Key, tagPrefix) })
	return d
}

// earliest is the earlier of two times, of which the first may be zero.
func earliest(known, at time.Time) time.Time {
	if known.IsZero() || at.Before(known) {
		return at
	}
	return known
}
