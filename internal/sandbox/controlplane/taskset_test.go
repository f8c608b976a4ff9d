package controlplane_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// sets are the service's task sets, newest first.
func sets(s *sandboxtest.Service) []types.TaskSet { return s.Describe().TaskSets }

func TestTaskSets(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.DesiredCount(3), sandboxtest.ByCodeDeploy())
		client, ctx := w.ECS(), t.Context()
		cluster, name := aws.String("cluster1"), aws.String("webapp1")
		described := s.Describe()
		first := described.TaskSets[0]
		if len(described.Deployments) != 0 || described.RunningCount != 3 || first.RunningCount != 3 || first.ComputedDesiredCount != 3 || first.ExternalId != nil {
			t.Fatalf("at first: %d running, %+v", described.RunningCount, first)
		}
		if _, err := client.DeleteTaskSet(ctx, &ecs.DeleteTaskSetInput{Cluster: cluster, Service: name, TaskSet: first.Id, Force: aws.Bool(true)}); err == nil {
			t.Error("the primary task set is deleted")
		}

		// A half of the service, beside it.
		made, err := client.CreateTaskSet(ctx, &ecs.CreateTaskSetInput{
			Cluster: cluster, Service: name, TaskDefinition: first.TaskDefinition, LoadBalancers: first.LoadBalancers,
			NetworkConfiguration: first.NetworkConfiguration, Scale: &types.Scale{Unit: types.ScaleUnitPercent, Value: 50},
		})
		if err != nil {
			t.Fatal(err)
		}
		if made.TaskSet.StabilityStatus != types.StabilityStatusStabilizing || made.TaskSet.ComputedDesiredCount != 2 {
			t.Errorf("made %+v", made.TaskSet)
		}
		<-time.After(3 * time.Minute)
		if all := sets(s); all[0].RunningCount != 2 || all[0].StabilityStatus != types.StabilityStatusSteadyState || *all[0].Status != "ACTIVE" {
			t.Errorf("after three minutes: %+v", all[0])
		}

		// A task of it that ends is replaced by one of its own.
		for _, task := range s.Tasks() {
			if *task.StartedBy == *made.TaskSet.Id {
				w.Exit((*task.TaskArn)[len(*task.TaskArn)-32:], "webapp1", 1)
				break
			}
		}
		<-time.After(10 * time.Second)
		if all := sets(s); all[0].StabilityStatus != types.StabilityStatusStabilizing || all[1].StabilityStatus != types.StabilityStatusSteadyState {
			t.Errorf("after an exit: %s and %s", all[0].StabilityStatus, all[1].StabilityStatus)
		}
		w.Restart()
		<-time.After(3 * time.Minute)
		if all := sets(s); all[0].StabilityStatus != types.StabilityStatusSteadyState || all[0].RunningCount != 2 {
			t.Errorf("after its replacement, and a restart: %+v", all[0])
		}

		if _, err := client.UpdateServicePrimaryTaskSet(ctx, &ecs.UpdateServicePrimaryTaskSetInput{Cluster: cluster, Service: name, PrimaryTaskSet: made.TaskSet.Id}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteTaskSet(ctx, &ecs.DeleteTaskSetInput{Cluster: cluster, Service: name, TaskSet: first.TaskSetArn}); err == nil {
			t.Error("a task set with tasks is deleted without force")
		}
		if _, err := client.DeleteTaskSet(ctx, &ecs.DeleteTaskSetInput{Cluster: cluster, Service: name, TaskSet: first.TaskSetArn, Force: aws.Bool(true)}); err != nil {
			t.Fatal(err)
		}
		if all := sets(s); *all[0].Status != "PRIMARY" || *all[1].Status != "DRAINING" || all[1].Scale.Value != 0 {
			t.Errorf("after the change: %+v", all)
		}
		if _, err := client.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: cluster, Service: name, DesiredCount: aws.Int32(4)}); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		if out, err := client.DescribeTaskSets(ctx, &ecs.DescribeTaskSetsInput{Cluster: cluster, Service: name}); err != nil || len(out.TaskSets) != 1 ||
			out.TaskSets[0].RunningCount != 2 {
			t.Errorf("half of four: %+v, %v", out, err)
		}

		if _, err := client.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: cluster, Service: name, Force: aws.Bool(true)}); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		if d := s.Describe(); *d.Status != "INACTIVE" || d.RunningCount != 0 {
			t.Errorf("deleted: %s with %d", *d.Status, d.RunningCount)
		}
	})
}
