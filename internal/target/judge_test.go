package target

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

const (
	oldARN   = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7"
	newARN   = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:8"
	otherARN = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9"
	oldID    = "ecs-svc/7"
	newID    = "ecs-svc/8"
	otherID  = "ecs-svc/9"
	backID   = "ecs-svc/10"
)

// t0 is when the deployment under test was started.
var t0 = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) *time.Time { return aws.Time(t0.Add(d)) }

// entry is one of Service.Deployments: created and last changed at so long after
// t0, with two tasks wanted.
func entry(id, arn, status string, rollout types.DeploymentRolloutState, created, updated time.Duration, running int32) types.Deployment {
	d := types.Deployment{
		Id: aws.String(id), TaskDefinition: aws.String(arn), Status: aws.String(status), RolloutState: rollout,
		CreatedAt: at(created), UpdatedAt: at(updated), RunningCount: running, DesiredCount: 2,
	}
	if status != deploymentPrimary {
		d.DesiredCount = 0
	}
	if rollout == types.DeploymentRolloutStateFailed {
		d.RolloutStateReason = aws.String("ECS deployment circuit breaker: tasks failed to start.")
	}
	return d
}

func service(deployments ...types.Deployment) *types.Service {
	s := &types.Service{ServiceName: aws.String("web"), Status: aws.String(serviceActive), Deployments: deployments}
	if len(deployments) > 0 {
		s.DesiredCount = deployments[0].DesiredCount
	}
	return s
}

func withBreaker(s *types.Service, rollback bool) *types.Service {
	s.DeploymentConfiguration = &types.DeploymentConfiguration{
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: rollback},
	}
	return s
}

func withEvents(s *types.Service, newestFirst ...string) *types.Service {
	for i, message := range newestFirst {
		s.Events = append(s.Events, types.ServiceEvent{CreatedAt: at(time.Duration(len(newestFirst)-i) * time.Second), Message: aws.String(message)})
	}
	return s
}

func crashed(n int) []types.Task {
	var tasks []types.Task
	for range n {
		tasks = append(tasks, types.Task{
			StartedBy: aws.String(newID), StopCode: types.TaskStopCodeEssentialContainerExited,
			StoppedReason: aws.String("Essential container in task exited"),
			Containers:    []types.Container{{Name: aws.String("web"), ExitCode: aws.Int32(1)}, {Name: aws.String("log"), ExitCode: aws.Int32(0)}},
		})
	}
	return tasks
}

const (
	inProgress = types.DeploymentRolloutStateInProgress
	completed  = types.DeploymentRolloutStateCompleted
	failed     = types.DeploymentRolloutStateFailed
	active     = "ACTIVE"
)

func TestJudge(t *testing.T) {
	startedOn := slipway.Deployment{
		Place: slipway.Place{Cluster: "shop", Service: "web"}, Phase: slipway.PhaseStarted,
		Base: oldARN, BaseDeployment: oldID, TaskDefinition: newARN, ID: newID, StartedAt: t0,
	}
	recovered := startedOn
	recovered.ID = "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/abc"
	rollingBack := startedOn
	rollingBack.Phase, rollingBack.RollbackID, rollingBack.RollbackReason = slipway.PhaseRollingBack, backID, "out of time"
	ecsRollsBack := rollingBack
	ecsRollsBack.RollbackID = oldID
	nobodyRollsBack := rollingBack
	nobodyRollsBack.RollbackID = ""

	const minute = time.Minute
	old := entry(oldID, oldARN, active, completed, -24*time.Hour, 0, 2)
	oldGone := entry(oldID, oldARN, active, completed, -24*time.Hour, 0, 0)
	oldAgain := entry(oldID, oldARN, deploymentPrimary, inProgress, -24*time.Hour, minute, 2)
	oldAgain.RolloutStateReason = aws.String("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/7.")
	oldDone := entry(oldID, oldARN, deploymentPrimary, completed, -24*time.Hour, 2*minute, 2)
	oldUntouched := entry(oldID, oldARN, deploymentPrimary, completed, -24*time.Hour, -24*time.Hour, 2)
	fresh := entry(newID, newARN, deploymentPrimary, inProgress, 0, minute, 1)
	done := entry(newID, newARN, deploymentPrimary, completed, 0, minute, 2)
	bad := entry(newID, newARN, deploymentPrimary, failed, 0, minute, 0)
	badOver := entry(newID, newARN, active, failed, 0, minute, 1)
	other := entry(otherID, otherARN, deploymentPrimary, inProgress, minute, minute, 0)
	back := entry(backID, oldARN, deploymentPrimary, inProgress, minute, minute, 1)
	backDone := entry(backID, oldARN, deploymentPrimary, completed, minute, minute, 2)
	backBad := entry(backID, oldARN, deploymentPrimary, failed, minute, minute, 0)
	zero := entry(newID, newARN, deploymentPrimary, completed, 0, minute, 0)
	zero.DesiredCount = 0
	classicGoing := entry(newID, newARN, deploymentPrimary, "", 0, minute, 1)
	classicDone := entry(newID, newARN, deploymentPrimary, "", 0, minute, 2)
	failing := fresh
	failing.FailedTasks = 2
	older := entry("ecs-svc/5", "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:5", deploymentPrimary, completed, -48*time.Hour, 2*minute, 2)
	deferred := service(done, old)
	deferred.DeploymentConfiguration = &types.DeploymentConfiguration{EarlySuccessCriteria: &types.DeploymentEarlySuccessCriteria{
		Enable: true, SourceServiceRevisionCleanup: types.ServiceRevisionCleanupDeferred,
	}}
	draining := service(fresh)
	draining.Status = aws.String("DRAINING")
	const failedEvent = "(service web) (deployment ecs-svc/8) deployment failed: tasks failed to start."
	const replaced = "replaced by deployment ecs-svc/9 of web:9, made at 2026-11-01T12:01:00Z"

	tests := []struct {
		name   string
		d      slipway.Deployment
		s      *types.Service
		record types.ServiceDeploymentStatus
		tasks  []types.Task
		after  time.Duration // since t0
		state  slipway.State
		by     string
		reason string
	}{
		{name: "new tasks start", s: service(fresh, old), state: slipway.StateProgressing},
		{name: "old tasks drain", s: service(done, old), state: slipway.StateProgressing},
		{name: "old entry without tasks", s: service(done, oldGone), state: slipway.StateProgressing},
		{name: "deployed", s: service(done), state: slipway.StateDeployed},
		{name: "deployed, clean-up deferred", s: deferred, state: slipway.StateDeployed},
		{
			name: "desired count zero", s: service(zero), state: slipway.StateDeployed,
			reason: "deployed, but nothing has run it yet: the service's desired count is 0",
		},
		{
			name: "deployed, though tasks crashed", s: service(done), tasks: crashed(2), state: slipway.StateDeployed,
			reason: "deployed, but not every task stayed up; 2 tasks: Essential container in task exited (container web exit code 1)",
		},
		{name: "classic load balancer, going", s: service(classicGoing), state: slipway.StateProgressing},
		{name: "classic load balancer, draining", s: service(classicDone, old), state: slipway.StateProgressing},
		{name: "classic load balancer, done", s: service(classicDone), state: slipway.StateDeployed},
		{
			name: "tasks crash", s: service(failing, old), tasks: crashed(2), state: slipway.StateProgressing,
			reason: "2 tasks: Essential container in task exited (container web exit code 1)",
		},
		{
			name: "cannot place", s: withEvents(service(fresh, old), "(service web) was unable to place a task. Reason: Capacity is unavailable at this time."),
			state: slipway.StateProgressing, reason: "was unable to place a task. Reason: Capacity is unavailable at this time",
		},
		{
			name: "breaker without rollback", s: withBreaker(service(bad, old), false), tasks: crashed(3), state: slipway.StateFailed,
			reason: "it failed, and ECS does not roll it back: ECS deployment circuit breaker: tasks failed to start; " +
				"3 tasks: Essential container in task exited (container web exit code 1)",
		},
		{
			name: "failed, rollback may come", s: withBreaker(service(bad, old), true), after: 90 * time.Second, state: slipway.StateProgressing,
			reason: "it failed, and ECS is about to roll it back: ECS deployment circuit breaker: tasks failed to start",
		},
		{
			name: "failed, rollback did not come", s: withBreaker(service(bad, old), true), after: 3 * minute, state: slipway.StateFailed,
			reason: "it failed, and ECS does not roll it back: ECS deployment circuit breaker: tasks failed to start",
		},
		{
			name: "ECS rolls back", s: withEvents(withBreaker(service(badOver, oldAgain), true), failedEvent), state: slipway.StateRollingBack, by: slipway.ByECS,
			reason: "ECS is rolling back to web:7: tasks failed to start",
		},
		{
			name: "ECS rolled back, ours drains", s: service(badOver, oldDone), state: slipway.StateRollingBack, by: slipway.ByECS,
			reason: "ECS is rolling back to web:7: ECS deployment circuit breaker: tasks failed to start",
		},
		{
			name: "ECS rolled back", s: withEvents(service(oldDone), failedEvent), tasks: crashed(3), state: slipway.StateRolledBack, by: slipway.ByECS,
			reason: "rolled back by ECS to web:7: tasks failed to start; 3 tasks: Essential container in task exited (container web exit code 1)",
		},
		{
			name: "ECS rolled back further than base", s: service(older), state: slipway.StateRolledBack, by: slipway.ByECS,
			reason: "rolled back by ECS to web:5",
		},
		{
			name: "ECS's rollback failed", s: service(badOver, entry(oldID, oldARN, deploymentPrimary, failed, -24*time.Hour, minute, 0)), state: slipway.StateFailed,
			reason: "ECS's rollback to web:7 failed too: ECS deployment circuit breaker: tasks failed to start",
		},
		{name: "an answer older than our update", s: service(oldUntouched), after: time.Second, state: slipway.StateProgressing},
		{
			name: "that answer a minute later is the truth", s: service(oldUntouched), after: 2 * minute, state: slipway.StateRolledBack, by: slipway.ByECS,
			reason: "rolled back by ECS to web:7",
		},
		{
			name: "rolled back within seconds", s: withEvents(service(oldUntouched), failedEvent), after: time.Second, state: slipway.StateRolledBack, by: slipway.ByECS,
			reason: "rolled back by ECS to web:7: tasks failed to start",
		},
		{name: "replaced while it ran", s: service(other, entry(newID, newARN, active, inProgress, 0, 0, 1), old), state: slipway.StateReplaced, reason: replaced},
		{name: "replaced, and gone", s: service(other), state: slipway.StateReplaced, reason: replaced},
		{name: "replaced, says the record", s: service(other), record: types.ServiceDeploymentStatusStopped, state: slipway.StateReplaced, reason: replaced},
		{
			name: "replaced by a new deployment of the old task definition", s: service(entry(otherID, oldARN, deploymentPrimary, inProgress, minute, minute, 0), badOver),
			state: slipway.StateReplaced, reason: "replaced by deployment ecs-svc/9 of web:7, made at 2026-11-01T12:01:00Z",
		},
		{
			name: "deployed unseen, replaced since", s: service(other), record: types.ServiceDeploymentStatusSuccessful, state: slipway.StateDeployed,
			reason: "it was deployed; since then " + replaced,
		},
		{
			name: "rolled back unseen, replaced since", s: service(other), record: types.ServiceDeploymentStatusRollbackSuccessful,
			state: slipway.StateRolledBack, by: slipway.ByECS, reason: "rolled back by ECS; since then " + replaced + ": as recorded",
		},
		{
			name: "rollback failed unseen", s: service(other), record: types.ServiceDeploymentStatusRollbackFailed,
			state: slipway.StateFailed, reason: "it failed, and so did ECS's rollback; since then " + replaced + ": as recorded",
		},
		{name: "recovered by record, still going", d: recovered, s: service(fresh, old), state: slipway.StateProgressing},
		{
			name: "recovered by record, rolled back", d: recovered, s: service(oldDone), record: types.ServiceDeploymentStatusRollbackSuccessful, after: time.Second,
			state: slipway.StateRolledBack, by: slipway.ByECS, reason: "rolled back by ECS to web:7: as recorded",
		},
		{name: "service missing", state: slipway.StateGone, reason: "there is no service web in cluster shop any more: MISSING"},
		{name: "service deleted", s: draining, state: slipway.StateGone, reason: "service web in cluster shop was deleted: it is DRAINING"},
		{name: "no primary", s: service(), state: slipway.StateReplaced, reason: "service web in cluster shop has no primary deployment any more"},

		{name: "our rollback begins", d: rollingBack, s: service(back, badOver), state: slipway.StateRollingBack, by: slipway.BySlipway, reason: "putting web:7 back: out of time"},
		{name: "our rollback is not seen yet", d: rollingBack, s: service(bad, old), state: slipway.StateRollingBack, by: slipway.BySlipway},
		{name: "our rollback drains", d: rollingBack, s: service(backDone, badOver), state: slipway.StateRollingBack, by: slipway.BySlipway, reason: "putting web:7 back: out of time"},
		{name: "our rollback is done", d: rollingBack, s: service(backDone), state: slipway.StateRolledBack, by: slipway.BySlipway, reason: "put web:7 back: out of time"},
		{
			name: "our rollback failed", d: rollingBack, s: service(backBad, badOver), state: slipway.StateFailed,
			reason: "it failed, and ECS does not roll it back: ECS deployment circuit breaker: tasks failed to start",
		},
		{
			name: "ECS undid our rollback", d: rollingBack, state: slipway.StateFailed,
			s:      service(entry(newID, newARN, deploymentPrimary, inProgress, 0, 2*minute, 2), entry(backID, oldARN, active, failed, minute, minute, 0)),
			reason: "the rollback failed, and ECS returned to web:8: ECS deployment circuit breaker: tasks failed to start",
		},
		{name: "our rollback was replaced", d: rollingBack, s: service(entry(otherID, otherARN, deploymentPrimary, inProgress, 2*minute, 0, 0), back), state: slipway.StateReplaced, reason: "replaced by deployment ecs-svc/9 of web:9, made at 2026-11-01T12:02:00Z"},
		{name: "somebody else deployed before our rollback", d: nobodyRollsBack, s: service(other), state: slipway.StateReplaced, reason: replaced},
		{name: "ECS's rollback goes on", d: ecsRollsBack, s: service(oldAgain, badOver), state: slipway.StateRollingBack, by: slipway.ByECS, reason: "putting web:7 back: out of time"},
		{name: "ECS's rollback is done", d: ecsRollsBack, s: service(oldDone), state: slipway.StateRolledBack, by: slipway.ByECS, reason: "put web:7 back: out of time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.d
			if d.Phase == slipway.PhaseNew {
				d = startedOn
			}
			f := facts{described: described{service: tt.s, failure: "MISSING"}, stopped: tt.tasks}
			if tt.record != "" {
				f.record = &record{status: tt.record, reason: "as recorded."}
			}
			after := tt.after
			if after == 0 {
				after = 5 * minute
			}
			o := judge(d, f, t0.Add(after))
			if o.State != tt.state || o.By != tt.by || o.Reason != tt.reason {
				t.Errorf("got  %s by %q: %q\nwant %s by %q: %q", o.State, o.By, o.Reason, tt.state, tt.by, tt.reason)
			}
			if o.Final() && o.State != slipway.StateDeployed && o.Reason == "" {
				t.Errorf("a final %s without a reason", o.State)
			}
			if !o.At.Equal(t0.Add(after)) || !o.Next.IsZero() {
				t.Errorf("At is %v, Next is %v", o.At, o.Next)
			}
		})
	}
}

func TestJudgeCounts(t *testing.T) {
	s := withEvents(service(
		entry(newID, newARN, deploymentPrimary, inProgress, 0, 0, 1),
		entry(oldID, oldARN, active, completed, -time.Hour, 0, 2),
		entry("ecs-svc/6", oldARN, active, completed, -2*time.Hour, 0, 3),
	), "third", "second", "first")
	s.Deployments[0].PendingCount, s.Deployments[0].FailedTasks = 4, 2
	s.Events = append(s.Events, types.ServiceEvent{CreatedAt: at(-time.Second), Message: aws.String("before")})
	o := judge(slipway.Deployment{Phase: slipway.PhaseStarted, ID: newID, TaskDefinition: newARN, StartedAt: t0}, facts{described: described{service: s}}, t0)
	want := slipway.Observation{
		At: t0, State: slipway.StateProgressing, TaskDefinition: newARN, Draining: 5, Waiting: "1 of 2 tasks to run",
		Tasks:  slipway.TaskCounts{Desired: 2, Pending: 4, Running: 1, Failed: 2},
		Events: []slipway.Event{{At: *at(1 * time.Second), Message: "first"}, {At: *at(2 * time.Second), Message: "second"}, {At: *at(3 * time.Second), Message: "third"}},
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEventsAreBounded(t *testing.T) {
	s := service()
	for i := range 100 {
		s.Events = append(s.Events, types.ServiceEvent{CreatedAt: at(time.Duration(100-i) * time.Second), Message: aws.String("x")})
	}
	got := events(s, t0)
	if len(got) != maxEvents || !got[0].At.Equal(t0.Add(81*time.Second)) || !got[maxEvents-1].At.Equal(t0.Add(100*time.Second)) {
		t.Errorf("got %d events, from %v to %v", len(got), got[0].At, got[len(got)-1].At)
	}
}

func TestCauses(t *testing.T) {
	task := func(reason string, code types.TaskStopCode, containers ...types.Container) types.Task {
		return types.Task{StoppedReason: aws.String(reason), StopCode: code, Containers: containers}
	}
	web := func(code *int32, reason string) types.Container {
		return types.Container{Name: aws.String("web"), ExitCode: code, Reason: aws.String(reason)}
	}
	const exited = types.TaskStopCodeEssentialContainerExited
	tests := []struct {
		name  string
		tasks []types.Task
		want  []string
	}{
		{"none", nil, nil},
		{"not needed any more", []types.Task{task("Scaling activity initiated by (deployment ecs-svc/8)", types.TaskStopCodeServiceSchedulerInitiated)}, nil},
		{"exit code zero", []types.Task{task("Essential container in task exited", exited, web(aws.Int32(0), ""))},
			[]string{"1 task: Essential container in task exited (container web exit code 0)"}},
		{"out of memory", []types.Task{task("Essential container in task exited", exited, web(aws.Int32(137), "OutOfMemoryError: Container killed due to memory usage"))},
			[]string{"1 task: Essential container in task exited (container web exit code 137: OutOfMemoryError: Container killed due to memory usage)"}},
		{"the container says the same", []types.Task{task("CannotPullContainerError: no such tag.", types.TaskStopCodeTaskFailedToStart, web(nil, "CannotPullContainerError: no such tag"))},
			[]string{"1 task: CannotPullContainerError: no such tag"}},
		{"only a code", []types.Task{task("", types.TaskStopCodeSpotInterruption)}, []string{"1 task: SpotInterruption"}},
		{"the most frequent first, at most three", []types.Task{
			task("d", ""), task("c", ""), task("a", ""), task("b", ""), task("c", ""), task("e: f", ""), task("e: f", ""), task("e: f", ""),
		}, []string{"3 tasks: e: f", "2 tasks: c", "1 task: a", "and 2 other causes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, causes(tt.tasks, nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
