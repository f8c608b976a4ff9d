package target

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

// present is what a batch app's targets were just seen to run, by their names; those
// that are gone are not in it.
type present map[string]schedule.Target

// readTargets reads d's targets as they are now.
func (c *client) readTargets(ctx context.Context, d slipway.Deployment) (present, error) {
	cluster, err := c.clusterARN(ctx, d.Place.Cluster)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(d.Targets))
	for i, t := range d.Targets {
		names[i] = t.Name
	}
	return c.timers.Read(ctx, cluster, names)
}

// moveSchedules moves d's targets to its task definition, but for those that run it
// already. One that somebody else has moved meanwhile is left alone; where none is
// moved yet, the deployment begins anew on what runs now.
func (c *client) moveSchedules(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	now, err := c.readTargets(ctx, d)
	if err != nil {
		return d, err
	}
	written := slices.ContainsFunc(d.Targets, func(t slipway.ScheduledTarget) bool {
		return t.Before != d.TaskDefinition && now[t.Name].TaskDefinition == d.TaskDefinition || t.Newest() && !d.Reused
	})
	if !written {
		changed, err := c.changedMeanwhile(ctx, d, now)
		if err != nil {
			return d, err
		}
		if changed {
			return c.restartSchedules(ctx, d)
		}
	}
	d.Targets = slices.Clone(d.Targets)
	to := map[string]string{}
	var behind []schedule.Target
	for _, t := range d.Targets {
		if at, there := now[t.Name]; there && at.TaskDefinition == t.Before && !t.Newest() && t.Before != d.TaskDefinition {
			behind, to[t.Name] = append(behind, at), d.TaskDefinition
		}
	}
	if d.Phase == slipway.PhaseTesting && len(behind) > 0 {
		if err := c.stillActive(ctx, d); err != nil {
			if !written || slipway.NextOf(err) == slipway.NextRetry || ctx.Err() != nil {
				return d, err
			}
			refused(d.Targets, behind, err)
			behind = nil
		}
	}
	for _, group := range schedule.Group(behind) {
		d.FirstWriteAt = earliest(d.FirstWriteAt, time.Now())
		some, err := c.timers.Move(ctx, group, to, d.Execution)
		written = written || some
		if err != nil && (!written || slipway.NextOf(err) == slipway.NextRetry || ctx.Err() != nil) {
			return d, err
		}
		if err != nil {
			// The others were moved, and will have to be moved back.
			refused(d.Targets, group, err)
			break
		}
		c.logMoved(ctx, d, group, d.TaskDefinition)
	}
	d.StartedAt = time.Now()
	return enter(d, slipway.PhaseStarted), nil
}

// stillActive fails where d's task definition was deregistered during its test run:
// AWS would move a schedule to it, and every run of that would fail.
func (c *client) stillActive(ctx context.Context, d slipway.Deployment) error {
	described, err := c.describe(ctx, d.TaskDefinition)
	if err != nil || described.active {
		return err
	}
	return &slipway.Error{
		Next: slipway.NextPerson, Err: errInactive,
		Message: fmt.Sprintf("cannot move schedules to %s: the task definition was deregistered (it is INACTIVE)", lastPart(d.TaskDefinition)),
		Hint:    "retry the execution: it registers the task definition anew; and find out what deregisters task definitions in use",
	}
}

// refused writes down why a group of targets could not be moved.
func refused(targets []slipway.ScheduledTarget, group []schedule.Target, err error) {
	problem := err.Error()
	if hint := slipway.HintOf(err); hint != "" {
		problem += "; " + hint
	}
	for i := range targets {
		if slices.ContainsFunc(group, func(t schedule.Target) bool { return t.Name == targets[i].Name }) {
			targets[i].Problem = problem
		}
	}
}

func (c *client) logMoved(ctx context.Context, d slipway.Deployment, group []schedule.Target, arn string) {
	for _, t := range group {
		c.log.InfoContext(ctx, "moved a schedule", keyApp, d.App.String(), keyExecution, d.Execution, "target", t.Name, keyTaskDefinition, arn)
	}
}

// changedMeanwhile reports whether the targets are others, or run something else,
// than when d was prepared.
func (c *client) changedMeanwhile(ctx context.Context, d slipway.Deployment, now present) (bool, error) {
	jobs, err := c.jobs(ctx, d.Place)
	if err != nil {
		return false, err
	}
	known := map[string]string{}
	for _, t := range d.Targets {
		known[t.Name] = t.Before
		if at, there := now[t.Name]; there && at.TaskDefinition != t.Before {
			return true, nil
		}
	}
	return slices.ContainsFunc(jobs.targets, func(t schedule.Target) bool { return known[t.Name] == "" }), nil
}

// restartSchedules is d from its beginning, on what its targets run now.
func (c *client) restartSchedules(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	if d.Restarts >= maxRestarts {
		return d, &slipway.Error{
			Next: slipway.NextPerson,
			Message: fmt.Sprintf("the schedules that run family %s in cluster %s were changed %d times while they were read",
				d.Place.Family, d.Place.Cluster, d.Restarts+1),
			Hint: "find out who else moves them, then retry",
		}
	}
	cluster, err := c.clusterARN(ctx, d.Place.Cluster)
	if err != nil {
		return d, err
	}
	c.timers.Forget(cluster)
	d.Restarts++
	d.PreparedAt, d.Base, d.BaseImages, d.Targets = time.Time{}, "", nil, nil
	d.TaskDefinition, d.Reused, d.TestTask = "", false, ""
	return enter(d, slipway.PhaseNew), nil
}

// Rollback has each target run again what it ran before; see ECS.Rollback. One that
// somebody else has moved meanwhile is left alone. For those that run the newest of
// their family, a copy of Base is registered: nothing else brings it back.
func (s *schedules) Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	if d.Phase == slipway.PhaseRollingBack {
		return d, nil
	}
	if d.Phase != slipway.PhaseStarted || !slices.ContainsFunc(d.Targets, func(t slipway.ScheduledTarget) bool { return moves(d, t) }) {
		return d, &slipway.Error{
			Next:    slipway.NextNever,
			Message: fmt.Sprintf("there is nothing to put back in the schedules that run family %s in cluster %s", d.Place.Family, d.Place.Cluster),
		}
	}
	c, err := s.ecs.client(ctx, d.Place)
	if err != nil {
		return d, err
	}
	back, err := c.putSchedulesBack(ctx, d)
	if err != nil {
		return d, err
	}
	back.RollbackStartedAt = time.Now()
	return enter(back, slipway.PhaseRollingBack), nil
}

// moves reports whether d has t run something else than before.
func moves(d slipway.Deployment, t slipway.ScheduledTarget) bool {
	if t.Newest() {
		return !d.Reused
	}
	return t.Before != d.TaskDefinition
}

func (c *client) putSchedulesBack(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	now, err := c.readTargets(ctx, d)
	if err != nil {
		return d, err
	}
	d.Targets = slices.Clone(d.Targets)
	to, usable := map[string]string{}, map[string]string{}
	var ahead []schedule.Target
	for i := range d.Targets {
		t := &d.Targets[i]
		if t.Newest() || !moves(d, *t) {
			continue
		}
		if usable[t.Before] == "" {
			was := d
			was.Base = t.Before
			if usable[t.Before], err = c.activeBase(ctx, was, false); err != nil {
				return d, err
			}
		}
		t.Before = usable[t.Before]
		if at, there := now[t.Name]; there && at.TaskDefinition == d.TaskDefinition {
			ahead, to[t.Name] = append(ahead, at), t.Before
		}
	}
	for _, group := range schedule.Group(ahead) {
		if _, err := c.timers.Move(ctx, group, to, d.Execution+" back"); err != nil {
			return d, err
		}
		c.logMoved(ctx, d, group, to[group[0].Name])
	}
	if slices.ContainsFunc(d.Targets, func(t slipway.ScheduledTarget) bool { return t.Newest() && moves(d, t) }) {
		d.RollbackID, err = c.newestBack(ctx, d)
	}
	return d, err
}

// newestBack makes a copy of Base the newest of its family, if ours still is, and
// returns its ARN; empty where somebody else's is newer.
func (c *client) newestBack(ctx context.Context, d slipway.Deployment) (string, error) {
	latest, err := c.describe(ctx, d.Place.Family)
	if err != nil {
		return "", err
	}
	base, err := c.describe(ctx, d.Base)
	if err != nil {
		return "", err
	}
	wanted := base.withTags(tag{tagExecution, d.Execution})
	if latest.taggedFor(d.Execution) && same(latest.definition, wanted) {
		return latest.arn, nil // an earlier attempt did
	}
	if latest.arn != d.TaskDefinition {
		return "", nil
	}
	arn, _, err := c.register(ctx, wanted)
	return arn, err
}
