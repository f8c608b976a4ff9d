package steps

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/slipway-cd/slipway"
)

// The keys of the steps' log records.
const (
	keyApp       = "app"
	keyExecution = "execution"
	keyOutcome   = "outcome"
	keyReason    = "reason"
	keyWait      = "wait"
	keyError     = "error"
)

// The bounds of a Backoff.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// Backoff grows the pauses between attempts, with jitter, so that many that
// failed together do not come back together.
type Backoff struct {
	pause time.Duration
}

// Next returns the next pause: at least what err asks for.
func (b *Backoff) Next(err error) time.Duration {
	b.pause = min(max(2*b.pause, firstPause), longestPause)
	wait := b.pause/2 + rand.N(b.pause/2)
	if e, ok := errors.AsType[*slipway.Error](err); ok {
		wait = max(wait, e.RetryAfter)
	}
	return wait
}

// Wait waits for d or a wake-up; it returns an error when ctx ended first, and at
// once where nobody can wake it and ctx's deadline comes before d is over.
func Wait(ctx context.Context, d time.Duration, woken <-chan struct{}) error {
	if deadline, has := ctx.Deadline(); has && woken == nil && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case <-woken:
		return nil
	}
}
