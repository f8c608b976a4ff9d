package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/slipway-cd/slipway"
)

// Lock is the right to conduct the executions of one database. The operating
// system lets go of it when the process ends, however it ends.
type Lock struct {
	file *flock.Flock
}

// holder is what the lock's holder says of itself beside the lock.
type holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// lockRetry is how often a waiting process tries again.
const lockRetry = 250 * time.Millisecond

// Acquire takes the lock of the SQLite database that address names, before it
// is opened. When somebody else holds it, waiting is called once with a text
// that says who, and Acquire waits until ctx ends; with a nil waiting it
// returns that text as an error instead.
func Acquire(ctx context.Context, address string, waiting func(who string)) (*Lock, error) {
	path, err := sqlitePath(address)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, &slipway.Error{Next: slipway.NextPerson, Message: "make the database's folder", Err: err}
	}
	// One database has one lock, whatever links lead to it.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	lock := &Lock{file: flock.New(path + ".lock")}
	held, err := lock.file.TryLock()
	if err != nil {
		return nil, &slipway.Error{Next: slipway.NextPerson, Message: "lock database " + path, Err: err}
	}
	if !held {
		who := fmt.Sprintf("database %s is conducted by %s", path, lock.holder())
		if waiting == nil {
			return nil, &slipway.Error{
				Next: slipway.NextPerson, Message: who,
				Hint: "stop that process, or leave out --no-wait to stand by until it ends",
			}
		}
		waiting(who)
		if _, err := lock.file.TryLockContext(ctx, lockRetry); err != nil {
			return nil, fmt.Errorf("wait for the lock of database %s: %w", path, err)
		}
	}
	if err := lock.sign(); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// Release lets go of the lock.
func (l *Lock) Release() error { return l.file.Unlock() }

// sign writes down who holds the lock, for those who wait. The lock does not
// depend on it.
func (l *Lock) sign() error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	text, err := json.Marshal(holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return fmt.Errorf("describe the lock's holder: %w", err)
	}
	if err := os.WriteFile(l.file.Path(), text, 0o600); err != nil {
		return fmt.Errorf("sign the lock: %w", err)
	}
	return nil
}

func (l *Lock) holder() string {
	var who holder
	text, err := os.ReadFile(l.file.Path())
	if err != nil || json.Unmarshal(text, &who) != nil || who.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s since %s", who.PID, who.Host, who.Since.Format(time.RFC3339))
}
