package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// byCodeDeploy makes webapp1 of cluster1 anew, as a service that CodeDeploy deploys
// as a canary between its two target groups.
func byCodeDeploy(t *testing.T, w *sandbox.World, c *ecs.Client, d *codedeploy.Client) {
	t.Helper()
	ctx, routing := t.Context(), w.Endpoints().Routing["cluster1/webapp1"]
	old := until(t, c, "cluster1", "webapp1", completed)
	if _, err := c.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), Force: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	until(t, c, "cluster1", "webapp1", func(s types.Service) bool { return *s.Status == "INACTIVE" })
	if _, err := c.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String("cluster1"), ServiceName: aws.String("webapp1"), TaskDefinition: old.TaskDefinition, DesiredCount: aws.Int32(2),
		DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy},
		LoadBalancers:        old.LoadBalancers, NetworkConfiguration: old.NetworkConfiguration,
	}); err != nil {
		t.Fatal(err)
	}
	until(t, c, "cluster1", "webapp1", func(s types.Service) bool {
		return s.TaskSets[0].StabilityStatus == types.StabilityStatusSteadyState
	})
	if _, err := d.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("shop"), ComputePlatform: deploytypes.ComputePlatformEcs}); err != nil {
		t.Fatal(err)
	}
	name := func(arn string) *string { return aws.String(strings.Split(arn, "/")[1]) }
	if _, err := d.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("webapp1"), ServiceRoleArn: aws.String("arn:aws:iam::111122223333:role/deploy"),
		DeploymentConfigName: aws.String("CodeDeployDefault.ECSCanary10Percent5Minutes"),
		EcsServices:          []deploytypes.ECSService{{ClusterName: aws.String("cluster1"), ServiceName: aws.String("webapp1")}},
		LoadBalancerInfo: &deploytypes.LoadBalancerInfo{TargetGroupPairInfoList: []deploytypes.TargetGroupPairInfo{{
			TargetGroups:     []deploytypes.TargetGroupInfo{{Name: name(routing.TargetGroup)}, {Name: name(routing.AlternateTargetGroup)}},
			ProdTrafficRoute: &deploytypes.TrafficRoute{ListenerArns: []string{routing.ProductionListenerRule}},
			TestTrafficRoute: &deploytypes.TrafficRoute{ListenerArns: []string{routing.TestListenerRule}},
		}}},
		BlueGreenDeploymentConfiguration: &deploytypes.BlueGreenDeploymentConfiguration{
			TerminateBlueInstancesOnDeploymentSuccess: &deploytypes.BlueInstanceTerminationOption{
				Action: deploytypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: 5,
			},
		},
	}); err != nil {
		t.Fatal(err)
	}
}

// A CodeDeploy deployment moves real requests from one target group to the other,
// none of which fails; a restart in the middle of it changes nothing.
func TestCodeDeployWithTraffic(t *testing.T) {
	options := sandbox.Options{Dir: t.TempDir(), TimeScale: 100}
	w := open(t, options)
	deploys := func() *codedeploy.Client {
		return codedeploy.New(codedeploy.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String(w.Endpoints().AWS), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		})
	}
	c, d := client(w), deploys()
	byCodeDeploy(t, w, c, d)
	production := w.Endpoints().LoadBalancers["cluster1/webapp1"]
	stop := traffic(t, production)

	service := until(t, c, "cluster1", "webapp1", func(types.Service) bool { return true })
	old, err := c.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: service.TaskDefinition})
	if err != nil {
		t.Fatal(err)
	}
	td := old.TaskDefinition
	td.ContainerDefinitions[0].Image = aws.String("111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:2.0.0")
	made, err := c.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: td.Family, ContainerDefinitions: td.ContainerDefinitions, Cpu: td.Cpu, Memory: td.Memory,
		NetworkMode: td.NetworkMode, RequiresCompatibilities: td.RequiresCompatibilities,
	})
	if err != nil {
		t.Fatal(err)
	}
	content := fmt.Sprintf("version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: %q\n        LoadBalancerInfo:\n          ContainerName: webapp1\n          ContainerPort: 8080\n",
		*made.TaskDefinition.TaskDefinitionArn)
	out, err := d.CreateDeployment(t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("webapp1"),
		Revision: &deploytypes.RevisionLocation{
			RevisionType: deploytypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &deploytypes.AppSpecContent{Content: &content},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	come := func(event string) {
		t.Helper()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
			target, err := d.GetDeploymentTarget(t.Context(), &codedeploy.GetDeploymentTargetInput{DeploymentId: out.DeploymentId, TargetId: aws.String("cluster1:webapp1")})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(target.DeploymentTarget.EcsTarget.LifecycleEvents, func(e deploytypes.LifecycleEvent) bool {
				return *e.LifecycleEventName == event && e.Status != deploytypes.LifecycleEventStatusPending
			}) {
				return
			}
		}
		t.Fatalf("%s did not come", event)
	}
	come("AllowTraffic")
	if got := versions(t, w.Endpoints().Routing["cluster1/webapp1"].Test); got != "map[2.0.0:40]" {
		t.Errorf("the test listener answers %s", got)
	}
	for answer, n := range stop() {
		if !strings.HasPrefix(answer, "webapp1 ") {
			t.Errorf("%d × %s", n, answer)
		}
	}
	if got := versions(t, production); got != "map[1.0.0:36 2.0.0:4]" {
		t.Errorf("the canary: production answers %s", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, options)
	d = deploys()
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		got, err := d.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: out.DeploymentId})
		if err != nil {
			t.Fatal(err)
		}
		if got.DeploymentInfo.Status == deploytypes.DeploymentStatusSucceeded {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the restart: %+v", got.DeploymentInfo)
		}
	}
	production = w.Endpoints().LoadBalancers["cluster1/webapp1"]
	if got := versions(t, production); got != "map[2.0.0:40]" {
		t.Errorf("at the end production answers %s", got)
	}
	if code, _, err := get(t.Context(), production); err != nil || code != http.StatusOK {
		t.Error(code, err)
	}
}
