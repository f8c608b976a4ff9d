package codepipeline

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// GetPipelineState tells of each stage which execution entered it last and which
// wait, and of each action its newest execution, whichever execution that was in.
func (a api) GetPipelineState(_ context.Context, in *codepipeline.GetPipelineStateInput) (*codepipeline.GetPipelineStateOutput, error) {
	p, err := a.pipeline(in.Name)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.GetPipelineStateOutput{
		PipelineName: p.Declaration.Name, PipelineVersion: p.Declaration.Version, Created: &p.Created, Updated: &p.Updated, StageStates: []types.StageState{},
	}
	for i := range p.Declaration.Stages {
		out.StageStates = append(out.StageStates, p.stageState(&p.Declaration.Stages[i], i == 0))
	}
	return out, nil
}

func (p *pipeline) stageState(declared *types.StageDeclaration, first bool) types.StageState {
	known := p.known(*declared.Name)
	state := types.StageState{StageName: declared.Name, InboundTransitionState: known.Transition, ActionStates: []types.ActionState{}}
	if state.InboundTransitionState == nil {
		state.InboundTransitionState = &types.TransitionState{Enabled: true}
	}
	if first { // nothing leads into it
		state.InboundTransitionState = nil
	}
	if e, err := p.execution(&known.Latest); err == nil {
		run := e.run(*declared.Name)
		state.LatestExecution = &types.StageExecution{PipelineExecutionId: &e.ID, Status: run.Status, Type: e.Type}
		if run.Retries > 0 {
			state.RetryStageMetadata = &types.RetryStageMetadata{ManualStageRetryAttempt: aws.Int32(run.Retries), LatestRetryTrigger: types.RetryTriggerManualStageRetry}
		}
	}
	for _, e := range slices.Backward(p.Executions) {
		if e.waits(*declared.Name) {
			inbound := types.StageExecution{PipelineExecutionId: &e.ID, Status: types.StageExecutionStatusInProgress, Type: e.Type}
			state.InboundExecutions = append(state.InboundExecutions, inbound)
		}
	}
	if len(state.InboundExecutions) > 0 {
		state.InboundExecution = &state.InboundExecutions[0]
	}
	for i := range declared.Actions {
		state.ActionStates = append(state.ActionStates, p.actionState(known, &declared.Actions[i], *declared.Name))
	}
	return state
}

func (p *pipeline) actionState(known *stage, declared *types.ActionDeclaration, stage string) types.ActionState {
	state := types.ActionState{ActionName: declared.Name}
	_, a := p.actionRun(stage, known.Actions[*declared.Name])
	if a == nil {
		return state
	}
	state.LatestExecution = &types.ActionExecution{
		ActionExecutionId: &a.ID, Status: a.Status, Summary: optional(a.Summary), LastStatusChange: &a.Updated,
		LastUpdatedBy: optional(a.UpdatedBy), ExternalExecutionId: optional(a.ExternalID), ExternalExecutionUrl: optional(a.ExternalURL),
		PercentComplete: a.PercentComplete, ErrorDetails: a.Error,
	}
	if a.Status == types.ActionExecutionStatusInProgress {
		state.LatestExecution.Token = optional(a.Token)
	}
	if isApproval(declared) {
		state.EntityUrl = optional(declared.Configuration["ExternalEntityLink"])
	}
	if a.Revision != nil {
		state.CurrentRevision = &types.ActionRevision{RevisionId: a.Revision.RevisionId, RevisionChangeId: a.Revision.RevisionChangeIdentifier, Created: a.Revision.Created}
		state.RevisionUrl = a.Revision.RevisionUrl
	}
	return state
}

// actionRun finds an action's execution, and the pipeline's that it was in.
func (p *pipeline) actionRun(stage, id string) (*execution, *actionRun) {
	for _, e := range slices.Backward(p.Executions) {
		for _, run := range e.Runs {
			if run.Stage != stage {
				continue
			}
			for _, a := range run.Actions {
				if a.ID == id {
					return e, a
				}
			}
		}
	}
	return nil, nil
}
