package target

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	scheduletypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TestMoveSchedules: all that runs the family in the cluster is moved, with nothing
// else about it changed; all else stays as it is.
func TestMoveSchedules(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.five()
		other := w.register("other", "batchapp1", batch1)
		w.rule("others", other)
		w.schedule("default", "elsewhere", familyARN+":1", func(in *scheduler.CreateScheduleInput) {
			in.Target.Arn = aws.String(strings.Replace(clusterARN, "cluster1", "cluster2", 1))
		})
		w.schedule("default", "over", familyARN+":1", func(in *scheduler.CreateScheduleInput) {
			in.ScheduleExpression = aws.String("at(1999-12-31T12:00:00)")
		})
		w.schedule("default", "disabled", familyARN+":1", func(in *scheduler.CreateScheduleInput) { in.State = scheduletypes.ScheduleStateDisabled })
		before := w.look()

		prepared, changes, err := e.Plan(t.Context(), batchDeployment(batch2))
		if err != nil || prepared.Phase != slipway.PhasePrepared {
			t.Fatal(prepared, err)
		}
		change := []slipway.FieldChange{{Path: "containerDefinitions[batchapp1].image", From: batch1, To: batch2}}
		if diff := cmp.Diff(change, changes); diff != "" {
			t.Errorf("the plan (-want +got):\n%s", diff)
		}
		checkWrites(t, w.World, []string{}...)

		d := advance(t, e, batchDeployment(batch2), slipway.PhaseStarted)
		checkWrites(t, w.World, "RegisterTaskDefinition", "PutTargets", "PutTargets", "UpdateSchedule", "UpdateSchedule", "UpdateSchedule")
		if d.Base != familyARN+":1" || d.TaskDefinition != familyARN+":2" || d.Place.Family != "batchapp1" || d.Reused || d.StartedAt.IsZero() || d.FirstWriteAt.IsZero() {
			t.Errorf("started %+v", d)
		}
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateDeployed, "", "target 1 of rule nightly", "schedule monthly of group billing, schedule disabled and 1 more run batchapp1:2")
		if o.TaskDefinition != d.TaskDefinition {
			t.Errorf("it runs %s", o.TaskDefinition)
		}

		// Nothing but the task definition is another.
		want := map[string]string{}
		for name, members := range before {
			want[name] = members
			if _, left := map[string]bool{"rule/others/1": true, "schedule/default/elsewhere": true, "schedule/default/over": true}[name]; !left {
				want[name] = strings.ReplaceAll(members, `batchapp1:1"`, `batchapp1:2"`)
			}
		}
		if diff := cmp.Diff(want, w.look()); diff != "" {
			t.Errorf("after the move (-want +got):\n%s", diff)
		}

		// What it is for: the next runs run it.
		pass(3*time.Hour + 5*time.Minute)
		tasks, err := w.ECS().ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("cluster1"), Family: aws.String("batchapp1"), DesiredStatus: types.DesiredStatusStopped})
		if err != nil || len(tasks.TaskArns) == 0 {
			t.Fatal(tasks, err)
		}
		described, err := w.ECS().DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("cluster1"), Tasks: tasks.TaskArns})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range described.Tasks {
			if *task.TaskDefinitionArn != d.TaskDefinition {
				t.Errorf("a task of %s was started by %s", *task.TaskDefinitionArn, *task.StartedBy)
			}
		}
	})
}

// TestMoveSurvivesEverything: whichever write is lost, before or after its effect,
// and whoever goes on, each of five targets is moved once.
func TestMoveSurvivesEverything(t *testing.T) {
	for _, fault := range []struct {
		name string
		make func() *awsjson.Fault
	}{
		{"unavailable", awsjson.Unavailable}, {"throttled", awsjson.Throttled}, {"answer lost", lost},
		{"dropped", func() *awsjson.Fault { return awsjson.Dropped(false) }},
	} {
		for nth := 1; nth <= 5; nth++ {
			t.Run(fmt.Sprintf("%s, write %d", fault.name, nth), func(t *testing.T) {
				inBatch(t, func(t *testing.T, w batchWorld, e kind) {
					w.five()
					writes, effects := 0, 0
					w.Fault(func(operation string) *awsjson.Fault {
						if awsjson.Reads(operation) {
							return nil
						}
						if writes++; writes == nth {
							f := fault.make()
							if f.AfterEffect {
								effects++
							}
							return f
						}
						effects++
						return nil
					})
					d := batchDeployment(batch2)
					for d.Phase != slipway.PhaseStarted {
						d.Attempt++
						next, err := batchTarget(w).Advance(t.Context(), persisted(t, d)) // a new process each time
						if slipway.NextOf(err) == slipway.NextRetry {
							pass(10 * time.Second)
						} else if err != nil {
							t.Fatal(err)
						}
						d = persisted(t, next)
					}
					w.Fault(nil)
					if effects != 5 {
						t.Errorf("%d writes had an effect, want 5: %v", effects, w.Calls().Writes().Operations())
					}
					checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
					w.checkRuns(fiveRun("batchapp1:2"))
				})
			})
		}
	}
}

// TestPartlyRefused: where the others are moved and one cannot be, all are put back.
func TestPartlyRefused(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.five()
		w.Around().EventBridge.Refuse(func(rule, _ string) *eventtypes.PutTargetsResultEntry {
			if rule != "weekly" {
				return nil
			}
			return &eventtypes.PutTargetsResultEntry{ErrorCode: aws.String("AccessDeniedException"), ErrorMessage: aws.String("User: me is not authorized to perform: iam:PassRole on resource: role")}
		})
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseStarted)
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateFailed, "", "cannot move target 1 of rule weekly: access denied", "allow iam:PassRole", "target 1 of rule nightly, target 2 of rule nightly run batchapp1:2")
		d.Attempt = 1
		d, err := e.Rollback(t.Context(), persisted(t, d))
		if err != nil {
			t.Fatal(err)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateRolledBack, slipway.BySlipway, "run again what they ran before")
		w.checkRuns(fiveRun("batchapp1:1"))

		// The first that cannot be moved ends it before anything was.
		w.Around().EventBridge.Refuse(nil)
		w.Fault(func(operation string) *awsjson.Fault {
			if operation == "PutTargets" {
				return &awsjson.Fault{Err: &awsjson.Error{Code: "ManagedRuleException", Message: "This rule is managed."}}
			}
			return nil
		})
		again := advance(t, e, batchDeployment(batch2), slipway.PhaseRegistered)
		_, err = attempt(t, e, again)
		checkError(t, err, slipway.NextPerson, "", "cannot move target 1 of rule nightly to batchapp1:", "EventBridge refused it", "This rule is managed")
	})
}

// TestStartDate: Scheduler may not take back what it described.
func TestStartDate(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.schedule("default", "hourly", familyARN+":1")
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseRegistered)
		w.FaultOnce("UpdateSchedule", &awsjson.Fault{Err: &awsjson.Error{Code: "ValidationException", Message: "The StartDate you specify cannot be earlier than 5 minutes ago."}})
		_, err := attempt(t, e, d)
		checkError(t, err, slipway.NextPerson, "take the start date out of the schedule", "cannot move schedule hourly to batchapp1:2: EventBridge refused it", "The StartDate you specify")
		w.FaultOnce("UpdateSchedule", &awsjson.Fault{Err: &awsjson.Error{Code: "ConflictException", Message: "busy"}})
		_, err = attempt(t, e, d)
		checkError(t, err, slipway.NextRetry, "", "somebody else changes it at the same time")
		w.checkRuns(map[string]string{"schedule/default/hourly": "batchapp1:1"})
	})
}

// TestRollbackOfSchedules: each gets back what it ran, whatever write is lost, also
// where that was deregistered meanwhile.
func TestRollbackOfSchedules(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.rule("nightly", familyARN+":1")
		w.register("batchapp1", "batchapp1", "registry.example.com/batchapp1:1.1.0")
		w.schedule("default", "hourly", familyARN+":2")
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "", "they ran batchapp1:1 and batchapp1:2 before, of which batchapp1:2, the newest, was copied")
		deregister(t, w.World, familyARN+":1")
		back := func(d slipway.Deployment) slipway.Deployment {
			for {
				d.Attempt++
				next, err := batchTarget(w).Rollback(t.Context(), persisted(t, d))
				if err == nil {
					return persisted(t, next)
				}
				if slipway.NextOf(err) != slipway.NextRetry {
					t.Fatal(err)
				}
				d = persisted(t, next)
			}
		}
		w.FaultOnce("UpdateSchedule", lost())
		d = back(d)
		checkWrites(t, w.World, "RegisterTaskDefinition", "PutTargets", "UpdateSchedule")
		checkEnd(t, last(observe(t, e, d)), slipway.StateRolledBack, slipway.BySlipway)
		w.checkRuns(map[string]string{"rule/nightly/1": "batchapp1:4", "schedule/default/hourly": "batchapp1:2"})
		if got := *describeTask(t, w.World, familyARN+":4").TaskDefinition.ContainerDefinitions[0].Image; got != batch1 {
			t.Errorf("the copy of what was deregistered runs %s", got)
		}
		if _, err := e.Rollback(t.Context(), d); err != nil {
			t.Error(err)
		}
		checkError(t, second(e.Rollback(t.Context(), batchDeployment(batch2))), slipway.NextNever, "", "nothing to put back")
	})
}

func second[T any](_ T, err error) error { return err }

// TestNewestSchedules: a target that names no revision is switched by registering,
// and back by registering again.
func TestNewestSchedules(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.schedule("default", "hourly", familyARN)
		test := batchDeployment(batch2)
		test.TestRun = true
		_, err := attempt(t, e, test)
		checkError(t, err, slipway.NextPerson, "with its revision", "there can be no test run: schedule hourly runs the newest")

		new := batchDeployment(batch2)
		new.Reusable = []string{familyARN + ":1"}
		w.FaultOnce("RegisterTaskDefinition", lost())
		d := advance(t, e, new, slipway.PhaseStarted)
		checkWrites(t, w.World, "RegisterTaskDefinition")
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "", "schedule hourly runs batchapp1:2", "nothing was written to schedule hourly")

		w.ForgetCalls()
		w.FaultOnce("RegisterTaskDefinition", lost())
		d.Attempt = 1
		back, err := e.Rollback(t.Context(), d)
		checkError(t, err, slipway.NextRetry, "check that", "cannot register")
		back.Attempt++
		if back, err = e.Rollback(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		checkWrites(t, w.World, "RegisterTaskDefinition")
		checkEnd(t, last(observe(t, e, back)), slipway.StateRolledBack, slipway.BySlipway)
		if back.RollbackID != familyARN+":3" {
			t.Errorf("put back with %s", back.RollbackID)
		}
		w.checkRuns(map[string]string{"schedule/default/hourly": "batchapp1"})

		// Back to an image that ran before: an older task definition would be no newest.
		again := batchDeployment(batch2)
		again.Execution, again.Reusable = "0199f000-0000-7000-8000-000000000002", []string{familyARN + ":2"}
		d = advance(t, e, again, slipway.PhaseStarted)
		if d.Reused || d.TaskDefinition != familyARN+":4" {
			t.Errorf("%+v", d)
		}
		w.register("batchapp1", "batchapp1", "registry.example.com/batchapp1:9.0.0")
		checkEnd(t, last(observe(t, e, d)), slipway.StateReplaced, "", "somebody else moved schedule hourly to batchapp1:5, which", "registered")
	})
}

// TestUnchangedSchedules: nothing is written where all run the images; where some
// do, the others follow, and nothing is registered.
func TestUnchangedSchedules(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.rule("nightly", familyARN+":1")
		advance(t, e, batchDeployment(batch1), slipway.PhaseUnchanged)
		w.register("batchapp1", "batchapp1", batch2)
		w.schedule("default", "hourly", familyARN+":2")

		e = batchTarget(w)
		_, changes, err := e.Plan(t.Context(), batchDeployment(batch2))
		if diff := cmp.Diff([]slipway.FieldChange{{Path: "target 1 of rule nightly", From: familyARN + ":1", To: familyARN + ":2"}}, changes); err != nil || diff != "" {
			t.Error(err, diff)
		}
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseStarted)
		checkWrites(t, w.World, "PutTargets")
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "", "of which batchapp1:2, the newest, had the images already")
		w.checkRuns(map[string]string{"rule/nightly/1": "batchapp1:2", "schedule/default/hourly": "batchapp1:2"})

		// An older one of ours is used again.
		older := batchDeployment(batch1)
		older.Reusable = []string{familyARN + ":1"}
		w.ForgetCalls()
		pass(time.Minute)
		d = advance(t, e, older, slipway.PhaseStarted)
		checkWrites(t, w.World, "PutTargets", "UpdateSchedule")
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "", "run batchapp1:1")
	})
}

// TestMovedBySomebodyElse: before we move any, it begins anew; afterwards it is
// replaced, and says which.
func TestMovedBySomebodyElse(t *testing.T) {
	move := func(w batchWorld, arn string) { w.rule("nightly", arn) }
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.rule("nightly", familyARN+":1")
		w.schedule("default", "hourly", familyARN+":1")
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseRegistered)
		third := w.register("batchapp1", "batchapp1", "registry.example.com/batchapp1:1.1.0")
		move(w, third)
		d, err := attempt(t, e, d)
		if err != nil || d.Phase != slipway.PhaseNew || d.Restarts != 1 || d.TaskDefinition != "" || d.Targets != nil {
			t.Fatalf("%+v, %v", d, err)
		}
		d = advance(t, e, d, slipway.PhaseRegistered)
		if d.Base != third {
			t.Errorf("based on %s", d.Base)
		}
		w.schedule("default", "new", third)
		pass(10 * time.Second)
		d = advance(t, e, d, slipway.PhaseStarted)
		if d.Restarts != 2 {
			t.Errorf("%d restarts, want 2: a target came to be", d.Restarts)
		}
		w.checkRuns(map[string]string{"rule/nightly/1": lastPart(d.TaskDefinition), "schedule/default/hourly": lastPart(d.TaskDefinition), "schedule/default/new": lastPart(d.TaskDefinition)})

		move(w, third)
		pass(2 * moveSettles)
		checkEnd(t, last(observe(t, e, d)), slipway.StateReplaced, "", "target 1 of rule nightly, which had been moved, runs batchapp1:3 again: somebody else moved it back")
		move(w, w.register("batchapp1", "batchapp1", "registry.example.com/batchapp1:1.2.0"))
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateReplaced, "", "somebody else moved target 1 of rule nightly to batchapp1:"+fmt.Sprint(revision(o.TaskDefinition)), "schedule hourly, schedule new run")

		// It is left alone by the rollback of ours.
		d, err = e.Rollback(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateReplaced, "", "somebody else moved target 1 of rule nightly")
		runs := w.runs()
		if runs["rule/nightly/1"] != lastPart(o.TaskDefinition) || runs["schedule/default/new"] != lastPart(third) {
			t.Errorf("after the rollback: %v", runs)
		}
	})
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.rule("nightly", familyARN+":1")
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseStarted)
		if _, err := w.EventBridge().RemoveTargets(t.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("nightly"), Ids: []string{"1"}}); err != nil {
			t.Fatal(err)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateGone, "", "target 1 of rule nightly no longer exist")
	})
	inBatch(t, func(t *testing.T, w batchWorld, e kind) { // what AWS shows late
		w.rule("nightly", familyARN+":1")
		d := advance(t, e, batchDeployment(batch2), slipway.PhaseStarted)
		move(w, familyARN+":1")
		o, err := e.Observe(t.Context(), d)
		if err != nil || o.State != slipway.StateProgressing || o.Waiting == "" || o.Next.IsZero() {
			t.Errorf("%+v, %v", o, err)
		}
	})
}
