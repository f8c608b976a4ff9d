package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
)

// strategyCluster is the cluster of Options.Strategies.
const strategyCluster = "cluster3"

// strategyApps are web apps that are deployed in all the ways other than rolling.
func strategyApps() []seedApp {
	app := func(name string, deploys func(seedApp, Options, *ecs.CreateServiceInput)) seedApp {
		return seedApp{cluster: strategyCluster, name: name, protocol: dataplane.HTTP, port: 8080, deploys: deploys}
	}
	pausing := app("bluegreen1", shifting(types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(1),
	}))
	pausing.hooks = []types.DeploymentLifecycleHook{{
		TargetType:      types.DeploymentLifecycleHookTargetTypePause,
		LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostTestTrafficShift},
	}}
	return []seedApp{
		pausing,
		app("canary1", shifting(types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyCanary,
			CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(20), CanaryBakeTimeInMinutes: aws.Int32(5)},
			BakeTimeInMinutes:   aws.Int32(1),
		})),
		app("linear1", shifting(types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyLinear,
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(25), StepBakeTimeInMinutes: aws.Int32(2)},
			BakeTimeInMinutes:   aws.Int32(1),
		})),
		app("codedeploy1", func(_ seedApp, _ Options, in *ecs.CreateServiceInput) {
			in.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy}
			in.DeploymentConfiguration = nil
		}),
	}
}

// shifting has ECS shift the app's traffic as config says, and roll back when tasks
// fail or the app's alarm rings.
func shifting(config types.DeploymentConfiguration) func(seedApp, Options, *ecs.CreateServiceInput) {
	return func(a seedApp, o Options, in *ecs.CreateServiceInput) {
		config := config // each service has its own
		config.MinimumHealthyPercent, config.MaximumPercent = aws.Int32(100), aws.Int32(200)
		config.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
		config.Alarms = &types.DeploymentAlarms{AlarmNames: []string{a.alarm()}, Enable: true, Rollback: true}
		in.DeploymentConfiguration = &config
		routing := a.routing(o)
		in.LoadBalancers[0].AdvancedConfiguration = &types.AdvancedConfiguration{
			AlternateTargetGroupArn: &routing.AlternateTargetGroup, RoleArn: aws.String(fmt.Sprintf("arn:aws:iam::%s:role/ecsInfrastructure", o.Account)),
			ProductionListenerRule: &routing.ProductionListenerRule, TestListenerRule: &routing.TestListenerRule,
		}
	}
}

// alarm is the name of the CloudWatch alarm that rolls a deployment back.
func (a seedApp) alarm() string { return a.family() + "-5xx" }

// seedStrategies makes what the apps of strategyCluster need of other services: the
// alarms, and a deployment group of CodeDeploy's. It asks the world as a client
// would, so the world must be served.
func (w *World) seedStrategies(ctx context.Context) error {
	config := aws.Config{
		Region: w.options.Region, BaseEndpoint: &w.endpoints.AWS, HTTPClient: &http.Client{Transport: &http.Transport{}},
		Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	}
	alarms, deploys := cloudwatch.NewFromConfig(config), codedeploy.NewFromConfig(config)
	for _, app := range strategyApps() {
		if _, err := alarms.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(app.alarm()), Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"),
			Statistic: cwtypes.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
			ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		}); err != nil {
			return fmt.Errorf("make the alarm of %s: %w", app.id(), err)
		}
	}
	app := strategyApps()[3]
	group := app.deploymentGroup(w.options)
	if _, err := deploys.CreateApplication(ctx, &codedeploy.CreateApplicationInput{
		ApplicationName: group.ApplicationName, ComputePlatform: deploytypes.ComputePlatformEcs,
	}); err != nil {
		return fmt.Errorf("make the application of %s in CodeDeploy: %w", app.id(), err)
	}
	if _, err := deploys.CreateDeploymentGroup(ctx, group); err != nil {
		return fmt.Errorf("make the deployment group of %s: %w", app.id(), err)
	}
	return nil
}

// deploymentGroup has CodeDeploy deploy the app as a canary, and keep the original
// task set for five minutes. It is named as the ECS console names them.
func (a seedApp) deploymentGroup(o Options) *codedeploy.CreateDeploymentGroupInput {
	routing := a.routing(o)
	name := func(arn string) *string { return aws.String(strings.Split(arn, "/")[1]) }
	return &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("AppECS-" + a.family()), DeploymentGroupName: aws.String("DgpECS-" + a.family()),
		ServiceRoleArn:       aws.String(fmt.Sprintf("arn:aws:iam::%s:role/ecsCodeDeployRole", o.Account)),
		DeploymentConfigName: aws.String("CodeDeployDefault.ECSCanary10Percent5Minutes"),
		DeploymentStyle: &deploytypes.DeploymentStyle{
			DeploymentType: deploytypes.DeploymentTypeBlueGreen, DeploymentOption: deploytypes.DeploymentOptionWithTrafficControl,
		},
		EcsServices: []deploytypes.ECSService{{ClusterName: aws.String(a.cluster), ServiceName: aws.String(a.name)}},
		LoadBalancerInfo: &deploytypes.LoadBalancerInfo{TargetGroupPairInfoList: []deploytypes.TargetGroupPairInfo{{
			TargetGroups:     []deploytypes.TargetGroupInfo{{Name: name(routing.TargetGroup)}, {Name: name(routing.AlternateTargetGroup)}},
			ProdTrafficRoute: &deploytypes.TrafficRoute{ListenerArns: []string{routing.ProductionListenerRule}},
			TestTrafficRoute: &deploytypes.TrafficRoute{ListenerArns: []string{routing.TestListenerRule}},
		}}},
		AlarmConfiguration: &deploytypes.AlarmConfiguration{Enabled: true, Alarms: []deploytypes.Alarm{{Name: aws.String(a.alarm())}}},
		AutoRollbackConfiguration: &deploytypes.AutoRollbackConfiguration{
			Enabled: true,
			Events:  []deploytypes.AutoRollbackEvent{deploytypes.AutoRollbackEventDeploymentFailure, deploytypes.AutoRollbackEventDeploymentStopOnAlarm},
		},
		BlueGreenDeploymentConfiguration: &deploytypes.BlueGreenDeploymentConfiguration{
			TerminateBlueInstancesOnDeploymentSuccess: &deploytypes.BlueInstanceTerminationOption{
				Action: deploytypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: 5,
			},
			DeploymentReadyOption: &deploytypes.DeploymentReadyOption{ActionOnTimeout: deploytypes.DeploymentReadyActionContinueDeployment},
		},
	}
}
