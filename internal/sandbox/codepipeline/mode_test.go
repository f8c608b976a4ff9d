package codepipeline_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func approvalAction(name string) types.ActionDeclaration {
	return action(name, types.ActionCategoryApproval, "Manual", map[string]string{"CustomData": "look at it", "ExternalEntityLink": "https://example.com/review"})
}

// answer approves or rejects the action that waits in a stage.
func (r *rig) answer(stage, action string, status types.ApprovalStatus) {
	r.Helper()
	for _, a := range r.state(stage).ActionStates {
		if *a.ActionName != action {
			continue
		}
		if a.LatestExecution == nil || a.LatestExecution.Token == nil {
			r.Fatalf("%s waits for nobody: %+v", action, a.LatestExecution)
		}
		if _, err := r.PutApprovalResult(r.Context(), &sdk.PutApprovalResultInput{
			PipelineName: aws.String(name), StageName: &stage, ActionName: &action, Token: a.LatestExecution.Token,
			Result: &types.ApprovalResult{Status: status, Summary: aws.String("seen")},
		}); err != nil {
			r.Fatal(err)
		}
	}
}

// statuses are those of executions, oldest first.
func (r *rig) statuses() []types.PipelineExecutionStatus {
	r.Helper()
	var all []types.PipelineExecutionStatus
	for _, e := range slices.Backward(r.executions()) {
		all = append(all, e.Status)
	}
	return all
}

func (r *rig) wants(want ...types.PipelineExecutionStatus) {
	r.Helper()
	if got := r.statuses(); !slices.Equal(got, want) {
		r.Fatalf("executions %v, want %v", got, want)
	}
}

const (
	inProgress = types.PipelineExecutionStatusInProgress
	succeeded  = types.PipelineExecutionStatusSucceeded
	superseded = types.PipelineExecutionStatusSuperseded
	failed     = types.PipelineExecutionStatusFailed
	stopped    = types.PipelineExecutionStatusStopped
)

// TestSuperseded: an execution in a stage locks it, and of those that wait the
// newest alone goes on.
func TestSuperseded(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		r.create(declaration(stage("Approve", approvalAction("Manual")), stage("Deploy", deployAction(nil))))
		pass(time.Minute)
		two := r.start("")
		pass(time.Minute)
		r.wants(inProgress, inProgress) // one is in Approve, two waits for it
		if state := r.state("Approve"); *state.InboundExecution.PipelineExecutionId != two || *state.LatestExecution.PipelineExecutionId == two {
			t.Errorf("%+v", state)
		}
		three := r.start("")
		pass(time.Minute)
		r.wants(inProgress, superseded, inProgress)
		r.answer("Approve", "Manual", types.ApprovalStatusApproved)
		pass(time.Minute)
		if state := r.state("Approve"); *state.LatestExecution.PipelineExecutionId != three || state.InboundExecution != nil {
			t.Errorf("%+v", state)
		}
		r.answer("Approve", "Manual", types.ApprovalStatusApproved)
		r.ends(three, succeeded)
		r.wants(succeeded, superseded, succeeded)
	})
}

// TestQueued: all go through, one after the other, oldest first.
func TestQueued(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		d := declaration(stage("Approve", approvalAction("Manual")), stage("Deploy", deployAction(nil)))
		d.ExecutionMode = types.ExecutionModeQueued
		one := r.create(d)
		two, three := r.start(""), r.start("")
		pass(time.Minute)
		r.wants(inProgress, inProgress, inProgress)
		if state := r.state("Approve"); len(state.InboundExecutions) != 2 {
			t.Errorf("%+v", state)
		}
		for _, id := range []string{one, two, three} {
			if got := *r.state("Approve").LatestExecution.PipelineExecutionId; got != id {
				t.Fatalf("%s is in the stage, want %s", got, id)
			}
			r.answer("Approve", "Manual", types.ApprovalStatusApproved)
			r.ends(id, succeeded)
		}
		for range 50 {
			r.start("")
		}
		_, err := r.StartPipelineExecution(t.Context(), &sdk.StartPipelineExecutionInput{Name: aws.String(name)})
		r.refused(err, "ConcurrentPipelineExecutionsLimitExceededException", "")
	})
}

// TestTransition: nobody enters a stage whose transition is disabled; then the
// newest does.
func TestTransition(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		ctx := t.Context()
		r.repository.commit("Deploy 1.1", revision("1.1"))
		r.ready(declaration(stage("Deploy", deployAction(nil))))
		disable := func(stage string, kind types.StageTransitionType) error {
			_, err := r.DisableStageTransition(ctx, &sdk.DisableStageTransitionInput{PipelineName: aws.String(name), StageName: &stage, TransitionType: kind, Reason: aws.String("frozen until Monday")})
			return err
		}
		if err := disable("Source", types.StageTransitionTypeOutbound); err != nil {
			t.Fatal(err)
		}
		if state := r.state("Deploy").InboundTransitionState; state.Enabled || *state.DisabledReason != "frozen until Monday" || state.LastChangedBy == nil {
			t.Errorf("%+v", state)
		}
		r.start("")
		pass(time.Minute)
		last := r.start("")
		pass(time.Hour)
		r.wants(succeeded, superseded, inProgress)
		r.w.Restart()
		pass(time.Hour)
		r.wants(succeeded, superseded, inProgress)
		if _, err := r.EnableStageTransition(ctx, &sdk.EnableStageTransitionInput{PipelineName: aws.String(name), StageName: aws.String("Deploy"), TransitionType: types.StageTransitionTypeInbound}); err != nil {
			t.Fatal(err)
		}
		r.ends(last, succeeded)
		r.refused(disable("Other", types.StageTransitionTypeInbound), "StageNotFoundException", "")
		r.refused(disable("Source", types.StageTransitionTypeInbound), "ValidationException", "no Inbound transition")
	})
}
