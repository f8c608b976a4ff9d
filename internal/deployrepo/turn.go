package deployrepo

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// maxPause bounds the time between two attempts of a Write.
const maxPause = 10 * time.Second

// lock waits for the turn to write through this folder or mirror. The lock is
// the kernel's, so that it ends with the process that holds it.
func (r *Repo) lock(ctx context.Context) (unlock func(), err error) {
	type turn struct {
		unlock func()
		err    error
	}
	turns := make(chan turn, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(filepath.Join(r.git.Path, "slipway.lock")).Lock()
		turns <- turn{unlock, err}
	}()
	select {
	case got := <-turns:
		return got.unlock, got.err
	case <-ctx.Done():
		go func() {
			if got := <-turns; got.err == nil {
				got.unlock()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// pause waits before an attempt: not at all before the first, then up to
// twice as long each time, at random so that those who met do not meet again.
// It begins with how long the last attempt took, which is what the others need
// too, and more the more they are.
func pause(ctx context.Context, attempt int, took time.Duration) error {
	if attempt == 0 {
		return ctx.Err()
	}
	most := min(max(took, time.Millisecond)<<min(attempt, 10), maxPause)
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
