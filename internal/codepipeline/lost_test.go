package codepipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// An answer that is lost on its way is asked for again by the SDK, which CodePipeline
// then refuses: what was wanted is done all the same, and once.
func TestLostAnswers(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Ask", approval("Ask")), stage("Deploy", deploy(web))), web)
		lose := func(operation string) { r.w.FaultOnce(operation, awsjson.Dropped(true)) }
		stop := func(id string, request slipway.StopRequest) error {
			return r.conductor.Stop(r.Context(), r.tells(id), request)
		}
		r.stopAllBut("")
		before := len(r.ids())
		lose("StartPipelineExecution")
		id := r.start(r.commit(web, "1.1.0"))
		if n := len(r.ids()) - before; n != 1 {
			r.Errorf("%d executions were started", n)
		}
		r.pass(time.Minute)

		if err := r.conductor.Decide(r.Context(), r.tells(id), slipway.Decision{By: "bo"}); err != nil {
			r.Fatal(err)
		}
		lose("RetryStageExecution")
		retried, err := r.conductor.Retry(r.Context(), r.wants(time.Second, id, slipway.StatusFailed, slipway.OutcomeFailed))
		if !retried || err != nil {
			r.Errorf("retry: %t, %v", retried, err)
		}
		r.pass(time.Minute)
		if _, err := r.conductor.Retry(r.Context(), r.tells(id)); slipway.NextOf(err) != slipway.NextPerson {
			r.Errorf("a retry of what goes on: %v", err)
		}

		// Stop and wait, of a deployment.
		if err := r.conductor.Decide(r.Context(), r.tells(id), slipway.Decision{By: "bo", Approve: true}); err != nil {
			r.Fatal(err)
		}
		r.pass(10 * time.Second)
		lose("StopPipelineExecution")
		for range 2 {
			if err := stop(id, slipway.StopRequest{By: "bo", Reason: "wrong day"}); err != nil {
				r.Errorf("stop: %v", err)
			}
		}
		r.wants(time.Second, id, slipway.StatusStopping, slipway.OutcomeNone)
		lose("StopPipelineExecution")
		if err := stop(id, slipway.StopRequest{By: "bo", Reason: "wrong day", Abandon: true}); err != nil {
			r.Errorf("abandon: %v", err)
		}
		r.wants(time.Second, id, slipway.StatusStopped, slipway.OutcomeStopped)
		if err := stop(id, slipway.StopRequest{By: "ada", Abandon: true}); slipway.NextOf(err) != slipway.NextPerson {
			r.Errorf("a stop of what has ended: %v", err)
		}
		r.pass(5 * time.Minute)
		if retried, err := r.conductor.Retry(r.Context(), r.tells(id)); retried || err != nil {
			r.Errorf("a retry of what was stopped: %t, %v", retried, err)
		}
	})
}

// ids are the executions of web's pipeline.
func (r *rig) ids() (ids []string) {
	r.Helper()
	out, err := r.w.CodePipeline().ListPipelineExecutions(r.Context(), &sdk.ListPipelineExecutionsInput{PipelineName: declaration(web).Name})
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range out.PipelineExecutionSummaries {
		ids = append(ids, *e.PipelineExecutionId)
	}
	return ids
}

// CodePipeline's throttling is waited out for a while, and then told as what passes.
func TestThrottling(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Deploy", deploy(web))), web)
		left := 5
		r.w.Fault(func(operation string) *awsjson.Fault {
			if operation != "ListPipelineExecutions" || left == 0 {
				return nil
			}
			left--
			return awsjson.Throttled()
		})
		if executions, err := r.conductor.Executions(r.Context(), web, settings(web), 1); err != nil || len(executions) != 1 {
			r.Errorf("%d executions, %v", len(executions), err)
		}
		left = -1 // for ever
		r.pass(time.Minute)
		if _, err := r.conductor.Executions(r.Context(), web, settings(web), 1); slipway.NextOf(err) != slipway.NextRetry || !strings.Contains(err.Error(), "deployment-main-shop-web") {
			r.Errorf("%v", err)
		}
		r.w.Fault(nil)
		// What there is no pipeline for is told as that, and does not hide the others.
		other := slipway.App{Cluster: "shop", Name: "nope"}
		apps := map[slipway.App]slipway.Pipeline{web: settings(web), other: settings(other)}
		newest, failures := r.conductor.Latest(r.Context(), apps)
		if _, ok := newest[web]; !ok || len(newest) != 1 || len(failures) != 1 || !isMissing(failures[other]) {
			r.Errorf("%+v, %v", newest, failures)
		}
		if found, err := r.conductor.Find(r.Context(), apps, newest[web].ID[:8]); err != nil || len(found) != 1 {
			r.Errorf("%d are found, %v", len(found), err)
		}
		if _, err := r.conductor.Find(r.Context(), apps, "ffffffff-none"); !isMissing(err) {
			r.Errorf("what is found nowhere: %v", err)
		}
	})
}

// isMissing reports whether an error says that there is no pipeline, and what to do.
func isMissing(err error) bool {
	return errors.Is(err, codepipeline.ErrNoPipeline) && strings.Contains(slipway.HintOf(err), "apply the Terraform")
}
