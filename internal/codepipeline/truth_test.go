package codepipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// What AWS shows of a deployment, beside what CodePipeline says of it.
func TestJudge(t *testing.T) {
	t.Parallel()
	const (
		running   = types.PipelineExecutionStatusInProgress
		succeeded = types.PipelineExecutionStatusSucceeded
		failed    = types.PipelineExecutionStatusFailed
		stopped   = types.PipelineExecutionStatusStopped
	)
	for name, tc := range map[string]struct {
		says    types.PipelineExecutionStatus
		seen    slipway.Observation
		status  slipway.Status
		outcome slipway.Outcome
		reason  string // a part
	}{
		"both say deployed":                {succeeded, slipway.Observation{State: slipway.StateDeployed}, slipway.StatusSucceeded, slipway.OutcomeDeployed, ""},
		"rolled back, and not noticed":     {running, slipway.Observation{State: slipway.StateRolledBack, By: slipway.ByECS, Reason: "rolled back by ECS\n  exit code 1"}, slipway.StatusFailed, slipway.OutcomeRolledBack, "rolled back by ECS; CodePipeline does not notice and waits until its action's time-out: `slipway stop id --abandon` ends that\n  exit code 1"},
		"done for CodePipeline, and bakes": {succeeded, slipway.Observation{State: slipway.StateProgressing}, slipway.StatusInProgress, slipway.OutcomeNone, ""},
		"rolled back after a success":      {succeeded, slipway.Observation{State: slipway.StateRolledBack, By: slipway.ByECS, Reason: "an alarm"}, slipway.StatusFailed, slipway.OutcomeRolledBack, "an alarm"},
		"rolled back, then timed out":      {failed, slipway.Observation{State: slipway.StateRolledBack, By: slipway.ByECS, Reason: "rolled back by ECS"}, slipway.StatusFailed, slipway.OutcomeRolledBack, "rolled back by ECS"},
		"being rolled back":                {running, slipway.Observation{State: slipway.StateRollingBack}, slipway.StatusInProgress, slipway.OutcomeNone, ""},
		"going on":                         {running, slipway.Observation{State: slipway.StateProgressing}, slipway.StatusInProgress, slipway.OutcomeNone, ""},
		"timed out, and goes on":           {failed, slipway.Observation{State: slipway.StateProgressing}, slipway.StatusFailed, slipway.OutcomeTimedOut, "failed: too long; the deployment goes on in ECS"},
		"timed out, and deployed":          {failed, slipway.Observation{State: slipway.StateDeployed}, slipway.StatusSucceeded, slipway.OutcomeDeployed, "deployed in the end"},
		"failed, with ECS's explanation":   {failed, slipway.Observation{State: slipway.StateFailed, Reason: "tasks fail\n  exit code 1"}, slipway.StatusFailed, slipway.OutcomeFailed, "tasks fail; action Deploy of stage Deploy failed: too long\n  exit code 1"},
		"replaced":                         {running, slipway.Observation{State: slipway.StateReplaced, Reason: "replaced by web:9"}, slipway.StatusSuperseded, slipway.OutcomeReplaced, "replaced by web:9"},
		"the service is gone":              {running, slipway.Observation{State: slipway.StateGone, Reason: "there is no service"}, slipway.StatusFailed, slipway.OutcomeFailed, "there is no service"},
		"stopped, and goes on":             {stopped, slipway.Observation{State: slipway.StateProgressing}, slipway.StatusStopped, slipway.OutcomeStopped, "stopped in CodePipeline"},
	} {
		action := types.ActionExecutionDetail{StageName: aws.String("Deploy"), ActionName: aws.String("Deploy"), Status: types.ActionExecutionStatusInProgress}
		switch tc.says {
		case succeeded:
			action.Status = types.ActionExecutionStatusSucceeded
		case failed:
			action.Status = types.ActionExecutionStatusFailed
			action.Output = &types.ActionExecutionOutput{ExecutionResult: &types.ActionExecutionResult{ErrorDetails: &types.ErrorDetails{Message: aws.String("too long.")}}}
		case stopped:
			action.Status = types.ActionExecutionStatusAbandoned
		default:
		}
		s := said{
			summary: types.PipelineExecutionSummary{PipelineExecutionId: aws.String("id"), Status: tc.says, StartTime: aws.Time(time.Unix(0, 0))},
			actions: []types.ActionExecutionDetail{action},
		}
		tc.seen.At = time.Unix(60, 0)
		e := judge(s.execution(slipway.App{Cluster: "a", Name: "b"}, slipway.Revision{}, slipway.Pipeline{}), s, action, tc.seen)
		if e.Status != tc.status || e.Outcome != tc.outcome || !strings.Contains(e.Reason, tc.reason) || tc.reason == "" && e.Reason != "" {
			t.Errorf("%s: %s %s: %q, want %s %s: %q", name, e.Status, e.Outcome, e.Reason, tc.status, tc.outcome, tc.reason)
		}
		if ended := e.Status.Ended(); ended == e.EndedAt.IsZero() && tc.says == running {
			t.Errorf("%s: it is %s and ended at %v", name, e.Status, e.EndedAt)
		}
	}
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]slipway.TriggerKind{
		"arn:aws:sts::111122223333:assumed-role/slipway-trigger/slipway-trigger": slipway.TriggerEvent,
		"arn:aws:sts::111122223333:assumed-role/developers/ada":                  slipway.TriggerManual,
		"arn:aws:iam::111122223333:user/slipway-trigger":                         slipway.TriggerManual,
	} {
		s := said{summary: types.PipelineExecutionSummary{Trigger: &types.ExecutionTrigger{TriggerType: types.TriggerTypeStartPipelineExecution, TriggerDetail: &detail}}}
		if got := s.trigger(); got.Kind != want || got.By != detail {
			t.Errorf("%s: %+v, want %s", detail, got, want)
		}
	}
}

func TestRepositoryName(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/deployment": "deployment",
		"codecommit::eu-west-1://deployment":                                 "deployment",
		"git@git.example.com:team/deployment.git":                            "deployment",
		"/srv/git/deployment.git/":                                           "deployment",
	} {
		if got := RepositoryName(location); got != want {
			t.Errorf("%s: %q, want %q", location, got, want)
		}
	}
}
