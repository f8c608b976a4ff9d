package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

func (r *rig) update(declared *types.PipelineDeclaration) {
	r.Helper()
	if _, err := r.w.CodePipeline().UpdatePipeline(r.Context(), &sdk.UpdatePipelineInput{Pipeline: declared}); err != nil {
		r.Fatal(err)
	}
}

// What was deployed before somebody renamed the stage is still told as it was, and a
// change of the pipeline cancels what runs.
func TestStagesAreRenamed(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Deploy", deploy(web))), web)
		crash := r.start(r.commit(web, "1.1.0-crash"))
		r.wants(10*time.Minute, crash, slipway.StatusFailed, slipway.OutcomeRolledBack)
		going := r.start(r.commit(web, "1.2.0"))
		r.pass(10 * time.Second)
		ship := deploy(web)
		ship.Name = aws.String("Ship")
		r.update(declaration(web, stage("Release", ship)))
		r.conductor = r.made(r.source(), nil)
		if e := r.wants(time.Second, crash, slipway.StatusFailed, slipway.OutcomeRolledBack); e.Stage != "Deploy" {
			r.Errorf("its stage: %s", e.Stage)
		}
		if e := r.wants(0, going, slipway.StatusStopped, slipway.OutcomeStopped); !strings.Contains(e.Reason, "the pipeline was changed") {
			r.Errorf("what ran then: %s", e.Reason)
		}
		next := r.start(r.commit(web, "1.3.0"))
		if e := r.wants(10*time.Minute, next, slipway.StatusSucceeded, slipway.OutcomeDeployed); e.Stage != "Release" {
			r.Errorf("its stage: %s", e.Stage)
		}
	})
}

// Stages behind the one that deploys: whatever becomes of them, it was deployed.
func TestStagesAfter(t *testing.T) {
	in(t, func(r *rig) {
		look := approval("Look")
		look.TimeoutInMinutes = aws.Int32(90)
		r.create(declaration(web, stage("Deploy", deploy(web)), stage("Check", look)), web)
		r.stopAllBut("")
		checked := r.start(r.commit(web, "1.1.0"))
		e := r.wants(3*time.Minute, checked, slipway.StatusInProgress, slipway.OutcomeNone)
		if e.Stage != "Check" || len(e.Awaits()) != 1 {
			r.Fatalf("it does not wait behind its deployment: %+v", e)
		}
		if left := time.Until(e.Awaits()[0].Expires); left < 85*time.Minute || left > 90*time.Minute {
			r.Errorf("it expires in %s", left)
		}
		waits := r.start(r.commit(web, "1.2.0"))
		r.pass(3 * time.Minute)
		newest := r.start(r.commit(web, "1.3.0"))
		if e := r.wants(3*time.Minute, waits, slipway.StatusSucceeded, slipway.OutcomeDeployed); !strings.Contains(e.Reason, "a newer execution took its place") {
			r.Errorf("superseded behind its deployment: %s", e.Reason)
		}
		if err := r.conductor.Decide(r.Context(), e, slipway.Decision{By: "bo", Reason: "too slow"}); err != nil {
			r.Fatal(err)
		}
		if e := r.wants(time.Second, checked, slipway.StatusFailed, slipway.OutcomeFailed); !strings.HasPrefix(e.Reason, "deployed, but action Look of stage Check failed: rejected by bo: too slow") {
			r.Errorf("refused behind its deployment: %s", e.Reason)
		}
		e = r.wants(time.Minute, newest, slipway.StatusInProgress, slipway.OutcomeNone)
		if err := r.conductor.Stop(r.Context(), e, slipway.StopRequest{By: "bo"}); err != nil {
			r.Fatal(err)
		}
		if e := r.wants(time.Second, newest, slipway.StatusSucceeded, slipway.OutcomeDeployed); !strings.HasSuffix(e.Reason, "stopped by bo") {
			r.Errorf("stopped behind its deployment: %s", e.Reason)
		}
	})
}

// What people do in the console is told as what it is: an execution at another commit,
// and a stage that is rolled back.
func TestByHand(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Deploy", deploy(web))), web)
		earlier := r.commit(web, "1.1.0")
		first := r.start(earlier)
		r.wants(3*time.Minute, first, slipway.StatusSucceeded, slipway.OutcomeDeployed)
		second := r.start(r.commit(web, "1.2.0"))
		r.wants(3*time.Minute, second, slipway.StatusSucceeded, slipway.OutcomeDeployed)

		third := r.start(earlier)
		if e := r.wants(3*time.Minute, third, slipway.StatusSucceeded, slipway.OutcomeDeployed); e.Revision.Commit != earlier || !strings.HasSuffix(e.Revision.Images[0].URI, ":1.1.0") {
			r.Errorf("by hand at an earlier commit: %+v", e.Revision)
		}
		out, err := r.w.CodePipeline().RollbackStage(r.Context(), &sdk.RollbackStageInput{PipelineName: declaration(web).Name, StageName: aws.String("Deploy"), TargetPipelineExecutionId: &second})
		if err != nil {
			r.Fatal(err)
		}
		e := r.wants(3*time.Minute, *out.PipelineExecutionId, slipway.StatusSucceeded, slipway.OutcomeDeployed)
		if e.Trigger.Kind != slipway.TriggerRollback || !strings.HasSuffix(e.Revision.Images[0].URI, ":1.2.0") {
			r.Errorf("a stage that was rolled back: %+v, %+v", e.Trigger, e.Revision)
		}
	})
}
