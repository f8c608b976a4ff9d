package codepipeline

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// CreatePipeline makes a pipeline, which begins its first execution at once, as on
// AWS.
func (a api) CreatePipeline(ctx context.Context, in *codepipeline.CreatePipelineInput) (*codepipeline.CreatePipelineOutput, error) {
	if err := a.check(in.Pipeline); err != nil {
		return nil, err
	}
	name := *in.Pipeline.Name
	if a.state.Pipelines[name] != nil {
		return nil, errCoded("PipelineNameInUseException", "A pipeline with the name '%s' already exists in account '%s'", name, a.options.Account)
	}
	if len(a.state.Pipelines) >= pipelinesMost {
		return nil, errCoded("LimitExceededException", "The number of pipelines in this account has reached the limit of %d", pipelinesMost)
	}
	tags, err := tagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	p := &pipeline{
		Declaration: completed(in.Pipeline, 1), Earlier: map[int32]types.PipelineDeclaration{}, Created: now, Updated: now,
		Tags: tags, Tokens: map[string]string{}, Stages: map[string]*stage{},
	}
	a.state.Pipelines[name] = p
	a.begin(p, &execution{Variables: p.defaults(), Trigger: types.ExecutionTrigger{TriggerType: types.TriggerTypeCreatePipeline, TriggerDetail: a.caller(ctx)}})
	out := &codepipeline.CreatePipelineOutput{Pipeline: &p.Declaration}
	if len(in.Tags) > 0 {
		out.Tags = p.tagList()
	}
	return out, nil
}

// UpdatePipeline replaces the structure as a whole. Executions that go on are
// cancelled: the definition was updated before they could be completed. What
// becomes of the actions that run is ours: they are abandoned.
func (a api) UpdatePipeline(_ context.Context, in *codepipeline.UpdatePipelineInput) (*codepipeline.UpdatePipelineOutput, error) {
	if err := a.check(in.Pipeline); err != nil {
		return nil, err
	}
	p, err := a.pipeline(in.Pipeline.Name)
	if err != nil {
		return nil, err
	}
	for _, e := range p.Executions {
		if !e.over() {
			a.abandon(p, e)
			a.end(p, e, types.PipelineExecutionStatusCancelled)
		}
	}
	version := *p.Declaration.Version
	p.Earlier[version] = p.Declaration
	p.Declaration, p.Updated = completed(in.Pipeline, version+1), time.Now()
	maps.DeleteFunc(p.Stages, func(name string, _ *stage) bool { return p.index(name) < 0 })
	return &codepipeline.UpdatePipelineOutput{Pipeline: &p.Declaration}, nil
}

// completed is a declaration with what AWS adds to it.
func completed(d *types.PipelineDeclaration, version int32) types.PipelineDeclaration {
	c := *d
	c.Version = aws.Int32(version)
	if c.ExecutionMode == "" {
		c.ExecutionMode = types.ExecutionModeSuperseded
	}
	if c.PipelineType == "" {
		c.PipelineType = types.PipelineTypeV1
	}
	for i := range c.Stages {
		for j := range c.Stages[i].Actions {
			a := &c.Stages[i].Actions[j]
			a.RunOrder = aws.Int32(runOrder(a))
			if a.Configuration == nil {
				a.Configuration = map[string]string{}
			}
			if a.InputArtifacts == nil {
				a.InputArtifacts = []types.InputArtifact{}
			}
			if a.OutputArtifacts == nil {
				a.OutputArtifacts = []types.OutputArtifact{}
			}
		}
	}
	return c
}

func (a api) GetPipeline(_ context.Context, in *codepipeline.GetPipelineInput) (*codepipeline.GetPipelineOutput, error) {
	p, err := a.pipeline(in.Name)
	if err != nil {
		return nil, err
	}
	d := p.Declaration
	if in.Version != nil && *in.Version != *d.Version {
		earlier, found := p.Earlier[*in.Version]
		if !found {
			return nil, errCoded("PipelineVersionNotFoundException", "Pipeline '%s' does not have a version %d", *in.Name, *in.Version)
		}
		d = earlier
	}
	return &codepipeline.GetPipelineOutput{Pipeline: &d, Metadata: &types.PipelineMetadata{
		PipelineArn: aws.String(a.arn(*d.Name)), Created: &p.Created, Updated: &p.Updated,
	}}, nil
}

// DeletePipeline deletes a pipeline with its history; one that is not there is
// deleted as well.
func (a api) DeletePipeline(_ context.Context, in *codepipeline.DeletePipelineInput) (*codepipeline.DeletePipelineOutput, error) {
	if p := a.state.Pipelines[aws.ToString(in.Name)]; p != nil {
		for _, e := range p.Executions {
			a.abandon(p, e)
		}
		delete(a.state.Pipelines, *in.Name)
	}
	return &codepipeline.DeletePipelineOutput{}, nil
}

// listMost is how many pipelines a page has at most.
const listMost = 1000

func (a api) ListPipelines(_ context.Context, in *codepipeline.ListPipelinesInput) (*codepipeline.ListPipelinesOutput, error) {
	var all []types.PipelineSummary
	for _, name := range slices.Sorted(maps.Keys(a.state.Pipelines)) {
		p := a.state.Pipelines[name]
		all = append(all, types.PipelineSummary{
			Name: aws.String(name), Version: p.Declaration.Version, Created: &p.Created, Updated: &p.Updated,
			ExecutionMode: p.Declaration.ExecutionMode, PipelineType: p.Declaration.PipelineType,
		})
	}
	cut, next, err := page(all, in.NextToken, in.MaxResults, listMost)
	return &codepipeline.ListPipelinesOutput{Pipelines: cut, NextToken: next}, err
}
