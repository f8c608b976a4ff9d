package events

import (
	"context"
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
		bus, err := s.checkRule(in)
		if err != nil {
			return nil, err
		}
		at := key(bus, *in.Name)
		r := &rule{
			Rule: types.Rule{
				Name: in.Name, Arn: aws.String(s.arn("rule/" + at)), Description: in.Description, EventBusName: &bus,
				EventPattern: in.EventPattern, RoleArn: in.RoleArn, ScheduleExpression: in.ScheduleExpression, State: in.State,
			},
			Tags: in.Tags,
		}
		if r.State == "" {
			r.State = types.RuleStateEnabled
		}
		was := s.state.Rules[at]
		s.state.Rules[at] = r
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

// checkRule finds the rule's bus. The caller holds the lock.
func (s *Service) checkRule(in *eventbridge.PutRuleInput) (bus string, err error) {
	if bus, err = s.bus(in.EventBusName); err != nil {
		return "", err
	}
	name := aws.ToString(in.Name)
	switch {
	case !validName(name) || len(name) > 64:
		return "", errValidation("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", name)
	case aws.ToString(in.ScheduleExpression) == "" && aws.ToString(in.EventPattern) == "":
		return "", errValidation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case bus != defaultBus && in.ScheduleExpression != nil:
		return "", errValidation("ScheduleExpression is supported only on the default event bus.")
	case s.state.Rules[key(bus, name)] == nil && len(s.onBus(bus)) >= rulesMost:
		return "", &awsjson.Error{Code: "LimitExceededException", Message: "The requested resource exceeds the maximum number allowed."}
	}
	if in.ScheduleExpression != nil {
		if due, err := schedule.Parse(*in.ScheduleExpression, time.UTC); err != nil || due.Once() {
			return "", errValidation("Parameter ScheduleExpression is not valid.")
		}
	}
	if aws.ToString(in.EventPattern) != "" {
		if _, err := readPattern(*in.EventPattern); err != nil {
			return "", err
		}
	}
	return bus, nil
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
	bus, err := s.bus(in.EventBusName)
	if err != nil {
		return nil, err
	}
	var found []types.Rule
	for _, key := range s.onBus(bus) {
		if r := s.state.Rules[key]; strings.HasPrefix(*r.Name, aws.ToString(in.NamePrefix)) {
			found = append(found, r.Rule)
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
		bus, err := s.bus(in.EventBusName)
		if err != nil {
			return nil, err
		}
		at := key(bus, aws.ToString(in.Name))
		if r := s.state.Rules[at]; r != nil && len(r.Targets) > 0 {
			return nil, errValidation("Rule can't be deleted since it has targets.")
		}
		delete(s.state.Rules, at)
		s.timetable.Remove(at)
		return &eventbridge.DeleteRuleOutput{}, nil
	})
}
