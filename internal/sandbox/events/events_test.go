package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/internal/sandbox/ecstarget"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const clusterARN = "arn:aws:ecs:" + sandboxtest.Region + ":" + sandboxtest.Account + ":cluster/cluster1"

// exported compares what goes over the wire.
var exported = cmpopts.IgnoreUnexported(types.Target{}, types.EcsParameters{}, types.NetworkConfiguration{}, types.AwsVpcConfiguration{}, types.Tag{}, types.RetryPolicy{})

// batch makes a cluster and a task definition of the family "batch" and returns
// its ARN.
func batch(t *testing.T, w *sandboxtest.World) string {
	t.Helper()
	client, ctx := w.ECS(), t.Context()
	if _, err := client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("cluster1")}); err != nil {
		t.Fatal(err)
	}
	out, err := client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("batch"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions:    []ecstypes.ContainerDefinition{{Name: aws.String("batch"), Image: aws.String("registry.example.com/batch:1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// target is a target with about all that one has.
func target(id, taskDefinition string) types.Target {
	return types.Target{
		Id: &id, Arn: aws.String(clusterARN), RoleArn: aws.String("arn:aws:iam::111122223333:role/events"),
		Input:       aws.String(`{"containerOverrides":[{"name":"batch","command":["nightly"],"environment":[{"name":"A","value":"b"}]}]}`),
		RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(2)},
		EcsParameters: &types.EcsParameters{
			TaskDefinitionArn: &taskDefinition, TaskCount: aws.Int32(2), LaunchType: types.LaunchTypeFargate, Group: aws.String("nightly"),
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: types.AssignPublicIpDisabled,
			}},
			Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		},
	}
}

// rule makes a rule with one target.
func rule(t *testing.T, client *eventbridge.Client, name, expression string, targets ...types.Target) {
	t.Helper()
	if _, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, ScheduleExpression: &expression}); err != nil {
		t.Fatal(err)
	}
	if len(targets) == 0 {
		return
	}
	if out, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: targets}); err != nil || out.FailedEntryCount != 0 {
		t.Fatal(out, err)
	}
}

// tasks describes what runs or ran of the family, oldest first.
func tasks(t *testing.T, w *sandboxtest.World) []ecstypes.Task {
	t.Helper()
	var arns []string
	for _, desired := range []ecstypes.DesiredStatus{ecstypes.DesiredStatusRunning, ecstypes.DesiredStatusStopped} {
		out, err := w.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("cluster1"), Family: aws.String("batch"), DesiredStatus: desired})
		if err != nil {
			t.Fatal(err)
		}
		arns = append(arns, out.TaskArns...)
	}
	if len(arns) == 0 {
		return nil
	}
	out, err := w.ECS().DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("cluster1"), Tasks: arns, Include: []ecstypes.TaskField{ecstypes.TaskFieldTags}})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out.Tasks, func(a, b ecstypes.Task) int { return a.CreatedAt.Compare(*b.CreatedAt) })
	return out.Tasks
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

// code is the error's code.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestScheduledTasks: a rule runs its target's tasks on time, as the target says.
func TestScheduledTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		definition := batch(t, w)
		rule(t, w.EventBridge(), "nightly", "rate(5 minutes)", target("one", definition))
		wait(5*time.Minute - time.Second)
		if got := tasks(t, w); len(got) > 0 {
			t.Fatalf("%d tasks before their time", len(got))
		}
		wait(2 * time.Second)
		got := tasks(t, w)
		if len(got) != 2 {
			t.Fatalf("%d tasks, want TaskCount", len(got))
		}
		task := got[0]
		override := task.Overrides.ContainerOverrides[0]
		if *task.TaskDefinitionArn != definition || *task.StartedBy != "events-rule/nightly" || *task.Group != "nightly" || task.LaunchType != ecstypes.LaunchTypeFargate ||
			*override.Name != "batch" || override.Command[0] != "nightly" || *override.Environment[0].Value != "b" || *task.Tags[0].Value != "b" {
			t.Errorf("%+v", task)
		}
		wait(2 * time.Minute)
		for _, task := range tasks(t, w) {
			if aws.ToInt32(task.Containers[0].ExitCode) != 0 || *task.LastStatus != "STOPPED" {
				t.Errorf("the task did not end well: %s", *task.LastStatus)
			}
		}
		wait(3 * time.Minute)
		if got := tasks(t, w); len(got) != 4 {
			t.Errorf("%d tasks after ten minutes", len(got))
		}

		// After a restart it goes on.
		w.Restart()
		wait(5*time.Minute + time.Second)
		if got := tasks(t, w); len(got) != 6 {
			t.Errorf("%d tasks after a restart", len(got))
		}
		if _, err := w.EventBridge().DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: aws.String("nightly")}); err != nil {
			t.Fatal(err)
		}
		wait(20 * time.Minute)
		if got := w.Around().EventBridge.Invocations()["nightly"]; got.Count != 3 || got.Failed != 0 {
			t.Errorf("invocations %+v", got)
		}
		if _, err := w.EventBridge().EnableRule(t.Context(), &eventbridge.EnableRuleInput{Name: aws.String("nightly")}); err != nil {
			t.Fatal(err)
		}
		wait(5*time.Minute + time.Second)
		if got := w.Around().EventBridge.Invocations()["nightly"].Count; got != 4 {
			t.Errorf("%d invocations after it was enabled", got)
		}
	})
}

func TestCron(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t, sandboxtest.TimeScale(60))
		rule(t, w.EventBridge(), "noon", "cron(0 12 * * ? *)", target("one", batch(t, w)))
		wait(11*time.Minute + 59*time.Second) // the bubble begins at midnight
		if got := w.Around().EventBridge.Invocations()["noon"].Count; got != 0 {
			t.Errorf("%d invocations in the morning", got)
		}
		wait(2 * time.Second)
		if got := w.Around().EventBridge.Invocations()["noon"].Count; got != 1 {
			t.Errorf("%d invocations after noon", got)
		}
	})
}

// TestDeregisteredRevision: a target that is pinned to a revision which is gone
// fails, and one that names the family alone runs the newest.
func TestDeregisteredRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		first := batch(t, w)
		second := batch(t, w)
		rule(t, w.EventBridge(), "pinned", "rate(5 minutes)", target("one", first))
		rule(t, w.EventBridge(), "newest", "rate(5 minutes)", target("one", strings.TrimSuffix(first, ":1")))
		if _, err := w.ECS().DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &first}); err != nil {
			t.Fatal(err)
		}
		wait(5*time.Minute + time.Second)
		want := map[string]ecstarget.Invocations{
			"pinned": {Count: 1, Failed: 1, LastError: "InvalidParameterException: TaskDefinition is inactive"},
			"newest": {Count: 1},
		}
		if diff := cmp.Diff(want, w.Around().EventBridge.Invocations()); diff != "" {
			t.Errorf("invocations (-want +got):\n%s", diff)
		}
		for _, task := range tasks(t, w) {
			if *task.TaskDefinitionArn != second {
				t.Errorf("it ran %s", *task.TaskDefinitionArn)
			}
		}
	})
}

// TestTargets: putting a target replaces it as a whole, and a target without its
// network cannot run.
func TestTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.EventBridge(), t.Context()
		definition := batch(t, w)
		one, two := target("one", definition), target("two", definition)
		rule(t, client, "nightly", "rate(5 minutes)", one, two)
		list := func() []types.Target {
			out, err := client.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("nightly")})
			if err != nil {
				t.Fatal(err)
			}
			return out.Targets
		}
		if diff := cmp.Diff([]types.Target{one, two}, list(), exported); diff != "" {
			t.Errorf("targets (-want +got):\n%s", diff)
		}
		bare := types.Target{Id: one.Id, Arn: one.Arn, RoleArn: one.RoleArn, EcsParameters: &types.EcsParameters{TaskDefinitionArn: &definition}}
		rule(t, client, "nightly", "rate(5 minutes)", bare)
		if diff := cmp.Diff([]types.Target{bare, two}, list(), exported); diff != "" {
			t.Errorf("targets (-want +got):\n%s", diff)
		}
		wait(5*time.Minute + time.Second)
		if got := w.Around().EventBridge.Invocations()["nightly"]; got.Count != 2 || got.Failed != 1 || !strings.Contains(got.LastError, "Network Configuration must be provided") {
			t.Errorf("invocations %+v", got)
		}

		names, err := client.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: aws.String(clusterARN)})
		if err != nil || !slices.Equal(names.RuleNames, []string{"nightly"}) {
			t.Error(names, err)
		}
		if _, err := client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("nightly")}); code(err) != "ValidationException" {
			t.Errorf("a rule with targets is deleted: %v", err)
		}
		removed, err := client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("nightly"), Ids: []string{"one", "two", "three"}})
		if err != nil || removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "three" {
			t.Error(removed, err)
		}
		if _, err := client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("nightly")}); err != nil {
			t.Error(err)
		}
		if _, err := client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("nightly")}); code(err) != "ResourceNotFoundException" {
			t.Error(err)
		}
	})
}

// TestNewerMembers: what this version does not know of a target comes back.
func TestNewerMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		rule(t, w.EventBridge(), "nightly", "rate(5 minutes)")
		call := func(operation, body string) string {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://sandbox.example.com/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Amz-Target", "AWSEvents."+operation)
			response, err := w.HTTPClient().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			answer, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(answer)
		}
		put := `{"Id":"one","Arn":"` + clusterARN + `","NewerThanUs":{"a":[1]}}`
		if answer := call("PutTargets", `{"Rule":"nightly","Targets":[`+put+`]}`); answer != `{"FailedEntries":[],"FailedEntryCount":0}` {
			t.Error(answer)
		}
		var listed struct{ Targets []json.RawMessage }
		if err := json.Unmarshal([]byte(call("ListTargetsByRule", `{"Rule":"nightly"}`)), &listed); err != nil || string(listed.Targets[0]) != put {
			t.Errorf("%s, %v", listed.Targets, err)
		}
	})
}

func TestFailedEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.EventBridge(), t.Context()
		definition := batch(t, w)
		rule(t, client, "nightly", "rate(5 minutes)")
		bad := target("bad", definition)
		bad.Arn = aws.String("cluster1")
		w.Around().EventBridge.Refuse(func(_, id string) *types.PutTargetsResultEntry {
			if id == "refused" {
				return &types.PutTargetsResultEntry{ErrorCode: aws.String("ConcurrentModificationException"), ErrorMessage: aws.String("There is concurrent modification.")}
			}
			return nil
		})
		out, err := client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("nightly"), Targets: []types.Target{target("good", definition), bad, target("refused", definition)}})
		if err != nil {
			t.Fatal(err)
		}
		var failed []string
		for _, entry := range out.FailedEntries {
			failed = append(failed, *entry.TargetId+" "+*entry.ErrorCode)
		}
		if want := []string{"bad ValidationException", "refused ConcurrentModificationException"}; !slices.Equal(failed, want) || out.FailedEntryCount != 2 {
			t.Errorf("failed %d %v, want %v", out.FailedEntryCount, failed, want)
		}
		listed, err := client.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String("nightly")})
		if err != nil || len(listed.Targets) != 1 || *listed.Targets[0].Id != "good" {
			t.Error(listed, err)
		}
	})
}

func TestRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.EventBridge(), t.Context()
		put, err := client.PutRule(ctx, &eventbridge.PutRuleInput{
			Name: aws.String("nightly"), ScheduleExpression: aws.String("cron(0 3 * * ? *)"), Description: aws.String("every night"), State: types.RuleStateDisabled,
			Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		})
		if err != nil || *put.RuleArn != "arn:aws:events:ca-central-1:111122223333:rule/nightly" {
			t.Fatal(put, err)
		}
		// Left out is not kept; but tags are.
		rule(t, client, "nightly", "rate(1 hour)")
		described, err := client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("nightly")})
		if err != nil || described.Description != nil || described.State != types.RuleStateEnabled || *described.EventBusName != "default" || *described.ScheduleExpression != "rate(1 hour)" {
			t.Error(described, err)
		}
		if _, err := client.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: put.RuleArn, Tags: []types.Tag{{Key: aws.String("c"), Value: aws.String("d")}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.UntagResource(ctx, &eventbridge.UntagResourceInput{ResourceARN: put.RuleArn, TagKeys: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		tags, err := client.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: put.RuleArn})
		if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "c" {
			t.Error(tags, err)
		}
		for i := range 4 {
			rule(t, client, fmt.Sprint("other", i), "rate(1 hour)")
		}
		var names []string
		in := &eventbridge.ListRulesInput{NamePrefix: aws.String("other"), Limit: aws.Int32(3)}
		for {
			out, err := client.ListRules(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range out.Rules {
				names = append(names, *r.Name)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if want := []string{"other0", "other1", "other2", "other3"}; !slices.Equal(names, want) {
			t.Errorf("rules %v, want %v", names, want)
		}
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"no schedule":    {second(client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("x")})), "ValidationException"},
			"bad schedule":   {second(client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("x"), ScheduleExpression: aws.String("rate(1 minutes)")})), "ValidationException"},
			"at":             {second(client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("x"), ScheduleExpression: aws.String("at(2030-01-01T00:00:00)")})), "ValidationException"},
			"bad name":       {second(client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("a b"), ScheduleExpression: aws.String("rate(1 hour)")})), "ValidationException"},
			"no such rule":   {second(client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("x"), Targets: []types.Target{target("one", "x")}})), "ResourceNotFoundException"},
			"no such bus":    {second(client.ListRules(ctx, &eventbridge.ListRulesInput{EventBusName: aws.String("x")})), "ResourceNotFoundException"},
			"no role":        {second(client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("nightly"), Targets: []types.Target{{Id: aws.String("a"), Arn: aws.String(clusterARN), EcsParameters: &types.EcsParameters{TaskDefinitionArn: aws.String("x")}}}})), "ValidationException"},
			"six targets":    {second(client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("nightly"), Targets: []types.Target{target("1", "x"), target("2", "x"), target("3", "x"), target("4", "x"), target("5", "x"), target("6", "x")}})), "LimitExceededException"},
			"bad token":      {second(client.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: aws.String("x")})), "ValidationException"},
			"deleting twice": {second(client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("never was")})), "<nil>"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
	})
}

// second is the error of two results.
func second[T any](_ T, err error) error { return err }
