package target

import (
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// What somebody else deployed is found by its images and its time, and told as if it
// had been watched: also when the next deployment came before anybody looked, and while
// what was done still drains.
func TestTrace(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, _ *ECS) {
		service := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.CircuitBreaker(true))
		config := targetOf(w).options
		a := New(config)
		look := func(image string, from, to time.Time) (slipway.Deployment, slipway.Observation) {
			t.Helper()
			d, err := a.Trace(t.Context(), deployment(image), from, to)
			if err != nil {
				t.Fatal(err)
			}
			if d.Phase != slipway.PhaseStarted {
				return d, slipway.Observation{}
			}
			o, err := a.Observe(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			return d, o
		}
		const first, second, crashing = "registry.example.com/webapp1:1.1.0", "registry.example.com/webapp1:1.2.0", "registry.example.com/webapp1:1.3.0-crash"
		begun := time.Now()
		arn := service.Deploy(first)
		pass(10 * time.Second)
		if d, o := look(first, begun, time.Time{}); d.TaskDefinition != arn || o.State != slipway.StateProgressing {
			t.Errorf("while it goes on: %+v, %+v", d, o)
		}
		service.Settle()
		ended := time.Now()
		service.Deploy(second)
		pass(time.Minute)
		if d, o := look(first, begun, ended); d.TaskDefinition != arn || o.State != slipway.StateDeployed {
			t.Errorf("done, and drained by the next: %s %s", o.State, o.Reason)
		}
		service.Settle()
		if _, o := look(first, begun, ended); o.State != slipway.StateDeployed {
			t.Errorf("done long ago: %s %s", o.State, o.Reason)
		}
		begun = time.Now()
		service.Deploy(crashing)
		pass(20 * time.Minute)
		if _, o := look(crashing, begun, time.Time{}); o.State != slipway.StateRolledBack || o.By != slipway.ByECS || o.Cause != slipway.CauseBreaker {
			t.Errorf("rolled back: %s by %s: %s", o.State, o.By, o.Reason)
		}
		for name, of := range map[string]struct {
			image    string
			from, to time.Time
		}{
			"another's images":   {first, begun, time.Time{}},
			"before it was made": {crashing, begun.Add(-time.Hour), begun.Add(-time.Minute)},
			"after it was made":  {crashing, begun.Add(time.Minute), time.Time{}},
		} {
			if d, _ := look(of.image, of.from, of.to); d.Phase != slipway.PhaseNew {
				t.Errorf("%s: found %s", name, d.ID)
			}
		}
	})
}
