package codepipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codepipeline"
)

// What CodePipeline is done with may still change in ECS: a server that saw it before
// tells it later as it became.
func TestWhatBecomesOfItLater(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Deploy", deploy(web))), web)
		for _, test := range []struct {
			version string
			status  slipway.Status
			outcome slipway.Outcome
			says    string
		}{
			{"1.1.0", slipway.StatusSucceeded, slipway.OutcomeDeployed, "deployed in the end"},
			{"1.2.0-crash", slipway.StatusFailed, slipway.OutcomeRolledBack, "exit code 1"},
		} {
			id := r.start(r.commit(web, test.version))
			r.pass(10 * time.Second)
			if err := r.conductor.Stop(r.Context(), r.tells(id), slipway.StopRequest{By: "bo", Abandon: true}); err != nil {
				r.Fatal(err)
			}
			r.wants(5*time.Second, id, slipway.StatusStopped, slipway.OutcomeStopped)
			if e := r.wants(20*time.Minute, id, test.status, test.outcome); !strings.Contains(e.Reason, test.says) {
				r.Errorf("%s: %s", test.version, e.Reason)
			}
		}
	})
}

// An execution that is retried in the console goes on under its id.
func TestRetriedElsewhere(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Ask", approval("Ask")), stage("Deploy", deploy(web))), web)
		id := r.start(r.commit(web, "1.1.0"))
		r.pass(time.Minute) // behind the one of the pipeline's creation
		decide := func(approve bool) {
			r.Helper()
			r.pass(time.Minute)
			waits := r.tells(id)
			if len(waits.Awaits()) == 0 {
				r.Fatalf("it does not wait: %+v", waits)
			}
			if err := r.conductor.Decide(r.Context(), waits, slipway.Decision{By: "bo", Approve: approve}); err != nil {
				r.Fatal(err)
			}
		}
		r.stopAllBut(id)
		decide(false)
		r.wants(5*time.Second, id, slipway.StatusFailed, slipway.OutcomeFailed)
		_, err := r.w.CodePipeline().RetryStageExecution(r.Context(), &sdk.RetryStageExecutionInput{
			PipelineName: declaration(web).Name, PipelineExecutionId: &id, StageName: aws.String("Ask"), RetryMode: types.StageRetryModeFailedActions,
		})
		if err != nil {
			r.Fatal(err)
		}
		decide(true)
		r.wants(10*time.Minute, id, slipway.StatusSucceeded, slipway.OutcomeDeployed)
	})
}

// stopAllBut stops what else goes on in web's pipeline.
func (r *rig) stopAllBut(id string) {
	r.Helper()
	executions, err := r.conductor.Executions(r.Context(), web, settings(web), 20)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range executions {
		if e.ID == id || e.Status.Ended() {
			continue
		}
		if err := r.conductor.Stop(r.Context(), e, slipway.StopRequest{By: "bo", Abandon: true}); err != nil {
			r.Fatal(err)
		}
	}
}

// late is a repository that does not know a commit until it is fetched.
type late struct {
	codepipeline.Source
	fetched bool
}

func (l *late) Revision(ctx context.Context, app slipway.App, commit string) (slipway.Revision, error) {
	if !l.fetched {
		return slipway.Revision{}, errors.New("git does not know the commit")
	}
	return l.Source.Revision(ctx, app, commit)
}

// An execution of a commit that is not fetched yet is told as far as CodePipeline knows
// it, and as it really was once the commit is there.
func TestCommitIsFetchedLater(t *testing.T) {
	in(t, func(r *rig) {
		r.create(declaration(web, stage("Deploy", deploy(web))), web)
		source := &late{Source: r.source()}
		r.conductor = r.made(source, nil)
		commit := r.commit(web, "1.1.0-crash")
		id := r.start(commit)
		if e := r.wants(10*time.Minute, id, slipway.StatusInProgress, slipway.OutcomeNone); e.Revision.Commit != commit {
			r.Errorf("its commit: %+v", e.Revision)
		}
		if err := r.conductor.Stop(r.Context(), r.tells(id), slipway.StopRequest{By: "bo", Abandon: true}); err != nil {
			r.Fatal(err)
		}
		r.wants(5*time.Second, id, slipway.StatusStopped, slipway.OutcomeStopped)
		source.fetched = true
		r.wants(5*time.Second, id, slipway.StatusFailed, slipway.OutcomeRolledBack)
	})
}
