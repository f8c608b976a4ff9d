package schedule

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/internal/target/raw"
)

func fields(t *testing.T, text string) raw.Members {
	t.Helper()
	var m raw.Members
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOver(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]bool{
		`{"ScheduleExpression": "rate(1 hour)"}`:                                                                 false,
		`{"ScheduleExpression": "rate(1 hour)", "EndDate": 1.7E9}`:                                               true,
		`{"ScheduleExpression": "rate(1 hour)", "EndDate": 4102444800.0}`:                                        false,
		`{"ScheduleExpression": "rate(1 hour)", "EndDate": null}`:                                                false,
		`{"ScheduleExpression": "at(2026-11-23T11:59:59)", "ScheduleExpressionTimezone": "UTC"}`:                 true,
		`{"ScheduleExpression": "at(2026-11-23T12:00:01)", "ScheduleExpressionTimezone": "UTC"}`:                 false,
		`{"ScheduleExpression": "at(2026-11-23T11:00:00)", "ScheduleExpressionTimezone": "America/Toronto"}`:     false,
		`{"ScheduleExpression": "at(2026-11-23T11:00:00)", "ScheduleExpressionTimezone": "Mars/Olympus"}`:        false,
		`{"ScheduleExpression": "at(2026-11-22T11:00:00)", "ScheduleExpressionTimezone": "Mars/Olympus"}`:        true,
		`{"ScheduleExpression": "at(2026-11-24T11:00:00)", "ScheduleExpressionTimezone": "UTC", "EndDate": 1E9}`: false,
		`{"ScheduleExpression": "at(some day)"}`:                                                                 false,
	} {
		if got := over(fields(t, text), now); got != want {
			t.Errorf("%s is over: %v, want %v", text, got, want)
		}
	}
}

func TestLabel(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"rule/nightly/1": "target 1 of rule nightly", "schedule/default/hourly": "schedule hourly", "schedule/billing/monthly": "schedule monthly of group billing",
	} {
		if got := Label(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestTask: a test run is what the target would run, as both services describe it.
func TestTask(t *testing.T) {
	t.Parallel()
	const parameters = `"EcsParameters": {"TaskDefinitionArn": "` + was + `", "TaskCount": 3, "LaunchType": "FARGATE", "PlatformVersion": "LATEST", "Group": "jobs",
		"EnableECSManagedTags": true, "EnableExecuteCommand": true, "PropagateTags": "TASK_DEFINITION", "NewMember": 1,
		"CapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 2, "base": 1}],
		"PlacementConstraints": [{"type": "distinctInstance"}], "PlacementStrategy": [{"type": "spread", "field": "host"}],
		"NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"], "AssignPublicIp": "ENABLED"}}}`
	const inner = `"Arn": "` + cluster + `", "Input": "{\"containerOverrides\": [{\"name\": \"main\", \"command\": [\"run\"], \"environment\": [{\"name\": \"A\", \"value\": \"b\"}]}]}", ` + parameters
	want := &ecs.RunTaskInput{
		Cluster: aws.String(cluster), TaskDefinition: aws.String(was), LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("LATEST"),
		Group: aws.String("jobs"), EnableECSManagedTags: true, EnableExecuteCommand: true, PropagateTags: types.PropagateTagsTaskDefinition,
		CapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 2, Base: 1}},
		PlacementConstraints:     []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}},
		PlacementStrategy:        []types.PlacementStrategy{{Type: types.PlacementStrategyTypeSpread, Field: aws.String("host")}},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: types.AssignPublicIpEnabled,
		}},
		Overrides: &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("main"), Command: []string{"run"}, Environment: []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("b")}},
		}}},
	}
	for kind, text := range map[string]string{
		ofRule:     `{"Id": "1", ` + inner + `}`,
		ofSchedule: `{"GroupName": "default", "Name": "hourly", "Target": {` + inner + `}}`,
	} {
		target, ok := newTarget(kind, "nightly", fields(t, text), cluster, time.Now())
		if !ok {
			t.Fatalf("%s is none", text)
		}
		got, err := target.Task()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(ecs.RunTaskInput{}, types.CapacityProviderStrategyItem{}, types.PlacementConstraint{}, types.PlacementStrategy{},
			types.NetworkConfiguration{}, types.AwsVpcConfiguration{}, types.TaskOverride{}, types.ContainerOverride{}, types.KeyValuePair{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	broken, _ := newTarget(ofRule, "nightly", fields(t, `{"Id": "1", "Arn": "`+cluster+`", "Input": "no JSON", `+parameters+`}`), cluster, time.Now())
	if _, err := broken.Task(); err == nil || err.Error() == "" {
		t.Error("an input that is no override is let through")
	}
}
