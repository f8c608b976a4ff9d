package target

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

// schedules deploys batch apps: the targets of EventBridge rules and the schedules
// of EventBridge Scheduler that run task definitions of the app's family are moved
// to a new one. Its phases are those of a service, with a test run where asked for:
//
//	new ─► prepared ─► registered ───────────────► started ─► Observe
//	                        └──► testing ─► Observe ──┘
//
// A target that names the family without a revision runs the newest of it: for that
// one, registering is the switch, and nothing is written to it.
type schedules struct{ ecs *ECS }

// Advance takes the one step out of d.Phase; see ECS.Advance. Out of phase testing
// it is taken once Observe has said StateTested.
func (s *schedules) Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	c, err := s.ecs.client(ctx, d.Place)
	if err != nil {
		return d, err
	}
	next := d
	switch {
	case d.Phase == slipway.PhaseNew:
		next, _, err = c.prepareSchedules(ctx, d)
	case d.Phase == slipway.PhasePrepared:
		next, err = c.registerForSchedules(ctx, d)
	case d.Phase == slipway.PhaseRegistered && d.TestRun:
		next, err = c.startTest(ctx, d)
	case d.Phase == slipway.PhaseRegistered, d.Phase == slipway.PhaseTesting:
		next, err = c.moveSchedules(ctx, d)
	default:
		err = &slipway.Error{Next: slipway.NextNever, Message: fmt.Sprintf("a deployment in phase %q has no next step", d.Phase)}
	}
	if err != nil {
		return d, err
	}
	return next, nil
}

// Plan says what a deployment would change, and writes nothing; see ECS.Plan.
// Targets that lag behind the others are among the changes.
func (s *schedules) Plan(ctx context.Context, d slipway.Deployment) (prepared slipway.Deployment, changes []slipway.FieldChange, err error) {
	c, err := s.ecs.client(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	prepared, changes, err = c.prepareSchedules(ctx, d)
	if err != nil {
		return d, nil, err
	}
	return prepared, changes, nil
}

// Running says what the schedules of some places run, in their order. Where they do
// not all run the same, Images has each image that one of them runs.
func (s *schedules) Running(ctx context.Context, places []slipway.Place) ([]slipway.Running, error) {
	all := make([]slipway.Running, 0, len(places))
	for some := range slices.Chunk(places, atOnce) {
		said := make([]slipway.Running, len(some))
		var asked sync.WaitGroup
		for i, place := range some {
			asked.Go(func() {
				said[i] = s.running(ctx, place)
			})
		}
		asked.Wait()
		all = append(all, said...)
	}
	return all, ctx.Err()
}

func (s *schedules) running(ctx context.Context, place slipway.Place) slipway.Running {
	nothing := func(err error) slipway.Running { return slipway.Running{Place: place, Err: err} }
	c, err := s.ecs.client(ctx, place)
	if err != nil {
		return nothing(err)
	}
	jobs, err := c.jobs(ctx, place)
	if slipway.NextOf(err) == slipway.NextPerson && !errors.Is(err, slipway.ErrNoService) && place.Kind == slipway.KindAny {
		// It was asked because there is no service; that is not to be forgotten.
		return nothing(&slipway.Error{
			Next: slipway.NextPerson, Err: err, Hint: slipway.HintOf(err),
			Message: fmt.Sprintf("there is no service %s in cluster %s, and whether schedules run it could not be found out", place.Service, place.Cluster),
		})
	}
	if err != nil {
		return nothing(err)
	}
	newest, err := c.newestOf(ctx, jobs)
	if err != nil {
		return nothing(err)
	}
	running := slipway.Running{Place: place, TaskDefinition: newest, Steady: true}
	for _, arn := range slices.Backward(jobs.arns()) {
		images, err := c.imagesOf(ctx, arn)
		if err != nil {
			return nothing(err)
		}
		for _, image := range images {
			if !slices.Contains(running.Images, image) {
				running.Images = append(running.Images, image)
			}
		}
		running.Steady = running.Steady && arn == newest
	}
	return running
}

// imagesOf are the images of a task definition's containers.
func (c *client) imagesOf(ctx context.Context, arn string) ([]slipway.Image, error) {
	if images, known := c.images.get(arn); known {
		return images, nil
	}
	described, err := c.describe(ctx, arn)
	if err != nil {
		return nil, err
	}
	c.images.put(arn, described.images())
	return described.images(), nil
}

// newestOf resolves what jobs run, and returns the newest of it.
func (c *client) newestOf(ctx context.Context, jobs jobs) (string, error) {
	newest := ""
	for name, arn := range jobs.runs {
		if !schedule.Pinned(arn) {
			described, err := c.describe(ctx, arn)
			if err != nil {
				return "", err
			}
			arn = described.arn
			jobs.runs[name] = arn
		}
		if newest == "" || revision(arn) > revision(newest) {
			newest = arn
		}
	}
	return newest, nil
}

// revision is the number of a task definition's revision.
func revision(arn string) int {
	n, _ := strconv.Atoi(arn[strings.LastIndex(arn, ":")+1:]) // 0 where it names none
	return n
}

// prepareSchedules reads what the targets run, and whether there is anything to
// change.
func (c *client) prepareSchedules(ctx context.Context, d slipway.Deployment) (slipway.Deployment, []slipway.FieldChange, error) {
	jobs, err := c.jobs(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	d.PreparedAt, d.Place.Kind, d.Place.Family, d.Targets = time.Now(), slipway.KindSchedule, jobs.family, nil
	for _, t := range jobs.targets {
		d.Targets = append(d.Targets, slipway.ScheduledTarget{Name: t.Name, Before: t.TaskDefinition})
	}
	if d.Base, err = c.newestOf(ctx, jobs); err != nil {
		return d, nil, err
	}
	if i := slices.IndexFunc(d.Targets, slipway.ScheduledTarget.Newest); i >= 0 && d.TestRun {
		return d, nil, &slipway.Error{
			Next: slipway.NextPerson,
			Message: fmt.Sprintf("there can be no test run: %s runs the newest task definition of family %s, so that registering one switches it",
				schedule.Label(d.Targets[i].Name), jobs.family),
			Hint: "let it run a task definition with its revision, or take testRun out of pipeline.yaml",
		}
	}
	base, err := c.describe(ctx, d.Base)
	if err != nil {
		return d, nil, err
	}
	_, changes, err := base.withImages(d.Images)
	if err != nil {
		return d, nil, err
	}
	d.BaseImages = slices.DeleteFunc(base.images(), func(image slipway.Image) bool {
		return !slices.ContainsFunc(d.Images, func(wanted slipway.Image) bool { return wanted.Container == image.Container })
	})
	if len(changes) == 0 {
		for _, t := range jobs.targets {
			if runs := jobs.runs[t.Name]; runs != d.Base {
				changes = append(changes, slipway.FieldChange{Path: schedule.Label(t.Name), From: runs, To: d.Base})
			}
		}
	}
	if len(changes) == 0 && base.active {
		return enter(d, slipway.PhaseUnchanged), nil, nil
	}
	return enter(d, slipway.PhasePrepared), changes, nil
}

// registerForSchedules makes sure that the task definition to run is registered.
func (c *client) registerForSchedules(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	base, err := c.describe(ctx, d.Base)
	if err != nil {
		return d, err
	}
	wanted, changes, err := base.withImages(d.Images)
	if err != nil {
		return d, err
	}
	if len(changes) == 0 && base.active {
		// Some run it already, and the others are to follow.
		d.TaskDefinition, d.Reused = d.Base, true
		return enter(d, slipway.PhaseRegistered), nil
	}
	wanted = wanted.withoutOurTags().withTags(ours(d)...)
	if !slices.ContainsFunc(d.Targets, slipway.ScheduledTarget.Newest) { // for those, an older one is none
		if d.TaskDefinition, err = c.reusable(ctx, d.Reusable, wanted); err != nil {
			return d, err
		}
	}
	if d.TaskDefinition != "" {
		d.Reused = true
		return enter(d, slipway.PhaseRegistered), nil
	}
	arn, at, err := c.registerOnce(ctx, d, wanted)
	if err != nil {
		return d, err
	}
	d.TaskDefinition, d.FirstWriteAt = arn, earliest(d.FirstWriteAt, at)
	return enter(d, slipway.PhaseRegistered), nil
}
