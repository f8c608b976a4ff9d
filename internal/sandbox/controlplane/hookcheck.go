package controlplane

import (
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// checkHooks refuses lifecycle hooks that cannot run.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
func checkHooks(config *types.DeploymentConfiguration) error {
	counts := map[types.DeploymentLifecycleHookTargetType]int{}
	for _, h := range config.LifecycleHooks {
		kind := orDefault(h.TargetType, types.DeploymentLifecycleHookTargetTypeAwsLambda)
		longest := int32(bakeMost)
		switch kind {
		case types.DeploymentLifecycleHookTargetTypePause:
			longest = pauseMost
			if hooked(h, stageTestShift) || hooked(h, stageProduction) {
				return errParameter("Invalid lifecycle stage provided for Pause Hook")
			}
		case types.DeploymentLifecycleHookTargetTypeAwsLambda:
			if h.HookTargetArn == nil || h.RoleArn == nil {
				return errParameter("A lifecycle hook with the targetType AWS_LAMBDA needs hookTargetArn and roleArn.")
			}
		default:
			return errParameter("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
		}
		if counts[kind]++; counts[kind] > hooksMost {
			return errParameter("A service can have at most %d lifecycle hooks with the targetType %s.", hooksMost, kind)
		}
		for _, at := range h.LifecycleStages {
			if !slices.Contains(at.Values(), at) {
				return errParameter("Invalid lifecycle stage %s.", at)
			}
		}
		if len(h.LifecycleStages) == 0 {
			return errParameter("A lifecycle hook needs lifecycleStages.")
		}
		if t := h.TimeoutConfiguration; t != nil && t.TimeoutInMinutes != nil && (*t.TimeoutInMinutes < 1 || *t.TimeoutInMinutes > longest) {
			return errParameter("timeoutInMinutes must be between 1 and %d.", longest)
		}
	}
	return nil
}

// takeHookDetails reads a request with a deployment configuration into in. The
// hooks' hookDetails, any JSON, are returned apart, by index: the SDK's type for
// them can be neither read nor kept here. nil when no hooks are given.
func takeHookDetails(document json.RawMessage, in any) ([]json.RawMessage, error) {
	var members, config object
	var hooks []object
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	details := []json.RawMessage{}
	if json.Unmarshal(members["deploymentConfiguration"], &config) != nil || json.Unmarshal(config["lifecycleHooks"], &hooks) != nil || hooks == nil {
		details = nil // none, or what is wrong is said below
	} else {
		for _, h := range hooks {
			dropNulls(h)
			details = append(details, h["hookDetails"])
			delete(h, "hookDetails")
		}
		var err error
		if config["lifecycleHooks"], err = json.Marshal(hooks); err != nil {
			return nil, err
		}
		if members["deploymentConfiguration"], err = json.Marshal(config); err != nil {
			return nil, err
		}
		if document, err = json.Marshal(members); err != nil {
			return nil, err
		}
	}
	if err := awsjson.Unmarshal(document, in); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	return details, nil
}

// withHookDetails is the service's deployment configuration as it was given, its
// hookDetails among it.
func (s *service) withHookDetails() *types.DeploymentConfiguration {
	if !slices.ContainsFunc(s.HookDetails, func(d json.RawMessage) bool { return d != nil }) {
		return s.DeploymentConfiguration
	}
	config := *s.DeploymentConfiguration
	config.LifecycleHooks = slices.Clone(config.LifecycleHooks)
	for i, details := range s.HookDetails {
		var value any
		if details == nil || i >= len(config.LifecycleHooks) || json.Unmarshal(details, &value) != nil {
			continue
		}
		config.LifecycleHooks[i].HookDetails = document.NewLazyDocument(value)
	}
	return &config
}
