package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/store"
)

var (
	begin  = time.Date(2026, 11, 3, 9, 30, 0, 123456000, time.UTC)
	webapp = slipway.App{Cluster: "cluster1", Name: "webapp1"}
	tcpapp = slipway.App{Cluster: "cluster1", Name: "tcpapp1"}
)

func open(t *testing.T) *store.Store {
	t.Helper()
	return openAt(t, "sqlite:"+filepath.Join(t.TempDir(), "slipway.db"))
}

func openAt(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// newExecution is an execution to submit; its commit and blob are made of n.
func newExecution(app slipway.App, mode slipway.Mode, n int) slipway.Execution {
	return slipway.Execution{
		ID: uuid.Must(uuid.NewV7()).String(), CreatedAt: begin,
		Revision: slipway.Revision{App: app, Commit: fmt.Sprintf("%040d", n), Blob: fmt.Sprintf("blob%d", n)},
		Pipeline: slipway.Pipeline{Mode: mode},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Ada <ada@example.com>", At: begin},
	}
}

// submit submits executions one after the other and returns what began.
func submit(t *testing.T, s *store.Store, executions ...slipway.Execution) []slipway.Execution {
	t.Helper()
	var all []slipway.Execution
	for _, e := range executions {
		begun, err := s.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: begin})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, begun...)
	}
	return all
}

func get(t *testing.T, s *store.Store, id string) slipway.Execution {
	t.Helper()
	e, err := s.Execution(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// statuses are those of all executions, oldest first.
func statuses(t *testing.T, s *store.Store) string {
	t.Helper()
	found, err := s.Executions(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range found {
		all = append([]string{string(e.Status)}, all...)
	}
	return strings.Join(all, " ")
}

func ids(executions []slipway.Execution) []string {
	all := []string{}
	for _, e := range executions {
		all = append(all, e.ID)
	}
	return all
}

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
			s := open(t)
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
	}
}

func TestSupersededSaysByWhat(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b, c := newExecution(webapp, slipway.ModeSuperseded, 1), newExecution(webapp, slipway.ModeSuperseded, 2), newExecution(webapp, slipway.ModeSuperseded, 3)
	c.Revision.Commit = "c0ffee0012345678"
	submit(t, s, a, b, c)
	got := get(t, s, b.ID)
	if got.Status != slipway.StatusSuperseded || got.Outcome != slipway.OutcomeNone || got.Reason != "superseded by commit c0ffee00" || !got.EndedAt.Equal(begin) {
		t.Errorf("got %s, %q, %q, %s", got.Status, got.Outcome, got.Reason, got.EndedAt)
	}
}

func TestReplaceAsksForTheStopOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
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
}

func TestOneSubmissionForManyApps(t *testing.T) {
	t.Parallel()
	s := open(t)
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
}

func TestSubmissionIsOneTransaction(t *testing.T) {
	t.Parallel()
	s := open(t)
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
}

// The guarantee does not rest on the code above it.
func TestTheDatabaseAllowsOneRunningExecutionPerApp(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b := newExecution(webapp, slipway.ModeQueued, 1), newExecution(webapp, slipway.ModeQueued, 2)
	submit(t, s, a, b)
	for _, status := range []slipway.Status{slipway.StatusInProgress, slipway.StatusStopping} {
		_, err := s.DB().ExecContext(t.Context(), `UPDATE executions SET status = $1 WHERE id = $2`, status, b.ID)
		if err == nil || !strings.Contains(err.Error(), "UNIQUE") {
			t.Errorf("a second one became %s: %v", status, err)
		}
	}
}

func TestConcurrentSubmits(t *testing.T) {
	t.Parallel()
	s := open(t)
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
}

func TestFinish(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b := newExecution(webapp, slipway.ModeQueued, 1), newExecution(webapp, slipway.ModeQueued, 2)
	submit(t, s, a, b, newExecution(tcpapp, slipway.ModeQueued, 1))
	e := get(t, s, a.ID)
	e.Outcome, e.RolledBackBy, e.Reason = slipway.OutcomeRolledBack, slipway.ByECS, "tasks failed to start"
	end := begin.Add(time.Hour)
	next, err := s.Finish(t.Context(), e, end)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{b.ID}, ids(next)); diff != "" {
		t.Errorf("next (-want +got):\n%s", diff)
	}
	want := e
	want.Status, want.EndedAt = slipway.StatusFailed, end
	if diff := cmp.Diff(want, get(t, s, a.ID)); diff != "" {
		t.Errorf("finished (-want +got):\n%s", diff)
	}

	// Again, as after a restart, with another story: the first one stays.
	e.Outcome, e.RolledBackBy, e.Reason = slipway.OutcomeDeployed, "", ""
	next, err = s.Finish(t.Context(), e, end.Add(time.Hour))
	if err != nil || len(next) != 0 {
		t.Errorf("finishing again began %v, %v", next, err)
	}
	if diff := cmp.Diff(want, get(t, s, a.ID)); diff != "" {
		t.Errorf("finishing again changed it:\n%s", diff)
	}
}

func TestRequestStop(t *testing.T) {
	t.Parallel()
	s := open(t)
	running, waiting, last := newExecution(webapp, slipway.ModeQueued, 1), newExecution(webapp, slipway.ModeQueued, 2), newExecution(webapp, slipway.ModeQueued, 3)
	submit(t, s, running, waiting, last)
	stop := slipway.StopRequest{By: "Ada", At: begin.Add(time.Minute), Reason: "wrong version"}
	ask := func(id string, stop slipway.StopRequest) slipway.Execution {
		t.Helper()
		got, err := s.RequestStop(t.Context(), id, stop)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, get(t, s, id)); diff != "" {
			t.Errorf("returned and stored differ:\n%s", diff)
		}
		return got
	}

	got := ask(waiting.ID, stop)
	if got.Status != slipway.StatusStopped || got.Outcome != slipway.OutcomeNone || !got.EndedAt.Equal(stop.At) ||
		got.Reason != "stopped by Ada: wrong version; it had not begun" {
		t.Errorf("a waiting one is %s, %q, ended %s: %s", got.Status, got.Outcome, got.EndedAt, got.Reason)
	}
	got = ask(running.ID, stop)
	if got.Status != slipway.StatusStopping || !got.EndedAt.IsZero() || !cmp.Equal(got.Stop, &stop) {
		t.Errorf("a running one is %s, ended %s, stop %+v", got.Status, got.EndedAt, got.Stop)
	}
	got = ask(running.ID, slipway.StopRequest{By: "Grace", At: begin.Add(time.Hour), Abandon: true})
	if !cmp.Equal(got.Stop, &stop) {
		t.Errorf("asking again changed the request to %+v", got.Stop)
	}
	got.Outcome = slipway.OutcomeStopped
	next, err := s.Finish(t.Context(), got, begin)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{last.ID}, ids(next)); diff != "" {
		t.Errorf("next (-want +got):\n%s", diff)
	}
	for _, id := range []string{running.ID, waiting.ID, "no-such-execution"} {
		if _, err := s.RequestStop(t.Context(), id, stop); slipway.NextOf(err) != slipway.NextUsage {
			t.Errorf("asking for the stop of %s gave %v, want a usage error", id, err)
		}
	}
}

func TestRecordDecision(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s := openAt(t, "sqlite:"+path)
	e := submit(t, s, newExecution(webapp, slipway.ModeSuperseded, 1))[0]
	first := slipway.Decision{Hook: "h1", Stage: "POST_SCALE_UP", Approve: true, By: "Ada", At: begin}
	second := slipway.Decision{Hook: "h2", By: "Grace", At: begin.Add(time.Hour), Reason: "too slow"}
	late := slipway.Decision{Hook: "h1", By: "Grace", At: begin.Add(time.Hour)}
	for _, decision := range []slipway.Decision{first, second, late} {
		if _, err := s.RecordDecision(t.Context(), e.ID, decision); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Save(t.Context(), e); err != nil { // which was read before
		t.Fatal(err)
	}
	want := []slipway.Decision{first, second}
	if diff := cmp.Diff(want, get(t, s, e.ID).Decisions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.RecordDecision(t.Context(), "nobody", first); slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("deciding about nothing gave %v", err)
	}

	// A database of a build that knew no decisions is widened.
	if _, err := s.DB().ExecContext(t.Context(), "ALTER TABLE executions DROP COLUMN decisions_json"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, "sqlite:"+path)
	if got, err := s.RecordDecision(t.Context(), e.ID, second); err != nil || len(got.Decisions) != 1 {
		t.Errorf("got %+v, %v", got.Decisions, err)
	}
}

func TestSaveLeavesStatusAndStopAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	e := newExecution(webapp, slipway.ModeSuperseded, 1)
	e = submit(t, s, e)[0]
	stop := slipway.StopRequest{By: "Ada", At: begin}
	if _, err := s.RequestStop(t.Context(), e.ID, stop); err != nil {
		t.Fatal(err)
	}
	// e was read before the request.
	e.Stage = slipway.StageDeploy
	e.Revision.Images = []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:2"}}
	e.Pipeline = slipway.DefaultPipeline(webapp)
	e.Deployment = slipway.Deployment{
		Execution: e.ID, App: webapp, Phase: slipway.PhaseStarted, Attempt: 2, PreparedAt: begin, TaskDefinition: "arn:7", ID: "ecs-svc/1", StartedAt: begin,
	}
	e.Observation = &slipway.Observation{At: begin, State: slipway.StateProgressing, Events: []slipway.Event{{At: begin, Message: "(service webapp1) has started 1 tasks"}}, Next: begin}
	e.Outcome, e.RolledBackBy, e.Reason = slipway.OutcomeRolledBack, slipway.ByECS, "broken"
	if err := s.Save(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	want := e
	want.Status, want.Stop = slipway.StatusStopping, &stop
	if diff := cmp.Diff(want, get(t, s, e.ID)); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}

	if _, err := s.Finish(t.Context(), e, begin.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want.Status, want.EndedAt = slipway.StatusFailed, begin.Add(time.Hour)
	e.Outcome, e.Reason, e.Observation = slipway.OutcomeDeployed, "late", nil
	if err := s.Save(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, get(t, s, e.ID)); diff != "" {
		t.Errorf("saving what had ended changed it:\n%s", diff)
	}
}

func TestLatest(t *testing.T) {
	t.Parallel()
	s := open(t)
	app := func(name string) slipway.App { return slipway.App{Cluster: "cluster1", Name: name} }
	finish := func(e slipway.Execution) {
		t.Helper()
		e.Outcome = slipway.OutcomeDeployed
		if _, err := s.Finish(t.Context(), e, begin); err != nil {
			t.Fatal(err)
		}
	}
	want := map[slipway.App]string{}

	ended := newExecution(app("ended"), "", 1)
	newer := newExecution(app("ended"), "", 2)
	submit(t, s, ended)
	finish(ended)
	submit(t, s, newer)
	finish(newer)
	want[app("ended")] = newer.ID

	running := newExecution(app("running"), "", 1)
	submit(t, s, running)
	want[app("running")] = running.ID

	// What runs is shown, whatever came and went behind it.
	waited := newExecution(app("waited"), "", 1)
	submit(t, s, waited, newExecution(app("waited"), "", 2))
	want[app("waited")] = waited.ID
	overtaken := newExecution(app("overtaken"), "", 1)
	submit(t, s, overtaken, newExecution(app("overtaken"), "", 2), newExecution(app("overtaken"), "", 3))
	want[app("overtaken")] = overtaken.ID
	stopping := newExecution(app("stopping"), "", 1)
	stoppedBehind := newExecution(app("stopping"), "", 2)
	submit(t, s, stopping, stoppedBehind)
	for _, id := range []string{stopping.ID, stoppedBehind.ID} {
		if _, err := s.RequestStop(t.Context(), id, slipway.StopRequest{At: begin}); err != nil {
			t.Fatal(err)
		}
	}
	want[app("stopping")] = stopping.ID

	latest, err := s.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[slipway.App]string{}
	for app, e := range latest {
		if e.App() != app {
			t.Errorf("%s has an execution of %s", app, e.App())
		}
		got[app] = e.ID
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	inProgress, err := s.InProgress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{running.ID, waited.ID, overtaken.ID, stopping.ID}, ids(inProgress)); diff != "" {
		t.Errorf("in progress (-want +got):\n%s", diff)
	}
}

func TestExecutions(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b, c := newExecution(webapp, slipway.ModeQueued, 1), newExecution(webapp, slipway.ModeQueued, 2), newExecution(tcpapp, slipway.ModeQueued, 2)
	a.ID, b.ID, c.ID = "01930000-aaaa-7000-8000-000000000000", "01930000-bbbb-7000-8000-000000000000", "0193ffff-bbbb-7000-8000-000000000000"
	submit(t, s, a, b, c)
	for _, test := range []struct {
		name  string
		query store.Query
		want  []string
	}{
		{"all, newest first", store.Query{}, []string{c.ID, b.ID, a.ID}},
		{"of an app", store.Query{App: webapp}, []string{b.ID, a.ID}},
		{"of a commit", store.Query{Commit: b.Revision.Commit}, []string{c.ID, b.ID}},
		{"of an app and a commit", store.Query{App: webapp, Commit: b.Revision.Commit}, []string{b.ID}},
		{"a whole id", store.Query{ID: b.ID}, []string{b.ID}},
		{"the beginning of one", store.Query{ID: "0193f"}, []string{c.ID}},
		{"the beginning of two", store.Query{ID: "01930000-"}, []string{b.ID, a.ID}},
		{"in capitals", store.Query{ID: "0193FFFF-BB"}, []string{c.ID}},
		{"nothing that matches", store.Query{ID: "02"}, []string{}},
		{"no pattern", store.Query{ID: "%"}, []string{}},
		{"another app's id", store.Query{App: tcpapp, ID: a.ID}, []string{}},
		{"limited", store.Query{Limit: 2}, []string{c.ID, b.ID}},
	} {
		found, err := s.Executions(t.Context(), test.query)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, ids(found)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if _, err := s.Execution(t.Context(), "0193"); slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("an id that there is none of gave %v, want a usage error", err)
	}
}

func TestTaskDefinitions(t *testing.T) {
	t.Parallel()
	s := open(t)
	run := func(app slipway.App, blob int, arn string) {
		t.Helper()
		e := submit(t, s, newExecution(app, slipway.ModeQueued, blob))[0]
		e.Deployment.TaskDefinition, e.Outcome = arn, slipway.OutcomeDeployed
		if err := s.Save(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Finish(t.Context(), e, begin); err != nil {
			t.Fatal(err)
		}
	}
	run(webapp, 1, "webapp1:1")
	run(webapp, 1, "webapp1:2")
	run(webapp, 2, "webapp1:3")
	run(tcpapp, 1, "tcpapp1:1")
	run(webapp, 1, "")          // failed before it registered anything
	run(webapp, 1, "webapp1:1") // used again
	got, err := s.TaskDefinitions(t.Context(), webapp, "blob1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"webapp1:1", "webapp1:2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := s.Registered(t.Context(), webapp); err != nil || !slices.Contains(got, "webapp1:1") || len(got) < 2 || slices.Contains(got, "") {
		t.Errorf("registered %v, %v", got, err)
	}
	if got, err := s.TaskDefinitions(t.Context(), webapp, "blob9"); err != nil || len(got) != 0 {
		t.Errorf("unknown content gave %v, %v", got, err)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "not", "made", "yet", "slipway.db")
	s := openAt(t, address)
	a, b := newExecution(webapp, slipway.ModeSuperseded, 1), newExecution(webapp, slipway.ModeSuperseded, 2)
	submit(t, s, a, b)
	if _, err := s.RequestStop(t.Context(), a.ID, slipway.StopRequest{By: "Ada", At: begin}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Executions(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, address)
	after, err := s.Executions(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" || len(after) != 2 {
		t.Errorf("%d executions, (-before +after):\n%s", len(after), diff)
	}
	if known, err := s.Known(t.Context()); err != nil || known[webapp].Blob != "blob2" {
		t.Errorf("known is %v, %v", known, err)
	}
}

func TestOpenAddresses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		address string
		next    slipway.Next
		file    string // that is made, or empty
	}{
		{address: "", next: slipway.NextUsage},
		{address: "sqlite:", next: slipway.NextUsage},
		{address: "slipway.db", next: slipway.NextUsage},
		{address: "postgres://localhost/slipway", next: slipway.NextUsage},
		{address: "sqlite:" + text, next: slipway.NextPerson},
		{address: "sqlite:" + dir, next: slipway.NextPerson},
		{address: "sqlite:" + text + "/below/a/file.db", next: slipway.NextPerson},
		{address: "sqlite:" + dir + "/plain.db", file: "plain.db"},
		{address: "sqlite://" + dir + "/slashes.db", file: "slashes.db"},
		{address: "sqlite:" + dir + "/with space.db", file: "with space.db"},
		{address: "sqlite:" + dir + "/50%41 done?.db", file: "50%41 done?.db"},
		{address: "sqlite:" + dir + "/number#1.db", file: "number#1.db"},
	} {
		s, err := store.Open(t.Context(), test.address)
		if got := slipway.NextOf(err); got != test.next {
			t.Errorf("%s: error %v means %q, want %q", test.address, err, got, test.next)
		}
		if err != nil {
			if test.next == slipway.NextPerson && strings.HasSuffix(test.address, "text.db") && slipway.HintOf(err) == "" {
				t.Errorf("%s: %v says nothing about what to do", test.address, err)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, test.file)); err != nil {
			t.Errorf("%s: %v", test.address, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", test.address, err)
		}
	}
	kept, err := os.ReadFile(text)
	if err != nil || !strings.HasPrefix(string(kept), "this is no database") {
		t.Errorf("the file that is no database was changed: %v", err)
	}
}

// A crash of the machine, not only of the process, may cost nothing.
func TestEveryConnectionIsSafe(t *testing.T) {
	t.Parallel()
	s := open(t)
	var held []*sql.Conn
	for range 3 { // three connections at once, so three different ones
		conn, err := s.DB().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "30000"} {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
			}
		}
	}
	for _, conn := range held {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Submit(ctx, pipeline.Submission{Executions: []slipway.Execution{newExecution(webapp, "", 1)}, At: begin}); err == nil {
		t.Error("submitted with a context that had ended")
	}
	if got := statuses(t, s); got != "" {
		t.Errorf("statuses are %s", got)
	}
}
