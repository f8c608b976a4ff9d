package sandbox

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// seedVersion is the version that every app of a new world runs.
const seedVersion = "1.0.0"

// seedAuthor makes the deployment repository's first commit.
func seedAuthor() gitserver.Person {
	return gitserver.Person{Name: "Sandbox", Email: "sandbox@example.com", At: time.Now()}
}

// seedApp is an app of the seeded world.
type seedApp struct {
	cluster, name string
	// protocol is that of its load balancer, if it has one.
	protocol dataplane.Protocol
	port     int32 // 0 for none
	// scheduled apps have a task definition, and no service.
	scheduled bool
	// deploys changes how its service is deployed; nil for a rolling update.
	deploys func(seedApp, Options, *ecs.CreateServiceInput)
	// hooks are the lifecycle hooks of its deployments, but for the first.
	hooks []types.DeploymentLifecycleHook
}

// seedApps are the apps of the article that Slipway comes from, and those of
// Options.Strategies.
func seedApps(o Options) []seedApp {
	var apps []seedApp
	for _, cluster := range articleClusters() {
		apps = append(apps,
			seedApp{cluster: cluster, name: "webapp1", protocol: dataplane.HTTP, port: 8080},
			seedApp{cluster: cluster, name: "tcpapp1", protocol: dataplane.TCP, port: 9000},
			seedApp{cluster: cluster, name: "service1"},
			seedApp{cluster: cluster, name: "batchapp1", scheduled: true},
		)
	}
	if o.Strategies {
		apps = append(apps, strategyApps()...)
	}
	return apps
}

func articleClusters() []string { return []string{"cluster1", "cluster2"} }

// seedClusters are those of seedApps.
func seedClusters(o Options) []string {
	if o.Strategies {
		return append(articleClusters(), strategyCluster)
	}
	return articleClusters()
}

// id is "cluster/app".
func (a seedApp) id() string { return a.cluster + "/" + a.name }

// family is the name of its task definition's family, and of its other
// resources in the account.
func (a seedApp) family() string { return a.cluster + "-" + a.name }

// targetGroup is the target group behind its load balancer. The health check is
// quicker than ELB's default and the delay shorter, as in most set-ups that
// deploy often.
func (a seedApp) targetGroup(o Options) dataplane.TargetGroup {
	return dataplane.TargetGroup{
		ARN:                 targetGroupARN(o, a.family()),
		Protocol:            a.protocol,
		HealthCheck:         dataplane.HealthCheck{Path: "/health", Interval: 10 * time.Second, HealthyThreshold: 3},
		DeregistrationDelay: 30 * time.Second,
	}
}

// targetGroupARN is the ARN of the target group of a name.
func targetGroupARN(o Options, name string) string {
	id := sha256.Sum256([]byte(name))
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/%x", o.Region, o.Account, name, id[:8])
}

// image is the app's image at a version.
func (a seedApp) image(o Options, version string) string {
	return fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s:%s", o.Account, o.Region, a.name, version)
}

// tags are on everything that belongs to the app.
func (a seedApp) tags() []types.Tag {
	return []types.Tag{
		{Key: aws.String("Environment"), Value: aws.String(a.cluster)},
		{Key: aws.String("Application"), Value: aws.String(a.name)},
	}
}

// taskDefinition is like those that the article's Terraform modules make.
func (a seedApp) taskDefinition(o Options) *ecs.RegisterTaskDefinitionInput {
	role := func(kind string) *string {
		return aws.String(fmt.Sprintf("arn:aws:iam::%s:role/%s-%s", o.Account, a.family(), kind))
	}
	container := types.ContainerDefinition{
		Name:      aws.String(a.name),
		Image:     aws.String(a.image(o, seedVersion)),
		Essential: aws.Bool(true),
		Environment: []types.KeyValuePair{
			{Name: aws.String("AWS_REGION"), Value: aws.String(o.Region)},
			{Name: aws.String("CLUSTER_NAME"), Value: aws.String(a.cluster)},
		},
		LogConfiguration: &types.LogConfiguration{
			LogDriver: types.LogDriverAwslogs,
			Options: map[string]string{
				"awslogs-group":         "/ecs/" + a.id(),
				"awslogs-region":        o.Region,
				"awslogs-stream-prefix": a.name,
			},
		},
	}
	if a.port != 0 {
		container.PortMappings = []types.PortMapping{{
			ContainerPort: aws.Int32(a.port), HostPort: aws.Int32(a.port), Protocol: types.TransportProtocolTcp,
		}}
	}
	return &ecs.RegisterTaskDefinitionInput{
		Family:                  aws.String(a.family()),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		NetworkMode:             types.NetworkModeAwsvpc,
		Cpu:                     aws.String("256"),
		Memory:                  aws.String("512"),
		ExecutionRoleArn:        role("execution"),
		TaskRoleArn:             role("task"),
		RuntimePlatform: &types.RuntimePlatform{
			CpuArchitecture: types.CPUArchitectureX8664, OperatingSystemFamily: types.OSFamilyLinux,
		},
		ContainerDefinitions: []types.ContainerDefinition{container},
		Tags:                 a.tags(),
	}
}

// network is where the app's tasks run.
func (a seedApp) network() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets:        []string{"subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"},
		SecurityGroups: []string{"sg-0a1b2c3d4e5f60001"},
		AssignPublicIp: types.AssignPublicIpDisabled,
	}}
}

// service runs two tasks of the app's task definition, and rolls a deployment
// back whose tasks do not start or are not healthy.
func (a seedApp) service(o Options) *ecs.CreateServiceInput {
	in := &ecs.CreateServiceInput{
		Cluster:        aws.String(a.cluster),
		ServiceName:    aws.String(a.name),
		TaskDefinition: aws.String(a.family()),
		DesiredCount:   aws.Int32(2),
		LaunchType:     types.LaunchTypeFargate,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent:    aws.Int32(100),
			MaximumPercent:           aws.Int32(200),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
		NetworkConfiguration: a.network(),
		PropagateTags:        types.PropagateTagsService,
		Tags:                 a.tags(),
	}
	if a.protocol != "" {
		in.LoadBalancers = []types.LoadBalancer{{
			TargetGroupArn: aws.String(a.targetGroup(o).ARN), ContainerName: aws.String(a.name), ContainerPort: aws.Int32(a.port),
		}}
		// Longer than a -slow image needs: it deploys well, in its own time.
		in.HealthCheckGracePeriodSeconds = aws.Int32(120)
	}
	if a.deploys != nil {
		a.deploys(a, o, in)
	}
	return in
}

// revisionFile is the app's revision.json, as CodePipeline's image definitions
// file.
func (a seedApp) revisionFile(o Options) []byte {
	return fmt.Appendf(nil, "[{\"name\": %q, \"imageUri\": %q}]\n", a.name, a.image(o, seedVersion))
}
