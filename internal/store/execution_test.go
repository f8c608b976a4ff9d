package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/store"
)

func TestFinish(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
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
	})
}

func TestRequestStop(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
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
	})
}

func TestRecordDecision(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
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
	})
}

func TestSaveLeavesStatusAndStopAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
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
	})
}

func TestTaskDefinitions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
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
	})
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Submit(ctx, pipeline.Submission{Executions: []slipway.Execution{newExecution(webapp, "", 1)}, At: begin}); err == nil {
			t.Error("submitted with a context that had ended")
		}
		if got := statuses(t, s); got != "" {
			t.Errorf("statuses are %s", got)
		}
	})
}

// A container's last log lines are in the reason, and may be anything.
func TestReasonOfAnyBytes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		e := submit(t, s, newExecution(webapp, slipway.ModeSuperseded, 1))[0]
		e.Reason = "it wrote: \x00 \xff é"
		if err := s.Save(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		const want = "it wrote: \uFFFD \uFFFD é"
		if got := get(t, s, e.ID).Reason; got != want {
			t.Errorf("saved %q, want %q", got, want)
		}
		e.Outcome = slipway.OutcomeFailed
		if _, err := s.Finish(t.Context(), e, begin); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, e.ID); got.Reason != want || got.Status != slipway.StatusFailed {
			t.Errorf("finished as %s: %q", got.Status, got.Reason)
		}
	})
}

// A request to stop comes from elsewhere while the execution goes on.
func TestStopLeavesTheReasonAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		e := submit(t, s, newExecution(webapp, slipway.ModeSuperseded, 1))[0]
		e.Outcome, e.Reason = slipway.OutcomeFailed, "no such cluster"
		if err := s.Save(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RequestStop(t.Context(), e.ID, slipway.StopRequest{By: "Ada", At: begin}); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, e.ID); got.Reason != e.Reason || got.Status != slipway.StatusStopping {
			t.Errorf("it is %s: %q", got.Status, got.Reason)
		}
	})
}
