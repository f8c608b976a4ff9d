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

var me = store.Self("http://127.0.0.1:7878")

func at(address string) store.Database { return store.Database{Address: address} }

func inFile(t *testing.T) store.Database {
	return at("sqlite:" + filepath.Join(t.TempDir(), "folder", "slipway.db"))
}

func mustAcquire(t *testing.T, d store.Database) *store.Lock {
	t.Helper()
	lock, err := d.Acquire(t.Context(), me, nil)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestLockSaysWhoHoldsIt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		lock := mustAcquire(t, d)
		_, err := d.Acquire(t.Context(), me, nil)
		if slipway.NextOf(err) != slipway.NextPerson || slipway.HintOf(err) == "" {
			t.Fatalf("got %v with hint %q", err, slipway.HintOf(err))
		}
		if me := fmt.Sprintf("process %d on ", os.Getpid()); !strings.Contains(err.Error(), me) {
			t.Errorf("%q does not say %q", err, me)
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
		// The holder's name remains, and means nothing.
		if err := mustAcquire(t, d).Release(); err != nil {
			t.Error(err)
		}
	})
}

func TestLockWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := inFile(t)
		first := mustAcquire(t, d)
		var told []store.Holder
		var second *store.Lock
		done := make(chan error)
		go func() {
			var err error
			second, err = d.Acquire(t.Context(), me, func(who store.Holder) { told = append(told, who) })
			done <- err
		}()
		<-time.After(time.Hour) // by the bubble's clock
		synctest.Wait()
		if len(told) != 1 || told[0].PID != os.Getpid() || told[0].URL != me.URL {
			t.Errorf("after an hour it was told %v", told)
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
		if _, err := d.Acquire(t.Context(), me, nil); err == nil {
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
		d := inFile(t)
		lock := mustAcquire(t, d)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err := d.Acquire(ctx, me, func(store.Holder) {})
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
	if _, err := at("mysql:here").Acquire(t.Context(), me, nil); slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("a bad address gave %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := at("sqlite:"+file+"/below.db").Acquire(t.Context(), me, nil); slipway.NextOf(err) != slipway.NextPerson {
		t.Errorf("a folder that cannot be made gave %v", err)
	}
	// A folder in the lock file's place can neither be opened nor signed.
	if err := os.Mkdir(file+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	if lock, err := at("sqlite:"+file).Acquire(t.Context(), me, nil); slipway.NextOf(err) != slipway.NextPerson || lock != nil {
		t.Errorf("a lock that cannot be taken gave %v, %v", lock, err)
	}
}

// A link to a database is that database: there is one lock.
func TestLockThroughLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, link := filepath.Join(folder, "slipway.db"), filepath.Join(folder, "link.db")
	open(t, at("sqlite:"+file))
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	lock := mustAcquire(t, at("sqlite:"+file))
	defer func() { _ = lock.Release() }()
	if second, err := at("sqlite:"+link).Acquire(t.Context(), me, nil); err == nil {
		_ = second.Release()
		t.Error("the lock was taken a second time, through a link")
	}
}
