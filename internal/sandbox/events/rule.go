package events

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
)

// rulesMost is how many rules a bus has.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const rulesMost = 300

// PutRule makes a rule, or replaces one: what is left out is not kept. The
// targets stay, and so do the tags.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func (s *Service) PutRule(_ context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	return change(s, func() (*eventbridge.PutRuleOutput, error) {
		if err := s.checkRule(in); err != nil {
			return nil, err
		}
		r := &rule{
			Rule: types.Rule{
				Name: in.Name, Arn: aws.String(s.arn("rule/" + *in.Name)), Description: in.Description, EventBusName: aws.String("default"),
				EventPattern: in.EventPattern, RoleArn: in.RoleArn, ScheduleExpression: in.ScheduleExpression, State: in.State,
			},
			Tags: in.Tags,
		}
		if r.State == "" {
			r.State = types.RuleStateEnabled
		}
		was := s.rules[*in.Name]
		s.rules[*in.Name] = r
		if was != nil {
			r.Tags, r.Targets, r.Invocations = was.Tags, was.Targets, was.Invocations
			if was.State == r.State && aws.ToString(was.ScheduleExpression) == aws.ToString(r.ScheduleExpression) {
				return &eventbridge.PutRuleOutput{RuleArn: r.Arn}, nil // and its rate goes on
			}
		}
		s.arm(r)
		return &eventbridge.PutRuleOutput{RuleArn: r.Arn}, nil
	})
}

func (s *Service) checkRule(in *eventbridge.PutRuleInput) error {
	if err := s.checkBus(in.EventBusName); err != nil {
		return err
	}
	name := aws.ToString(in.Name)
	switch {
	case name == "" || len(name) > 64 || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") != "":
		return errValidation("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", name)
	case aws.ToString(in.ScheduleExpression) == "" && aws.ToString(in.EventPattern) == "":
		return errValidation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case s.rules[name] == nil && len(s.rules) >= rulesMost:
		return &awsjson.Error{Code: "LimitExceededException", Message: "The requested resource exceeds the maximum number allowed."}
	}
	if in.ScheduleExpression != nil {
		if due, err := schedule.Parse(*in.ScheduleExpression, time.UTC); err != nil || due.Once() {
			return errValidation("Parameter ScheduleExpression is not valid.")
		}
	}
	return nil
}

// DescribeRule answers with one rule.
func (s *Service) DescribeRule(_ context.Context, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.rule(in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{
		Name: r.Name, Arn: r.Arn, CreatedBy: aws.String(s.options.Account), Description: r.Description, EventBusName: r.EventBusName,
		EventPattern: r.EventPattern, RoleArn: r.RoleArn, ScheduleExpression: r.ScheduleExpression, State: r.State,
	}, nil
}

// ListRules answers with the rules whose names begin with a prefix.
func (s *Service) ListRules(_ context.Context, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	var found []types.Rule
	for _, name := range s.names() {
		if strings.HasPrefix(name, aws.ToString(in.NamePrefix)) {
			found = append(found, s.rules[name].Rule)
		}
	}
	found, next, err := page(found, in.NextToken, in.Limit)
	return &eventbridge.ListRulesOutput{Rules: found, NextToken: next}, err
}

// EnableRule has a rule run its targets, from now on.
func (s *Service) EnableRule(_ context.Context, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	return &eventbridge.EnableRuleOutput{}, s.setState(in.EventBusName, in.Name, types.RuleStateEnabled)
}

// DisableRule has a rule run nothing.
func (s *Service) DisableRule(_ context.Context, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	return &eventbridge.DisableRuleOutput{}, s.setState(in.EventBusName, in.Name, types.RuleStateDisabled)
}

func (s *Service) setState(bus, name *string, state types.RuleState) error {
	_, err := change(s, func() (*rule, error) {
		r, err := s.rule(bus, name)
		if err == nil && r.State != state {
			r.State = state
			s.arm(r)
		}
		return r, err
	})
	return err
}

// DeleteRule deletes a rule without targets. One that does not exist is deleted
// as well.
func (s *Service) DeleteRule(_ context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	return change(s, func() (*eventbridge.DeleteRuleOutput, error) {
		if err := s.checkBus(in.EventBusName); err != nil {
			return nil, err
		}
		name := aws.ToString(in.Name)
		if r := s.rules[name]; r != nil && len(r.Targets) > 0 {
			return nil, errValidation("Rule can't be deleted since it has targets.")
		}
		delete(s.rules, name)
		s.timetable.Remove(name)
		return &eventbridge.DeleteRuleOutput{}, nil
	})
}

// TagResource adds tags to a rule, or gives them other values.
func (s *Service) TagResource(_ context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	return change(s, func() (*eventbridge.TagResourceOutput, error) {
		r, err := s.tagged(in.ResourceARN)
		if err != nil {
			return nil, err
		}
		tags := slices.DeleteFunc(slices.Clone(r.Tags), func(t types.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(other types.Tag) bool { return *other.Key == *t.Key })
		})
		r.Tags = append(tags, in.Tags...)
		return &eventbridge.TagResourceOutput{}, nil
	})
}

// UntagResource removes tags of a rule.
func (s *Service) UntagResource(_ context.Context, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	return change(s, func() (*eventbridge.UntagResourceOutput, error) {
		r, err := s.tagged(in.ResourceARN)
		if err != nil {
			return nil, err
		}
		r.Tags = slices.DeleteFunc(slices.Clone(r.Tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return &eventbridge.UntagResourceOutput{}, nil
	})
}

// ListTagsForResource answers with the tags of a rule.
func (s *Service) ListTagsForResource(_ context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &eventbridge.ListTagsForResourceOutput{Tags: append([]types.Tag{}, r.Tags...)}, nil
}

// tagged finds a rule by its ARN. The caller holds the lock.
func (s *Service) tagged(arn *string) (*rule, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.arn("rule/"))
	if !ok {
		return nil, errValidation("Parameter ResourceARN is not valid. Reason: Provided Arn is not a rule's.")
	}
	return s.rule(nil, aws.String(strings.TrimPrefix(name, "default/")))
}
