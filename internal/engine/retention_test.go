package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
)

// TestRetention: after a deployment that went well, and after no other, the app's
// old task definitions are retired.
func TestRetention(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.cloud.OnPipeline = func(app slipway.App) (slipway.Pipeline, error) {
			p := slipway.DefaultPipeline(app)
			p.Keep = 1
			return p, nil
		}
		end, n := slipway.StateDeployed, 0
		r.cloud.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
			next := stepstest.Well(d)
			if d.Phase == slipway.PhasePrepared {
				n++
				next.TaskDefinition += strings.Repeat("+", n)
			}
			return next, nil
		}
		r.cloud.OnObserve = func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
			return stepstest.Seen(end, "so it ended"), nil
		}
		for _, tt := range []struct {
			end     slipway.State
			retires string
		}{
			{slipway.StateDeployed, ""}, // there is but one
			{slipway.StateReplaced, ""},
			{slipway.StateDeployed, "retire all but 1 of 3"},
		} {
			end = tt.end
			r.cloud.Forget()
			r.wait(r.submit(webapp, ""))
			r.passes(time.Second)
			if _, got, _ := strings.Cut(r.cloud.Called(), "observe, "); got != tt.retires {
				t.Errorf("after %s: %q, want %q", tt.end, got, tt.retires)
			}
		}
	})
}
