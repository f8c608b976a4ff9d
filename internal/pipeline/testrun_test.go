package pipeline_test

import (
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// TestTestRun: a test run is observed to its end; then the schedules are moved, or
// the execution ends with nothing to put back.
func TestTestRun(t *testing.T) {
	t.Parallel()
	tried := func(change ...func(*slipway.Execution)) slipway.Execution {
		e := running(slipway.PhaseTesting, change...)
		e.Deployment.Attempt = 0
		return e
	}
	see := func(state slipway.State, after time.Duration) func(slipway.Execution) slipway.Execution {
		return func(e slipway.Execution) slipway.Execution {
			return pipeline.Observe(pipeline.Advance(e), slipway.Observation{State: state, Reason: "as seen"}, begin.Add(after))
		}
	}
	for _, test := range []struct {
		name    string
		e       slipway.Execution
		see     func(slipway.Execution) slipway.Execution
		next    pipeline.Action
		outcome slipway.Outcome
		reason  string
	}{
		{name: "going on", e: tried(), see: see(slipway.StateProgressing, time.Minute), next: pipeline.ActionObserve},
		{name: "ended well", e: tried(), see: see(slipway.StateTested, time.Minute), next: pipeline.ActionStart},
		{
			name: "failed", e: tried(), see: see(slipway.StateFailed, time.Minute), next: pipeline.ActionFinish,
			outcome: slipway.OutcomeFailed, reason: "as seen; no schedule was touched",
		},
		{
			name: "too slow", e: tried(), see: see(slipway.StateProgressing, 30*time.Minute), next: pipeline.ActionFinish,
			outcome: slipway.OutcomeTimedOut, reason: "not done after 30m0s: as seen; no schedule was touched",
		},
		{
			name: "stopped", e: tried(stop(false, false)), see: see(slipway.StateProgressing, time.Minute), next: pipeline.ActionFinish,
			outcome: slipway.OutcomeStopped, reason: "stopped by Ada: wrong version; no schedule was touched",
		},
		{
			name: "stopped when it had ended well", e: tried(stop(true, false)), see: see(slipway.StateTested, time.Minute), next: pipeline.ActionFinish,
			outcome: slipway.OutcomeStopped, reason: "stopped by Ada: wrong version; no schedule was touched",
		},
	} {
		got := test.see(test.e)
		if pipeline.Next(got) != test.next || got.Outcome != test.outcome || got.Reason != test.reason {
			t.Errorf("%s: next %q, %q: %s\nwant %q, %q: %s", test.name, pipeline.Next(got), got.Outcome, got.Reason, test.next, test.outcome, test.reason)
		}
	}
}

// TestStopOfNewestSchedules: where registering has switched a schedule already, a
// stop has something to put back.
func TestStopOfNewestSchedules(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]pipeline.Action{base: pipeline.ActionFinish, base[:len(base)-len(":7")]: pipeline.ActionStart} {
		e := running(slipway.PhaseRegistered, stop(false, false))
		e.Deployment.Targets = []slipway.ScheduledTarget{{Name: "schedule/default/hourly", Before: arn}}
		if got := pipeline.Next(pipeline.Advance(e)); got != want {
			t.Errorf("with %s, next is %q, want %q", arn, got, want)
		}
	}
}
