package sandbox_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// invocations are what the world says of its schedules.
func invocations(t *testing.T, w *sandbox.World) map[string]int {
	t.Helper()
	_, body, err := get(t.Context(), w.Endpoints().AWS+"/control/schedules")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Service, Name string
		Count, Failed int
		LastError     string
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, i := range all {
		if i.Failed > 0 {
			t.Errorf("%s: %s", i.Name, i.LastError)
		}
		counts[i.Service+" "+i.Name] = i.Count
	}
	return counts
}

// The services around ECS: the seeded schedules run their tasks, and what was
// done outlives the world.
func TestServicesAround(t *testing.T) {
	dir := t.TempDir()
	w := open(t, sandbox.Options{Dir: dir, TimeScale: 300})
	config := func() aws.Config {
		return aws.Config{
			Region: "eu-west-1", BaseEndpoint: aws.String(w.Endpoints().AWS), Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
		}
	}
	ctx := t.Context()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		counts := invocations(t, w)
		if len(counts) == 2 && counts["events cluster1-batchapp1"] > 0 && counts["scheduler default/cluster2-batchapp1"] > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the schedules did not run: %v", counts)
		}
	}
	if _, err := cloudwatch.NewFromConfig(config()).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold, EvaluationPeriods: aws.Int32(1),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := cloudwatch.NewFromConfig(config()).SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: cloudwatchtypes.StateValueAlarm, StateReason: aws.String("r"),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := eventbridge.NewFromConfig(config()).DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("cluster1-batchapp1")}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	w = open(t, sandbox.Options{Dir: dir, TimeScale: 300})
	alarms, err := cloudwatch.NewFromConfig(config()).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	if err != nil || len(alarms.MetricAlarms) != 1 || alarms.MetricAlarms[0].StateValue != cloudwatchtypes.StateValueAlarm {
		t.Errorf("alarms %+v, %v", alarms, err)
	}
	rules, err := eventbridge.NewFromConfig(config()).ListRules(ctx, &eventbridge.ListRulesInput{})
	if err != nil || len(rules.Rules) != 1 || rules.Rules[0].State != "DISABLED" {
		t.Errorf("rules %+v, %v", rules, err)
	}
	schedules, err := scheduler.NewFromConfig(config()).ListSchedules(ctx, &scheduler.ListSchedulesInput{})
	if err != nil || len(schedules.Schedules) != 1 {
		t.Errorf("schedules %+v, %v", schedules, err)
	}
	logs, err := cloudwatchlogs.NewFromConfig(config()).FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/ecs/cluster1/webapp1")})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, event := range logs.Events {
		lines = append(lines, *event.Message)
		if !strings.HasPrefix(*event.LogStreamName, "webapp1/webapp1/") {
			t.Errorf("stream %s", *event.LogStreamName)
		}
	}
	if !slices.Contains(lines, "listening on port 8080") {
		t.Errorf("webapp1 printed %v", lines)
	}
}
