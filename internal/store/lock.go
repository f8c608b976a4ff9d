package store

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/slipway-cd/slipway"
)

// Lock is the right to conduct the executions of one database. It ends with the
// process, however that ends.
type Lock struct {
	release func() error
	lost    <-chan struct{}
}

// Release lets go of the lock.
func (l *Lock) Release() error { return l.release() }

// Lost is closed when the lock was lost to somebody else: the holder must stop
// conducting at once. Of a file's lock it is nil, since the operating system takes
// that from nobody who lives.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Holder is what the lock's holder says of itself, for those who wait. The lock does
// not depend on it.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	// URL is where the holder's API answers, or empty.
	URL string `json:"url,omitempty"`
}

// Self is this process, whose API answers at url.
func Self(url string) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return Holder{PID: os.Getpid(), Host: host, URL: url}
}

// String says who it is, in words.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s since %s", h.PID, h.Host, h.Since.Format(time.RFC3339))
}

// now is a holder that begins to be one.
func (h Holder) now() Holder {
	h.Since = time.Now().UTC().Truncate(time.Second)
	return h
}

// lockRetry is how often a waiting process tries again.
const lockRetry = 250 * time.Millisecond

// await tries until the lock is held, and tells waiting who holds it meanwhile; with a
// nil waiting that is an error.
func await(ctx context.Context, waiting func(Holder), try func() (held bool, by Holder, err error)) error {
	var told *Holder
	for {
		held, by, err := try()
		switch {
		case held || err != nil:
			return err
		case waiting == nil:
			return conducted(by)
		case told == nil || *told != by:
			waiting(by)
			told = &by
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return fmt.Errorf("wait for the database's lock: %w", ctx.Err())
		}
	}
}

// conducted is the error for who does not want to wait.
func conducted(by Holder) error {
	return &slipway.Error{
		Next: slipway.NextPerson, Message: "the database is conducted by " + by.String(),
		Hint: "stop that process, or leave out --no-wait to stand by until it ends",
	}
}
