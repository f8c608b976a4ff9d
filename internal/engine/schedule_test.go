package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	scheduletypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
)

// TestBatchApp: a batch app is found to be one, its new task definition is tried,
// and its schedule is moved only then; also when the process ends during the trial.
func TestBatchApp(t *testing.T) {
	const image = "registry.example.com/webapp1:"
	for _, test := range []struct {
		name, tag, want string
		says            []string
		testRun, close  bool
		runs            string
		writes          string
	}{
		{name: "moved", tag: "2.0.0", want: "Succeeded, deployed", says: []string{"schedule hourly runs webapp1:2"}, runs: "webapp1:2", writes: "RegisterTaskDefinition UpdateSchedule"},
		{name: "unchanged", tag: "1.0.0", want: "Succeeded, unchanged", says: []string{"all schedules already run"}, runs: "webapp1:1"},
		{name: "tried and moved", tag: "2.0.0", testRun: true, want: "Succeeded, deployed", runs: "webapp1:2", writes: "RegisterTaskDefinition RunTask UpdateSchedule"},
		{name: "tried and moved, with a restart", tag: "2.0.0", testRun: true, close: true, want: "Succeeded, deployed", runs: "webapp1:2", writes: "RegisterTaskDefinition RunTask UpdateSchedule"},
		{
			name: "tried and found bad", tag: "2.0.0-crash", testRun: true, want: "Failed, failed",
			says: []string{"the test run of webapp1:2", "exit code 1", "no schedule was touched"}, runs: "webapp1:1", writes: "RegisterTaskDefinition RunTask",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			onFargate(t, func(t *testing.T, r *rig, w *sandboxtest.World) {
				hourly(t, w, image+"1.0.0")
				e := slipway.Execution{
					ID: engine.NewID(), CreatedAt: time.Now(), Pipeline: slipway.DefaultPipeline(webapp),
					Revision: slipway.Revision{App: webapp, Commit: "c0ffee", Blob: test.tag, Images: []slipway.Image{{Container: "webapp1", URI: image + test.tag}}},
					Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, At: time.Now()},
				}
				e.Pipeline.TestRun = test.testRun
				if err := r.engine.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
					t.Fatal(err)
				}
				if test.close {
					for r.get(e.ID).Deployment.Phase != slipway.PhaseTesting {
						r.passes(100 * time.Millisecond)
					}
					r.close()
					r.open()
				}
				got := stepstest.Ended(r.wait(e.ID))
				for _, part := range append(test.says, test.want+":") {
					if !strings.Contains(got, part) {
						t.Errorf("%s\ndoes not say %q", got, part)
					}
				}
				if writes := strings.Join(w.Calls().Writes().Operations(), " "); writes != test.writes {
					t.Errorf("it wrote %s, want %s", writes, test.writes)
				}
				out, err := w.Scheduler().GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: aws.String("hourly")})
				if err != nil {
					t.Fatal(err)
				}
				if arn := *out.Target.EcsParameters.TaskDefinitionArn; !strings.HasSuffix(arn, "/"+test.runs) {
					t.Errorf("the schedule runs %s, want %s", arn, test.runs)
				}
			})
		})
	}
}

// hourly makes a schedule that runs a task definition of family webapp1.
func hourly(t *testing.T, w *sandboxtest.World, image string) {
	t.Helper()
	cluster, err := w.ECS().CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("cluster1")})
	if err != nil {
		t.Fatal(err)
	}
	definition, err := w.ECS().RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("webapp1"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions:    []types.ContainerDefinition{{Name: aws.String("webapp1"), Image: aws.String(image)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Scheduler().CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{
		Name: aws.String("hourly"), ScheduleExpression: aws.String("cron(0 * * * ? *)"),
		FlexibleTimeWindow: &scheduletypes.FlexibleTimeWindow{Mode: scheduletypes.FlexibleTimeWindowModeOff},
		Target: &scheduletypes.Target{
			Arn: cluster.Cluster.ClusterArn, RoleArn: aws.String("arn:aws:iam::111122223333:role/scheduler"),
			EcsParameters: &scheduletypes.EcsParameters{
				TaskDefinitionArn: definition.TaskDefinition.TaskDefinitionArn, LaunchType: scheduletypes.LaunchTypeFargate,
				NetworkConfiguration: &scheduletypes.NetworkConfiguration{AwsvpcConfiguration: &scheduletypes.AwsVpcConfiguration{Subnets: []string{"subnet-0123456789abcdef0"}}},
			},
		},
	}); err != nil {
		t.Fatal(err)
	}
	w.ForgetCalls()
}
