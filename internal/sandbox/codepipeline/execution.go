package codepipeline

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func (a api) GetPipelineExecution(_ context.Context, in *codepipeline.GetPipelineExecutionInput) (*codepipeline.GetPipelineExecutionOutput, error) {
	p, e, err := a.both(in.PipelineName, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	out := &types.PipelineExecution{
		PipelineName: p.Declaration.Name, PipelineVersion: aws.Int32(e.Version), PipelineExecutionId: &e.ID, Status: e.Status,
		ExecutionMode: p.declaration(e.Version).ExecutionMode, ExecutionType: e.Type, RollbackMetadata: e.rollbackMetadata(),
		Trigger: &e.Trigger, ArtifactRevisions: []types.ArtifactRevision{}, StatusSummary: e.summary(),
	}
	for _, source := range e.sources(p) {
		out.ArtifactRevisions = append(out.ArtifactRevisions, *source.Revision)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		out.Variables = append(out.Variables, types.ResolvedPipelineVariable{Name: aws.String(name), ResolvedValue: aws.String(e.Variables[name])})
	}
	return &codepipeline.GetPipelineExecutionOutput{PipelineExecution: out}, nil
}

// ListPipelineExecutions lists the newest first.
func (a api) ListPipelineExecutions(_ context.Context, in *codepipeline.ListPipelineExecutionsInput) (*codepipeline.ListPipelineExecutionsOutput, error) {
	p, err := a.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	succeededIn := ""
	if in.Filter != nil && in.Filter.SucceededInStage != nil {
		succeededIn = aws.ToString(in.Filter.SucceededInStage.StageName)
	}
	var listed []*execution
	for _, e := range slices.Backward(p.Executions) {
		if succeededIn == "" || e.succeededIn(succeededIn) {
			listed = append(listed, e)
		}
	}
	cut, next, err := page(listed, in.NextToken, in.MaxResults, pageMost)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListPipelineExecutionsOutput{NextToken: next, PipelineExecutionSummaries: []types.PipelineExecutionSummary{}}
	for _, e := range cut {
		s := types.PipelineExecutionSummary{
			PipelineExecutionId: &e.ID, Status: e.Status, StartTime: &e.Started, LastUpdateTime: &e.Updated, Trigger: &e.Trigger,
			ExecutionMode: p.declaration(e.Version).ExecutionMode, ExecutionType: e.Type, RollbackMetadata: e.rollbackMetadata(),
			SourceRevisions: []types.SourceRevision{}, StatusSummary: e.summary(),
		}
		if e.StopReason != nil {
			s.StopTrigger = &types.StopExecutionTrigger{Reason: e.StopReason}
		}
		for _, source := range e.sources(p) {
			s.SourceRevisions = append(s.SourceRevisions, types.SourceRevision{
				ActionName: &source.Name, RevisionId: source.Revision.RevisionId, RevisionSummary: source.Revision.RevisionSummary, RevisionUrl: source.Revision.RevisionUrl,
			})
		}
		out.PipelineExecutionSummaries = append(out.PipelineExecutionSummaries, s)
	}
	return out, nil
}

// sources are the source actions' executions that found a revision: a rollback
// has its target's.
func (e *execution) sources(p *pipeline) []*actionRun {
	of := e
	for of.RollbackTarget != "" {
		target, err := p.execution(&of.RollbackTarget)
		if err != nil {
			break
		}
		of = target
	}
	var found []*actionRun
	for _, run := range of.Runs {
		for _, a := range run.Actions {
			if a.Revision != nil && run.newest(a.Name) == a {
				found = append(found, a)
			}
		}
	}
	return found
}

// succeededIn says whether the execution got through a stage.
func (e *execution) succeededIn(stage string) bool {
	run := e.run(stage)
	return run != nil && run.Status == types.StageExecutionStatusSucceeded
}

func (e *execution) rollbackMetadata() *types.PipelineRollbackMetadata {
	if e.RollbackTarget == "" {
		return nil
	}
	return &types.PipelineRollbackMetadata{RollbackTargetPipelineExecutionId: &e.RollbackTarget}
}

// summary says why a person stopped the execution.
func (e *execution) summary() *string { return e.StopReason }
