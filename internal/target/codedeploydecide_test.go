package target

import (
	"strings"
	"testing"
	"time"

	cd "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// waits has a deployment wait for half an hour for a person, before its traffic is
// shifted.
func waits(in *cd.CreateDeploymentGroupInput) {
	in.BlueGreenDeploymentConfiguration.DeploymentReadyOption = &cdtypes.DeploymentReadyOption{
		ActionOnTimeout: cdtypes.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: 30,
	}
}

// pausesAt is when a deployment waits there.
func pausesAt(wait string) func(slipway.Observation) bool {
	return func(o slipway.Observation) bool { return len(o.Hooks) == 1 && o.Hooks[0].Stage == wait }
}

// decideOn decides about the pause that was seen, which must succeed.
func decideOn(t *testing.T, a *AWS, d slipway.Deployment, o slipway.Observation, approve bool) {
	t.Helper()
	decided, err := a.Decide(t.Context(), d, slipway.Decision{Hook: o.Hooks[0].ID, Approve: approve, By: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	if decided.Hook != o.Hooks[0].ID || decided.Stage != o.Hooks[0].Stage {
		t.Errorf("decided %+v about %+v", decided, o.Hooks[0])
	}
}

func TestCodeDeployIsApproved(t *testing.T) {
	blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
		d := advance(t, a, deployment(good), slipway.PhaseStarted)
		early := slipway.Decision{Approve: true, By: "Ada"}
		if _, err := a.Decide(t.Context(), d, early); slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), "waits for nobody's approval") {
			t.Errorf("approved too early: %v", err)
		}
		o := observeTo(t, a, d, pausesAt("READY_WAIT"))
		if left := time.Until(o.Hooks[0].Expires); o.Traffic == nil || *o.Traffic != 0 || left < 29*time.Minute || left > 30*time.Minute {
			t.Errorf("waits with %v of the traffic for %v", o.Traffic, left)
		}
		pass(20 * time.Minute)
		decideOn(t, a, d, o, true)
		o = observeTo(t, a, d, pausesAt("TERMINATION_WAIT"))
		if o.Traffic == nil || *o.Traffic != 100 || !o.Hooks[0].GoesOn() {
			t.Errorf("waits with %v of the traffic at %+v", o.Traffic, o.Hooks[0])
		}
		decideOn(t, a, d, o, true)
		before := time.Now()
		checkEnd(t, last(observe(t, a, d)), slipway.StateDeployed, "")
		if took := time.Since(before); took > time.Minute {
			t.Errorf("the original task set was kept for %v", took)
		}
		checkWrites(t, w, "RegisterTaskDefinition", "CreateDeployment", "ContinueDeployment", "ContinueDeployment")
		if _, err := a.Decide(t.Context(), d, slipway.Decision{Hook: o.Hooks[0].ID, Approve: true}); err == nil || !strings.Contains(err.Error(), "does not wait at "+o.Hooks[0].ID) {
			t.Errorf("approved too late: %v", err)
		}
	}, waits)
}

func TestCodeDeployIsRejected(t *testing.T) {
	for _, wait := range []string{"READY_WAIT", "TERMINATION_WAIT"} {
		t.Run(wait, func(t *testing.T) {
			blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
				d := advance(t, a, deployment(good), slipway.PhaseStarted)
				o := observeTo(t, a, d, func(o slipway.Observation) bool {
					if pausesAt("READY_WAIT")(o) && wait != "READY_WAIT" {
						decideOn(t, a, d, o, true)
					}
					return pausesAt(wait)(o)
				})
				decideOn(t, a, d, o, false)
				o = last(observe(t, a, d))
				checkEnd(t, o, slipway.StateRolledBack, slipway.ByCodeDeploy, "rolled back by CodeDeploy", "(MANUAL_STOP)")
				if o.Cause != slipway.CausePerson || s.Weights()["webapp1"] != 100 || o.TaskDefinition != s.TaskDefinition {
					t.Errorf("cause %q, %s runs with %v", o.Cause, o.TaskDefinition, s.Weights())
				}
			}, waits)
		})
	}
}

// An answer of AWS's that is lost is no reason to ask the person again.
func TestCodeDeployDecisionAndLostAnswers(t *testing.T) {
	for operation, want := range map[string]slipway.State{"ContinueDeployment": slipway.StateDeployed, "StopDeployment": slipway.StateRolledBack} {
		t.Run(operation, func(t *testing.T) {
			blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
				d := advance(t, a, deployment(good), slipway.PhaseStarted)
				o := observeTo(t, a, d, pausesAt("READY_WAIT"))
				w.FaultOnce(operation, awsjson.Dropped(true))
				decideOn(t, a, d, o, want == slipway.StateDeployed)
				if o := last(observe(t, a, d)); o.State != want {
					t.Errorf("%s: %s", o.State, o.Reason)
				}
			}, waits)
		})
	}
}

// A deployment that puts the old tasks back waits like any other of its group.
func TestCodeDeployRollbackIsApproved(t *testing.T) {
	blueGreen(t, func(t *testing.T, w *sandboxtest.World, a *AWS, s *sandboxtest.Service) {
		d := advance(t, a, deployment(good), slipway.PhaseStarted)
		decideOn(t, a, d, observeTo(t, a, d, pausesAt("READY_WAIT")), true)
		observeTo(t, a, d, pausesAt("TERMINATION_WAIT"))
		stopDeployment(t, w, d.ID, false)
		checkEnd(t, last(observe(t, a, d)), slipway.StateFailed, "", "somebody stopped it")
		d = rollBack(t, a, d, "it was stopped")
		o := observeTo(t, a, d, pausesAt("READY_WAIT"))
		if !strings.HasPrefix(o.Hooks[0].ID, d.RollbackID) {
			t.Errorf("waits at %s, but the rollback is %s", o.Hooks[0].ID, d.RollbackID)
		}
		decideOn(t, a, d, o, true)
		checkEnd(t, last(observe(t, a, d)), slipway.StateRolledBack, slipway.BySlipway, "put webapp1:1 back")
		if *s.Settle().TaskDefinition != s.TaskDefinition {
			t.Error("it was not put back")
		}
	}, waits)
}
