package pipeline_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

var (
	begin  = time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	webapp = slipway.App{Cluster: "cluster1", Name: "webapp1"}
)

const base = "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7"

// running is an execution in progress whose deployment is in a phase.
func running(phase slipway.Phase, change ...func(*slipway.Execution)) slipway.Execution {
	e := slipway.Execution{
		ID: "e1", Status: slipway.StatusInProgress, Stage: slipway.StageDeploy, CreatedAt: begin, StartedAt: begin,
		Revision:   slipway.Revision{App: webapp, Commit: "c0ffee", Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:2"}}},
		Pipeline:   slipway.Pipeline{Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(30 * time.Minute), Place: slipway.Place{Cluster: "cluster1", Service: "webapp1"}},
		Deployment: slipway.Deployment{Execution: "e1", App: webapp, Phase: phase, Base: base},
	}
	switch phase {
	case slipway.PhaseRollingBack:
		e.Deployment.RollbackFor, e.Deployment.RollbackReason = slipway.OutcomeRolledBack, "tasks failed to start"
		e.Deployment.RollbackStartedAt = begin.Add(10 * time.Minute)
		fallthrough
	case slipway.PhaseStarted:
		e.Deployment.StartedAt = begin.Add(time.Minute)
	case slipway.PhaseNew, slipway.PhasePrepared, slipway.PhaseRegistered, slipway.PhaseTesting, slipway.PhaseUnchanged:
	}
	for _, f := range change {
		f(&e)
	}
	return e
}

func stop(abandon, superseded bool) func(*slipway.Execution) {
	return func(e *slipway.Execution) {
		e.Status = slipway.StatusStopping
		e.Stop = &slipway.StopRequest{By: "Ada", Reason: "wrong version", Abandon: abandon, Superseded: superseded}
	}
}

func attempt(n int) func(*slipway.Execution) {
	return func(e *slipway.Execution) { e.Deployment.Attempt = n }
}

func outcome(o slipway.Outcome) func(*slipway.Execution) {
	return func(e *slipway.Execution) { e.Outcome = o }
}

func rollbackFor(o slipway.Outcome) func(*slipway.Execution) {
	return func(e *slipway.Execution) { e.Deployment.RollbackFor = o }
}

func TestNext(t *testing.T) {
	t.Parallel()
	status := func(s slipway.Status) func(*slipway.Execution) { return func(e *slipway.Execution) { e.Status = s } }
	noDeployment := func(e *slipway.Execution) { e.Deployment = slipway.Deployment{} }
	for _, test := range []struct {
		name string
		e    slipway.Execution
		want pipeline.Action
	}{
		{"begun", running("", noDeployment), pipeline.ActionSource},
		{"read", running(slipway.PhaseNew), pipeline.ActionPrepare},
		{"prepared", running(slipway.PhasePrepared), pipeline.ActionRegister},
		{"registered", running(slipway.PhaseRegistered), pipeline.ActionStart},
		{"started", running(slipway.PhaseStarted), pipeline.ActionObserve},
		{"to be rolled back", running(slipway.PhaseStarted, rollbackFor(slipway.OutcomeTimedOut)), pipeline.ActionRollBack},
		{"rolling back", running(slipway.PhaseRollingBack), pipeline.ActionObserveRollBack},
		{"unchanged", running(slipway.PhaseUnchanged), pipeline.ActionFinish},
		{"of a newer build", running("paused"), pipeline.ActionFinish},
		{"a bad file", running("", noDeployment, outcome(slipway.OutcomeFailed)), pipeline.ActionFinish},
		{"an outcome in the middle", running(slipway.PhaseStarted, outcome(slipway.OutcomeStopped)), pipeline.ActionFinish},
		{"stopping goes on", running(slipway.PhaseStarted, stop(false, false)), pipeline.ActionObserve},
		{"succeeded", running(slipway.PhaseStarted, status(slipway.StatusSucceeded)), pipeline.ActionNone},
		{"failed", running(slipway.PhaseNew, status(slipway.StatusFailed)), pipeline.ActionNone},
		{"stopped", running(slipway.PhaseNew, status(slipway.StatusStopped)), pipeline.ActionNone},
		{"superseded", running("", noDeployment, status(slipway.StatusSuperseded)), pipeline.ActionNone},
	} {
		if got := pipeline.Next(test.e); got != test.want {
			t.Errorf("%s: next is %q, want %q", test.name, got, test.want)
		}
	}
}

// verdict is what judging an execution decided, in words.
func verdict(e slipway.Execution) string {
	switch {
	case e.Outcome != slipway.OutcomeNone && e.RolledBackBy != "":
		return fmt.Sprintf("%s by %s: %s", e.Outcome, e.RolledBackBy, e.Reason)
	case e.Outcome != slipway.OutcomeNone:
		return fmt.Sprintf("%s: %s", e.Outcome, e.Reason)
	case e.Deployment.Phase == slipway.PhaseStarted && e.Deployment.RollbackFor != slipway.OutcomeNone:
		return fmt.Sprintf("roll back as %s: %s", e.Deployment.RollbackFor, e.Deployment.RollbackReason)
	}
	return "go on"
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		e    slipway.Execution
		want string
	}{
		{"nothing asked", running(slipway.PhasePrepared), "go on"},
		{"unchanged", running(slipway.PhaseUnchanged), "unchanged: the service already runs example.com/webapp1:2"},
		{"stop before Source", running(slipway.PhaseNew, stop(false, false), func(e *slipway.Execution) { e.Deployment = slipway.Deployment{} }), "stopped: stopped by Ada: wrong version; the service was not touched"},
		{"stop before Prepare", running(slipway.PhaseNew, stop(false, false)), "stopped: stopped by Ada: wrong version; the service was not touched"},
		{"stop before Register", running(slipway.PhasePrepared, stop(true, false)), "stopped: stopped by Ada: wrong version; the service was not touched"},
		{"stop while Register is tried again", running(slipway.PhasePrepared, stop(false, false), attempt(2)), "stopped: stopped by Ada: wrong version; the service was not touched"},
		{"stop before Start", running(slipway.PhaseRegistered, stop(false, false)), "stopped: stopped by Ada: wrong version; the service was not touched"},
		{"stop after an attempt to start: what did it do?", running(slipway.PhaseRegistered, stop(false, false), attempt(1)), "go on"},
		{"stop after the start is Observe's", running(slipway.PhaseStarted, stop(false, false)), "go on"},
		{"stop of a rollback", running(slipway.PhaseRollingBack, stop(false, false)), "go on"},
		{"replaced before Start", running(slipway.PhasePrepared, stop(true, true)), "replaced: a newer commit took over; the service was not touched"},
		{"of a newer build", running("paused"), `failed: this build does not know phase "paused" of a deployment; a newer one began it`},
		{"decided before", running(slipway.PhasePrepared, stop(false, false), outcome(slipway.OutcomeFailed)), "failed: "},
	} {
		if got := verdict(pipeline.Advance(test.e)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	tasks := slipway.TaskCounts{Desired: 2, Running: 1, Pending: 1}
	saw := func(state slipway.State, by, reason string) slipway.Observation {
		return slipway.Observation{State: state, By: by, Reason: reason, Tasks: tasks}
	}
	progressing := saw(slipway.StateProgressing, "", "")
	zeroTimeout := func(e *slipway.Execution) { e.Pipeline.Timeout = 0 }
	found := func(e *slipway.Execution) { e.Deployment.StartedAt = begin.Add(-2 * time.Hour) } // somebody else began it
	early, late := begin.Add(5*time.Minute), begin.Add(31*time.Minute)
	for _, test := range []struct {
		name string
		e    slipway.Execution
		seen slipway.Observation
		now  time.Time
		want string
	}{
		{"deployed", running(slipway.PhaseStarted), saw(slipway.StateDeployed, "", "done"), early, "deployed: done"},
		{"deployed at the last moment", running(slipway.PhaseStarted), saw(slipway.StateDeployed, "", "done"), late, "deployed: done"},
		{"deployed before the stop was seen", running(slipway.PhaseStarted, stop(false, false)), saw(slipway.StateDeployed, "", "done"), early, "deployed: done"},
		{"rolled back by ECS", running(slipway.PhaseStarted), saw(slipway.StateRolledBack, slipway.ByECS, "tasks failed to start"), early, "rolled-back by ecs: tasks failed to start"},
		{"replaced", running(slipway.PhaseStarted), saw(slipway.StateReplaced, "", "by ecs-svc/2"), early, "replaced: by ecs-svc/2"},
		{"gone", running(slipway.PhaseStarted), saw(slipway.StateGone, "", "the service is inactive"), early, "failed: the service is inactive"},
		{"failed and stays so", running(slipway.PhaseStarted), saw(slipway.StateFailed, "", "no rollback is configured"), early, "roll back as rolled-back: no rollback is configured"},
		{"progressing", running(slipway.PhaseStarted), progressing, early, "go on"},
		{"progressing, just in time", running(slipway.PhaseStarted), progressing, late.Add(-1), "go on"},
		{"progressing for too long", running(slipway.PhaseStarted), progressing, late, "roll back as timed-out: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed"},
		{"too long, with a reason", running(slipway.PhaseStarted), saw(slipway.StateProgressing, "", "unhealthy"), late, "roll back as timed-out: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed; unhealthy"},
		{"no timeout is the default timeout", running(slipway.PhaseStarted, zeroTimeout), progressing, late, "roll back as timed-out: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed"},
		{"found in progress", running(slipway.PhaseStarted, found), progressing, early, "go on"},
		{"found in progress, too long", running(slipway.PhaseStarted, found), progressing, begin.Add(30 * time.Minute), "roll back as timed-out: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed"},
		{"ECS rolls back", running(slipway.PhaseStarted), saw(slipway.StateRollingBack, slipway.ByECS, "breaker"), early, "go on"},
		{"ECS rolls back beyond the timeout", running(slipway.PhaseStarted), saw(slipway.StateRollingBack, slipway.ByECS, "breaker"), late, "go on"},
		{"ECS rolls back for too long", running(slipway.PhaseStarted), saw(slipway.StateRollingBack, slipway.ByECS, "breaker"), begin.Add(61 * time.Minute), "roll back as timed-out: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed; breaker"},
		{"stop", running(slipway.PhaseStarted, stop(false, false)), progressing, early, "roll back as stopped: stopped by Ada: wrong version"},
		{"stop and abandon", running(slipway.PhaseStarted, stop(true, false)), progressing, early, "stopped: stopped by Ada: wrong version; the deployment goes on in ECS unwatched"},
		{"a newer commit takes over", running(slipway.PhaseStarted, stop(true, true)), progressing, early, "replaced: a newer commit took over; its deployment replaces this one"},
		{"stop of one that failed", running(slipway.PhaseStarted, stop(false, false)), saw(slipway.StateFailed, "", "broken"), early, "roll back as rolled-back: broken"},

		{"put back", running(slipway.PhaseRollingBack), saw(slipway.StateRolledBack, slipway.BySlipway, ""), early, "rolled-back by slipway: tasks failed to start; webapp1:7 was put back"},
		{"put back, seen as deployed", running(slipway.PhaseRollingBack), saw(slipway.StateDeployed, "", ""), early, "rolled-back by slipway: tasks failed to start; webapp1:7 was put back"},
		{"put back by ECS after all", running(slipway.PhaseRollingBack), saw(slipway.StateRolledBack, slipway.ByECS, ""), early, "rolled-back by ecs: tasks failed to start; webapp1:7 was put back"},
		{"put back after a stop", running(slipway.PhaseRollingBack, rollbackFor(slipway.OutcomeStopped)), saw(slipway.StateRolledBack, slipway.BySlipway, ""), early, "stopped: tasks failed to start; webapp1:7 was put back"},
		{"put back after the timeout", running(slipway.PhaseRollingBack, rollbackFor(slipway.OutcomeTimedOut)), saw(slipway.StateRolledBack, slipway.BySlipway, ""), early, "timed-out: tasks failed to start; webapp1:7 was put back"},
		{"replaced while put back", running(slipway.PhaseRollingBack), saw(slipway.StateReplaced, "", "by ecs-svc/2"), early, "replaced: tasks failed to start; while webapp1:7 was put back: by ecs-svc/2"},
		{"not put back", running(slipway.PhaseRollingBack), saw(slipway.StateFailed, "", "no capacity"), early, "failed: tasks failed to start; putting back webapp1:7 failed: no capacity"},
		{"gone while put back", running(slipway.PhaseRollingBack), saw(slipway.StateGone, "", "inactive"), early, "failed: tasks failed to start; putting back webapp1:7 failed: inactive"},
		{"putting back", running(slipway.PhaseRollingBack), progressing, late, "go on"},
		{"putting back, asked to stop", running(slipway.PhaseRollingBack, stop(true, false)), progressing, late, "go on"},
		{"putting back for too long", running(slipway.PhaseRollingBack), progressing, begin.Add(40 * time.Minute), "failed: tasks failed to start; putting back webapp1:7 did not end within 30m0s and goes on unwatched: 1 of 2 tasks running, 1 pending, 0 failed"},

		{"decided before", running(slipway.PhaseStarted, outcome(slipway.OutcomeStopped)), saw(slipway.StateDeployed, "", "done"), early, "stopped: "},
	} {
		got := pipeline.Observe(test.e, test.seen, test.now)
		if verdict(got) != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, verdict(got), test.want)
		}
		if test.e.Outcome == slipway.OutcomeNone && !cmp.Equal(got.Observation, &test.seen) {
			t.Errorf("%s: the observation was not kept", test.name)
		}
	}
}

// TestDeadline: what AWS was told to wait, and the time for which a person was
// waited for, are not the deployment's.
func TestDeadline(t *testing.T) {
	t.Parallel()
	started := begin.Add(time.Minute)
	hooks := []slipway.Hook{{ID: "h1"}}
	sight := func(state slipway.State, bake int, hooks ...slipway.Hook) func(*slipway.Execution) {
		return func(e *slipway.Execution) {
			e.Observation = &slipway.Observation{At: begin.Add(5 * time.Hour), State: state, BakeMinutes: bake, Hooks: hooks}
		}
	}
	resumed := func(e *slipway.Execution) { e.Deployment.ResumedAt = begin.Add(2 * time.Hour) }
	for _, test := range []struct {
		name string
		e    slipway.Execution
		want time.Time
	}{
		{"unseen", running(slipway.PhaseStarted), started.Add(30 * time.Minute)},
		{"going on", running(slipway.PhaseStarted, sight(slipway.StateProgressing, 0)), started.Add(30 * time.Minute)},
		{"with bake times", running(slipway.PhaseStarted, sight(slipway.StateProgressing, 54)), started.Add(84 * time.Minute)},
		{"ECS rolls back", running(slipway.PhaseStarted, sight(slipway.StateRollingBack, 5)), started.Add(65 * time.Minute)},
		{"waiting for a person", running(slipway.PhaseStarted, sight(slipway.StateProgressing, 5, hooks...)), begin.Add(5*time.Hour + 30*time.Minute)},
		{"going on again", running(slipway.PhaseStarted, resumed, sight(slipway.StateProgressing, 5)), begin.Add(2*time.Hour + 35*time.Minute)},
		{"our rollback", running(slipway.PhaseRollingBack, sight(slipway.StateRollingBack, 5)), begin.Add(45 * time.Minute)},
		{"our rollback, after a pause", running(slipway.PhaseRollingBack, resumed, sight(slipway.StateRollingBack, 0)), begin.Add(2*time.Hour + 30*time.Minute)},
	} {
		if got := pipeline.Deadline(test.e); !got.Equal(test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}

	e := running(slipway.PhaseStarted)
	for i, seen := range []slipway.Observation{{Hooks: hooks}, {Hooks: hooks}, {}, {}} {
		seen.At, seen.State = begin.Add(time.Duration(i)*time.Hour), slipway.StateProgressing
		e = pipeline.Observe(e, seen, seen.At)
	}
	if want := begin.Add(2 * time.Hour); !e.Deployment.ResumedAt.Equal(want) || e.Deployment.RollbackFor != slipway.OutcomeTimedOut {
		t.Errorf("it went on at %v, want %v; and then %s", e.Deployment.ResumedAt, want, verdict(e))
	}
}

// TestReasonsKeepTheirFirstLine: what is added to a reason is added to its first
// line, and its details stay below.
func TestReasonsKeepTheirFirstLine(t *testing.T) {
	t.Parallel()
	long := func(e *slipway.Execution) { e.Deployment.RollbackReason = "tasks failed\n1 task: a\n1 task: b" }
	back := slipway.Observation{State: slipway.StateRolledBack, By: slipway.BySlipway, Reason: "put back\nwith details"}
	got := pipeline.Observe(running(slipway.PhaseRollingBack, long), back, begin)
	if want := "tasks failed; webapp1:7 was put back\n1 task: a\n1 task: b"; got.Reason != want {
		t.Errorf("got %q, want %q", got.Reason, want)
	}
	rejected := running(slipway.PhaseStarted, func(e *slipway.Execution) {
		e.Decisions = []slipway.Decision{{Approve: true, By: "Ada"}, {By: "Grace", Stage: "BAKE_TIME", Reason: "too slow"}}
	})
	back.By = slipway.ByECS
	got = pipeline.Observe(rejected, back, begin)
	if want := "rejected by Grace at BAKE_TIME: too slow; put back\nwith details"; got.Reason != want || got.RolledBackBy != slipway.ByECS {
		t.Errorf("got %q by %s, want %q", got.Reason, got.RolledBackBy, want)
	}
}

func TestBlind(t *testing.T) {
	t.Parallel()
	err := errors.New("no route to host")
	long := begin.Add(24 * time.Hour) // Slipway was down for a day
	for _, test := range []struct {
		name       string
		e          slipway.Execution
		since, now time.Time
		want       string
	}{
		{"at first", running(slipway.PhaseStarted), begin.Add(time.Minute), begin.Add(2 * time.Minute), "go on"},
		{"after a day of downtime", running(slipway.PhaseStarted), long, long.Add(29 * time.Minute), "go on"},
		{"for too long", running(slipway.PhaseStarted), long, long.Add(30 * time.Minute), "roll back as timed-out: not done after 30m0s: it could not be observed: no route to host"},
		{"stop", running(slipway.PhaseStarted, stop(false, false)), long, long, "roll back as stopped: stopped by Ada: wrong version"},
		{"abandon", running(slipway.PhaseStarted, stop(true, false)), long, long, "stopped: stopped by Ada: wrong version; the deployment goes on in ECS unwatched"},
		{"rolling back after a day of downtime", running(slipway.PhaseRollingBack), long, long.Add(29 * time.Minute), "go on"},
		{"rolling back for too long", running(slipway.PhaseRollingBack), long, long.Add(30 * time.Minute), "failed: tasks failed to start; putting back webapp1:7 did not end within 30m0s and goes on unwatched: it could not be observed: no route to host"},
		{"decided before", running(slipway.PhaseStarted, outcome(slipway.OutcomeDeployed)), long, long.Add(time.Hour), "deployed: "},
	} {
		if got := verdict(pipeline.Blind(test.e, test.since, test.now, err)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestStopReason(t *testing.T) {
	t.Parallel()
	for want, stop := range map[string]slipway.StopRequest{
		"stopped":                       {},
		"stopped by Ada":                {By: "Ada"},
		"stopped: wrong version":        {Reason: "wrong version"},
		"stopped by Ada: wrong version": {By: "Ada", Reason: "wrong version", Abandon: true},
		"a newer commit took over":      {By: "Ada", Superseded: true},
	} {
		if got := pipeline.StopReason(stop); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Whatever arrives, in whatever order, an execution either ends, or rolls back,
// or looks again; what it ended as stays; and time alone makes it end.
func TestExecutionAlwaysEnds(t *testing.T) {
	t.Parallel()
	states := []slipway.State{
		slipway.StateProgressing, slipway.StateRollingBack, slipway.StateDeployed, slipway.StateRolledBack,
		slipway.StateReplaced, slipway.StateFailed, slipway.StateGone,
	}
	rapid.Check(t, func(t *rapid.T) {
		now := begin
		e := running(slipway.PhaseStarted)
		e.Pipeline.Timeout = slipway.Duration(rapid.IntRange(-1, 60).Draw(t, "minutes")) * slipway.Duration(time.Minute)
		timeout := pipeline.Timeout(e)
		seenAt := now
		// Only these two are drawn more often than not, or nothing would last.
		lasting := rapid.SampledFrom(states[:2])
		whatever := rapid.SampledFrom(states)
		patience := rapid.IntRange(0, 50).Draw(t, "patience")
		for step := 0; ; step++ {
			if now.Sub(begin) > 6*timeout+time.Hour {
				t.Fatalf("it has not ended after %s: %+v", now.Sub(begin), e)
			}
			switch pipeline.Next(e) {
			case pipeline.ActionObserve, pipeline.ActionObserveRollBack:
				now = now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "seconds")) * time.Second)
				if rapid.IntRange(0, 19).Draw(t, "stop") == 0 {
					e.Stop = &slipway.StopRequest{Abandon: rapid.Bool().Draw(t, "abandon"), Superseded: rapid.Bool().Draw(t, "superseded")}
				}
				if rapid.IntRange(0, 3).Draw(t, "blind") == 0 {
					e = pipeline.Blind(e, seenAt, now, errors.New("blind"))
					break
				}
				seenAt = now
				seen := slipway.Observation{At: now, By: rapid.SampledFrom([]string{"", slipway.ByECS, slipway.BySlipway}).Draw(t, "by"), Reason: "seen"}
				if step < patience {
					seen.State = lasting.Draw(t, "state")
				} else {
					seen.State = whatever.Draw(t, "state")
				}
				before := e
				e = pipeline.Observe(e, seen, now)
				if next := pipeline.Next(e); seen.Final() && next == pipeline.Next(before) {
					t.Fatalf("%s is final, and it is to be looked at again", seen.State)
				}
			case pipeline.ActionRollBack:
				if e.Deployment.RollbackReason == "" {
					t.Fatalf("a rollback without a reason: %+v", e)
				}
				e.Deployment.Phase, e.Deployment.RollbackStartedAt = slipway.PhaseRollingBack, now
				seenAt = now
			case pipeline.ActionFinish:
				if e.Outcome == slipway.OutcomeNone || e.Reason == "" {
					t.Fatalf("it finishes without an outcome or a reason: %+v", e)
				}
				if e.Outcome == slipway.OutcomeRolledBack && e.RolledBackBy == "" && e.Deployment.Phase == slipway.PhaseRollingBack {
					t.Fatalf("rolled back by nobody: %+v", e)
				}
				for _, state := range states {
					again := pipeline.Observe(e, slipway.Observation{State: state, Reason: "later"}, now.Add(time.Hour))
					again = pipeline.Advance(pipeline.Blind(again, begin, now.Add(time.Hour), errors.New("blind")))
					if diff := cmp.Diff(e, again); diff != "" {
						t.Fatalf("%s changed what it had ended as:\n%s", state, diff)
					}
				}
				return
			default:
				t.Fatalf("what is %q to do here? %+v", pipeline.Next(e), e)
			}
		}
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	app := func(name string) slipway.App { return slipway.App{Cluster: "cluster1", Name: name} }
	content := func(blob string) pipeline.Content {
		return pipeline.Content{Blob: blob, Files: blob + "-with-settings"}
	}
	git := map[slipway.App]pipeline.Content{
		app("new-b"): content("1"), app("new-a"): content("1"), app("same"): content("1"), app("changed"): content("2"),
		app("back"): content("1"), app("back-changed"): content("2"), app("broken"): content("1"), app("mended"): content("1"),
	}
	known := map[slipway.App]pipeline.Known{
		app("same"): {Blob: "1"}, app("changed"): {Blob: "1"}, app("gone"): {Blob: "1"},
		app("back"): {Blob: "1", Removed: true}, app("back-changed"): {Blob: "1", Removed: true}, app("long-gone"): {Blob: "1", Removed: true},
		app("broken"): {Blob: content("1").Broken()}, app("mended"): {Blob: pipeline.Content{Files: "1-with-a-mistake"}.Broken()},
	}
	got := pipeline.Compare(git, known)
	want := pipeline.Changes{
		New: []slipway.App{app("new-a"), app("new-b")}, Changed: []slipway.App{app("back-changed"), app("changed"), app("mended")},
		Returned: []slipway.App{app("back")}, Removed: []slipway.App{app("gone")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Empty() {
		t.Error("it says that there is nothing to do")
	}
}

// What was acted upon is not found again, whatever git and we knew before.
func TestCompareSettles(t *testing.T) {
	t.Parallel()
	apps := rapid.MapOf(rapid.SampledFrom([]slipway.App{{Cluster: "a", Name: "1"}, {Cluster: "a", Name: "2"}, {Cluster: "b", Name: "1"}}), rapid.SampledFrom([]string{"x", "y"}))
	rapid.Check(t, func(t *rapid.T) {
		known := make(map[slipway.App]pipeline.Known)
		for app, blob := range apps.Draw(t, "known") {
			known[app] = pipeline.Known{Blob: blob, Removed: rapid.Bool().Draw(t, "removed")}
		}
		git := make(map[slipway.App]pipeline.Content)
		for app, blob := range apps.Draw(t, "git") {
			git[app] = pipeline.Content{Blob: blob, Files: blob + rapid.SampledFrom([]string{"", "z"}).Draw(t, "settings")}
		}
		changes := pipeline.Compare(git, known)
		listed := slices.Concat(changes.New, changes.Changed, changes.Returned, changes.Removed)
		slices.SortFunc(listed, slipway.App.Compare)
		if len(slices.Compact(slices.Clone(listed))) != len(listed) {
			t.Fatalf("an app is listed twice: %+v", changes)
		}
		if changes.Empty() != (len(listed) == 0) {
			t.Fatalf("empty is %v of %+v", changes.Empty(), changes)
		}
		for _, app := range slices.Concat(changes.New, changes.Changed, changes.Returned) {
			known[app] = pipeline.Known{Blob: git[app].Blob}
			if rapid.Bool().Draw(t, "broken") {
				known[app] = pipeline.Known{Blob: git[app].Broken()}
			}
		}
		for _, app := range changes.Removed {
			known[app] = pipeline.Known{Blob: known[app].Blob, Removed: true}
		}
		if again := pipeline.Compare(git, known); !again.Empty() {
			t.Fatalf("found again: %+v", again)
		}
	})
}

func TestSupersedesBy(t *testing.T) {
	t.Parallel()
	for mode, want := range map[slipway.Mode]pipeline.Supersedes{
		slipway.ModeSuperseded: {Waiting: true},
		slipway.ModeQueued:     {},
		slipway.ModeReplace:    {Waiting: true, Running: true},
		"":                     {Waiting: true},
	} {
		if got := pipeline.SupersedesBy(mode); got != want {
			t.Errorf("%q: got %+v, want %+v", mode, got, want)
		}
	}
}

// The names of actions are in databases out there.
func TestActionNamesNeverChange(t *testing.T) {
	t.Parallel()
	names := []string{
		string(pipeline.ActionSource), string(pipeline.ActionPrepare), string(pipeline.ActionRegister), string(pipeline.ActionStart),
		string(pipeline.ActionObserve), string(pipeline.ActionRollBack), string(pipeline.ActionObserveRollBack), string(pipeline.ActionFinish),
	}
	if got, want := strings.Join(names, " "), "source prepare register start observe roll-back observe-roll-back finish"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
