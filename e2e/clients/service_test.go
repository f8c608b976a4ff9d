//go:build e2e

package clients

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestAWSCLIService has the AWS CLI make a cluster and a service, and deploy.
func TestAWSCLIService(t *testing.T) {
	c := newCLI(t)
	client := ecs.NewFromConfig(config(c.w))
	register := func(image string) any {
		t.Helper()
		return at(c.ask("ecs", "register-task-definition", "--family", "web", "--requires-compatibilities", "FARGATE", "--network-mode", "awsvpc",
			"--cpu", "256", "--memory", "512", "--container-definitions", `[{"name":"web","image":"`+image+`"}]`), "taskDefinition", "taskDefinitionArn")
	}
	settled := func() any {
		t.Helper()
		c.until("a steady state", func(ctx context.Context) (bool, error) {
			out, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{"web"}})
			if err != nil {
				return false, err
			}
			deployments := out.Services[0].Deployments
			return len(deployments) == 1 && deployments[0].RolloutState == types.DeploymentRolloutStateCompleted, nil
		})
		return at(c.ask("ecs", "describe-services", "--cluster", "shop", "--services", "web"), "services", 0)
	}

	c.same("cluster", "ACTIVE", at(c.ask("ecs", "create-cluster", "--cluster-name", "shop"), "cluster", "status"))
	c.same("clusters", "arn:aws:ecs:eu-west-1:111122223333:cluster/shop", at(c.ask("ecs", "list-clusters"), "clusterArns", 2))
	first := register("registry.example.com/web:1.0.0")
	c.ask("ecs", "create-service", "--cluster", "shop", "--service-name", "web", "--task-definition", "web", "--desired-count", "1", "--launch-type", "FARGATE",
		"--network-configuration", "awsvpcConfiguration={subnets=[subnet-1],securityGroups=[sg-1]}")
	c.same("task definition", first, at(settled(), "taskDefinition"))

	second := register("registry.example.com/web:2.0.0")
	updated := c.ask("ecs", "update-service", "--cluster", "shop", "--service", "web", "--task-definition", second.(string))
	c.same("task definition of the PRIMARY", second, at(updated, "service", "deployments", 0, "taskDefinition"))
	c.same("task definition", second, at(settled(), "taskDefinition"))
	began := time.Now()
	c.ask("ecs", "wait", "services-stable", "--cluster", "shop", "--services", "web")
	if took := time.Since(began); took > 14*time.Second {
		t.Errorf("a stable service was waited for during %s", took)
	}

	deployments, _ := c.ask("ecs", "list-service-deployments", "--cluster", "shop", "--service", "web")["serviceDeployments"].([]any)
	c.same("service deployments", 2, len(deployments))
	c.same("status", "SUCCESSFUL", at(deployments, 0, "status"))
	// Version 1 of the CLI prints the number as it came, version 2 a date.
	if finished, ok := at(deployments, 0, "finishedAt").(float64); ok && time.Since(time.Unix(int64(finished), 0)) > time.Hour {
		t.Errorf("finishedAt %v", finished)
	}
	tasks, _ := c.ask("ecs", "list-tasks", "--cluster", "shop", "--service-name", "web")["taskArns"].([]any)
	c.same("tasks", 1, len(tasks))
	c.same("task", "RUNNING", at(c.ask("ecs", "describe-tasks", "--cluster", "shop", "--tasks", at(tasks, 0).(string)), "tasks", 0, "lastStatus"))
	c.refused("(ClientException) when calling the UpdateService operation: TaskDefinition not found.",
		"ecs", "update-service", "--cluster", "shop", "--service", "web", "--task-definition", "web:9")
}
