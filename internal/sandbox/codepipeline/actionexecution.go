package codepipeline

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// ListActionExecutions lists the newest first.
func (a api) ListActionExecutions(_ context.Context, in *codepipeline.ListActionExecutionsInput) (*codepipeline.ListActionExecutionsOutput, error) {
	p, err := a.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	of := p.Executions
	if f := in.Filter; f != nil && (f.PipelineExecutionId != nil || f.LatestInPipelineExecution != nil) {
		id := f.PipelineExecutionId
		if id == nil {
			id = f.LatestInPipelineExecution.PipelineExecutionId
		}
		e, err := p.execution(id)
		if err != nil {
			return nil, err
		}
		of = []*execution{e}
	}
	var all []types.ActionExecutionDetail
	for _, e := range of {
		for _, run := range e.Runs {
			for _, action := range run.Actions {
				if in.Filter != nil && in.Filter.LatestInPipelineExecution != nil && run.newest(action.Name) != action {
					continue
				}
				all = append(all, a.detail(p, e, run, action))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b types.ActionExecutionDetail) int { return a.StartTime.Compare(*b.StartTime) })
	slices.Reverse(all)
	cut, next, err := page(all, in.NextToken, in.MaxResults, pageMost)
	return &codepipeline.ListActionExecutionsOutput{ActionExecutionDetails: cut, NextToken: next}, err
}

// detail is an action's execution as it is listed.
func (s *Service) detail(p *pipeline, e *execution, run *stageRun, a *actionRun) types.ActionExecutionDetail {
	declared := p.action(e, run.Stage, a.Name)
	d := types.ActionExecutionDetail{
		PipelineExecutionId: &e.ID, PipelineVersion: aws.Int32(e.Version), StageName: &run.Stage, ActionName: &a.Name, ActionExecutionId: &a.ID,
		Status: a.Status, StartTime: &a.Started, LastUpdateTime: &a.Updated, UpdatedBy: optional(a.UpdatedBy),
		Input: &types.ActionExecutionInput{
			ActionTypeId: declared.ActionTypeId, Configuration: declared.Configuration, ResolvedConfiguration: a.Resolved, InputArtifacts: details(a.Inputs),
			Namespace: declared.Namespace, Region: aws.String(s.options.Region), RoleArn: declared.RoleArn,
		},
	}
	if a.Status == types.ActionExecutionStatusInProgress && a.ExternalID == "" {
		return d
	}
	d.Output = &types.ActionExecutionOutput{
		OutputArtifacts: []types.ArtifactDetail{}, OutputVariables: a.OutputVariables,
		ExecutionResult: &types.ActionExecutionResult{
			ExternalExecutionId: optional(a.ExternalID), ExternalExecutionSummary: optional(a.Summary), ExternalExecutionUrl: optional(a.ExternalURL), ErrorDetails: a.Error,
		},
	}
	if a.Status == types.ActionExecutionStatusSucceeded {
		d.Output.OutputArtifacts = details(a.Outputs)
	}
	return d
}

// optional is a text, nil if there is none.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
