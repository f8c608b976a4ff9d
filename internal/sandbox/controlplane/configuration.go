package controlplane

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// mergeConfiguration is a deployment configuration after an update, with all
// that ECS fills in: what a service created with defaults reads back. old is nil
// for a new service. A member that is given replaces the old one.
func mergeConfiguration(old, given *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	merged := types.DeploymentConfiguration{
		Strategy:                 types.DeploymentStrategyRolling,
		MaximumPercent:           aws.Int32(200),
		MinimumHealthyPercent:    aws.Int32(100),
		BakeTimeInMinutes:        aws.Int32(0),
		Alarms:                   &types.DeploymentAlarms{AlarmNames: []string{}},
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{},
	}
	for _, from := range []*types.DeploymentConfiguration{old, given} {
		if from == nil {
			continue
		}
		replace(&merged.MaximumPercent, from.MaximumPercent)
		replace(&merged.MinimumHealthyPercent, from.MinimumHealthyPercent)
		replace(&merged.BakeTimeInMinutes, from.BakeTimeInMinutes)
		replace(&merged.Alarms, from.Alarms)
		replace(&merged.DeploymentCircuitBreaker, from.DeploymentCircuitBreaker)
		replace(&merged.EarlySuccessCriteria, from.EarlySuccessCriteria)
		replaceList(&merged.LifecycleHooks, from.LifecycleHooks)
	}
	breaker := *merged.DeploymentCircuitBreaker
	if breaker.ResetOnHealthyTask == nil {
		breaker.ResetOnHealthyTask = aws.Bool(true)
	}
	if breaker.ThresholdConfiguration == nil {
		breaker.ThresholdConfiguration = &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 50}
	}
	merged.DeploymentCircuitBreaker = &breaker
	return &merged
}

// checkConfiguration refuses what ECS refuses and what the sandbox does not do.
func checkConfiguration(given *types.DeploymentConfiguration) error {
	if given == nil {
		return nil
	}
	if given.Strategy != "" && given.Strategy != types.DeploymentStrategyRolling {
		return errUnsupported("The sandbox has no deployment strategy %s.", given.Strategy)
	}
	if given.EarlySuccessCriteria != nil && given.EarlySuccessCriteria.Enable || len(given.LifecycleHooks) > 0 {
		return errUnsupported("The sandbox has no early success criteria and no lifecycle hooks.")
	}
	if given.Alarms != nil && given.Alarms.Enable {
		return errUnsupported("The sandbox has no deployment alarms.")
	}
	least, most := aws.ToInt32(given.MinimumHealthyPercent), aws.ToInt32(given.MaximumPercent)
	if least < 0 || given.MaximumPercent != nil && most < 1 {
		return errParameter("The deployment configuration's percentages are out of range.")
	}
	if b := given.DeploymentCircuitBreaker; b != nil && b.ThresholdConfiguration != nil {
		t := b.ThresholdConfiguration
		if t.Value < 1 || t.Type != types.ThresholdTypeCount && t.Value > 100 {
			return errParameter("The circuit breaker's threshold is out of range.")
		}
	}
	return nil
}
