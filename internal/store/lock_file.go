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

// acquireFile takes the lock of the database in a file: one on a file beside it, which
// also says who holds it.
func acquireFile(ctx context.Context, path string, me Holder, waiting func(Holder)) (*Lock, error) {
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	// One database has one lock, whatever links lead to it.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	file := flock.New(path + ".lock")
	var told Holder
	for first := true; ; first = false {
		held, err := file.TryLock()
		if err != nil {
			return nil, &slipway.Error{Next: slipway.NextPerson, Message: "lock database " + path, Err: err}
		}
		if held {
			break
		}
		by := readHolder(file.Path())
		if waiting == nil {
			return nil, conducted(by)
		}
		if first || by != told {
			waiting(by)
			told = by
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the lock of database %s: %w", path, ctx.Err())
		}
	}
	lock := &Lock{release: file.Unlock}
	if err := sign(file.Path(), me.now()); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// sign writes down who holds the lock.
func sign(path string, by Holder) error {
	text, err := json.Marshal(by)
	if err != nil {
		return fmt.Errorf("describe the lock's holder: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("sign the lock: %w", err)
	}
	return nil
}

// readHolder is who signed, or the zero value where that cannot be read.
func readHolder(path string) Holder {
	var by Holder
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &by) != nil {
		return Holder{}
	}
	return by
}
