package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/store"
)

func TestModes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode   slipway.Mode
		busy   string   // after four commits
		begins []string // what Finish of each one begins, until nothing waits
	}{
		{slipway.ModeSuperseded, "InProgress Superseded Superseded Queued", []string{"3"}},
		{"", "InProgress Superseded Superseded Queued", []string{"3"}},
		{slipway.ModeQueued, "InProgress Queued Queued Queued", []string{"1", "2", "3"}},
		{slipway.ModeReplace, "Stopping Superseded Superseded Queued", []string{"3"}},
	} {
		t.Run("mode "+string(test.mode), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, d store.Database) {
				s := open(t, d)
				var commits []slipway.Execution
				for n := range 4 {
					commits = append(commits, newExecution(webapp, test.mode, n))
				}
				begun := submit(t, s, commits...)
				if diff := cmp.Diff([]string{commits[0].ID}, ids(begun)); diff != "" {
					t.Errorf("begun (-want +got):\n%s", diff)
				}
				if got := statuses(t, s); got != test.busy {
					t.Errorf("statuses are %s, want %s", got, test.busy)
				}
				current, begins := begun[0], []string(nil)
				for {
					current.Outcome, current.Reason = slipway.OutcomeDeployed, "done"
					next, err := s.Finish(t.Context(), current, begin.Add(time.Minute))
					if err != nil {
						t.Fatal(err)
					}
					if len(next) == 0 {
						break
					}
					current = next[0]
					begins = append(begins, strings.TrimLeft(current.Revision.Commit, "0"))
					if current.Status != slipway.StatusInProgress || current.Stage != slipway.StageSource || !current.StartedAt.Equal(begin.Add(time.Minute)) {
						t.Errorf("it begins as %+v", current)
					}
					if diff := cmp.Diff(current, get(t, s, current.ID)); diff != "" {
						t.Errorf("begun and stored differ:\n%s", diff)
					}
				}
				if diff := cmp.Diff(test.begins, begins); diff != "" {
					t.Errorf("begins (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSupersededSaysByWhat(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		a, b, c := newExecution(webapp, slipway.ModeSuperseded, 1), newExecution(webapp, slipway.ModeSuperseded, 2), newExecution(webapp, slipway.ModeSuperseded, 3)
		c.Revision.Commit = "c0ffee0012345678"
		submit(t, s, a, b, c)
		got := get(t, s, b.ID)
		if got.Status != slipway.StatusSuperseded || got.Outcome != slipway.OutcomeNone || got.Reason != "superseded by commit c0ffee00" || !got.EndedAt.Equal(begin) {
			t.Errorf("got %s, %q, %q, %s", got.Status, got.Outcome, got.Reason, got.EndedAt)
		}
	})
}

func TestReplaceAsksForTheStopOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		running := newExecution(webapp, slipway.ModeSuperseded, 1)
		submit(t, s, running)
		other := newExecution(tcpapp, slipway.ModeSuperseded, 1)
		submit(t, s, other, newExecution(webapp, slipway.ModeReplace, 2))
		want := &slipway.StopRequest{By: "Ada <ada@example.com>", At: begin, Abandon: true, Superseded: true}
		if diff := cmp.Diff(want, get(t, s, running.ID).Stop); diff != "" {
			t.Errorf("stop (-want +got):\n%s", diff)
		}
		if got := get(t, s, other.ID); got.Status != slipway.StatusInProgress || got.Stop != nil {
			t.Errorf("another app's execution is %s with stop %v", got.Status, got.Stop)
		}

		// A person's request is older and stays.
		_, err := s.RequestStop(t.Context(), other.ID, slipway.StopRequest{By: "Grace", At: begin})
		if err != nil {
			t.Fatal(err)
		}
		submit(t, s, newExecution(tcpapp, slipway.ModeReplace, 2))
		if got := get(t, s, other.ID); got.Stop == nil || got.Stop.By != "Grace" || got.Stop.Superseded {
			t.Errorf("the person's request became %+v", got.Stop)
		}
	})
}

func TestOneSubmissionForManyApps(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		adopted := slipway.Revision{App: slipway.App{Cluster: "cluster1", Name: "adopted"}, Blob: "a", Commit: "1"}
		gone, waiting := newExecution(slipway.App{Cluster: "cluster1", Name: "gone"}, slipway.ModeQueued, 1), newExecution(slipway.App{Cluster: "cluster1", Name: "gone"}, slipway.ModeQueued, 2)
		submit(t, s, gone, waiting)
		a, b := newExecution(webapp, slipway.ModeSuperseded, 1), newExecution(tcpapp, slipway.ModeSuperseded, 2)
		begun, err := s.Submit(t.Context(), pipeline.Submission{
			Executions: []slipway.Execution{a, b}, Adopted: []slipway.Revision{adopted}, Removed: []slipway.App{gone.App()}, At: begin,
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{a.ID, b.ID}, ids(begun)); diff != "" {
			t.Errorf("begun (-want +got):\n%s", diff)
		}
		known := func() map[slipway.App]pipeline.Known {
			known, err := s.Known(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return known
		}
		want := map[slipway.App]pipeline.Known{
			webapp: {Blob: "blob1"}, tcpapp: {Blob: "blob2"}, adopted.App: {Blob: "a"}, gone.App(): {Blob: "blob2", Removed: true},
		}
		if diff := cmp.Diff(want, known()); diff != "" {
			t.Errorf("known (-want +got):\n%s", diff)
		}
		if got := get(t, s, gone.ID).Status; got != slipway.StatusInProgress {
			t.Errorf("the running execution of a removed app is %s: nothing may be done to it", got)
		}
		if got := get(t, s, waiting.ID); got.Status != slipway.StatusSuperseded || got.Reason != "the app was removed from git" {
			t.Errorf("the waiting execution of a removed app is %s: %s", got.Status, got.Reason)
		}

		if _, err := s.Submit(t.Context(), pipeline.Submission{Returned: []slipway.App{gone.App()}, At: begin}); err != nil {
			t.Fatal(err)
		}
		want[gone.App()] = pipeline.Known{Blob: "blob2"}
		if diff := cmp.Diff(want, known()); diff != "" {
			t.Errorf("known after its return (-want +got):\n%s", diff)
		}
	})
}

func TestSubmissionIsOneTransaction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		first := newExecution(webapp, slipway.ModeSuperseded, 1)
		submit(t, s, first)
		twice := newExecution(tcpapp, slipway.ModeSuperseded, 1)
		twice.ID = first.ID // cannot be inserted
		begun, err := s.Submit(t.Context(), pipeline.Submission{
			Executions: []slipway.Execution{newExecution(slipway.App{Cluster: "c", Name: "a"}, "", 1), newExecution(webapp, slipway.ModeReplace, 2), twice}, At: begin,
		})
		if err == nil || begun != nil {
			t.Fatalf("got %v, %v; want an error alone", begun, err)
		}
		if got := statuses(t, s); got != "InProgress" {
			t.Errorf("statuses are %s: half of it was done", got)
		}
		if known, err := s.Known(t.Context()); err != nil || len(known) != 1 || known[webapp].Blob != "blob1" {
			t.Errorf("known is %v, %v: half of it was done", known, err)
		}
	})
}

// The guarantee does not rest on the code above it.
func TestTheDatabaseAllowsOneRunningExecutionPerApp(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		a, b := newExecution(webapp, slipway.ModeQueued, 1), newExecution(webapp, slipway.ModeQueued, 2)
		submit(t, s, a, b)
		for _, status := range []slipway.Status{slipway.StatusInProgress, slipway.StatusStopping} {
			err := change(t, s, `UPDATE executions SET status = $1 WHERE id = $2`, string(status), b.ID)
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), "unique constraint") {
				t.Errorf("a second one became %s: %v", status, err)
			}
		}
	})
}

func TestConcurrentSubmits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		if s.Postgres() != nil { // in a snapshot older than one's turn, the others' rows would not be seen
			if err := change(t, s, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', current_database(), 'repeatable read'); END $$`); err != nil {
				t.Fatal(err)
			}
			s = open(t, d)
		}
		var all sync.WaitGroup
		begun := make(chan slipway.Execution, 50)
		for n := range 50 {
			all.Go(func() {
				started, err := s.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{newExecution(webapp, slipway.ModeSuperseded, n)}, At: begin})
				if err != nil {
					t.Error(err)
				}
				for _, e := range started {
					begun <- e
				}
			})
		}
		all.Wait()
		close(begun)
		if len(begun) != 1 {
			t.Fatalf("%d began at once", len(begun))
		}
		found, err := s.Executions(t.Context(), store.Query{App: webapp})
		if err != nil {
			t.Fatal(err)
		}
		count := map[slipway.Status]int{}
		for _, e := range found {
			count[e.Status]++
		}
		want := map[slipway.Status]int{slipway.StatusInProgress: 1, slipway.StatusQueued: 1, slipway.StatusSuperseded: 48}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// The one that is kept is the one that was submitted last: its content is
		// what counts as executed.
		running := <-begun
		running.Outcome = slipway.OutcomeDeployed
		next, err := s.Finish(t.Context(), running, begin)
		if err != nil || len(next) != 1 {
			t.Fatalf("next is %v, %v", next, err)
		}
		if known, err := s.Known(t.Context()); err != nil || known[webapp].Blob != next[0].Revision.Blob {
			t.Errorf("%v counts as executed (%v), but %s runs last", known[webapp], err, next[0].Revision.Blob)
		}
	})
}
