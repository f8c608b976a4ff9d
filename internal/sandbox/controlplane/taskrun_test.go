package controlplane_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// job registers a task definition with a log configuration and returns how it is
// run.
func job(t *testing.T, w *sandboxtest.World, image string) *ecs.RunTaskInput {
	t.Helper()
	client, ctx := w.ECS(), t.Context()
	if _, err := client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("cluster1")}); err != nil {
		t.Fatal(err)
	}
	registered, err := client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("batch"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("batch"), Image: &image,
			LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/ecs/batch", "awslogs-region": sandboxtest.Region, "awslogs-stream-prefix": "nightly",
			}},
		}},
		Tags: []types.Tag{{Key: aws.String("owner"), Value: aws.String("batch")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &ecs.RunTaskInput{
		Cluster: aws.String("cluster1"), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn, LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	}
}

// finished lets a task end and describes it.
func finished(t *testing.T, w *sandboxtest.World, id string) types.Task {
	t.Helper()
	in := &ecs.DescribeTasksInput{Cluster: aws.String("cluster1"), Tasks: []string{id}, Include: []types.TaskField{types.TaskFieldTags}}
	if err := ecs.NewTasksStoppedWaiter(w.ECS()).Wait(t.Context(), in, 30*time.Minute); err != nil {
		t.Fatal(err)
	}
	out, err := w.ECS().DescribeTasks(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Tasks[0]
}

// printed are the lines of a task's log.
func printed(t *testing.T, w *sandboxtest.World, task types.Task) (lines []string) {
	t.Helper()
	out, err := w.Logs().GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String("/ecs/batch"), LogStreamName: aws.String("nightly/batch/" + lastPart(*task.TaskArn)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range out.Events {
		lines = append(lines, *event.Message)
	}
	return lines
}

// TestRunTask: a task that no service started ends by itself, as its image's tag
// says, and tells so.
func TestRunTask(t *testing.T) {
	for image, want := range map[string]struct {
		code  int32
		lines []string
	}{
		"registry.example.com/batch:1":       {0, []string{"batch:1 started", "done"}},
		"registry.example.com/batch:1-slow":  {0, []string{"batch:1-slow started", "warming up: ready in 1m30s", "done"}},
		"registry.example.com/batch:1-crash": {1, []string{"batch:1-crash started", "error: batch:1-crash cannot go on: its tag says crash", "exiting with status 1"}},
	} {
		inBubble(image, t, func(t *testing.T) {
			w := sandboxtest.New(t)
			in := job(t, w, image)
			in.StartedBy, in.PropagateTags = aws.String("somebody"), types.PropagateTagsTaskDefinition
			in.Overrides = &types.TaskOverride{Cpu: aws.String("512"), ContainerOverrides: []types.ContainerOverride{{Name: aws.String("batch"), Command: []string{"x"}}}}
			in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
			out, err := w.ECS().RunTask(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "status", "PROVISIONING", *out.Tasks[0].LastStatus)
			same(t, "group", "family:batch", *out.Tasks[0].Group)
			task := finished(t, w, *out.Tasks[0].TaskArn)
			same(t, "exit code", want.code, aws.ToInt32(task.Containers[0].ExitCode))
			same(t, "stop code", types.TaskStopCodeEssentialContainerExited, task.StopCode)
			same(t, "reason", "Essential container in task exited", *task.StoppedReason)
			same(t, "startedBy", "somebody", *task.StartedBy)
			same(t, "cpu", "512", *task.Cpu)
			same(t, "command", []string{"x"}, task.Overrides.ContainerOverrides[0].Command)
			same(t, "tags", 2, len(task.Tags))
			same(t, "printed", want.lines, printed(t, w, task))
		})
	}
	inBubble("missing", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		out, err := w.ECS().RunTask(t.Context(), job(t, w, "registry.example.com/batch:1-missing"))
		if err != nil {
			t.Fatal(err)
		}
		task := finished(t, w, *out.Tasks[0].TaskArn)
		same(t, "stop code", types.TaskStopCodeTaskFailedToStart, task.StopCode)
		if code := task.Containers[0].ExitCode; code != nil {
			t.Errorf("exit code %d of what never ran", *code)
		}
	})
}

// TestRunTaskTwice: with a token, a call whose answer was lost can be made again.
func TestRunTaskTwice(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		in := job(t, w, "registry.example.com/batch:1")
		in.ClientToken, in.Count = aws.String("token"), aws.Int32(2)
		run := func() *ecs.RunTaskOutput {
			out, err := w.ECS().RunTask(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		first, second := run(), run()
		same(t, "tasks", []string{*first.Tasks[0].TaskArn, *first.Tasks[1].TaskArn}, []string{*second.Tasks[0].TaskArn, *second.Tasks[1].TaskArn})
		in.Count = aws.Int32(1)
		_, err := w.ECS().RunTask(t.Context(), in)
		if _, ok := errors.AsType[*types.ConflictException](err); !ok {
			t.Errorf("other parameters: error %v", err)
		}
		in.ClientToken = nil
		run()
		list, err := w.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: in.Cluster, Family: aws.String("batch")})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "tasks", 3, len(list.TaskArns))
	})
}

func TestListTasksOfNoService(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		w.Service("cluster1", "service1")
		in := job(t, w, "registry.example.com/batch:1")
		in.StartedBy = aws.String("somebody")
		out, err := w.ECS().RunTask(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		finished(t, w, *out.Tasks[0].TaskArn)
		in.StartedBy, in.ClientToken = nil, nil // the SDK has filled in a token
		if _, err := w.ECS().RunTask(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			in   ecs.ListTasksInput
			want int
		}{
			{"family", ecs.ListTasksInput{Family: aws.String("batch")}, 1},
			{"family, stopped", ecs.ListTasksInput{Family: aws.String("batch"), DesiredStatus: types.DesiredStatusStopped}, 1},
			{"startedBy, of running tasks", ecs.ListTasksInput{StartedBy: aws.String("somebody")}, 0},
			{"service", ecs.ListTasksInput{ServiceName: aws.String("service1")}, 1},
			{"all", ecs.ListTasksInput{}, 2},
		} {
			c.in.Cluster = aws.String("cluster1")
			list, err := w.ECS().ListTasks(t.Context(), &c.in)
			if err != nil {
				t.Fatal(err)
			}
			same(t, c.name, c.want, len(list.TaskArns))
		}
	})
}
