package scheduler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

var exported = cmpopts.IgnoreUnexported(types.Target{}, types.EcsParameters{}, types.NetworkConfiguration{}, types.AwsVpcConfiguration{}, types.RetryPolicy{}, types.FlexibleTimeWindow{})

// batch makes a cluster and a task definition of the family "batch".
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

// nightly is how a schedule is made that runs the task definition.
func nightly(expression, taskDefinition string) *scheduler.CreateScheduleInput {
	return &scheduler.CreateScheduleInput{
		Name: aws.String("nightly"), ScheduleExpression: &expression, Description: aws.String("every night"),
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target: &types.Target{
			Arn: aws.String("arn:aws:ecs:" + sandboxtest.Region + ":" + sandboxtest.Account + ":cluster/cluster1"), RoleArn: aws.String("arn:aws:iam::111122223333:role/scheduler"),
			Input: aws.String(`{"containerOverrides":[{"name":"batch","command":["nightly"]}]}`),
			EcsParameters: &types.EcsParameters{
				TaskDefinitionArn: &taskDefinition, LaunchType: types.LaunchTypeFargate,
				NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}, AssignPublicIp: types.AssignPublicIpEnabled}},
			},
		},
	}
}

func create(t *testing.T, w *sandboxtest.World, in *scheduler.CreateScheduleInput) {
	t.Helper()
	out, err := w.Scheduler().CreateSchedule(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:scheduler:ca-central-1:111122223333:schedule/default/nightly"; *out.ScheduleArn != want {
		t.Errorf("%s, want %s", *out.ScheduleArn, want)
	}
}

func get(t *testing.T, w *sandboxtest.World) *scheduler.GetScheduleOutput {
	t.Helper()
	out, err := w.Scheduler().GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: aws.String("nightly")})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// count is how often the schedule was due so far, and how often it failed.
func count(w *sandboxtest.World) (all, failed int) {
	i := w.Around().Scheduler.Invocations()["default/nightly"]
	return i.Count, i.Failed
}

func expect(t *testing.T, w *sandboxtest.World, all, failed int) {
	t.Helper()
	if a, f := count(w); a != all || f != failed {
		t.Errorf("%d invocations and %d failed, want %d and %d", a, f, all, failed)
	}
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestScheduledTask: a rate is due at once and then on time, before and after an
// update that leaves it as it is, and after a restart.
func TestScheduledTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		definition := batch(t, w)
		create(t, w, nightly("rate(5 minutes)", definition))
		wait(2 * time.Second)
		expect(t, w, 1, 0)
		list, err := w.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("cluster1"), StartedBy: aws.String("chronos-schedule/nightly")})
		if err != nil || len(list.TaskArns) != 1 {
			t.Fatal(list, err)
		}
		described, err := w.ECS().DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("cluster1"), Tasks: list.TaskArns})
		if err != nil || described.Tasks[0].Overrides.ContainerOverrides[0].Command[0] != "nightly" {
			t.Error(described, err)
		}
		wait(2 * time.Minute)
		update(t, w, func(in *scheduler.UpdateScheduleInput) {
			in.Target.EcsParameters.TaskDefinitionArn = aws.String(batch(t, w))
		})
		wait(3*time.Minute - 2*time.Second)
		expect(t, w, 1, 0)
		wait(2 * time.Second)
		expect(t, w, 2, 0)
		w.Restart()
		wait(5*time.Minute + time.Second)
		expect(t, w, 3, 0)
		update(t, w, func(in *scheduler.UpdateScheduleInput) { in.State = types.ScheduleStateDisabled })
		wait(20 * time.Minute)
		expect(t, w, 3, 0)
	})
}

// update sends the schedule as it is, changed, as AWS wants it.
func update(t *testing.T, w *sandboxtest.World, change func(*scheduler.UpdateScheduleInput)) {
	t.Helper()
	is := get(t, w)
	in := &scheduler.UpdateScheduleInput{
		Name: is.Name, GroupName: is.GroupName, ScheduleExpression: is.ScheduleExpression, ScheduleExpressionTimezone: is.ScheduleExpressionTimezone,
		FlexibleTimeWindow: is.FlexibleTimeWindow, State: is.State, StartDate: is.StartDate, EndDate: is.EndDate, Description: is.Description,
		KmsKeyArn: is.KmsKeyArn, ActionAfterCompletion: is.ActionAfterCompletion, Target: is.Target,
	}
	change(in)
	if _, err := w.Scheduler().UpdateSchedule(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// TestFullReplace: what an update leaves out falls back to its default.
func TestFullReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		in := nightly("cron(0 3 * * ? *)", batch(t, w))
		in.ScheduleExpressionTimezone, in.State = aws.String("America/Toronto"), types.ScheduleStateDisabled
		in.StartDate = aws.Time(time.Now().Add(time.Hour).UTC())
		in.Target.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}
		create(t, w, in)
		is := get(t, w)
		want := *in.Target
		want.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(3), MaximumEventAgeInSeconds: aws.Int32(86400)}
		parameters := *want.EcsParameters
		parameters.TaskCount = aws.Int32(1)
		want.EcsParameters = &parameters
		if diff := cmp.Diff(&want, is.Target, exported); diff != "" {
			t.Errorf("target (-want +got):\n%s", diff)
		}
		if *is.GroupName != "default" || is.State != types.ScheduleStateDisabled || !is.StartDate.Equal(*in.StartDate) || *is.Description != "every night" || is.ActionAfterCompletion != types.ActionAfterCompletionNone {
			t.Errorf("%+v", is)
		}

		bare := *in.Target
		bare.Input, bare.RetryPolicy = nil, nil
		if _, err := w.Scheduler().UpdateSchedule(t.Context(), &scheduler.UpdateScheduleInput{
			Name: in.Name, ScheduleExpression: aws.String("cron(0 3 * * ? *)"), FlexibleTimeWindow: in.FlexibleTimeWindow, Target: &bare,
		}); err != nil {
			t.Fatal(err)
		}
		is = get(t, w)
		if is.Description != nil || is.State != types.ScheduleStateEnabled || is.StartDate != nil || *is.ScheduleExpressionTimezone != "UTC" ||
			is.Target.Input != nil || *is.Target.RetryPolicy.MaximumRetryAttempts != 185 {
			t.Errorf("%+v", is)
		}
	})
}

// TestOnce: at() is due once, and the schedule may then delete itself.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		in := nightly("at("+time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05")+")", batch(t, w))
		create(t, w, in)
		wait(59 * time.Minute)
		expect(t, w, 0, 0)
		wait(2 * time.Minute)
		expect(t, w, 1, 0)
		wait(48 * time.Hour)
		expect(t, w, 1, 0)
		update(t, w, func(in *scheduler.UpdateScheduleInput) {
			in.ScheduleExpression = aws.String("at(" + time.Now().Add(time.Minute).UTC().Format("2006-01-02T15:04:05") + ")")
			in.ActionAfterCompletion = types.ActionAfterCompletionDelete
		})
		wait(2 * time.Minute)
		if _, err := w.Scheduler().GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: in.Name}); code(err) != "ResourceNotFoundException" {
			t.Error(err)
		}
	})
}

// TestDates: a rate counts from StartDate, until EndDate.
func TestDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		in := nightly("rate(10 minutes)", batch(t, w))
		in.StartDate, in.EndDate = aws.Time(time.Now().Add(time.Hour)), aws.Time(time.Now().Add(85*time.Minute))
		create(t, w, in)
		wait(time.Hour - time.Second)
		expect(t, w, 0, 0)
		wait(2 * time.Second)
		expect(t, w, 1, 0)
		wait(2 * time.Hour)
		expect(t, w, 3, 0)
	})
}

func TestDeregisteredRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		definition := batch(t, w)
		create(t, w, nightly("rate(5 minutes)", definition))
		if _, err := w.ECS().DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &definition}); err != nil {
			t.Fatal(err)
		}
		wait(2 * time.Second)
		expect(t, w, 1, 1)
		if got := w.Around().Scheduler.Invocations()["default/nightly"].LastError; !strings.Contains(got, "TaskDefinition is inactive") {
			t.Error(got)
		}
	})
}

func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Scheduler(), t.Context()
		definition := batch(t, w)
		group, err := client.CreateScheduleGroup(ctx, &scheduler.CreateScheduleGroupInput{Name: aws.String("group1"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			in := nightly("rate(1 day)", definition)
			in.Name, in.GroupName, in.State = aws.String(fmt.Sprint("other", i)), aws.String("group1"), types.ScheduleStateDisabled
			if _, err := client.CreateSchedule(ctx, in); err != nil {
				t.Fatal(err)
			}
		}
		create(t, w, nightly("rate(1 day)", definition))
		names := func(in scheduler.ListSchedulesInput) (names []string) {
			for {
				out, err := client.ListSchedules(ctx, &in)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range out.Schedules {
					if !strings.HasSuffix(*s.Target.Arn, ":cluster/cluster1") {
						t.Errorf("target %s", *s.Target.Arn)
					}
					names = append(names, *s.GroupName+"/"+*s.Name)
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					return names
				}
			}
		}
		for _, c := range []struct {
			in   scheduler.ListSchedulesInput
			want []string
		}{
			{scheduler.ListSchedulesInput{MaxResults: aws.Int32(2)}, []string{"default/nightly", "group1/other0", "group1/other1", "group1/other2"}},
			{scheduler.ListSchedulesInput{GroupName: aws.String("group1"), NamePrefix: aws.String("other1")}, []string{"group1/other1"}},
			{scheduler.ListSchedulesInput{State: types.ScheduleStateEnabled}, []string{"default/nightly"}},
		} {
			if got := names(c.in); !slices.Equal(got, c.want) {
				t.Errorf("schedules %v, want %v", got, c.want)
			}
		}
		tags, err := client.ListTagsForResource(ctx, &scheduler.ListTagsForResourceInput{ResourceArn: group.ScheduleGroupArn})
		if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" {
			t.Error(tags, err)
		}
		if _, err := client.UntagResource(ctx, &scheduler.UntagResourceInput{ResourceArn: group.ScheduleGroupArn, TagKeys: []string{"a"}}); err != nil {
			t.Error(err)
		}
		if tags, err = client.ListTagsForResource(ctx, &scheduler.ListTagsForResourceInput{ResourceArn: group.ScheduleGroupArn}); err != nil || len(tags.Tags) != 0 {
			t.Error(tags, err)
		}
		if _, err := client.DeleteScheduleGroup(ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("group1")}); err != nil {
			t.Error(err)
		}
		if got := names(scheduler.ListSchedulesInput{}); !slices.Equal(got, []string{"default/nightly"}) {
			t.Errorf("schedules %v", got)
		}
		if _, err := client.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: aws.String("nightly")}); err != nil {
			t.Error(err)
		}
	})
}

func TestErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.Scheduler(), t.Context()
		definition := batch(t, w)
		create(t, w, nightly("rate(1 day)", definition))
		changed := func(change func(*scheduler.CreateScheduleInput)) error {
			in := nightly("rate(1 day)", definition)
			in.Name = aws.String("other")
			change(in)
			_, err := client.CreateSchedule(ctx, in)
			return err
		}
		_, missing := client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: aws.String("x")})
		_, missingGroup := client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: aws.String("nightly"), GroupName: aws.String("x")})
		_, noDelete := client.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: aws.String("x")})
		_, noDefault := client.DeleteScheduleGroup(ctx, &scheduler.DeleteScheduleGroupInput{Name: aws.String("default")})
		for what, c := range map[string]struct {
			err    error
			code   string
			status int
		}{
			"exists":        {changed(func(in *scheduler.CreateScheduleInput) { in.Name = aws.String("nightly") }), "ConflictException", 409},
			"no group":      {changed(func(in *scheduler.CreateScheduleInput) { in.GroupName = aws.String("x") }), "ResourceNotFoundException", 404},
			"bad schedule":  {changed(func(in *scheduler.CreateScheduleInput) { in.ScheduleExpression = aws.String("every day") }), "ValidationException", 400},
			"bad zone":      {changed(func(in *scheduler.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String("Mars/Olympus") }), "ValidationException", 400},
			"bad window":    {changed(func(in *scheduler.CreateScheduleInput) { in.FlexibleTimeWindow.Mode = "SOMETIMES" }), "ValidationException", 400},
			"bad target":    {changed(func(in *scheduler.CreateScheduleInput) { in.Target.Arn = aws.String("cluster1") }), "ValidationException", 400},
			"missing":       {missing, "ResourceNotFoundException", 404},
			"missing group": {missingGroup, "ResourceNotFoundException", 404},
			"no delete":     {noDelete, "ResourceNotFoundException", 404},
			"no default":    {noDefault, "ValidationException", 400},
		} {
			var status interface{ HTTPStatusCode() int }
			if got := code(c.err); got != c.code || !errors.As(c.err, &status) || status.HTTPStatusCode() != c.status {
				t.Errorf("%s: %v, want %s, %d", what, c.err, c.code, c.status)
			}
		}
	})
}

// TestCalls: the record knows the operations whatever the protocol is.
func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		definition := batch(t, w)
		w.ForgetCalls()
		create(t, w, nightly("rate(1 day)", definition))
		get(t, w)
		if got := w.Calls().Operations(); !slices.Equal(got, []string{"CreateSchedule", "GetSchedule"}) || len(w.Calls().Writes()) != 1 {
			t.Errorf("calls %v", got)
		}
		var sent struct{ Name string }
		if err := json.Unmarshal(w.RawBodies("CreateSchedule")[0], &sent); err != nil || sent.Name != "nightly" {
			t.Error(sent, err)
		}
	})
}
