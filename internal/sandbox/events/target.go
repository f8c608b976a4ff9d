package events

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// What EventBridge takes.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const (
	targetsMost        = 5  // of a rule
	entriesMost        = 10 // of a request
	inputMostCharacter = 8192
)

// putTargetsInput is PutTargets' input with its targets as they came.
type putTargetsInput struct {
	Rule, EventBusName *string
	Targets            []json.RawMessage
}

// listedTargets is ListTargetsByRule's output with the targets as they came.
type listedTargets struct {
	Targets   []json.RawMessage
	NextToken *string
}

// PutTargets adds targets to a rule, and replaces those with the same Id as a
// whole. A target that is not valid does not hinder the others: it is among
// FailedEntries, and the call succeeds.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
func (s *Service) PutTargets(_ context.Context, document json.RawMessage) (*eventbridge.PutTargetsOutput, error) {
	var in putTargetsInput
	if err := awsjson.Unmarshal(document, &in); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	return change(s, func() (*eventbridge.PutTargetsOutput, error) {
		r, err := s.rule(in.EventBusName, in.Rule)
		if err != nil {
			return nil, err
		}
		if n := len(in.Targets); n < 1 || n > entriesMost {
			return nil, errValidation("Parameter Targets is not valid. Reason: it must have 1 to %d elements, and has %d.", entriesMost, n)
		}
		out := &eventbridge.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}
		targets := slices.Clone(r.Targets)
		for _, entry := range in.Targets {
			put, failed, err := s.readTarget(*r.Name, entry)
			switch {
			case err != nil:
				return nil, err
			case failed != nil:
				out.FailedEntries = append(out.FailedEntries, *failed)
				continue
			}
			if i := slices.IndexFunc(targets, func(t target) bool { return t.ID == put.ID }); i >= 0 {
				targets[i] = put
			} else {
				targets = append(targets, put)
			}
		}
		if len(targets) > targetsMost {
			return nil, &awsjson.Error{Code: "LimitExceededException", Message: "The requested resource exceeds the maximum number allowed."}
		}
		r.Targets = targets
		out.FailedEntryCount = int32(len(out.FailedEntries))
		return out, nil
	})
}

// readTarget reads a target: an error fails the call, an entry that target alone.
func (s *Service) readTarget(rule string, document json.RawMessage) (target, *types.PutTargetsResultEntry, error) {
	var t types.Target
	if err := awsjson.Unmarshal(document, &t); err != nil {
		return target{}, nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	id, arn := aws.ToString(t.Id), aws.ToString(t.Arn)
	if err := checkInput(&t); err != nil {
		return target{}, nil, err
	}
	switch {
	case id == "" || len(id) > 64:
		return target{}, nil, errValidation("Parameter Id is not valid. Reason: it must have 1 to 64 characters.")
	case (t.EcsParameters != nil || strings.HasPrefix(arn, "arn:aws:codepipeline:")) && aws.ToString(t.RoleArn) == "":
		return target{}, nil, errValidation("RoleArn is required for target %s.", arn)
	case t.EcsParameters != nil && aws.ToString(t.EcsParameters.TaskDefinitionArn) == "":
		return target{}, nil, errValidation("1 validation error detected: Value null at 'targets.1.member.ecsParameters.taskDefinitionArn' failed to satisfy constraint: Member must not be null")
	}
	if !strings.HasPrefix(arn, "arn:") || strings.Count(arn, ":") < 5 {
		return target{}, &types.PutTargetsResultEntry{
			TargetId: t.Id, ErrorCode: aws.String("ValidationException"),
			ErrorMessage: aws.String(fmt.Sprintf("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", arn)),
		}, nil
	}
	if s.refuse != nil {
		if failed := s.refuse(rule, id); failed != nil {
			failed.TargetId = t.Id
			return target{}, failed, nil
		}
	}
	return target{ID: id, ARN: arn, Document: document}, nil, nil
}

// ListTargetsByRule answers with a rule's targets as they were put.
func (s *Service) ListTargetsByRule(_ context.Context, in *eventbridge.ListTargetsByRuleInput) (*listedTargets, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.rule(in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	targets, next, err := page(r.Targets, in.NextToken, in.Limit)
	out := &listedTargets{Targets: []json.RawMessage{}, NextToken: next}
	for _, t := range targets {
		out.Targets = append(out.Targets, t.Document)
	}
	return out, err
}

// ListRuleNamesByTarget answers with the rules that have a target of that ARN: of
// an ECS target, the cluster's.
func (s *Service) ListRuleNamesByTarget(_ context.Context, in *eventbridge.ListRuleNamesByTargetInput) (*eventbridge.ListRuleNamesByTargetOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bus, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, key := range s.onBus(bus) {
		if r := s.state.Rules[key]; slices.ContainsFunc(r.Targets, func(t target) bool { return t.ARN == aws.ToString(in.TargetArn) }) {
			names = append(names, *r.Name)
		}
	}
	names, next, err := page(names, in.NextToken, in.Limit)
	return &eventbridge.ListRuleNamesByTargetOutput{RuleNames: names, NextToken: next}, err
}

// RemoveTargets removes targets of a rule. One that it does not have is among
// FailedEntries.
func (s *Service) RemoveTargets(_ context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	return change(s, func() (*eventbridge.RemoveTargetsOutput, error) {
		r, err := s.rule(in.EventBusName, in.Rule)
		if err != nil {
			return nil, err
		}
		out := &eventbridge.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}}
		targets := slices.Clone(r.Targets)
		for _, id := range in.Ids {
			i := slices.IndexFunc(targets, func(t target) bool { return t.ID == id })
			if i < 0 {
				out.FailedEntries = append(out.FailedEntries, types.RemoveTargetsResultEntry{
					TargetId: aws.String(id), ErrorCode: aws.String("ResourceNotFoundException"),
					ErrorMessage: aws.String(fmt.Sprintf("Rule %s does not have a target with the Id %s.", *r.Name, id)),
				})
				continue
			}
			targets = slices.Delete(targets, i, i+1)
		}
		r.Targets = targets
		out.FailedEntryCount = int32(len(out.FailedEntries))
		return out, nil
	})
}
