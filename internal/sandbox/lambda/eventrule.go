package lambda

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (a api) PutFunctionEventInvokeConfig(_ context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	return change(a.Service, func() (*lambda.PutFunctionEventInvokeConfigOutput, error) {
		rule, err := a.putRule(in, func(*types.FunctionEventInvokeConfig) {})
		if err != nil {
			return nil, err
		}
		return convert[lambda.PutFunctionEventInvokeConfigOutput](rule)
	})
}

// UpdateFunctionEventInvokeConfig keeps what the request does not have.
func (a api) UpdateFunctionEventInvokeConfig(_ context.Context, in *lambda.UpdateFunctionEventInvokeConfigInput) (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
	return change(a.Service, func() (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
		before, err := a.eventRule(in.FunctionName, in.Qualifier)
		if err != nil {
			return nil, err
		}
		put := &lambda.PutFunctionEventInvokeConfigInput{
			FunctionName: in.FunctionName, Qualifier: in.Qualifier, DestinationConfig: in.DestinationConfig,
			MaximumEventAgeInSeconds: in.MaximumEventAgeInSeconds, MaximumRetryAttempts: in.MaximumRetryAttempts,
		}
		rule, err := a.putRule(put, func(rule *types.FunctionEventInvokeConfig) {
			if in.DestinationConfig == nil {
				rule.DestinationConfig = before.DestinationConfig
			}
			rule.MaximumEventAgeInSeconds = cmp.Or(rule.MaximumEventAgeInSeconds, before.MaximumEventAgeInSeconds)
			rule.MaximumRetryAttempts = cmp.Or(rule.MaximumRetryAttempts, before.MaximumRetryAttempts)
		})
		if err != nil {
			return nil, err
		}
		return convert[lambda.UpdateFunctionEventInvokeConfigOutput](rule)
	})
}

// putRule replaces what happens to a function's events. The caller holds the lock.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
func (s *Service) putRule(in *lambda.PutFunctionEventInvokeConfigInput, complete func(*types.FunctionEventInvokeConfig)) (*types.FunctionEventInvokeConfig, error) {
	f, v, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if n := in.MaximumRetryAttempts; n != nil && (*n < 0 || *n > 2) {
		return nil, errValidation("Value '%d' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value from 0 to 2", *n)
	}
	if n := in.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > 21600) {
		return nil, errValidation("Value '%d' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value from 60 to 21600", *n)
	}
	rule := &types.FunctionEventInvokeConfig{
		FunctionArn: v.shown(v.Settled, true).FunctionArn, LastModified: aws.Time(time.Now()), DestinationConfig: in.DestinationConfig,
		MaximumEventAgeInSeconds: in.MaximumEventAgeInSeconds, MaximumRetryAttempts: in.MaximumRetryAttempts,
	}
	if rule.DestinationConfig == nil {
		rule.DestinationConfig = &types.DestinationConfig{}
	}
	complete(rule)
	for _, destination := range []string{onSuccess(rule), onFailure(rule)} {
		if destination != "" && !strings.HasPrefix(destination, "arn:") {
			return nil, errParameter("The provided destination config DestinationConfig is invalid. Reason: %s is not an ARN.", destination)
		}
	}
	f.EventRules[*v.Version] = rule
	return rule, nil
}

// eventRule is what happens to a function's events; an error if nobody said. The
// caller holds the lock.
func (s *Service) eventRule(named, qualifier *string) (*types.FunctionEventInvokeConfig, error) {
	f, v, err := s.find(named, qualifier)
	if err != nil {
		return nil, err
	}
	if rule := f.EventRules[*v.Version]; rule != nil {
		return rule, nil
	}
	return nil, errNotFound("The function %s doesn't have an EventInvokeConfig", *v.shown(v.Settled, true).FunctionArn)
}

func (a api) GetFunctionEventInvokeConfig(_ context.Context, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	rule, err := a.eventRule(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return convert[lambda.GetFunctionEventInvokeConfigOutput](rule)
}

func (a api) ListFunctionEventInvokeConfigs(_ context.Context, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, _, err := a.find(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListFunctionEventInvokeConfigsOutput{}
	for _, qualifier := range slices.Sorted(maps.Keys(f.EventRules)) {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, *f.EventRules[qualifier])
	}
	out.FunctionEventInvokeConfigs, out.NextMarker, err = page(out.FunctionEventInvokeConfigs, in.Marker, in.MaxItems)
	return out, err
}

func (a api) DeleteFunctionEventInvokeConfig(_ context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	return change(a.Service, func() (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
		if _, err := a.eventRule(in.FunctionName, in.Qualifier); err != nil {
			return nil, err
		}
		f, v, err := a.find(in.FunctionName, in.Qualifier)
		if err != nil {
			return nil, err
		}
		delete(f.EventRules, *v.Version)
		return &lambda.DeleteFunctionEventInvokeConfigOutput{}, nil
	})
}

func onSuccess(rule *types.FunctionEventInvokeConfig) string {
	if rule == nil || rule.DestinationConfig == nil || rule.DestinationConfig.OnSuccess == nil {
		return ""
	}
	return aws.ToString(rule.DestinationConfig.OnSuccess.Destination)
}

func onFailure(rule *types.FunctionEventInvokeConfig) string {
	if rule == nil || rule.DestinationConfig == nil || rule.DestinationConfig.OnFailure == nil {
		return ""
	}
	return aws.ToString(rule.DestinationConfig.OnFailure.Destination)
}
