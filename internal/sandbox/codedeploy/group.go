package codedeploy

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// terminationWait is how many minutes the original task set is kept when the
// group does not say. API reference, BlueInstanceTerminationOption.
const terminationWait = 60

func (a api) CreateDeploymentGroup(ctx context.Context, in *codedeploy.CreateDeploymentGroupInput) (*codedeploy.CreateDeploymentGroupOutput, error) {
	app, err := a.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.DeploymentGroupName)
	switch {
	case name == "":
		return nil, errCoded("DeploymentGroupNameRequiredException", "Deployment Group name is required.")
	case app.Groups[name] != nil:
		return nil, errCoded("DeploymentGroupAlreadyExistsException", "Deployment group name already exists: %s", name)
	case aws.ToString(in.ServiceRoleArn) == "":
		return nil, errCoded("RoleRequiredException", "The role ID was not specified.")
	}
	g := &types.DeploymentGroupInfo{
		ApplicationName: in.ApplicationName, DeploymentGroupName: in.DeploymentGroupName, DeploymentGroupId: aws.String(newUUID()),
		ComputePlatform: types.ComputePlatformEcs, DeploymentConfigName: aws.String(allAtOnce),
		DeploymentStyle: &types.DeploymentStyle{
			DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl,
		},
		OutdatedInstancesStrategy: types.OutdatedInstancesStrategyUpdate,
	}
	if err := a.configure(ctx, g, &codedeploy.UpdateDeploymentGroupInput{
		ServiceRoleArn: in.ServiceRoleArn, DeploymentConfigName: in.DeploymentConfigName, DeploymentStyle: in.DeploymentStyle,
		EcsServices: in.EcsServices, LoadBalancerInfo: in.LoadBalancerInfo, AlarmConfiguration: in.AlarmConfiguration,
		AutoRollbackConfiguration: in.AutoRollbackConfiguration, BlueGreenDeploymentConfiguration: in.BlueGreenDeploymentConfiguration,
	}); err != nil {
		return nil, err
	}
	if err := a.tag(a.groupARN(*in.ApplicationName, name), in.Tags); err != nil {
		return nil, err
	}
	app.Groups[name] = g
	return &codedeploy.CreateDeploymentGroupOutput{DeploymentGroupId: g.DeploymentGroupId}, nil
}

func (a api) UpdateDeploymentGroup(ctx context.Context, in *codedeploy.UpdateDeploymentGroupInput) (*codedeploy.UpdateDeploymentGroupOutput, error) {
	g, err := a.group(in.ApplicationName, in.CurrentDeploymentGroupName)
	if err != nil {
		return nil, err
	}
	next := *g
	if err := a.configure(ctx, &next, in); err != nil {
		return nil, err
	}
	groups := a.state.Applications[*in.ApplicationName].Groups
	delete(groups, *g.DeploymentGroupName)
	if in.NewDeploymentGroupName != nil {
		next.DeploymentGroupName = in.NewDeploymentGroupName
		before, now := a.groupARN(*in.ApplicationName, *g.DeploymentGroupName), a.groupARN(*in.ApplicationName, *next.DeploymentGroupName)
		if tags := a.state.Tags[before]; tags != nil {
			delete(a.state.Tags, before)
			a.state.Tags[now] = tags
		}
	}
	groups[*next.DeploymentGroupName] = &next
	return &codedeploy.UpdateDeploymentGroupOutput{}, nil
}

// configure gives a group the settings that are given, and checks the whole.
func (a api) configure(ctx context.Context, g *types.DeploymentGroupInfo, in *codedeploy.UpdateDeploymentGroupInput) error {
	replace(&g.ServiceRoleArn, in.ServiceRoleArn)
	replace(&g.DeploymentConfigName, in.DeploymentConfigName)
	replace(&g.DeploymentStyle, in.DeploymentStyle)
	replace(&g.LoadBalancerInfo, in.LoadBalancerInfo)
	replace(&g.AlarmConfiguration, in.AlarmConfiguration)
	replace(&g.AutoRollbackConfiguration, in.AutoRollbackConfiguration)
	replace(&g.BlueGreenDeploymentConfiguration, in.BlueGreenDeploymentConfiguration)
	if in.EcsServices != nil {
		g.EcsServices = in.EcsServices
	}
	if routing(*g.DeploymentConfigName) == nil {
		return errNoConfig(*g.DeploymentConfigName)
	}
	if err := a.checkBalancing(g.LoadBalancerInfo); err != nil {
		return err
	}
	if b := g.BlueGreenDeploymentConfiguration; b != nil && b.DeploymentReadyOption != nil &&
		b.DeploymentReadyOption.ActionOnTimeout == types.DeploymentReadyActionContinueDeployment && b.DeploymentReadyOption.WaitTimeInMinutes > 0 {
		return errCoded("InvalidBlueGreenDeploymentConfigurationException", "Deployment ready action cannot be set to 'CONTINUE_DEPLOYMENT' when timeout is specified")
	}
	return a.checkService(ctx, g)
}

// replace puts value into member if there is one.
func replace[T any](member **T, value *T) {
	if value != nil {
		*member = value
	}
}

// checkBalancing refuses what cannot shift traffic.
func (a api) checkBalancing(info *types.LoadBalancerInfo) error {
	refused := func(text string) error { return errCoded("InvalidLoadBalancerInfoException", "%s", text) }
	if info == nil || len(info.TargetGroupPairInfoList) != 1 {
		return refused("For ECS deployment group, loadBalancerInfo must contain one targetGroupPairInfo")
	}
	pair := info.TargetGroupPairInfoList[0]
	if len(pair.TargetGroups) != 2 || pair.ProdTrafficRoute == nil || len(pair.ProdTrafficRoute.ListenerArns) != 1 {
		return errCoded("InvalidTargetGroupPairException", "A target group pair needs two target groups and one production listener")
	}
	for _, group := range pair.TargetGroups {
		if _, found := a.options.TargetGroup(aws.ToString(group.Name)); !found {
			return refused("The specified target group does not exist: " + aws.ToString(group.Name))
		}
	}
	return nil
}

// checkService refuses a service that CodeDeploy does not deploy to, or that
// another group has.
func (a api) checkService(ctx context.Context, g *types.DeploymentGroupInfo) error {
	if len(g.EcsServices) != 1 {
		return errCoded("InvalidECSServiceException", "For ECS deployment group, one ecsService must be specified")
	}
	service := g.EcsServices[0]
	described, err := a.describe(ctx, service)
	if err != nil {
		return errCoded("InvalidECSServiceException", "%s", err.Error())
	}
	if described.DeploymentController == nil || described.DeploymentController.Type != ecstypes.DeploymentControllerTypeCodeDeploy {
		return errCoded("InvalidECSServiceException", "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.")
	}
	for _, app := range a.state.Applications {
		for _, other := range app.Groups {
			if *other.DeploymentGroupId != *g.DeploymentGroupId && *other.EcsServices[0].ClusterName == *service.ClusterName &&
				*other.EcsServices[0].ServiceName == *service.ServiceName {
				return errCoded("ECSServiceMappingLimitExceededException", "The Amazon ECS service is associated with more than one deployment groups. An Amazon ECS service can be associated with only one deployment group.")
			}
		}
	}
	return nil
}

// describe is an ECS service; the error says that there is none.
func (c *Service) describe(ctx context.Context, service types.ECSService) (*ecstypes.Service, error) {
	out, err := c.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: service.ClusterName, Services: []string{aws.ToString(service.ServiceName)},
	})
	if err != nil {
		return nil, err
	}
	if len(out.Services) == 0 || aws.ToString(out.Services[0].Status) != "ACTIVE" {
		return nil, errCoded("InvalidECSServiceException", "The ECS service %s does not exist or is not active.", aws.ToString(service.ServiceName))
	}
	return &out.Services[0], nil
}

func (a api) GetDeploymentGroup(_ context.Context, in *codedeploy.GetDeploymentGroupInput) (*codedeploy.GetDeploymentGroupOutput, error) {
	g, err := a.group(in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentGroupOutput{DeploymentGroupInfo: g}, nil
}

func (a api) BatchGetDeploymentGroups(_ context.Context, in *codedeploy.BatchGetDeploymentGroupsInput) (*codedeploy.BatchGetDeploymentGroupsOutput, error) {
	if len(in.DeploymentGroupNames) > groupsMost {
		return nil, errBatch(groupsMost)
	}
	out := &codedeploy.BatchGetDeploymentGroupsOutput{DeploymentGroupsInfo: []types.DeploymentGroupInfo{}}
	for _, name := range in.DeploymentGroupNames {
		g, err := a.group(in.ApplicationName, &name)
		if err != nil {
			return nil, err
		}
		out.DeploymentGroupsInfo = append(out.DeploymentGroupsInfo, *g)
	}
	return out, nil
}

func (a api) ListDeploymentGroups(_ context.Context, in *codedeploy.ListDeploymentGroupsInput) (*codedeploy.ListDeploymentGroupsOutput, error) {
	app, err := a.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	names, next, err := page(slices.Sorted(maps.Keys(app.Groups)), in.NextToken)
	return &codedeploy.ListDeploymentGroupsOutput{ApplicationName: in.ApplicationName, DeploymentGroups: names, NextToken: next}, err
}

func (a api) DeleteDeploymentGroup(_ context.Context, in *codedeploy.DeleteDeploymentGroupInput) (*codedeploy.DeleteDeploymentGroupOutput, error) {
	if app := a.state.Applications[aws.ToString(in.ApplicationName)]; app != nil {
		delete(app.Groups, aws.ToString(in.DeploymentGroupName))
		delete(a.state.Tags, a.groupARN(*in.ApplicationName, aws.ToString(in.DeploymentGroupName)))
	}
	return &codedeploy.DeleteDeploymentGroupOutput{HooksNotCleanedUp: []types.AutoScalingGroup{}}, nil
}
