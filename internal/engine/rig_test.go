package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store"
)

var webapp = slipway.App{Cluster: "cluster1", Name: "webapp1"}

// rig is an Engine on a database on disk.
type rig struct {
	t      testing.TB
	on     store.Database
	cloud  *stepstest.Cloud
	target steps.Target // the cloud, if nil
	log    *slog.Logger // the test's, if nil
	store  *store.Store
	engine *engine.Engine
	n      int
}

// migrated is a database that an Engine has been opened on: making its tables
// takes longer than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "slipway-engine-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "slipway.db")
	s, err := inFile(path).Open(context.Background())
	if err != nil {
		return nil, err
	}
	e, err := engine.Open(context.Background(), engine.Options{SQLite: s.SQLite(), Postgres: s.Postgres(), Store: s, Queue: s, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil { // and the database, which empties the write-ahead log
		return nil, err
	}
	return os.ReadFile(path)
})

// inFile is the database of a file.
func inFile(path string) store.Database { return store.Database{Address: "sqlite:" + path} }

// database makes a database for a test and returns its path.
func database(t testing.TB) string {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "slipway.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder is a new folder for databases. Tests write so many transactions that
// the disk's fsync is what they would wait for; a file system in memory forgets
// as little when a process dies. A benchmark is to know the disk.
func folder(t testing.TB) string {
	t.Helper()
	if _, is := t.(*testing.B); is {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "slipway-engine-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// inBubble runs a test on a rig, by a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{}}
		r.open()
		defer r.close()
		test(t, r)
	})
}

func (r *rig) open() {
	r.t.Helper()
	if err := r.openWith(nil); err != nil {
		r.t.Fatal(err)
	}
}

// openWith opens the engine with another queue than the store, if not nil.
func (r *rig) openWith(queue engine.Queue) error {
	r.t.Helper()
	var err error
	if r.store, err = r.on.Open(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if queue == nil {
		queue = r.store
	}
	if r.target == nil {
		r.target = r.cloud
	}
	if r.log == nil {
		r.log = stepstest.Logger(r.t)
	}
	r.engine, err = engine.Open(r.t.Context(), engine.Options{
		SQLite: r.store.SQLite(), Postgres: r.store.Postgres(), Store: r.store, Queue: queue, Source: r.cloud, Target: r.target, Logger: r.log,
	})
	return err
}

func (r *rig) close() {
	r.t.Helper()
	if err := r.engine.Close(); err != nil {
		r.t.Error(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// submit submits an execution of app in a mode, and returns its id.
func (r *rig) submit(app slipway.App, mode slipway.Mode) string {
	r.t.Helper()
	r.n++
	commit := fmt.Sprintf("%040d", r.n)
	e := slipway.Execution{
		ID: engine.NewID(), CreatedAt: time.Now(), Pipeline: slipway.Pipeline{Mode: mode},
		Revision: slipway.Revision{App: app, Commit: commit, Blob: "blob" + commit},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Ada <ada@example.com>", At: time.Now()},
	}
	if err := r.engine.Submit(r.t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
		r.t.Fatal(err)
	}
	return e.ID
}

func (r *rig) get(id string) slipway.Execution {
	r.t.Helper()
	e, err := r.store.Execution(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// passes lets time pass, and then what is under way settle.
func (r *rig) passes(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// wait waits for the end of an execution, at most ten minutes: every second
// of a bubble's time has the library look into its tables.
func (r *rig) wait(id string) slipway.Execution {
	r.t.Helper()
	for range 600 {
		if e := r.get(id); e.Status.Ended() {
			return e
		}
		<-time.After(time.Second)
	}
	r.t.Fatalf("it has not ended in ten minutes: %+v; calls: %s", r.get(id), r.cloud.Called())
	return slipway.Execution{}
}

// expect waits for an execution's end and compares it, and the calls to AWS,
// with what is wanted.
func (r *rig) expect(id, want, calls string) {
	r.t.Helper()
	e := r.wait(id)
	if got := stepstest.Ended(e); got != want {
		r.t.Errorf("it ended as\n     %s\nwant %s", got, want)
	}
	if got := r.cloud.Called(); got != calls {
		r.t.Errorf("calls were\n     %s\nwant %s", got, calls)
	}
	if e.EndedAt.IsZero() || e.StartedAt.IsZero() {
		r.t.Errorf("started at %s, ended at %s", e.StartedAt, e.EndedAt)
	}
}

// brokenQueue cannot say what is in progress.
type brokenQueue struct {
	engine.Queue
	err error
}

func (b *brokenQueue) InProgress(context.Context) ([]slipway.Execution, error) { return nil, b.err }

// tamper changes a closed database, and must change something.
func tamper(t *testing.T, r *rig, statement string, args ...any) {
	t.Helper()
	s, err := r.on.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	result, err := s.SQLite().ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed %d rows, %v", statement, n, err)
	}
}
