package controlplane_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestErrors asks for what ECS refuses, in a cluster with a service "service1"
// of one task, an inactive revision "old:1" and an empty cluster "empty".
func TestErrors(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(8080)}}
		}))
		c, ctx := w.ECS(), t.Context()
		cluster, service := aws.String("cluster1"), aws.String("service1")
		must := func(_ any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(c.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("empty")}))
		must(c.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{Family: aws.String("old"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("c"), Image: aws.String("i")}}}))
		must(c.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("old:1")}))
		done := newest(t, w, s)
		create := func(change func(*ecs.CreateServiceInput)) error {
			in := &ecs.CreateServiceInput{Cluster: cluster, ServiceName: aws.String("other"), TaskDefinition: aws.String("service1"), DesiredCount: aws.Int32(0)}
			change(in)
			_, err := c.CreateService(ctx, in)
			return err
		}
		update := func(change func(*ecs.UpdateServiceInput)) error {
			in := &ecs.UpdateServiceInput{Cluster: cluster, Service: service}
			change(in)
			_, err := c.UpdateService(ctx, in)
			return err
		}
		failure := func(_ any, err error) error { return err }
		balancer := func(container string, port int32) []types.LoadBalancer {
			return []types.LoadBalancer{{TargetGroupArn: aws.String("arn:tg"), ContainerName: &container, ContainerPort: &port}}
		}

		for name, e := range map[string]struct {
			err           error
			code, message string // any message if empty
		}{
			"no such cluster, describe":    {failure(c.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String("x"), Services: []string{"s"}})), "ClusterNotFoundException", "Cluster not found."},
			"no such cluster, update":      {update(func(in *ecs.UpdateServiceInput) { in.Cluster = aws.String("x") }), "ClusterNotFoundException", "Cluster not found."},
			"no default cluster":           {failure(c.ListTasks(ctx, &ecs.ListTasksInput{})), "ClusterNotFoundException", "Cluster not found."},
			"no services named":            {failure(c.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: cluster, Services: []string{}})), "InvalidParameterException", "Services cannot be empty."},
			"too many services":            {failure(c.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: cluster, Services: make([]string, 11)})), "InvalidParameterException", ""},
			"no such service, update":      {update(func(in *ecs.UpdateServiceInput) { in.Service = aws.String("x") }), "ServiceNotFoundException", "Service not found."},
			"no such service, deployments": {failure(c.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: cluster, Service: aws.String("x")})), "ServiceNotFoundException", "Service not found."},
			"no such service, tasks":       {failure(c.ListTasks(ctx, &ecs.ListTasksInput{Cluster: cluster, ServiceName: aws.String("x")})), "ServiceNotFoundException", "Service not found."},
			"no such task definition":      {failure(c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("x:1")})), "ClientException", "Unable to describe task definition."},
			"no such revision":             {failure(c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("service1:9")})), "ClientException", "Unable to describe task definition."},
			"all inactive":                 {failure(c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("old")})), "ClientException", "Unable to describe task definition."},
			"no number":                    {failure(c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("service1:foo")})), "InvalidParameterException", "Invalid revision number. Number: foo"},
			"update, unknown definition":   {update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String("x") }), "ClientException", "TaskDefinition not found."},
			"update, inactive definition":  {update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String("old:1") }), "ClientException", "TaskDefinition is inactive"},
			"update, no such container":    {update(func(in *ecs.UpdateServiceInput) { in.LoadBalancers = balancer("x", 1) }), "InvalidParameterException", "The container x does not exist in the task definition."},
			"update, no such port":         {update(func(in *ecs.UpdateServiceInput) { in.LoadBalancers = balancer("service1", 443) }), "InvalidParameterException", "The container service1 did not have a container port 443 defined."},
			"update, negative count":       {update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(-1) }), "InvalidParameterException", ""},
			"create, exists":               {create(func(in *ecs.CreateServiceInput) { in.ServiceName = service }), "InvalidParameterException", "Creation of service was not idempotent."},
			"create, bad name":             {create(func(in *ecs.CreateServiceInput) { in.ServiceName = aws.String("a b") }), "InvalidParameterException", ""},
			"create, no count":             {create(func(in *ecs.CreateServiceInput) { in.DesiredCount = nil }), "InvalidParameterException", ""},
			"create, daemon":               {create(func(in *ecs.CreateServiceInput) { in.SchedulingStrategy = types.SchedulingStrategyDaemon }), "InvalidParameterException", ""},
			"create, inactive definition":  {create(func(in *ecs.CreateServiceInput) { in.TaskDefinition = aws.String("old:1") }), "ClientException", "TaskDefinition is inactive"},
			"create, external controller": {create(func(in *ecs.CreateServiceInput) {
				in.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
			}), "UnsupportedFeatureException", ""},
			"create, threshold out of range": {create(func(in *ecs.CreateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{ThresholdConfiguration: &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 101}}}
			}), "InvalidParameterException", ""},
			"delete, scaled above 0":       {failure(c.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: cluster, Service: service})), "InvalidParameterException", "The service cannot be stopped while it is scaled above 0."},
			"delete cluster with services": {failure(c.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: cluster})), "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."},
			"run, inactive definition":     {failure(c.RunTask(ctx, &ecs.RunTaskInput{Cluster: cluster, TaskDefinition: aws.String("old:1")})), "InvalidParameterException", "TaskDefinition is inactive"},
			"run, too many":                {failure(c.RunTask(ctx, &ecs.RunTaskInput{Cluster: cluster, TaskDefinition: aws.String("service1"), Count: aws.Int32(11)})), "InvalidParameterException", ""},
			"run, no network":              {failure(c.RunTask(ctx, &ecs.RunTaskInput{Cluster: cluster, TaskDefinition: aws.String("service1")})), "InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
			"run, unknown container":       {failure(c.RunTask(ctx, &ecs.RunTaskInput{Cluster: cluster, TaskDefinition: aws.String("service1"), Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("x")}}}})), "InvalidParameterException", "Override for container named x is not a container in the TaskDefinition."},
			"tasks, no such":               {failure(c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: cluster, Tasks: []string{}})), "InvalidParameterException", "Tasks cannot be empty."},
			"tasks, too many":              {failure(c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: cluster, Tasks: make([]string, 101)})), "InvalidParameterException", ""},
			"tasks, startedBy not alone":   {failure(c.ListTasks(ctx, &ecs.ListTasksInput{Cluster: cluster, StartedBy: aws.String("x"), Family: aws.String("f")})), "InvalidParameterException", ""},
			"stop, no such task":           {failure(c.StopTask(ctx, &ecs.StopTaskInput{Cluster: cluster, Task: aws.String("x")})), "InvalidParameterException", "The referenced task was not found."},
			"page too large":               {failure(c.ListServices(ctx, &ecs.ListServicesInput{Cluster: cluster, MaxResults: aws.Int32(101)})), "InvalidParameterException", ""},
			"bad token":                    {failure(c.ListServices(ctx, &ecs.ListServicesInput{Cluster: cluster, NextToken: aws.String("x")})), "InvalidParameterException", ""},
			"stop, no such deployment":     {failure(c.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: aws.String("arn:aws:ecs:r:a:service-deployment/cluster1/service1/x")})), "ServiceDeploymentNotFoundException", ""},
			"stop, deployment is over":     {failure(c.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: done.ServiceDeploymentArn})), "ConflictException", ""},
			"stop, abort":                  {failure(c.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: done.ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeAbort})), "InvalidParameterException", ""},
			"tag, bad ARN":                 {failure(c.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: aws.String("x"), Tags: []types.Tag{}})), "InvalidParameterException", ""},
			"tag, reserved":                {failure(c.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: &s.ARN, Tags: []types.Tag{{Key: aws.String("AWS:x")}}})), "InvalidParameterException", ""},
			"tags, no such service":        {failure(c.ListTagsForResource(ctx, &ecs.ListTagsForResourceInput{ResourceArn: aws.String(s.ARN + "x")})), "ServiceNotFoundException", "Service not found."},
		} {
			api, ok := errors.AsType[smithy.APIError](e.err)
			if !ok || api.ErrorCode() != e.code || e.message != "" && api.ErrorMessage() != e.message {
				t.Errorf("%s: %v, want %s: %s", name, e.err, e.code, e.message)
			}
		}

		// What does not exist among things that may be asked for together.
		services, err := c.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: cluster, Services: []string{"x", "service1", s.ARN}})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "found and not", "2 found, arn:aws:ecs:ca-central-1:111122223333:service/cluster1/x MISSING",
			fmt.Sprintf("%d found, %s %s", len(services.Services), *services.Failures[0].Arn, *services.Failures[0].Reason))
		tasks, err := c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: cluster, Tasks: []string{"x", *s.Tasks()[0].TaskArn}})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "found and not", "1 found, arn:aws:ecs:ca-central-1:111122223333:task/cluster1/x MISSING",
			fmt.Sprintf("%d found, %s %s", len(tasks.Tasks), *tasks.Failures[0].Arn, *tasks.Failures[0].Reason))
		clusters, err := c.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{"x", "cluster1"}})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "found and not", "1 found with 1 service and 1 task, arn:aws:ecs:ca-central-1:111122223333:cluster/x MISSING",
			fmt.Sprintf("%d found with %d service and %d task, %s %s", len(clusters.Clusters), clusters.Clusters[0].ActiveServicesCount,
				clusters.Clusters[0].RunningTasksCount, *clusters.Failures[0].Arn, *clusters.Failures[0].Reason))
	})
}
