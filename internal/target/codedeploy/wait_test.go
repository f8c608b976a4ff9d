package codedeploy

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestHooks(t *testing.T) {
	noon := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	both := &types.BlueGreenDeploymentConfiguration{
		DeploymentReadyOption: &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: 30},
		TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{
			Action: types.InstanceActionTerminate, TerminationWaitTimeInMinutes: 60,
		},
	}
	target := &types.ECSTarget{LifecycleEvents: []types.LifecycleEvent{
		{LifecycleEventName: aws.String("Install"), Status: types.LifecycleEventStatusSucceeded, EndTime: aws.Time(noon.Add(-time.Minute))},
		{LifecycleEventName: aws.String("AfterInstall"), Status: types.LifecycleEventStatusSucceeded, EndTime: aws.Time(noon)},
		{LifecycleEventName: aws.String("BeforeAllowTraffic"), Status: types.LifecycleEventStatusPending},
	}}
	deployment := func(status types.DeploymentStatus, terminates bool, b *types.BlueGreenDeploymentConfiguration) *types.DeploymentInfo {
		return &types.DeploymentInfo{
			DeploymentId: aws.String("d-OURS00000"), Status: status, InstanceTerminationWaitTimeStarted: terminates, BlueGreenDeploymentConfiguration: b,
		}
	}
	ready := slipway.Hook{ID: "d-OURS00000/READY_WAIT", Stage: "READY_WAIT", OnExpiry: "STOP_DEPLOYMENT"}
	termination := slipway.Hook{ID: "d-OURS00000/TERMINATION_WAIT", Stage: "TERMINATION_WAIT", OnExpiry: "CONTINUE", Expires: noon.Add(time.Hour)}
	until := ready
	until.Expires = noon.Add(30 * time.Minute)
	for name, test := range map[string]struct {
		facts   Facts
		want    []slipway.Hook
		waiting string
	}{
		"none": {},
		"goes on": {
			facts: Facts{Deployment: deployment(types.DeploymentStatusInProgress, false, both), Target: target},
		},
		"ready": {
			facts:   Facts{Deployment: deployment(types.DeploymentStatusReady, false, both), Target: target},
			want:    []slipway.Hook{until},
			waiting: "somebody to approve that the traffic is shifted; until 2026-11-01T12:30:00Z, then STOP_DEPLOYMENT",
		},
		"ready, and no more known": {
			facts:   Facts{Deployment: deployment(types.DeploymentStatusReady, false, nil)},
			want:    []slipway.Hook{ready},
			waiting: "somebody to approve that the traffic is shifted",
		},
		"before the termination": {
			facts:   Facts{Deployment: deployment(types.DeploymentStatusInProgress, true, both), Target: target},
			want:    []slipway.Hook{termination},
			waiting: "the original task set to be terminated; until then it can be rolled back at once; until 2026-11-01T13:00:00Z, then CONTINUE",
		},
		"over": {
			facts: Facts{Deployment: deployment(types.DeploymentStatusSucceeded, true, both), Target: target},
		},
	} {
		if diff := cmp.Diff(test.want, test.facts.Hooks()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := test.facts.Waiting(); test.want != nil && got != test.waiting {
			t.Errorf("%s: waits for %q", name, got)
		}
	}
}
