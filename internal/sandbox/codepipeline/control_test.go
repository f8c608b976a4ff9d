package codepipeline_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func (r *rig) stop(id string, abandon bool) error {
	_, err := r.StopPipelineExecution(r.Context(), &sdk.StopPipelineExecutionInput{PipelineName: aws.String(name), PipelineExecutionId: &id, Abandon: abandon, Reason: aws.String("a mistake")})
	return err
}

func (r *rig) retry(id, stage string, mode types.StageRetryMode) error {
	_, err := r.RetryStageExecution(r.Context(), &sdk.RetryStageExecutionInput{PipelineName: aws.String(name), PipelineExecutionId: &id, StageName: &stage, RetryMode: mode})
	return err
}

// TestApproval: what a person can say, and what comes of nobody's saying anything.
func TestApproval(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		d := declaration(stage("Deploy", approvalAction("Manual"), deployAction(nil)))
		d.Stages[1].Actions[1].RunOrder = aws.Int32(2)
		first := r.create(d)
		put := func(token string) error {
			_, err := r.PutApprovalResult(t.Context(), &sdk.PutApprovalResultInput{
				PipelineName: aws.String(name), StageName: aws.String("Deploy"), ActionName: aws.String("Manual"), Token: &token,
				Result: &types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("looks good")},
			})
			return err
		}
		pass(7*24*time.Hour - time.Minute)
		r.wants(inProgress)
		expires := *r.state("Deploy").ActionStates[0].LatestExecution.Token
		pass(2 * time.Minute)
		r.wants(failed)
		r.refused(put(expires), "InvalidApprovalTokenException", "expired")
		if got := r.failures(first); len(got) != 1 || !strings.Contains(got[0], "Manual: TimedOut") {
			t.Errorf("%q", got)
		}
		id := r.start("")
		pass(time.Minute)
		state := r.state("Deploy").ActionStates[0]
		token := state.LatestExecution.Token
		if token == nil || *state.EntityUrl != "https://example.com/review" {
			t.Fatalf("%+v", state)
		}
		r.refused(put("1a2b3c4d-573f-4ea7-a67E-XAMPLETOKEN"), "InvalidApprovalTokenException", "")
		if err := put(*token); err != nil {
			t.Fatal(err)
		}
		r.refused(put(*token), "ApprovalAlreadyCompletedException", "")
		r.ends(id, succeeded)
		if got := r.running(); got != "1.1" {
			t.Errorf("runs %s", got)
		}
		if got := r.state("Deploy").ActionStates[0].LatestExecution; got.Token != nil || *got.Summary != "looks good" || *got.LastUpdatedBy == "" {
			t.Errorf("%+v", got)
		}
		id = r.start("")
		pass(time.Minute)
		r.answer("Deploy", "Manual", types.ApprovalStatusRejected)
		r.ends(id, failed)

		d.Stages[1].Actions[0].TimeoutInMinutes = aws.Int32(30)
		if _, err := r.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d}); err != nil {
			t.Fatal(err)
		}
		if took := r.ends(r.start(""), failed); took < 30*time.Minute || took > 31*time.Minute {
			t.Errorf("it was given up after %s", took)
		}
	})
}

// TestStop: an execution stops at once, or once what runs has ended.
func TestStop(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		after := approvalAction("After")
		after.RunOrder = aws.Int32(2)
		one := r.create(declaration(stage("Deploy", deployAction(nil), after)))
		pass(10 * time.Second) // the deployment is under way
		if err := r.stop(one, false); err != nil {
			t.Fatal(err)
		}
		if got := r.get(one); got.Status != types.PipelineExecutionStatusStopping {
			t.Errorf("%+v", got)
		}
		r.refused(r.stop(one, false), "DuplicatedStopRequestException", "")
		two := r.start("") // waits until the stage is free
		r.ends(one, stopped)
		actions := r.actions(one)
		if len(actions) != 2 || actions[0].Status != types.ActionExecutionStatusSucceeded {
			t.Errorf("%+v", actions)
		}
		if got := r.executions()[1]; *got.StopTrigger.Reason != "a mistake" {
			t.Errorf("%+v", got)
		}
		r.refused(r.stop(one, true), "PipelineExecutionNotStoppableException", "")
		r.refused(r.retry(one, "Deploy", types.StageRetryModeFailedActions), "NotLatestPipelineExecutionException", "")

		pass(5 * time.Minute)
		if err := r.stop(two, true); err != nil {
			t.Fatal(err)
		}
		r.wants(stopped, stopped)
		if got := r.actions(two)[0]; *got.ActionName != "After" || got.Status != types.ActionExecutionStatusAbandoned {
			t.Errorf("%+v", got)
		}
		if got := r.state("Deploy").LatestExecution.Status; got != types.StageExecutionStatusStopped {
			t.Errorf("the stage is %s", got)
		}
		// What was abandoned can be taken up again.
		if err := r.retry(two, "Deploy", types.StageRetryModeFailedActions); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		r.answer("Deploy", "After", types.ApprovalStatusApproved)
		r.ends(two, succeeded)
	})
}

// TestRetry: the failed actions run again, or all of the stage.
func TestRetry(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		after := approvalAction("After")
		after.RunOrder = aws.Int32(2)
		id := r.create(declaration(stage("Deploy", deployAction(nil), after)))
		names := func() []string {
			var all []string
			for _, a := range slices.Backward(r.actions(id)) {
				all = append(all, *a.ActionName)
			}
			return all
		}
		reject := func() {
			pass(5 * time.Minute)
			r.answer("Deploy", "After", types.ApprovalStatusRejected)
			r.ends(id, failed)
		}
		reject()
		if err := r.retry(id, "Deploy", types.StageRetryModeFailedActions); err != nil {
			t.Fatal(err)
		}
		r.wants(inProgress)
		reject()
		if err := r.retry(id, "Deploy", types.StageRetryModeAllActions); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Minute)
		if want := []string{"Source", "Deploy", "After", "After", "Deploy", "After"}; !slices.Equal(names(), want) {
			t.Errorf("ran %v, want %v", names(), want)
		}
		if got := r.state("Deploy").RetryStageMetadata; *got.ManualStageRetryAttempt != 2 {
			t.Errorf("%+v", got)
		}
		r.answer("Deploy", "After", types.ApprovalStatusApproved)
		r.ends(id, succeeded)
		r.refused(r.retry(id, "Deploy", types.StageRetryModeFailedActions), "StageNotRetryableException", "it is Succeeded")

		// Nor is one of an older structure retried.
		r.start("")
		pass(5 * time.Minute)
		r.answer("Deploy", "After", types.ApprovalStatusRejected)
		last := *r.executions()[0].PipelineExecutionId
		if _, err := r.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: declaration(stage("Deploy", deployAction(nil), after))}); err != nil {
			t.Fatal(err)
		}
		r.refused(r.retry(last, "Deploy", types.StageRetryModeFailedActions), "StageNotRetryableException", "structure has changed")
	})
}

// TestRollback: a stage runs again with what an earlier execution had.
func TestRollback(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		commit := r.repository.commit("Deploy 1.1", revision("1.1"))
		d := declaration(stage("Deploy", deployAction(nil)), stage("After", approvalAction("Manual")))
		target := r.create(d)
		pass(5 * time.Minute)
		r.answer("After", "Manual", types.ApprovalStatusApproved)
		r.repository.commit("Deploy 1.2", revision("1.2"))
		bad := r.start("")
		pass(5 * time.Minute)
		r.answer("After", "Manual", types.ApprovalStatusRejected)
		if got := r.running(); got != "1.2" {
			t.Fatalf("runs %s", got)
		}
		rollback := func(stage, target string) (string, error) {
			out, err := r.RollbackStage(t.Context(), &sdk.RollbackStageInput{PipelineName: aws.String(name), StageName: &stage, TargetPipelineExecutionId: &target})
			if err != nil {
				return "", err
			}
			return *out.PipelineExecutionId, nil
		}
		id, err := rollback("Deploy", target)
		if err != nil {
			t.Fatal(err)
		}
		_, err = rollback("Deploy", target)
		r.refused(err, "UnableToRollbackStageException", "currently running")
		r.ends(id, succeeded) // and does not go on to the next stage
		if got := r.running(); got != "1.1" {
			t.Errorf("runs %s", got)
		}
		got := r.get(id)
		if got.ExecutionType != types.ExecutionTypeRollback || *got.RollbackMetadata.RollbackTargetPipelineExecutionId != target || got.Trigger.TriggerType != types.TriggerTypeManualRollback ||
			*got.ArtifactRevisions[0].RevisionId != commit {
			t.Errorf("%+v", got)
		}
		if state := r.state("Deploy").LatestExecution; *state.PipelineExecutionId != id || state.Type != types.ExecutionTypeRollback {
			t.Errorf("%+v", state)
		}
		for _, c := range []struct{ stage, target, code, words string }{
			{"Deploy", id, "UnableToRollbackStageException", "a rollback itself"},
			{"After", bad, "UnableToRollbackStageException", "did not succeed"},
			{"Source", target, "UnableToRollbackStageException", "source stage"},
			{"Other", target, "StageNotFoundException", ""},
			{"Deploy", "x", "PipelineExecutionNotFoundException", ""},
		} {
			_, err := rollback(c.stage, c.target)
			r.refused(err, c.code, c.words)
		}
		listed, err := r.ListPipelineExecutions(t.Context(), &sdk.ListPipelineExecutionsInput{
			PipelineName: aws.String(name), Filter: &types.PipelineExecutionFilter{SucceededInStage: &types.SucceededInStageFilter{StageName: aws.String("After")}},
		})
		if err != nil || len(listed.PipelineExecutionSummaries) != 1 || *listed.PipelineExecutionSummaries[0].PipelineExecutionId != target {
			t.Error(listed, err)
		}
		if _, err := r.UpdatePipeline(t.Context(), &sdk.UpdatePipelineInput{Pipeline: d}); err != nil {
			t.Fatal(err)
		}
		_, err = rollback("Deploy", target)
		r.refused(err, "PipelineExecutionOutdatedException", "version 1")
	})
}

// TestAutomaticRollback: a stage that fails is rolled back to the last execution
// that succeeded in it, if it says so.
func TestAutomaticRollback(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		d := declaration(stage("Deploy", deployAction(map[string]string{"DeploymentTimeout": "10"})))
		d.Stages[1].OnFailure = &types.FailureConditions{Result: types.ResultRollback}
		good := r.ready(d)
		r.repository.commit("Deploy what is not there", revision("1.2-missing"))
		bad := r.start("")
		r.ends(bad, failed)
		rollback := r.executions()[0]
		if rollback.ExecutionType != types.ExecutionTypeRollback || *rollback.RollbackMetadata.RollbackTargetPipelineExecutionId != good || rollback.Trigger.TriggerType != types.TriggerTypeAutomatedRollback {
			t.Errorf("%+v", rollback)
		}
		r.ends(*rollback.PipelineExecutionId, succeeded)
		if got := r.running(); got != "1.1" {
			t.Errorf("runs %s", got)
		}
	})
}
