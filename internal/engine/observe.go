package engine

import (
	"context"
	"reflect"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// observe looks at a started deployment until something else is to be done
// than to look again. All of it is one durable step: looking changes nothing,
// so a restart simply looks anew.
func (s *steps) observe(ctx context.Context, e slipway.Execution, action pipeline.Action) (slipway.Execution, error) {
	woken := s.woken(e.App())
	var pause backoff
	for {
		seen, err := s.target.Observe(ctx, e.Deployment)
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		before := e.Observation
		var look time.Time
		if err != nil {
			// What was started goes on, whatever keeps us from seeing it; the
			// timeout is the only end to trying.
			wait := pause.next(err)
			look = time.Now().Add(wait)
			s.log.WarnContext(ctx, "cannot observe", keyApp, e.App(), keyExecution, e.ID, keyWait, wait, keyError, err)
		} else {
			pause, look = backoff{}, seen.Next
			e = pipeline.Observe(e, seen, time.Now())
		}
		if pipeline.Next(e) != action {
			return e, nil
		}
		if !sameSight(before, e.Observation) {
			if err := s.save(ctx, e); err != nil {
				return e, err
			}
		}
		if deadline := deadlineOf(e); deadline.Before(look) {
			look = deadline
		}
		if err := sleep(ctx, time.Until(look), woken); err != nil {
			return e, err
		}
		row, err := s.load(ctx, e.ID)
		if err != nil {
			return e, err
		}
		e.Stop = row.Stop
		if e = pipeline.Wait(e, time.Now()); pipeline.Next(e) != action {
			return e, nil
		}
	}
}

// deadlineOf is when the timeout of what is observed is over.
func deadlineOf(e slipway.Execution) time.Time {
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		return e.Deployment.RollbackStartedAt.Add(e.Pipeline.Timeout)
	}
	return e.Deployment.StartedAt.Add(e.Pipeline.Timeout)
}

// sameSight reports whether two observations say the same but for their times.
func sameSight(a, b *slipway.Observation) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	x.At, x.Next, y.At, y.Next = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return reflect.DeepEqual(x, y)
}
