//go:build e2e

package aws

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
)

// empty removes what a sandbox is seeded with: Terraform is to make it.
func (a *anAccount) empty(t *testing.T) {
	t.Helper()
	a.emptySchedules(t)
	check := checker(t)
	repositories := codecommit.NewFromConfig(a.aws)
	listed, err := repositories.ListRepositories(t.Context(), &codecommit.ListRepositoriesInput{})
	check(err)
	for _, repository := range listed.Repositories {
		_, err := repositories.DeleteRepository(t.Context(), &codecommit.DeleteRepositoryInput{RepositoryName: repository.RepositoryName})
		check(err)
	}
	deploy := codedeploy.NewFromConfig(a.aws)
	applications, err := deploy.ListApplications(t.Context(), &codedeploy.ListApplicationsInput{})
	check(err)
	for _, application := range applications.Applications {
		_, err := deploy.DeleteApplication(t.Context(), &codedeploy.DeleteApplicationInput{ApplicationName: &application})
		check(err)
	}
	a.emptyClusters(t)
	if left := a.left(t); len(left) > 0 {
		t.Fatalf("the account is not empty: %v", left)
	}
}

// checker ends the test at an error.
func checker(t *testing.T) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (a *anAccount) emptySchedules(t *testing.T) {
	t.Helper()
	check := checker(t)
	ctx := t.Context()
	rules := eventbridge.NewFromConfig(a.aws)
	listed, err := rules.ListRules(ctx, &eventbridge.ListRulesInput{})
	check(err)
	for _, rule := range listed.Rules {
		targets, err := rules.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: rule.Name})
		check(err)
		for _, target := range targets.Targets {
			_, err := rules.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: rule.Name, Ids: []string{*target.Id}})
			check(err)
		}
		_, err = rules.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: rule.Name})
		check(err)
	}
	schedules := scheduler.NewFromConfig(a.aws)
	all, err := schedules.ListSchedules(ctx, &scheduler.ListSchedulesInput{})
	check(err)
	for _, schedule := range all.Schedules {
		_, err := schedules.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: schedule.Name, GroupName: schedule.GroupName})
		check(err)
	}
}

func (a *anAccount) emptyClusters(t *testing.T) {
	t.Helper()
	check := checker(t)
	ctx := t.Context()
	client := ecs.NewFromConfig(a.aws)
	clusters, err := client.ListClusters(ctx, &ecs.ListClustersInput{})
	check(err)
	for _, cluster := range clusters.ClusterArns {
		services, err := client.ListServices(ctx, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)})
		check(err)
		for _, service := range services.ServiceArns {
			_, err := client.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: &cluster, Service: &service, Force: aws.Bool(true)})
			check(err)
		}
		eventually(t, "the tasks of "+cluster+" are gone", func() (bool, error) {
			out, err := client.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &cluster})
			if err != nil || len(out.TaskArns) > 0 {
				return false, err
			}
			left, err := client.ListServices(ctx, &ecs.ListServicesInput{Cluster: &cluster})
			return err == nil && len(left.ServiceArns) == 0, err
		})
		_, err = client.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: &cluster})
		check(err)
	}
}

// left is what is in the sandbox's part of the account, but for task definitions
// and for logs, which outlive what wrote them.
func (a *anAccount) left(t *testing.T) (names []string) {
	t.Helper()
	check := checker(t)
	ctx := t.Context()
	clusters, err := ecs.NewFromConfig(a.aws).ListClusters(ctx, &ecs.ListClustersInput{})
	check(err)
	names = append(names, clusters.ClusterArns...)
	rules, err := eventbridge.NewFromConfig(a.aws).ListRules(ctx, &eventbridge.ListRulesInput{})
	check(err)
	for _, rule := range rules.Rules {
		names = append(names, *rule.Arn)
	}
	repositories, err := codecommit.NewFromConfig(a.aws).ListRepositories(ctx, &codecommit.ListRepositoriesInput{})
	check(err)
	for _, repository := range repositories.Repositories {
		names = append(names, "repository "+*repository.RepositoryName)
	}
	names = append(names, a.delivery(t)...)
	slices.Sort(names)
	return names
}
