package codedeploy

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// allAtOnce is the configuration of a group that names none, and of every
// rollback.
const allAtOnce = "CodeDeployDefault.ECSAllAtOnce"

// routing is a predefined deployment configuration, or nil.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
func routing(name string) *types.TrafficRoutingConfig {
	linear := func(minutes int32) *types.TrafficRoutingConfig {
		return &types.TrafficRoutingConfig{
			Type:            types.TrafficRoutingTypeTimeBasedLinear,
			TimeBasedLinear: &types.TimeBasedLinear{LinearPercentage: 10, LinearInterval: minutes},
		}
	}
	canary := func(minutes int32) *types.TrafficRoutingConfig {
		return &types.TrafficRoutingConfig{
			Type:            types.TrafficRoutingTypeTimeBasedCanary,
			TimeBasedCanary: &types.TimeBasedCanary{CanaryPercentage: 10, CanaryInterval: minutes},
		}
	}
	switch name {
	case allAtOnce:
		return &types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeAllAtOnce}
	case "CodeDeployDefault.ECSLinear10PercentEvery1Minutes":
		return linear(1)
	case "CodeDeployDefault.ECSLinear10PercentEvery3Minutes":
		return linear(3)
	case "CodeDeployDefault.ECSCanary10Percent5Minutes":
		return canary(5)
	case "CodeDeployDefault.ECSCanary10Percent15Minutes":
		return canary(15)
	}
	return nil
}

// weight is the replacement's percent of the production traffic, so long after
// it got the first.
func weight(r *types.TrafficRoutingConfig, shifting time.Duration) int {
	minutes := int32(shifting / time.Minute)
	switch r.Type {
	case types.TrafficRoutingTypeTimeBasedLinear:
		return int(min(100, r.TimeBasedLinear.LinearPercentage*(1+minutes/r.TimeBasedLinear.LinearInterval)))
	case types.TrafficRoutingTypeTimeBasedCanary:
		if minutes < r.TimeBasedCanary.CanaryInterval {
			return int(r.TimeBasedCanary.CanaryPercentage)
		}
	case types.TrafficRoutingTypeAllAtOnce:
	}
	return 100
}

func (a api) GetDeploymentConfig(_ context.Context, in *codedeploy.GetDeploymentConfigInput) (*codedeploy.GetDeploymentConfigOutput, error) {
	name := aws.ToString(in.DeploymentConfigName)
	r := routing(name)
	if r == nil {
		return nil, errNoConfig(name)
	}
	return &codedeploy.GetDeploymentConfigOutput{DeploymentConfigInfo: &types.DeploymentConfigInfo{
		DeploymentConfigName: in.DeploymentConfigName, ComputePlatform: types.ComputePlatformEcs, TrafficRoutingConfig: r,
	}}, nil
}

func errNoConfig(name string) error {
	return errCoded("DeploymentConfigDoesNotExistException", "No Deployment Configuration found for name: %s", name)
}
