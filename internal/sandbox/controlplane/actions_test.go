package controlplane_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

func TestServiceReadBack(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		_, answer := post(t, w, "DescribeServices", `{"cluster": "cluster1", "services": ["webapp1"]}`)
		d := answer["services"].([]any)[0].(map[string]any)
		// What a service created with defaults reads back, as seen in July 2026.
		same(t, "deployment configuration", any(map[string]any{
			"strategy": "ROLLING", "maximumPercent": json.Number("200"), "minimumHealthyPercent": json.Number("100"), "bakeTimeInMinutes": json.Number("0"),
			"alarms": map[string]any{"alarmNames": []any{}, "rollback": false, "enable": false},
			"deploymentCircuitBreaker": map[string]any{
				"enable": false, "rollback": false, "resetOnHealthyTask": true,
				"thresholdConfiguration": map[string]any{"type": "BOUNDED_PERCENT", "value": json.Number("50")},
			},
		}), d["deploymentConfiguration"])
		for member, want := range map[string]any{
			"status": "ACTIVE", "launchType": "FARGATE", "schedulingStrategy": "REPLICA", "platformVersion": "LATEST",
			"deploymentController": map[string]any{"type": "ECS"}, "propagateTags": "NONE", "enableECSManagedTags": false,
			"enableExecuteCommand": false, "pendingCount": json.Number("0"), "runningCount": json.Number("1"), "healthCheckGracePeriodSeconds": json.Number("0"),
			"placementConstraints": []any{}, "placementStrategy": []any{}, "serviceRegistries": []any{}, "availabilityZoneRebalancing": "ENABLED",
			"clusterArn":     "arn:aws:ecs:ca-central-1:111122223333:cluster/cluster1",
			"serviceArn":     "arn:aws:ecs:ca-central-1:111122223333:service/cluster1/webapp1",
			"taskDefinition": "arn:aws:ecs:ca-central-1:111122223333:task-definition/webapp1:1",
		} {
			same(t, member, want, d[member])
		}
		if _, found := d["tags"]; found {
			t.Error("tags without being asked for")
		}
		if n, err := d["createdAt"].(json.Number).Float64(); err != nil || n < 9e8 || n > 9e9 {
			t.Errorf("createdAt %v is not in epoch seconds", d["createdAt"])
		}
	})
}

func TestTags(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.Create(func(in *ecs.CreateServiceInput) {
			in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}
			in.PropagateTags = types.PropagateTagsService
		}))
		client, ctx := w.ECS(), t.Context()
		read := func(arn string) map[string]string {
			out, err := client.ListTagsForResource(ctx, &ecs.ListTagsForResourceInput{ResourceArn: &arn})
			if err != nil {
				t.Fatal(err)
			}
			tags := map[string]string{}
			for _, tag := range out.Tags {
				tags[*tag.Key] = aws.ToString(tag.Value)
			}
			return tags
		}
		task := *s.Tasks()[0].TaskArn
		same(t, "propagated to the task", map[string]string{"team": "shop"}, read(task))
		for _, arn := range []string{s.ARN, s.TaskDefinition, task, "arn:aws:ecs:ca-central-1:111122223333:cluster/cluster1"} {
			before := read(arn)
			_, err := client.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{
				{Key: aws.String("team"), Value: aws.String("other")}, {Key: aws.String("x"), Value: aws.String("1")},
			}})
			if err != nil {
				t.Fatal(err)
			}
			same(t, arn, map[string]string{"team": "other", "x": "1"}, read(arn))
			if _, err := client.UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"x"}}); err != nil {
				t.Fatal(err)
			}
			before["team"] = "other"
			same(t, arn, before, read(arn))
		}
		same(t, "described", "other", *s.Describe().Tags[0].Value)
	})
}

func TestStopTask(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t, sandboxtest.DeregistrationDelay(30*time.Second))
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.CircuitBreaker(true))
		st := tell(t, s)
		st.until(st.at(time.Second))
		client, ctx := w.ECS(), t.Context()
		out, err := client.StopTask(ctx, &ecs.StopTaskInput{Cluster: &s.Cluster, Task: s.Tasks()[0].TaskArn})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "desired status", "STOPPED", *out.Task.DesiredStatus)

		seen := []string{}
		for range 180 { // twice as often as the shortest status lasts
			tasks, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &s.Cluster, Tasks: []string{*out.Task.TaskArn}})
			if err != nil {
				t.Fatal(err)
			}
			if status := *tasks.Tasks[0].LastStatus; len(seen) == 0 || seen[len(seen)-1] != status {
				seen = append(seen, status)
			}
			sleep(time.Second / 2)
		}
		same(t, "statuses", []string{"DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"}, seen)
		same(t, "stopped", []string{"T1 of D1: UserInitiated: Task stopped by user (0)"}, st.stopped())
		same(t, "replaced by its own deployment", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
		same(t, "events", []string{
			") deregistered 1 targets in (target-group GROUP)",
			", taskSet D1) has begun draining connections on 1 tasks.",
			") has started 1 tasks: (task T2).",
			") registered 1 targets in (target-group GROUP)",
			") has reached a steady state.",
		}, st.events())

		// An hour later the stopped task is forgotten.
		st.pace = time.Minute
		st.until(st.at(70 * time.Minute))
		same(t, "tasks", 1, len(s.Tasks()))
	})
}

func TestUnhealthyTaskIsReplaced(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.DesiredCount(2))
		st := tell(t, s)
		tasks := s.Tasks()
		w.Exit(lastPart(*tasks[0].TaskArn), "service1", 137)
		st.until(st.at(5 * time.Minute))
		same(t, "events", []string{") has started 1 tasks: (task T3).", ") has reached a steady state."}, st.events())
		same(t, "stopped", []string{"T1 of D1: EssentialContainerExited: Essential container in task exited (137)"}, st.stopped())
		same(t, "deployments", "D1 PRIMARY COMPLETED 2/0/2", st.deployments(s.Describe()))
	})
}

func TestServicesStableWaiter(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.CircuitBreaker(true))
		client, ctx := w.ECS(), t.Context()
		in := &ecs.DescribeServicesInput{Cluster: &s.Cluster, Services: []string{s.Name}}
		// It takes a rollback for success, which is why it must not judge.
		for _, image := range []string{"registry.example.com/webapp1:2.0.0", "registry.example.com/webapp1:3.0.0-crash"} {
			s.Deploy(image)
			began := time.Now()
			if err := ecs.NewServicesStableWaiter(client).Wait(ctx, in, time.Hour); err != nil {
				t.Fatalf("%s: %v", image, err)
			}
			if took := time.Since(began); took < 5*time.Minute {
				t.Errorf("%s: stable after %s", image, took)
			}
		}
		in.Services = []string{"missing"}
		if err := ecs.NewServicesStableWaiter(client).Wait(ctx, in, time.Hour); err == nil {
			t.Error("a missing service is stable")
		}
	})
}

func TestDeleteServiceAndCluster(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		client, ctx := w.ECS(), t.Context()
		out, err := client.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: &s.Cluster, Service: &s.Name, Force: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "status", "DRAINING", *out.Service.Status)
		recreate := func() error {
			_, err := client.CreateService(ctx, &ecs.CreateServiceInput{
				Cluster: &s.Cluster, ServiceName: &s.Name, TaskDefinition: &s.TaskDefinition, DesiredCount: aws.Int32(0),
			})
			return err
		}
		if err := recreate(); err == nil || !strings.Contains(err.Error(), "Unable to Start a service that is still Draining.") {
			t.Errorf("created while draining: %v", err)
		}
		_, err = client.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &s.Cluster, Service: &s.Name, DesiredCount: aws.Int32(1)})
		if err == nil || !strings.Contains(err.Error(), "ServiceNotActiveException: Service was not ACTIVE.") {
			t.Errorf("updated while draining: %v", err)
		}
		began := time.Now()
		in := &ecs.DescribeServicesInput{Cluster: &s.Cluster, Services: []string{s.Name}}
		if err := ecs.NewServicesInactiveWaiter(client).Wait(ctx, in, time.Hour); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 5*time.Minute {
			t.Errorf("inactive after %s, with connections to drain for 5 minutes", took)
		}
		d := s.Describe()
		same(t, "deployments", 0, len(d.Deployments))
		same(t, "running", int32(0), d.RunningCount)
		list, err := client.ListServices(ctx, &ecs.ListServicesInput{Cluster: &s.Cluster})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "listed", []string{}, list.ServiceArns)
		if err := recreate(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: &s.Cluster, Service: &s.Name}); err != nil {
			t.Fatal(err)
		}
		deleted, err := client.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: &s.Cluster})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "cluster", "INACTIVE", *deleted.Cluster.Status)
	})
}

func TestListServicesInPages(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		var want []string
		for _, letter := range "abcdefghijklm" {
			w.Service("cluster1", string(letter), sandboxtest.DesiredCount(0))
			want = append(want, string(letter))
		}
		pages := ecs.NewListServicesPaginator(w.ECS(), &ecs.ListServicesInput{Cluster: aws.String("cluster1")})
		var got []string
		sizes := []int{}
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(page.ServiceArns))
			for _, arn := range page.ServiceArns {
				got = append(got, lastPart(arn))
			}
		}
		same(t, "services", want, got)
		same(t, "page sizes", []int{10, 3}, sizes)
	})
}

func TestServiceRevisions(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		arn := *s.Describe().CurrentServiceRevisions[0].Arn
		if !strings.HasPrefix(arn, "arn:aws:ecs:ca-central-1:111122223333:service-revision/cluster1/webapp1/") {
			t.Errorf("ARN %s", arn)
		}
		out, err := w.ECS().DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{arn, arn + "0"}})
		if err != nil {
			t.Fatal(err)
		}
		r := out.ServiceRevisions[0]
		same(t, "task definition", s.TaskDefinition, *r.TaskDefinition)
		same(t, "target group", s.TargetGroup, *r.LoadBalancers[0].TargetGroupArn)
		same(t, "image", "registry.example.com/webapp1:1.0.0", *r.ContainerImages[0].Image)
		same(t, "digest", *s.Tasks()[0].Containers[0].ImageDigest, *r.ContainerImages[0].ImageDigest)
		same(t, "failure", "MISSING", *out.Failures[0].Reason)
	})
}
