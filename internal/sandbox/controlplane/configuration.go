package controlplane

import (
	"math"
	"slices"

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
		merged.Strategy = orDefault(from.Strategy, merged.Strategy)
		replace(&merged.MaximumPercent, from.MaximumPercent)
		replace(&merged.MinimumHealthyPercent, from.MinimumHealthyPercent)
		replace(&merged.BakeTimeInMinutes, from.BakeTimeInMinutes)
		replace(&merged.Alarms, from.Alarms)
		replace(&merged.DeploymentCircuitBreaker, from.DeploymentCircuitBreaker)
		replace(&merged.EarlySuccessCriteria, from.EarlySuccessCriteria)
		replace(&merged.CanaryConfiguration, from.CanaryConfiguration)
		replace(&merged.LinearConfiguration, from.LinearConfiguration)
		replaceList(&merged.LifecycleHooks, from.LifecycleHooks)
	}
	fillIncrements(&merged)
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

// fillIncrements adds the defaults of the strategy's own member, and drops that
// of another strategy, which the service had before.
func fillIncrements(config *types.DeploymentConfiguration) {
	canary, linear := types.CanaryConfiguration{}, types.LinearConfiguration{}
	if config.CanaryConfiguration != nil {
		canary = *config.CanaryConfiguration
	}
	if config.LinearConfiguration != nil {
		linear = *config.LinearConfiguration
	}
	config.CanaryConfiguration, config.LinearConfiguration = nil, nil
	switch config.Strategy {
	case types.DeploymentStrategyCanary:
		config.CanaryConfiguration = &types.CanaryConfiguration{CanaryPercent: aws.Float64(5), CanaryBakeTimeInMinutes: aws.Int32(10)}
		replace(&config.CanaryConfiguration.CanaryPercent, canary.CanaryPercent)
		replace(&config.CanaryConfiguration.CanaryBakeTimeInMinutes, canary.CanaryBakeTimeInMinutes)
	case types.DeploymentStrategyLinear:
		config.LinearConfiguration = &types.LinearConfiguration{StepPercent: aws.Float64(10), StepBakeTimeInMinutes: aws.Int32(6)}
		replace(&config.LinearConfiguration.StepPercent, linear.StepPercent)
		replace(&config.LinearConfiguration.StepBakeTimeInMinutes, linear.StepBakeTimeInMinutes)
	default:
	}
}

// checkConfiguration refuses what ECS refuses; config is the whole one, after the
// update. Where no text of ECS's is known, it is ours.
func checkConfiguration(config *types.DeploymentConfiguration) error {
	least, most := *config.MinimumHealthyPercent, *config.MaximumPercent
	if least < 0 || most < 1 {
		return errParameter("The deployment configuration's percentages are out of range.")
	}
	if t := config.DeploymentCircuitBreaker.ThresholdConfiguration; t.Value < 1 || t.Type != types.ThresholdTypeCount && t.Value > 100 {
		return errParameter("The circuit breaker's threshold is out of range.")
	}
	if config.Alarms.Enable && len(config.Alarms.AlarmNames) == 0 {
		return errParameter("The deployment alarms are enabled and have no alarmNames.")
	}
	if bake := *config.BakeTimeInMinutes; bake < 0 || bake > bakeMost {
		return errParameter("bakeTimeInMinutes must be between 0 and %d.", bakeMost)
	}
	for _, check := range []func(*types.DeploymentConfiguration) error{checkIncrements, checkEarlySuccess, checkHooks} {
		if err := check(config); err != nil {
			return err
		}
	}
	return nil
}

// checkIncrements refuses increments that the strategy cannot have.
func checkIncrements(config *types.DeploymentConfiguration) error {
	if !slices.Contains(config.Strategy.Values(), config.Strategy) {
		return errParameter("Invalid deployment strategy %s.", config.Strategy)
	}
	tenths := func(percent float64) bool { return math.Abs(percent*10-math.Round(percent*10)) < 1e-9 }
	if c := config.CanaryConfiguration; c != nil {
		if *c.CanaryPercent < 0.1 || *c.CanaryPercent > 100 || !tenths(*c.CanaryPercent) {
			return errParameter("canaryPercent must be a multiple of 0.1 between 0.1 and 100.")
		}
		if *c.CanaryBakeTimeInMinutes < 0 || *c.CanaryBakeTimeInMinutes > bakeMost {
			return errParameter("canaryBakeTimeInMinutes must be between 0 and %d.", bakeMost)
		}
	}
	if c := config.LinearConfiguration; c != nil {
		if *c.StepPercent < 3 || *c.StepPercent > 100 || !tenths(*c.StepPercent) {
			return errParameter("stepPercent must be a multiple of 0.1 between 3 and 100.")
		}
		if *c.StepBakeTimeInMinutes < 0 || *c.StepBakeTimeInMinutes > bakeMost {
			return errParameter("stepBakeTimeInMinutes must be between 0 and %d.", bakeMost)
		}
	}
	return nil
}

// checkEarlySuccess refuses criteria that cannot be met, or not by the strategy.
func checkEarlySuccess(config *types.DeploymentConfiguration) error {
	criteria := config.EarlySuccessCriteria
	if criteria == nil || !criteria.Enable {
		return nil
	}
	switch {
	case native(config):
		return errParameter("earlySuccessCriteria can only be used with the ROLLING deployment strategy.")
	case criteria.HealthyPercent == nil || criteria.SourceServiceRevisionCleanup == "":
		return errParameter("earlySuccessCriteria needs healthyPercent and sourceServiceRevisionCleanup.")
	case *criteria.HealthyPercent < *config.MinimumHealthyPercent || *criteria.HealthyPercent > 100:
		return errParameter("healthyPercent must be between minimumHealthyPercent and 100.")
	}
	return nil
}
