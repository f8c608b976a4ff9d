package target

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	scheduletypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const (
	clusterARN = "arn:aws:ecs:" + sandboxtest.Region + ":" + sandboxtest.Account + ":cluster/cluster1"
	familyARN  = "arn:aws:ecs:" + sandboxtest.Region + ":" + sandboxtest.Account + ":task-definition/batchapp1"
	roleARN    = "arn:aws:iam::" + sandboxtest.Account + ":role/events"
	batch1     = "registry.example.com/batchapp1:1.0.0"
	batch2     = "registry.example.com/batchapp1:2.0.0"
)

// batchWorld is a world with a cluster, and what a test puts into it.
type batchWorld struct {
	*sandboxtest.World
	t *testing.T
}

// inBatch runs a test in a bubble with the cluster cluster1, batchapp1:1 in it, and
// a target that reaches it.
func inBatch(t *testing.T, test func(t *testing.T, w batchWorld, e kind)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := batchWorld{sandboxtest.New(t), t}
		if _, err := w.ECS().CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("cluster1")}); err != nil {
			t.Fatal(err)
		}
		w.register("batchapp1", "batchapp1", batch1)
		test(t, w, batchTarget(w))
	})
}

// batchTarget is a target that remembers nothing, as after a restart.
func batchTarget(w batchWorld) kind { return &schedules{targetOf(w.World)} }

func (w batchWorld) register(family, container, image string) string {
	w.t.Helper()
	out, err := w.ECS().RegisterTaskDefinition(w.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions:    []types.ContainerDefinition{{Name: aws.String(container), Image: aws.String(image), Essential: aws.Bool(true)}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ForgetCalls()
	return *out.TaskDefinition.TaskDefinitionArn
}

// rule makes a rule whose targets, "1" and on, run task definitions.
func (w batchWorld) rule(name string, arns ...string) {
	w.t.Helper()
	if _, err := w.EventBridge().PutRule(w.t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String(name), ScheduleExpression: aws.String("cron(0 3 * * ? *)"),
	}); err != nil {
		w.t.Fatal(err)
	}
	var targets []eventtypes.Target
	for i, arn := range arns {
		targets = append(targets, eventtypes.Target{
			Id: aws.String(fmt.Sprint(i + 1)), Arn: aws.String(clusterARN), RoleArn: aws.String(roleARN),
			Input:            aws.String(`{"containerOverrides": [{"name": "batchapp1", "command": ["run", "<&>"]}]}`),
			DeadLetterConfig: &eventtypes.DeadLetterConfig{Arn: aws.String("arn:aws:sqs:ca-central-1:111122223333:dead")},
			EcsParameters: &eventtypes.EcsParameters{
				TaskDefinitionArn: aws.String(arn), TaskCount: aws.Int32(1), LaunchType: eventtypes.LaunchTypeFargate,
				NetworkConfiguration: &eventtypes.NetworkConfiguration{AwsvpcConfiguration: &eventtypes.AwsVpcConfiguration{
					Subnets: []string{"subnet-0123456789abcdef0"}, AssignPublicIp: eventtypes.AssignPublicIpEnabled,
				}},
			},
		})
	}
	out, err := w.EventBridge().PutTargets(w.t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(name), Targets: targets})
	if err != nil || out.FailedEntryCount > 0 {
		w.t.Fatal(out, err)
	}
	w.ForgetCalls()
}

// schedule makes a schedule that runs a task definition.
func (w batchWorld) schedule(group, name, arn string, changes ...func(*scheduler.CreateScheduleInput)) {
	w.t.Helper()
	if group != "default" {
		_, err := w.Scheduler().CreateScheduleGroup(w.t.Context(), &scheduler.CreateScheduleGroupInput{Name: aws.String(group)})
		if err != nil && !strings.Contains(err.Error(), "already exists") {
			w.t.Fatal(err)
		}
	}
	in := &scheduler.CreateScheduleInput{
		Name: aws.String(name), GroupName: aws.String(group), Description: aws.String("by night"),
		ScheduleExpression: aws.String("cron(0 4 * * ? *)"), ScheduleExpressionTimezone: aws.String("America/Toronto"),
		FlexibleTimeWindow: &scheduletypes.FlexibleTimeWindow{Mode: scheduletypes.FlexibleTimeWindowModeFlexible, MaximumWindowInMinutes: aws.Int32(5)},
		Target: &scheduletypes.Target{
			Arn: aws.String(clusterARN), RoleArn: aws.String(roleARN), Input: aws.String(`{"containerOverrides": []}`),
			RetryPolicy: &scheduletypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(3), MaximumEventAgeInSeconds: aws.Int32(600)},
			EcsParameters: &scheduletypes.EcsParameters{
				TaskDefinitionArn: aws.String(arn), LaunchType: scheduletypes.LaunchTypeFargate,
				NetworkConfiguration: &scheduletypes.NetworkConfiguration{AwsvpcConfiguration: &scheduletypes.AwsVpcConfiguration{
					Subnets: []string{"subnet-0123456789abcdef0"},
				}},
			},
		},
	}
	for _, change := range changes {
		change(in)
	}
	if _, err := w.Scheduler().CreateSchedule(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
	w.ForgetCalls()
}

// look is all rules' targets and schedules as the SDK shows them, by name, and
// leaves no trace among the calls.
func (w batchWorld) look() map[string]string {
	w.t.Helper()
	seen := map[string]string{}
	c := w.EventBridge()
	rules, err := c.ListRules(w.t.Context(), &eventbridge.ListRulesInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, rule := range rules.Rules {
		out, err := c.ListTargetsByRule(w.t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: rule.Name})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, target := range out.Targets {
			seen["rule/"+*rule.Name+"/"+*target.Id] = plain(w.t, target)
		}
	}
	list, err := w.Scheduler().ListSchedules(w.t.Context(), &scheduler.ListSchedulesInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, listed := range list.Schedules {
		out, err := w.Scheduler().GetSchedule(w.t.Context(), &scheduler.GetScheduleInput{Name: listed.Name, GroupName: listed.GroupName})
		if err != nil {
			w.t.Fatal(err)
		}
		out.LastModificationDate = nil
		seen["schedule/"+*listed.GroupName+"/"+*listed.Name] = plain(w.t, out)
	}
	w.ForgetCalls()
	return seen
}

// plain is an answer as JSON, without what is only about the call.
func plain(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), `,"ResultMetadata"`)
	return before
}

// runs is the task definition, without the ARN's beginning, that each target runs.
func (w batchWorld) runs() map[string]string {
	w.t.Helper()
	runs := map[string]string{}
	for name, members := range w.look() {
		_, rest, _ := strings.Cut(members, `"TaskDefinitionArn":"`)
		arn, _, _ := strings.Cut(rest, `"`)
		runs[name] = lastPart(arn)
	}
	return runs
}

func (w batchWorld) checkRuns(want map[string]string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.runs()); diff != "" {
		w.t.Errorf("the targets run (-want +got):\n%s", diff)
	}
}

// batchDeployment is a new one of an image to batchapp1.
func batchDeployment(image string) slipway.Deployment {
	d := deployment(image)
	d.App.Name, d.Place.Service, d.Place.Kind = "batchapp1", "batchapp1", slipway.KindSchedule
	d.Images = []slipway.Image{{Container: "batchapp1", URI: image}}
	return d
}

// five has five targets of the family: three of two rules, two schedules.
func (w batchWorld) five() {
	w.rule("nightly", familyARN+":1", familyARN+":1")
	w.rule("weekly", familyARN+":1")
	w.schedule("default", "hourly", familyARN+":1")
	w.schedule("billing", "monthly", familyARN+":1")
}

func fiveRun(definition string) map[string]string {
	return map[string]string{
		"rule/nightly/1": definition, "rule/nightly/2": definition, "rule/weekly/1": definition,
		"schedule/default/hourly": definition, "schedule/billing/monthly": definition,
	}
}
