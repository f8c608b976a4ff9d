package engine_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store"
)

// The databases in testdata are what former builds left behind: for each action,
// an execution that was interrupted in it. Today's build must bring all of them
// to their end. When the steps, the words' JSON or the tables change, keep the
// files that there are, and add one of the build before the change:
//
//	go test ./internal/engine -run TestReplay -generate testdata/NAME.db
var generate = flag.String("generate", "", "write the database of interrupted executions to this file, relative to the package")

// interrupted are the actions in which executions are left, each with what it
// still does, and how it ends.
var interrupted = []struct {
	action pipeline.Action
	rest   string
	want   string
}{
	{pipeline.ActionSource, "source prepare register start observe", "Succeeded, deployed: seen deployed"},
	{pipeline.ActionPrepare, "prepare register start observe", "Succeeded, deployed: seen deployed"},
	{pipeline.ActionRegister, "register start observe", "Succeeded, deployed: seen deployed"},
	{pipeline.ActionStart, "start observe", "Succeeded, deployed: seen deployed"},
	{pipeline.ActionObserve, "observe", "Succeeded, deployed: seen deployed"},
	{pipeline.ActionRollBack, "roll-back observe-roll-back", "Failed, rolled-back by slipway: seen failed; webapp1:7 was put back"},
	{pipeline.ActionObserveRollBack, "observe-roll-back", "Failed, rolled-back by slipway: seen failed; webapp1:7 was put back"},
	{pipeline.ActionFinish, "", "Succeeded, deployed: seen deployed"},
}

func appOf(action pipeline.Action) slipway.App {
	return slipway.App{Cluster: "cluster1", Name: string(action)}
}

// interruption is a cloud in which each app's action cannot be taken, or can.
type interruption struct {
	on bool

	mu    sync.Mutex
	taken map[string]string // app -> the actions that were taken
}

// take takes an app's action, unless it is the one that cannot be.
func (i *interruption) take(app slipway.App, action pipeline.Action) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.on && app.Name == string(action) {
		return stepstest.Throttled
	}
	i.taken[app.Name] = strings.TrimSpace(i.taken[app.Name] + " " + string(action))
	return nil
}

func (i *interruption) cloud() *stepstest.Cloud {
	advance := func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
		action := map[slipway.Phase]pipeline.Action{
			slipway.PhaseNew: pipeline.ActionPrepare, slipway.PhasePrepared: pipeline.ActionRegister,
			slipway.PhaseRegistered: pipeline.ActionStart, slipway.PhaseStarted: pipeline.ActionRollBack,
		}[d.Phase]
		return stepstest.Well(d), i.take(d.App, action)
	}
	return &stepstest.Cloud{
		OnRevision: func(app slipway.App) (slipway.Revision, error) {
			return slipway.Revision{Images: []slipway.Image{{Container: app.Name, URI: "example.com/" + app.Name + ":2"}}}, i.take(app, pipeline.ActionSource)
		},
		OnAdvance: advance, OnRollback: advance,
		OnObserve: func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
			action, state := pipeline.ActionObserve, slipway.StateDeployed
			switch {
			case d.Phase == slipway.PhaseRollingBack:
				action, state = pipeline.ActionObserveRollBack, slipway.StateRolledBack
			case strings.HasSuffix(d.App.Name, "roll-back"):
				state = slipway.StateFailed
			}
			return stepstest.Seen(state, "seen "+string(state)), i.take(d.App, action)
		},
	}
}

// unfinished cannot finish the execution of ActionFinish's app.
type unfinished struct{ *store.Store }

func (u unfinished) Finish(ctx context.Context, e slipway.Execution, at time.Time) ([]slipway.Execution, error) {
	if e.App() == appOf(pipeline.ActionFinish) {
		return nil, stepstest.Throttled
	}
	return u.Store.Finish(ctx, e, at)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	if *generate != "" {
		interrupt(t, *generate)
	}
	files, err := filepath.Glob("testdata/*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no database of a former build: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(folder(t), "slipway.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { replay(t, path) })
		})
	}
}

func replay(t *testing.T, path string) {
	<-time.After(24 * time.Hour) // of downtime
	was := &interruption{taken: map[string]string{}}
	r := &rig{t: t, on: inFile(path), cloud: was.cloud()}
	r.open()
	defer r.close()
	running, err := r.store.InProgress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := map[slipway.App]string{}
	for _, e := range running {
		left[e.App()] = e.ID
	}
	for _, of := range interrupted {
		app := appOf(of.action)
		id, is := left[app]
		if !is {
			t.Errorf("%s is not in progress", app)
			continue
		}
		if got := stepstest.Ended(r.wait(id)); got != of.want {
			t.Errorf("interrupted in %s, it ended as %s, want %s", of.action, got, of.want)
		}
		// What waited behind it runs too.
		found, err := r.store.Executions(t.Context(), store.Query{App: app})
		if err != nil || len(found) != 2 {
			t.Fatalf("%s has %d executions, %v", app, len(found), err)
		}
		if got := stepstest.Ended(r.wait(found[0].ID)); got != of.want {
			t.Errorf("what waited behind %s ended as %s", of.action, got)
		}
		whole := "source prepare register start observe"
		if strings.HasSuffix(string(of.action), "roll-back") {
			whole += " roll-back observe-roll-back"
		}
		if got, want := was.taken[app.Name], strings.TrimSpace(of.rest+" "+whole); got != want {
			t.Errorf("interrupted in %s, it and the next one took %q, want %q", of.action, got, want)
		}
		delete(left, app)
	}
	if diff := cmp.Diff(map[slipway.App]string{}, left); diff != "" {
		t.Errorf("in progress were other ones:\n%s", diff)
	}
}

// interrupt writes a database of executions that are interrupted in each
// action, and of one that waits behind each.
func interrupt(t *testing.T, file string) {
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := inFile(path).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		was := &interruption{on: true, taken: map[string]string{}}
		c := was.cloud()
		e, err := engine.Open(t.Context(), engine.Options{SQLite: s.SQLite(), Postgres: s.Postgres(), Store: unfinished{s}, Queue: s, Source: c, Target: c, Logger: stepstest.Logger(t)})
		if err != nil {
			t.Fatal(err)
		}
		in := pipeline.Submission{At: time.Now()}
		for i, of := range interrupted {
			for n := range 2 {
				in.Executions = append(in.Executions, slipway.Execution{
					ID: engine.NewID(), CreatedAt: time.Now(), Pipeline: slipway.Pipeline{Mode: slipway.ModeQueued},
					Revision: slipway.Revision{App: appOf(of.action), Commit: fmt.Sprintf("%040d", 2*i+n), Blob: fmt.Sprint("blob", n)},
					Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Ada <ada@example.com>", At: time.Now()},
				})
			}
		}
		if err := e.Submit(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		synctest.Wait()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = inFile(path).Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		// One file, no larger than it must be; most tables of the library are empty.
		if _, err := s.SQLite().ExecContext(t.Context(), "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM"); err != nil {
			t.Fatal(err)
		}
	})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("wrote %s: %d bytes", file, len(content))
}
