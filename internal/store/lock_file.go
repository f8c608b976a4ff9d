package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
	err := await(ctx, waiting, func() (held bool, by Holder, err error) {
		if held, err = file.TryLock(); err != nil {
			err = &slipway.Error{Next: slipway.NextPerson, Message: "lock database " + path, Err: err}
		}
		if !held {
			by = readHolder(file.Path())
		}
		return held, by, err
	})
	if err != nil {
		return nil, err
	}
	lock := &Lock{release: file.Unlock}
	if err := sign(file.Path(), me.now()); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// sign writes down who holds the lock.
func sign(path string, by Holder) error {
	if err := os.WriteFile(path, []byte(encode(by)), 0o600); err != nil {
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
