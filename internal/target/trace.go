package target

import (
	"context"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// Trace finds what somebody else's deployment of d did: d's app, place and images are
// set, and ID where it is a CodeDeploy deployment's. It began to act between from and
// to; a zero to means that it still may. The answer is d as if it was started here, for
// Observe, or in phase new where AWS has nothing of it: it came to no deployment, AWS
// has forgotten it (service deployments are kept for 90 days), or schedules were moved.
func (a *AWS) Trace(ctx context.Context, d slipway.Deployment, from, to time.Time) (slipway.Deployment, error) {
	if strings.HasPrefix(d.ID, "d-") {
		d.Place.Kind = slipway.KindCodeDeploy
	}
	d, err := a.find(ctx, d)
	if err != nil {
		return d, err
	}
	switch d.Place.Kind {
	case slipway.KindCodeDeploy:
		if d.ID != "" {
			d.Phase, d.StartedAt = slipway.PhaseStarted, from
		}
		return d, nil
	case slipway.KindSchedule:
		return d, nil
	case slipway.KindAny, slipway.KindService:
	}
	return a.service.trace(ctx, d, span{after: from, before: to})
}

// trace finds the first service deployment of a time that made the service run d's
// images.
func (e *ECS) trace(ctx context.Context, d slipway.Deployment, in span) (slipway.Deployment, error) {
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return d, err
	}
	// Both times are AWS's, and a second of CodePipeline's may be another of ECS's.
	in.after = in.after.Add(-time.Second)
	until := in.before
	in.before = time.Time{} // the oldest first, rather than the one in the middle
	r, err := c.recordThat(ctx, d.Place, in, func(arn string) (bool, error) {
		images, err := c.imagesOf(ctx, arn)
		return err == nil && slipway.Runs(images, d.Images), err
	})
	if err != nil || r == nil || !until.IsZero() && r.createdAt.After(until.Add(time.Second)) {
		return d, err
	}
	d.Phase, d.ID, d.StartedAt, d.TaskDefinition = slipway.PhaseStarted, r.arn, r.createdAt, r.runs
	return d, nil
}
