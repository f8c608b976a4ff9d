package target

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestRetire: of seven task definitions that the app ran, with two to keep, only
// what nobody needs goes.
func TestRetire(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		theirs := s.Deploy("registry.example.com/webapp1:1.5.0") // webapp1:2
		s.Settle()
		mine := []string{theirs} // an execution found it in progress, say
		var d slipway.Deployment
		for n := range 6 { // webapp1:3 to webapp1:8
			d = deployment(fmt.Sprintf("registry.example.com/webapp1:%d.0.0", 3+n))
			d = advance(t, e, d, slipway.PhaseStarted)
			checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
			mine = append([]string{d.TaskDefinition}, mine...)
		}
		named := func(n int) string { return d.TaskDefinition[:len(d.TaskDefinition)-1] + fmt.Sprint(n) }
		if _, err := w.ECS().RunTask(t.Context(), &ecs.RunTaskInput{
			Cluster: aws.String("cluster1"), TaskDefinition: aws.String(named(4)), LaunchType: types.LaunchTypeFargate,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-0123456789abcdef0"}}},
		}); err != nil {
			t.Fatal(err)
		}
		rule(t, w, "nightly", named(5))
		w.ForgetCalls()

		w.Fault(denied("ListSchedules"))
		if got, err := e.Retire(t.Context(), d, 2, mine); slipway.NextOf(err) != slipway.NextPerson || len(got) > 0 {
			t.Errorf("without knowing what schedules run: %v, %v", got, err)
		}
		checkWrites(t, w, []string{}...)
		w.Fault(nil)

		if got, err := e.Retire(t.Context(), d, 9, mine); err != nil || len(got) > 0 {
			t.Errorf("with enough to keep: %v, %v", got, err)
		}
		// 8 runs and 7 ran before: they are also the two to keep.
		got, err := e.Retire(t.Context(), d, 2, mine)
		if diff := cmp.Diff([]string{named(3), named(6)}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		for n, want := range map[int]types.TaskDefinitionStatus{
			1: types.TaskDefinitionStatusActive, 2: types.TaskDefinitionStatusActive, 3: types.TaskDefinitionStatusInactive, 4: types.TaskDefinitionStatusActive,
			5: types.TaskDefinitionStatusActive, 6: types.TaskDefinitionStatusInactive, 7: types.TaskDefinitionStatusActive, 8: types.TaskDefinitionStatusActive,
		} {
			if status := describeTask(t, w, named(n)).TaskDefinition.Status; status != want {
				t.Errorf("webapp1:%d is %s, want %s", n, status, want)
			}
		}
		w.ForgetCalls()
		if got, err := e.Retire(t.Context(), d, 2, mine); err != nil || len(got) > 0 {
			t.Errorf("again: %v, %v", got, err)
		}
		checkWrites(t, w, []string{}...)

		// Nobody needs it any more, but it ran before.
		if got, err := e.Retire(t.Context(), d, 1, mine); err != nil || len(got) > 0 {
			t.Errorf("with one to keep: %v, %v", got, err)
		}
	})
}

// rule makes a rule of EventBridge that runs a task definition every night.
func rule(t *testing.T, w *sandboxtest.World, name, taskDefinition string) {
	t.Helper()
	if _, err := w.EventBridge().PutRule(t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String(name), ScheduleExpression: aws.String("cron(0 3 * * ? *)"),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.EventBridge().PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(name), Targets: []ebtypes.Target{{
		Id: aws.String("1"), Arn: aws.String(fmt.Sprintf("arn:aws:ecs:%s:%s:cluster/cluster1", sandboxtest.Region, sandboxtest.Account)),
		RoleArn:       aws.String("arn:aws:iam::111122223333:role/events"),
		EcsParameters: &ebtypes.EcsParameters{TaskDefinitionArn: aws.String(taskDefinition)},
	}}}); err != nil {
		t.Fatal(err)
	}
}
