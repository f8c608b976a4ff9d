package steps

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
func (s *Steps) observe(ctx context.Context, e slipway.Execution, action pipeline.Action) (slipway.Execution, error) {
	woken := s.Woken(e.App())
	seenAt := s.since() // or when looking began
	for pause := (Backoff{}); ; {
		before := e.Observation
		seen, err := s.Target.Observe(ctx, e.Deployment)
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		now := time.Now()
		var look time.Time
		if err != nil {
			// What was started goes on, whatever keeps us from seeing it.
			look = now.Add(pause.Next(err))
			s.Log.WarnContext(ctx, "cannot observe", keyApp, e.App(), keyExecution, e.ID, keyWait, look.Sub(now), keyError, err)
			e = pipeline.Blind(e, seenAt, now, err)
		} else {
			pause, seenAt = Backoff{}, now
			e = pipeline.Observe(e, seen, now)
			look = lookAgain(e, seen, now)
		}
		if pipeline.Next(e) != action {
			return e, nil
		}
		if !sameSight(before, e.Observation) {
			if err := s.save(ctx, e); err != nil {
				return e, err
			}
		}
		if err := Wait(ctx, time.Until(look), woken); err != nil {
			return e, err
		}
		row, err := s.load(ctx, e.ID)
		if err != nil {
			return e, err
		}
		e.Stop, e.Decisions = row.Stop, row.Decisions
	}
}

// lookAgain is when to look again: when it is worth it, or when the deadline
// is to be judged; but never without a pause.
func lookAgain(e slipway.Execution, seen slipway.Observation, now time.Time) time.Time {
	look := seen.Next
	if deadline := pipeline.Deadline(e); deadline.Before(look) {
		look = deadline
	}
	if !look.After(now) {
		look = now.Add(firstPause)
	}
	return look
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
