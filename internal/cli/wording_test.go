package cli

import (
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
)

// Who rolls back, or rolled back, is told apart: ECS, CodeDeploy and Slipway.
func TestWhoRolledBack(t *testing.T) {
	for by, want := range map[string]string{slipway.ByECS: "ECS", slipway.ByCodeDeploy: "CodeDeploy", slipway.BySlipway: "Slipway"} {
		x := failed2()
		x.RolledBackBy = by
		if got := result(*x.Summary()).text; got != "rolled back by "+want {
			t.Errorf("by %s: %q", by, got)
		}
		x.Status, x.Outcome, x.RolledBackBy = slipway.StatusInProgress, slipway.OutcomeNone, ""
		x.Observation = &slipway.Observation{State: slipway.StateRollingBack, By: by}
		if got := progress(x); !strings.HasPrefix(got, want+" rolls back: ") {
			t.Errorf("by %s: %q", by, got)
		}
	}
}
