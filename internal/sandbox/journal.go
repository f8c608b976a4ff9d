package sandbox

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// saveAfter is how long changes that nobody asked for (the scheduler's) are
// collected before they are saved.
const saveAfter = 500 * time.Millisecond

// journal keeps the control plane's state on disk. What a client asked for is
// saved before the client is answered, for AWS forgets nothing either: a
// controller that is killed together with the sandbox must find what it wrote.
// It does not guard against a loss of power.
type journal struct {
	path     string
	snapshot func() ([]byte, error)
	logger   *slog.Logger

	requests atomic.Int64 // that may have changed something

	mu    sync.Mutex
	saved int64  // of requests
	last  []byte // as saved
}

// save writes the state as it is now, if it is not what was written last. The
// caller holds the lock.
func (j *journal) save() error {
	requests := j.requests.Load()
	state, err := j.snapshot()
	if err == nil && !bytes.Equal(state, j.last) {
		err = writeFile(j.path, state)
	}
	if err != nil {
		j.logger.Error("cannot save the sandbox's state", "file", j.path, "error", err)
		return err
	}
	j.saved, j.last = requests, state
	return nil
}

// saveNow writes the state as it is now.
func (j *journal) saveNow() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.save()
}

// follow saves the state some time after each change, until ctx ends.
func (j *journal) follow(ctx context.Context, changed <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		timer := time.NewTimer(saveAfter)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			_ = j.saveNow() // logged, and tried again with the next change
		}
	}
}

// before saves what a request to next changed before its answer is sent.
// Requests at the same time share a save.
func (j *journal) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation := awsjson.Target(r)
		if awsjson.Reads(operation) {
			next.ServeHTTP(w, r)
			return
		}
		answer := awsjson.NewAnswer()
		next.ServeHTTP(answer, r)
		j.record()
		answer.Send(w)
	})
}

// record saves what was just changed, unless a save that began later has.
func (j *journal) record() {
	request := j.requests.Add(1)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.saved < request {
		_ = j.save() // logged
	}
}
