package codepipeline

import (
	"context"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// executionsMost is how many executions of a pipeline that queues them go on at
// once.
const executionsMost = 50

var (
	tokenPattern  = regexp.MustCompile(`^[a-zA-Z0-9-]{1,128}$`)
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// StartPipelineExecution begins an execution; the same clientRequestToken names the
// same one for ever.
func (a api) StartPipelineExecution(ctx context.Context, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	return a.start(in, types.ExecutionTrigger{TriggerType: types.TriggerTypeStartPipelineExecution, TriggerDetail: a.caller(ctx)})
}

// StartByRule begins an execution of a pipeline that is the target of a rule of
// EventBridge, as StartPipelineExecution does. The error is AWS's.
func (s *Service) StartByRule(_ context.Context, in *codepipeline.StartPipelineExecutionInput, ruleARN string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ports == nil {
		return errNotUp()
	}
	_, err := s.start(in, types.ExecutionTrigger{TriggerType: types.TriggerTypeCloudWatchEvent, TriggerDetail: aws.String(ruleARN)})
	s.options.Changed()
	return err
}

func (s *Service) start(in *codepipeline.StartPipelineExecutionInput, trigger types.ExecutionTrigger) (*codepipeline.StartPipelineExecutionOutput, error) {
	p, err := s.pipeline(in.Name)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	if in.ClientRequestToken != nil && !tokenPattern.MatchString(token) {
		return nil, errConstraint(token, "clientRequestToken", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]+$")
	}
	if id, found := p.Tokens[token]; found && token != "" {
		return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: &id}, nil
	}
	e := &execution{Trigger: trigger}
	if e.Overrides, err = p.overrides(in.SourceRevisions); err != nil {
		return nil, err
	}
	if e.Variables, err = p.variables(in.Variables); err != nil {
		return nil, err
	}
	if p.Declaration.ExecutionMode == types.ExecutionModeQueued && p.open() >= executionsMost {
		return nil, errCoded("ConcurrentPipelineExecutionsLimitExceededException", "The pipeline has reached the limit for concurrent pipeline executions.")
	}
	s.begin(p, e)
	if token != "" {
		p.Tokens[token] = e.ID
	}
	return &codepipeline.StartPipelineExecutionOutput{PipelineExecutionId: &e.ID}, nil
}

// open is how many executions are not over.
func (p *pipeline) open() int {
	n := 0
	for _, e := range p.Executions {
		if !e.over() {
			n++
		}
	}
	return n
}

// overrides are the commits that an execution is started with, by source action.
// The texts of the errors are ours.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
func (p *pipeline) overrides(revisions []types.SourceRevisionOverride) (map[string]string, error) {
	overrides := map[string]string{}
	if len(revisions) > 0 && p.Declaration.PipelineType != types.PipelineTypeV2 {
		return nil, errCoded("ValidationException", "Source revision overrides can only be used with V2 pipelines")
	}
	for _, revision := range revisions {
		name, value := aws.ToString(revision.ActionName), aws.ToString(revision.RevisionValue)
		sources := p.Declaration.Stages[0].Actions
		if !slices.ContainsFunc(sources, func(a types.ActionDeclaration) bool { return *a.Name == name }) {
			return nil, errCoded("ValidationException", "Pipeline '%s' does not have a source action with name '%s'", *p.Declaration.Name, name)
		}
		if revision.RevisionType != types.SourceRevisionTypeCommitId {
			return nil, errCoded("ValidationException", "Revision type %s is not supported by source action '%s': use COMMIT_ID", revision.RevisionType, name)
		}
		if !commitPattern.MatchString(value) {
			return nil, errCoded("ValidationException", "Revision value '%s' of source action '%s' is not a full commit ID", value, name)
		}
		overrides[name] = value
	}
	return overrides, nil
}

// variables are the pipeline's variables with the values that an execution is
// started with. The texts of the errors are ours.
func (p *pipeline) variables(given []types.PipelineVariable) (map[string]string, error) {
	values := p.defaults()
	for _, v := range given {
		name := aws.ToString(v.Name)
		if !slices.ContainsFunc(p.Declaration.Variables, func(d types.PipelineVariableDeclaration) bool { return *d.Name == name }) {
			return nil, errCoded("ValidationException", "Pipeline '%s' does not have a variable with name '%s'", *p.Declaration.Name, name)
		}
		if aws.ToString(v.Value) == "" {
			return nil, errConstraint("", "variables.value", "Member must have length greater than or equal to 1")
		}
		values[name] = *v.Value
	}
	for _, d := range p.Declaration.Variables {
		if _, found := values[*d.Name]; !found {
			return nil, errCoded("ValidationException", "Variable '%s' has no default value, and none was given", *d.Name)
		}
	}
	return values, nil
}

// defaults are the pipeline's variables that have a value of their own.
func (p *pipeline) defaults() map[string]string {
	values := map[string]string{}
	for _, v := range p.Declaration.Variables {
		if v.DefaultValue != nil {
			values[*v.Name] = *v.DefaultValue
		}
	}
	return values
}
