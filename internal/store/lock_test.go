package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/store"
)

func lockAddress(t *testing.T) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "folder", "slipway.db")
}

func mustAcquire(t *testing.T, address string) *store.Lock {
	t.Helper()
	lock, err := store.Acquire(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestLockSaysWhoHoldsIt(t *testing.T) {
	t.Parallel()
	address := lockAddress(t)
	lock := mustAcquire(t, address)
	_, err := store.Acquire(t.Context(), address, nil)
	if slipway.NextOf(err) != slipway.NextPerson || slipway.HintOf(err) == "" {
		t.Fatalf("got %v with hint %q", err, slipway.HintOf(err))
	}
	if me := fmt.Sprintf("process %d on ", os.Getpid()); !strings.Contains(err.Error(), me) {
		t.Errorf("%q does not say %q", err, me)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	// The file with the holder's name remains, and means nothing.
	if err := mustAcquire(t, address).Release(); err != nil {
		t.Error(err)
	}
}

func TestLockWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		address := lockAddress(t)
		first := mustAcquire(t, address)
		var told []string
		var second *store.Lock
		done := make(chan error)
		go func() {
			var err error
			second, err = store.Acquire(t.Context(), address, func(who string) { told = append(told, who) })
			done <- err
		}()
		<-time.After(time.Hour) // by the bubble's clock
		synctest.Wait()
		if len(told) != 1 || !strings.Contains(told[0], fmt.Sprintf("process %d on ", os.Getpid())) {
			t.Errorf("after an hour it was told %q", told)
		}
		before := time.Now()
		if err := first.Release(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took > time.Second {
			t.Errorf("it took over after %s", took)
		}
		if _, err := store.Acquire(t.Context(), address, nil); err == nil {
			t.Error("it does not hold the lock")
		}
		if err := second.Release(); err != nil {
			t.Error(err)
		}
	})
}

func TestLockStopsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		address := lockAddress(t)
		lock := mustAcquire(t, address)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err := store.Acquire(ctx, address, func(string) {})
		if err == nil || got != nil {
			t.Errorf("got %v, %v", got, err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
}

func TestLockOfWhatCannotBeLocked(t *testing.T) {
	t.Parallel()
	if _, err := store.Acquire(t.Context(), "mysql:here", nil); slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("a bad address gave %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Acquire(t.Context(), "sqlite:"+file+"/below.db", nil); slipway.NextOf(err) != slipway.NextPerson {
		t.Errorf("a folder that cannot be made gave %v", err)
	}
	// A folder in the lock file's place can neither be opened nor signed.
	if err := os.Mkdir(file+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	if lock, err := store.Acquire(t.Context(), "sqlite:"+file, nil); slipway.NextOf(err) != slipway.NextPerson || lock != nil {
		t.Errorf("a lock that cannot be taken gave %v, %v", lock, err)
	}
}

// A link to a database is that database: there is one lock.
func TestLockThroughLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, link := filepath.Join(folder, "slipway.db"), filepath.Join(folder, "link.db")
	db, err := store.Open(t.Context(), "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	lock := mustAcquire(t, "sqlite:"+file)
	defer func() { _ = lock.Release() }()
	if second, err := store.Acquire(t.Context(), "sqlite:"+link, nil); err == nil {
		_ = second.Release()
		t.Error("the lock was taken a second time, through a link")
	}
}
