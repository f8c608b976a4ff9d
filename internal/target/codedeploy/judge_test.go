package codedeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	made := func(id string, status types.DeploymentStatus, changes ...func(*types.DeploymentInfo)) *types.DeploymentInfo {
		d := &types.DeploymentInfo{
			DeploymentId: aws.String(id), Status: status, DeploymentGroupName: aws.String("webapp1"),
			CreateTime: aws.Time(now.Add(-time.Hour)), CompleteTime: aws.Time(now.Add(-10 * time.Minute)),
			AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}},
		}
		for _, change := range changes {
			change(d)
		}
		return d
	}
	because := func(code types.ErrorCode) func(*types.DeploymentInfo) {
		return func(d *types.DeploymentInfo) {
			d.ErrorInformation = &types.ErrorInformation{Code: code, Message: aws.String("what happened")}
		}
	}
	lately := func(d *types.DeploymentInfo) { d.CompleteTime = aws.Time(now.Add(-10 * time.Second)) }
	later := func(d *types.DeploymentInfo) { d.CreateTime = aws.Time(now.Add(-time.Minute)) }
	ours := "d-OURS00000"
	for name, test := range map[string]struct {
		facts    Facts
		state    slipway.State
		cause    slipway.Cause
		headline string
	}{
		"forgotten":                    {Facts{}, slipway.StateGone, "", "does not know the deployment any more"},
		"created":                      {Facts{Deployment: made(ours, types.DeploymentStatusCreated)}, slipway.StateProgressing, "", ""},
		"ready":                        {Facts{Deployment: made(ours, types.DeploymentStatusReady)}, slipway.StateProgressing, "", ""},
		"a status newer than this":     {Facts{Deployment: made(ours, "Simmering")}, slipway.StateProgressing, "", ""},
		"succeeded":                    {Facts{Deployment: made(ours, types.DeploymentStatusSucceeded)}, slipway.StateDeployed, "", ""},
		"failed":                       {Facts{Deployment: made(ours, types.DeploymentStatusFailed, because(types.ErrorCodeTimeout))}, slipway.StateFailed, "", "does not roll it back"},
		"failed lately":                {Facts{Deployment: made(ours, types.DeploymentStatusFailed, because(types.ErrorCodeTimeout), lately)}, slipway.StateRollingBack, "", "about to roll it back"},
		"alarmed lately, and not told": {Facts{Deployment: made(ours, types.DeploymentStatusStopped, because(types.ErrorCodeAlarmActive), lately)}, slipway.StateFailed, "", "does not roll it back"},
		"stopped by somebody":          {Facts{Deployment: made(ours, types.DeploymentStatusStopped, because(types.ErrorCodeManualStop))}, slipway.StateFailed, "", "somebody stopped it"},
		"stopped by somebody just now": {Facts{Deployment: made(ours, types.DeploymentStatusStopped, because(types.ErrorCodeManualStop), lately)}, slipway.StateProgressing, "", "somebody stopped it"},
		"stopped, ours the newest": {Facts{
			Deployment: made(ours, types.DeploymentStatusStopped, because(types.ErrorCodeManualStop)), Newest: made(ours, types.DeploymentStatusStopped),
		}, slipway.StateFailed, "", "somebody stopped it"},
		"stopped for another": {Facts{
			Deployment: made(ours, types.DeploymentStatusStopped, because(types.ErrorCodeManualStop)), Newest: made("d-THEIRS000", types.DeploymentStatusInProgress, later),
		}, slipway.StateReplaced, "", "replaced by deployment d-THEIRS000 of webapp1, made at 2026-11-01T11:59:00Z"},
		"being rolled back": {Facts{
			Deployment: made(ours, types.DeploymentStatusStopped, because(types.ErrorCodeAlarmActive)), Rollback: made("d-BACK00000", types.DeploymentStatusInProgress),
		}, slipway.StateRollingBack, slipway.CauseAlarm, "d-BACK00000"},
		"rolled back": {Facts{
			Deployment: made(ours, types.DeploymentStatusFailed, because(types.ErrorCodeHookExecutionFailure)), Rollback: made("d-BACK00000", types.DeploymentStatusSucceeded),
		}, slipway.StateRolledBack, slipway.CauseHook, "rolled back by CodeDeploy, by deployment d-BACK00000"},
		"not even rolled back": {Facts{
			Deployment: made(ours, types.DeploymentStatusFailed, because(types.ErrorCodeTimeout)), Rollback: made("d-BACK00000", types.DeploymentStatusFailed, because(types.ErrorCodeEcsUpdateError)),
		}, slipway.StateFailed, "", "d-BACK00000 failed too (what happened (ECS_UPDATE_ERROR))"},
	} {
		v := Judge(test.facts, now)
		if v.State != test.state || v.Cause != test.cause || !strings.Contains(v.Headline, test.headline) {
			t.Errorf("%s: %s, cause %q, %q", name, v.State, v.Cause, v.Headline)
		}
	}
}

func TestProgress(t *testing.T) {
	f := Facts{
		Deployment: &types.DeploymentInfo{Status: types.DeploymentStatusInProgress},
		Target: &types.ECSTarget{
			LifecycleEvents: []types.LifecycleEvent{
				{LifecycleEventName: aws.String("BeforeInstall"), Status: types.LifecycleEventStatusSucceeded},
				{LifecycleEventName: aws.String("Install"), Status: types.LifecycleEventStatusInProgress},
				{LifecycleEventName: aws.String("AfterInstall"), Status: types.LifecycleEventStatusPending},
			},
			TaskSetsInfo: []types.ECSTaskSet{
				{TaskSetLabel: types.TargetLabelBlue, TrafficWeight: 90}, {TaskSetLabel: types.TargetLabelGreen, TrafficWeight: 10},
			},
		},
	}
	if f.Hooks() != nil {
		t.Errorf("installing: pauses %+v", f.Hooks())
	}
	if f.Stage() != "Install" || *f.Traffic() != 10 || !strings.Contains(f.Waiting(), "healthy") {
		t.Errorf("%s, %v %%, waits for %s", f.Stage(), *f.Traffic(), f.Waiting())
	}
	f.Target.LifecycleEvents[1].Status = types.LifecycleEventStatusSucceeded
	if f.Stage() != "Install" {
		t.Errorf("between two events: %q", f.Stage())
	}
	none := Facts{Deployment: f.Deployment}
	if none.Stage() != "" || none.Traffic() != nil {
		t.Errorf("without a target: %q, %v", none.Stage(), none.Traffic())
	}
}
