package controlplane

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

var serviceNamePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// platformVersion is what LATEST means for Fargate on Linux.
const (
	platformVersion = "1.4.0"
	platformFamily  = "Linux"
)

func (a api) CreateService(_ context.Context, document json.RawMessage) (*ecs.CreateServiceOutput, error) {
	in := &ecs.CreateServiceInput{}
	details, err := takeHookDetails(document, in)
	if err != nil {
		return nil, err
	}
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := checkNewService(in); err != nil {
		return nil, err
	}
	name := *in.ServiceName
	if old := cl.Services[name]; old != nil {
		switch *old.Status {
		case statusActive:
			return nil, errParameter("Creation of service was not idempotent.")
		case statusDraining:
			return nil, errParameter("Unable to Start a service that is still Draining.")
		}
	}
	td, err := a.usable(aws.ToString(in.TaskDefinition), errClient)
	if err != nil {
		return nil, err
	}
	if err := checkLoadBalancers(td, in.LoadBalancers); err != nil {
		return nil, err
	}
	config := mergeConfiguration(nil, in.DeploymentConfiguration)
	if err := checkConfiguration(config); err != nil {
		return nil, err
	}
	if err := checkManaged(config, in.LoadBalancers); err != nil {
		return nil, err
	}
	s := &service{Cluster: *cl.ClusterName, Complaints: map[string]time.Time{}, HookDetails: details}
	s.Service = types.Service{
		AvailabilityZoneRebalancing:   in.AvailabilityZoneRebalancing,
		CapacityProviderStrategy:      in.CapacityProviderStrategy,
		ClusterArn:                    cl.ClusterArn,
		CreatedAt:                     aws.Time(time.Now()),
		CreatedBy:                     aws.String(a.caller()),
		DeploymentController:          orController(in.DeploymentController),
		DeploymentConfiguration:       config,
		DesiredCount:                  aws.ToInt32(in.DesiredCount),
		EnableECSManagedTags:          in.EnableECSManagedTags,
		EnableExecuteCommand:          in.EnableExecuteCommand,
		HealthCheckGracePeriodSeconds: in.HealthCheckGracePeriodSeconds,
		LaunchType:                    in.LaunchType,
		LoadBalancers:                 orEmpty(in.LoadBalancers),
		NetworkConfiguration:          in.NetworkConfiguration,
		PlacementConstraints:          orEmpty(in.PlacementConstraints),
		PlacementStrategy:             orEmpty(in.PlacementStrategy),
		PlatformFamily:                aws.String(platformFamily),
		PlatformVersion:               aws.String(orDefault(aws.ToString(in.PlatformVersion), "LATEST")),
		PropagateTags:                 orDefault(in.PropagateTags, types.PropagateTagsNone),
		ResourceManagementType:        types.ResourceManagementTypeCustomer,
		RoleArn:                       aws.String("arn:aws:iam::" + a.options.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
		SchedulingStrategy:            types.SchedulingStrategyReplica,
		ServiceArn:                    aws.String(a.arn("service/" + *cl.ClusterName + "/" + name)),
		ServiceName:                   aws.String(name),
		ServiceRegistries:             orEmpty(in.ServiceRegistries),
		Status:                        aws.String(statusActive),
		Tags:                          in.Tags,
		TaskDefinition:                aws.String(td.ARN),
	}
	if s.AvailabilityZoneRebalancing == "" {
		s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
	}
	if s.LaunchType == "" && s.CapacityProviderStrategy == nil {
		s.LaunchType = types.LaunchTypeFargate
	}
	if s.HealthCheckGracePeriodSeconds == nil && len(s.LoadBalancers) > 0 {
		s.HealthCheckGracePeriodSeconds = aws.Int32(0)
	}
	cl.Services[name] = s
	if s.byCodeDeploy() {
		a.firstTaskSet(s, td)
	} else {
		a.deploy(s, settings{serviceConnect: in.ServiceConnectConfiguration, volumes: in.VolumeConfigurations})
	}
	described := a.describeService(s, true)
	return &ecs.CreateServiceOutput{Service: &described}, nil
}

// checkNewService refuses what ECS refuses and what the sandbox does not do.
func checkNewService(in *ecs.CreateServiceInput) error {
	if !serviceNamePattern.MatchString(aws.ToString(in.ServiceName)) {
		return errParameter("The service name must match %s.", serviceNamePattern)
	}
	if err := checkController(in); err != nil {
		return err
	}
	if in.SchedulingStrategy == types.SchedulingStrategyDaemon {
		return errParameter("Fargate tasks don't support the DAEMON scheduling strategy.")
	}
	if in.DesiredCount == nil {
		return errParameter("A desired count is required for the REPLICA scheduling strategy.")
	}
	if *in.DesiredCount < 0 {
		return errParameter("Desired count must not be negative.")
	}
	return checkTags(in.Tags)
}

func (a api) DeleteService(_ context.Context, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	s, err := a.service(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if *s.Status == statusInactive {
		return nil, errServiceNotFound()
	}
	if s.DesiredCount > 0 && !aws.ToBool(in.Force) {
		return nil, errParameter("The service cannot be stopped while it is scaled above 0.")
	}
	s.Status = aws.String(statusDraining)
	s.DesiredCount, s.Course = 0, nil
	for _, d := range s.Rollouts {
		d.DesiredCount = 0
	}
	a.kick(s)
	described := a.describeService(s, true)
	return &ecs.DeleteServiceOutput{Service: &described}, nil
}

// service finds a service, whatever its status.
func (c *ControlPlane) service(clusterName, name *string) (*service, error) {
	cl, err := c.cluster(clusterName)
	if err != nil {
		return nil, err
	}
	s := cl.Services[lastPart(aws.ToString(name))]
	if s == nil {
		return nil, errServiceNotFound()
	}
	return s, nil
}

// checkLoadBalancers refuses a load balancer whose container or port the task
// definition does not have.
func checkLoadBalancers(td *taskDefinition, balancers []types.LoadBalancer) error {
	for _, lb := range balancers {
		name := aws.ToString(lb.ContainerName)
		container := td.container(name)
		if container == nil {
			return errParameter("The container %s does not exist in the task definition.", name)
		}
		port := aws.ToInt32(lb.ContainerPort)
		if !slices.ContainsFunc(container.PortMappings, func(m types.PortMapping) bool { return aws.ToInt32(m.ContainerPort) == port }) {
			return errParameter("The container %s did not have a container port %d defined.", name, port)
		}
	}
	return nil
}
