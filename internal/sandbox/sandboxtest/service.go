package sandboxtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Service is a service that World.Service made. Its methods look at it without
// being recorded.
type Service struct {
	w              *World
	Cluster, Name  string
	ARN            string
	TaskDefinition string // the ARN with which it was created
	TargetGroup    string // the ARN, empty without a load balancer
	// Managed is how ECS shifts the service's traffic; nil if it does not.
	Managed *types.AdvancedConfiguration
}

// seed is what ServiceOptions change before a service is made.
type seed struct {
	definition ecs.RegisterTaskDefinitionInput
	service    ecs.CreateServiceInput
	group      *codedeploy.CreateDeploymentGroupInput // nil unless by CodeDeploy
	settle     bool
}

// ServiceOption is a setting of World.Service.
type ServiceOption func(*seed)

// Image is the image of the service's container, registry.example.com/NAME:1.0.0
// if not given. Its tag chooses what the service does.
func Image(image string) ServiceOption {
	return func(s *seed) { s.definition.ContainerDefinitions[0].Image = aws.String(image) }
}

// DesiredCount is the number of tasks, 1 if not given.
func DesiredCount(count int32) ServiceOption {
	return func(s *seed) { s.service.DesiredCount = aws.Int32(count) }
}

// LoadBalanced puts the service behind a target group.
func LoadBalanced() ServiceOption {
	return func(s *seed) {
		s.service.LoadBalancers = []types.LoadBalancer{{
			ContainerName: s.service.ServiceName, ContainerPort: aws.Int32(port),
			TargetGroupArn: aws.String(targetGroupARN(*s.service.ServiceName)),
		}}
	}
}

// Managed puts the service behind an Application Load Balancer with two target
// groups, a production and a test rule, as the strategies other than rolling need
// it. The target groups' names are the service's and the service's with -alternate.
func Managed() ServiceOption {
	return func(s *seed) {
		LoadBalanced()(s)
		lb := &s.service.LoadBalancers[0]
		rule := func(kind string) *string {
			return aws.String(fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:listener-rule/app/%s/50dc6c495c0c9188/%s/9683b2d02a6cabee", Region, Account, *s.service.ServiceName, kind))
		}
		lb.AdvancedConfiguration = &types.AdvancedConfiguration{
			AlternateTargetGroupArn: aws.String(strings.Replace(*lb.TargetGroupArn, "/73e2", "-alternate/73e2", 1)),
			ProductionListenerRule:  rule("f2f7dc8efc522ab2"),
			TestListenerRule:        rule("0467ef3c8400ae65"),
			RoleArn:                 aws.String("arn:aws:iam::" + Account + ":role/ecsInfrastructure"),
		}
	}
}

// BlueGreen deploys with the strategy BLUE_GREEN and that bake time.
func BlueGreen(bakeMinutes int32) ServiceOption {
	return func(s *seed) {
		s.service.DeploymentConfiguration.Strategy = types.DeploymentStrategyBlueGreen
		s.service.DeploymentConfiguration.BakeTimeInMinutes = aws.Int32(bakeMinutes)
	}
}

// Canary deploys with the strategy CANARY; see [BlueGreen] for the last bake time.
func Canary(percent float64, canaryMinutes, bakeMinutes int32) ServiceOption {
	return func(s *seed) {
		BlueGreen(bakeMinutes)(s)
		s.service.DeploymentConfiguration.Strategy = types.DeploymentStrategyCanary
		s.service.DeploymentConfiguration.CanaryConfiguration = &types.CanaryConfiguration{
			CanaryPercent: aws.Float64(percent), CanaryBakeTimeInMinutes: aws.Int32(canaryMinutes),
		}
	}
}

// Linear deploys with the strategy LINEAR; see [BlueGreen] for the last bake time.
func Linear(percent float64, stepMinutes, bakeMinutes int32) ServiceOption {
	return func(s *seed) {
		BlueGreen(bakeMinutes)(s)
		s.service.DeploymentConfiguration.Strategy = types.DeploymentStrategyLinear
		s.service.DeploymentConfiguration.LinearConfiguration = &types.LinearConfiguration{
			StepPercent: aws.Float64(percent), StepBakeTimeInMinutes: aws.Int32(stepMinutes),
		}
	}
}

// Hooks are the service's lifecycle hooks.
func Hooks(hooks ...types.DeploymentLifecycleHook) ServiceOption {
	return func(s *seed) { s.service.DeploymentConfiguration.LifecycleHooks = hooks }
}

// DeploymentAlarms are the alarms that watch the service's deployments.
func DeploymentAlarms(rollback bool, names ...string) ServiceOption {
	return func(s *seed) {
		s.service.DeploymentConfiguration.Alarms = &types.DeploymentAlarms{AlarmNames: names, Enable: true, Rollback: rollback}
	}
}

// CircuitBreaker turns the deployment circuit breaker on.
func CircuitBreaker(rollback bool) ServiceOption {
	return func(s *seed) {
		s.service.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: rollback}
	}
}

// Percentages are minimumHealthyPercent and maximumPercent, 100 and 200 if not
// given.
func Percentages(minimumHealthy, maximum int32) ServiceOption {
	return func(s *seed) {
		s.service.DeploymentConfiguration.MinimumHealthyPercent = aws.Int32(minimumHealthy)
		s.service.DeploymentConfiguration.MaximumPercent = aws.Int32(maximum)
	}
}

// Definition changes the task definition before it is registered.
func Definition(change func(*ecs.RegisterTaskDefinitionInput)) ServiceOption {
	return func(s *seed) { change(&s.definition) }
}

// Create changes the service before it is created.
func Create(change func(*ecs.CreateServiceInput)) ServiceOption {
	return func(s *seed) { change(&s.service) }
}

// Unsettled returns as soon as the service is created, without waiting for its
// steady state.
func Unsettled() ServiceOption {
	return func(s *seed) { s.settle = false }
}

// port is the container port of every service made here.
const port = 8080

// settlePace is how often Settle looks, and settleMost how long a service may take, of
// ECS's time; by the machine's clock it may take settleLeast, which a fast time scale does
// not make shorter: the machine has its own pace.
const (
	settlePace  = 5 * time.Second
	settleMost  = 2 * time.Hour
	settleLeast = time.Minute
)

// Service makes a service with a task definition of its own name and one
// container of that name, in a cluster that is made if need be, and waits for
// its steady state.
func (w *World) Service(cluster, name string, options ...ServiceOption) *Service {
	w.t.Helper()
	s := &seed{
		settle: true,
		definition: ecs.RegisterTaskDefinitionInput{
			Family:                  aws.String(name),
			Cpu:                     aws.String("256"),
			Memory:                  aws.String("512"),
			NetworkMode:             types.NetworkModeAwsvpc,
			RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
			ContainerDefinitions: []types.ContainerDefinition{{
				Name: aws.String(name), Image: aws.String("registry.example.com/" + name + ":1.0.0"), Essential: aws.Bool(true),
				PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(port)}},
			}},
		},
		service: ecs.CreateServiceInput{
			Cluster: aws.String(cluster), ServiceName: aws.String(name), DesiredCount: aws.Int32(1),
			DeploymentConfiguration: &types.DeploymentConfiguration{},
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: []string{"subnet-0123456789abcdef0"}, SecurityGroups: []string{"sg-0123456789abcdef0"},
				AssignPublicIp: types.AssignPublicIpDisabled,
			}},
		},
	}
	for _, option := range options {
		option(s)
	}
	ctx, client := w.t.Context(), w.own
	if _, err := client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(cluster)}); err != nil {
		w.t.Fatal(err)
	}
	registered, err := client.RegisterTaskDefinition(ctx, &s.definition)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.service.TaskDefinition == nil {
		s.service.TaskDefinition = registered.TaskDefinition.TaskDefinitionArn
	}
	created, err := client.CreateService(ctx, &s.service)
	if err != nil {
		w.t.Fatal(err)
	}
	service := &Service{w: w, Cluster: cluster, Name: name, ARN: *created.Service.ServiceArn, TaskDefinition: *created.Service.TaskDefinition}
	if len(s.service.LoadBalancers) > 0 {
		service.TargetGroup = *s.service.LoadBalancers[0].TargetGroupArn
		service.Managed = s.service.LoadBalancers[0].AdvancedConfiguration
	}
	if s.group != nil {
		w.createGroup(s.group)
	}
	if s.settle {
		service.Settle()
	}
	return service
}

// Describe is the service as DescribeServices shows it, with its tags.
func (s *Service) Describe() types.Service {
	s.w.t.Helper()
	out, err := s.w.own.DescribeServices(s.w.t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String(s.Cluster), Services: []string{s.Name}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		s.w.t.Fatal(err)
	}
	if len(out.Services) != 1 {
		s.w.t.Fatalf("service %s/%s: %d found", s.Cluster, s.Name, len(out.Services))
	}
	return out.Services[0]
}

// Settle waits until one deployment is left and is over, well or badly, and
// returns the service as it is then. The test fails if that takes hours.
func (s *Service) Settle() types.Service {
	s.w.t.Helper()
	most := max(time.Duration(float64(settleMost)/s.w.scale), settleLeast)
	for began := time.Now(); time.Since(began) < most; {
		d := s.Describe()
		if steady(&d) {
			return d
		}
		if len(d.Deployments) == 1 && d.Deployments[0].RolloutState != types.DeploymentRolloutStateInProgress &&
			(d.RunningCount == d.DesiredCount && d.PendingCount == 0 || d.Deployments[0].RolloutState == types.DeploymentRolloutStateFailed) {
			return d
		}
		s.w.wait(settlePace)
	}
	s.w.t.Fatalf("service %s/%s did not settle within %s", s.Cluster, s.Name, most)
	return types.Service{}
}

// Tasks are the service's tasks, running and stopped, oldest first.
func (s *Service) Tasks() []types.Task {
	s.w.t.Helper()
	ctx, client := s.w.t.Context(), s.w.own
	var arns []string
	for _, status := range []types.DesiredStatus{types.DesiredStatusStopped, types.DesiredStatusRunning} {
		pages := ecs.NewListTasksPaginator(client, &ecs.ListTasksInput{
			Cluster: aws.String(s.Cluster), ServiceName: aws.String(s.Name), DesiredStatus: status,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				s.w.t.Fatal(err)
			}
			arns = append(arns, page.TaskArns...)
		}
	}
	if len(arns) == 0 {
		return nil
	}
	out, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(s.Cluster), Tasks: arns})
	if err != nil {
		s.w.t.Fatal(err)
	}
	return out.Tasks
}

// Deploy registers the service's task definition with another image of its first
// container, updates the service or has CodeDeploy deploy it, and returns the new
// task definition's ARN. It
// is what somebody else does while a test looks on: it is not recorded.
func (s *Service) Deploy(image string) string {
	s.w.t.Helper()
	ctx, client := s.w.t.Context(), s.w.own
	described, err := client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: s.Describe().TaskDefinition})
	if err != nil {
		s.w.t.Fatal(err)
	}
	td := described.TaskDefinition
	td.ContainerDefinitions[0].Image = aws.String(image)
	registered, err := client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: td.Family, ContainerDefinitions: td.ContainerDefinitions, Cpu: td.Cpu, Memory: td.Memory,
		NetworkMode: td.NetworkMode, RequiresCompatibilities: td.RequiresCompatibilities,
		TaskRoleArn: td.TaskRoleArn, ExecutionRoleArn: td.ExecutionRoleArn, Volumes: td.Volumes,
	})
	if err != nil {
		s.w.t.Fatal(err)
	}
	arn := *registered.TaskDefinition.TaskDefinitionArn
	s.DeployTaskDefinition(arn)
	return arn
}

// DeployTaskDefinition is [Service.Deploy] of a task definition that there is.
func (s *Service) DeployTaskDefinition(arn string) {
	s.w.t.Helper()
	if s.Describe().DeploymentController.Type == types.DeploymentControllerTypeCodeDeploy {
		s.deployGroup(arn)
	} else {
		s.Update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String(arn) })
	}
}

// Update updates the service by hand, unrecorded, and returns it.
func (s *Service) Update(change func(*ecs.UpdateServiceInput)) types.Service {
	s.w.t.Helper()
	in := &ecs.UpdateServiceInput{Cluster: aws.String(s.Cluster), Service: aws.String(s.Name)}
	change(in)
	out, err := s.w.own.UpdateService(s.w.t.Context(), in)
	if err != nil {
		s.w.t.Fatal(err)
	}
	return *out.Service
}
