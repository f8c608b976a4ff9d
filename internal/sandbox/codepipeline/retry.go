package codepipeline

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// RetryStageExecution takes up an execution that failed or was stopped in a stage:
// with the actions that did not succeed, or with all of the stage. The texts of
// the errors are ours.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
func (a api) RetryStageExecution(_ context.Context, in *codepipeline.RetryStageExecutionInput) (*codepipeline.RetryStageExecutionOutput, error) {
	p, e, err := a.both(in.PipelineName, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	known, declared, err := p.stage(in.StageName)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(in.RetryMode.Values(), in.RetryMode) {
		return nil, errConstraint(string(in.RetryMode), "retryMode", "Member must satisfy enum value set: [FAILED_ACTIONS, ALL_ACTIONS]")
	}
	if known.Latest != e.ID {
		return nil, errCoded("NotLatestPipelineExecutionException", "Pipeline execution '%s' is not the latest one in stage '%s'", e.ID, *in.StageName)
	}
	run := e.run(*in.StageName)
	refuse := func(why string) error {
		return errCoded("StageNotRetryableException", "Stage '%s' cannot be retried: %s", *in.StageName, why)
	}
	switch {
	case e.Version != *p.Declaration.Version:
		return nil, refuse("the pipeline structure has changed")
	case run.Status != types.StageExecutionStatusFailed && run.Status != types.StageExecutionStatusStopped:
		return nil, refuse("it is " + string(run.Status))
	}
	redo := run.redo(declared, in.RetryMode)
	if len(redo) == 0 && run.complete(declared) {
		return nil, refuse("it contains no failed actions")
	}
	run.Redo, run.Status, run.Retries = redo, types.StageExecutionStatusInProgress, run.Retries+1
	e.Status, e.Stage, e.Waiting, e.StopReason, e.Updated = types.PipelineExecutionStatusInProgress, run.Stage, false, nil, time.Now()
	a.emitPipeline(p, e, "RESUMED")
	a.emitStage(p, e, run.Stage, "RESUMED")
	a.proceed(p, e)
	a.advance(p)
	return &codepipeline.RetryStageExecutionOutput{PipelineExecutionId: &e.ID}, nil
}

// redo are the actions that a retry runs again; those that have never run do
// anyway.
func (r *stageRun) redo(declared *types.StageDeclaration, mode types.StageRetryMode) []string {
	var names []string
	for i := range declared.Actions {
		newest := r.newest(*declared.Actions[i].Name)
		if newest != nil && (mode == types.StageRetryModeAllActions || newest.Status != types.ActionExecutionStatusSucceeded) {
			names = append(names, newest.Name)
		}
	}
	return names
}

// complete says whether all actions of the stage have run.
func (r *stageRun) complete(declared *types.StageDeclaration) bool {
	return !slices.ContainsFunc(declared.Actions, func(a types.ActionDeclaration) bool { return r.newest(aws.ToString(a.Name)) == nil })
}
