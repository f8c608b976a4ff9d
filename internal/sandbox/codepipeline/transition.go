package codepipeline

import (
	"context"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// disablePattern is what a reason to disable a transition may be made of.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DisableStageTransition.html
var disablePattern = regexp.MustCompile(`^[a-zA-Z0-9!@ \(\)\.\*\?\-]{1,300}$`)

// DisableStageTransition keeps executions from entering a stage, or from leaving
// it for the next.
func (a api) DisableStageTransition(ctx context.Context, in *codepipeline.DisableStageTransitionInput) (*codepipeline.DisableStageTransitionOutput, error) {
	reason := aws.ToString(in.Reason)
	if !disablePattern.MatchString(reason) {
		return nil, errConstraint(reason, "reason", "Member must satisfy regular expression pattern: "+disablePattern.String())
	}
	_, known, err := a.transition(in.PipelineName, in.StageName, in.TransitionType)
	if err != nil {
		return nil, err
	}
	known.Transition = &types.TransitionState{DisabledReason: &reason, LastChangedAt: aws.Time(time.Now()), LastChangedBy: a.caller(ctx)}
	return &codepipeline.DisableStageTransitionOutput{}, nil
}

// EnableStageTransition lets executions through again: the one that waits.
func (a api) EnableStageTransition(ctx context.Context, in *codepipeline.EnableStageTransitionInput) (*codepipeline.EnableStageTransitionOutput, error) {
	p, known, err := a.transition(in.PipelineName, in.StageName, in.TransitionType)
	if err != nil {
		return nil, err
	}
	known.Transition = &types.TransitionState{Enabled: true, LastChangedAt: aws.Time(time.Now()), LastChangedBy: a.caller(ctx)}
	a.advance(p)
	return &codepipeline.EnableStageTransitionOutput{}, nil
}

// transition finds what is known of the stage that a transition leads into. That
// the first stage has none is ours.
func (s *Service) transition(name, of *string, kind types.StageTransitionType) (*pipeline, *stage, error) {
	p, err := s.pipeline(name)
	if err != nil {
		return nil, nil, err
	}
	if _, _, err := p.stage(of); err != nil {
		return nil, nil, err
	}
	into := p.index(*of)
	switch kind {
	case types.StageTransitionTypeInbound:
	case types.StageTransitionTypeOutbound:
		into++
	default:
		return nil, nil, errConstraint(string(kind), "transitionType", "Member must satisfy enum value set: [Inbound, Outbound]")
	}
	if into == 0 || into == len(p.Declaration.Stages) {
		return nil, nil, errCoded("ValidationException", "Stage '%s' has no %s transition", *of, kind)
	}
	return p, p.known(*p.Declaration.Stages[into].Name), nil
}
