package target

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

const carrierARN = "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/abcdefghijklmnopqrstu"

// shifting is a service with the strategy blue/green that bakes for five minutes.
func shifting(deployments ...types.Deployment) *types.Service {
	s := service(deployments...)
	s.DeploymentConfiguration = &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(5)}
	return s
}

// carried is a service deployment that was over, if it is, two minutes after t0.
func carried(status types.ServiceDeploymentStatus, change ...func(*types.ServiceDeployment)) *record {
	d := &types.ServiceDeployment{
		ServiceDeploymentArn: aws.String(carrierARN), Status: status, CreatedAt: at(0),
		LifecycleStage: types.ServiceDeploymentLifecycleStageScaleUp,
		TargetServiceRevision: &types.ServiceRevisionSummary{
			RequestedTaskCount: 2, RunningTaskCount: 1, PendingTaskCount: 1, RequestedProductionTrafficWeight: aws.Float64(0),
		},
	}
	switch status {
	case types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped,
		types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed:
		d.FinishedAt = at(2 * time.Minute)
	default:
	}
	for _, f := range change {
		f(d)
	}
	return &record{
		arn: carrierARN, status: status, reason: aws.ToString(d.StatusReason), runs: newARN,
		createdAt: t0, finishedAt: aws.ToTime(d.FinishedAt), detail: d,
	}
}

func because(reason string) func(*types.ServiceDeployment) {
	return func(d *types.ServiceDeployment) { d.StatusReason = aws.String(reason) }
}

func breakerTriggered(d *types.ServiceDeployment) {
	d.DeploymentCircuitBreaker = &types.ServiceDeploymentCircuitBreaker{Status: types.ServiceDeploymentRollbackMonitorsStatusTriggered, FailureCount: 3, Threshold: 3}
}

func alarmTriggered(d *types.ServiceDeployment) {
	d.Alarms = &types.ServiceDeploymentAlarms{
		Status: types.ServiceDeploymentRollbackMonitorsStatusTriggered, AlarmNames: []string{"web-5xx", "web-slow"}, TriggeredAlarmNames: []string{"web-5xx"},
	}
}

func hooked(status types.DeploymentLifecycleHookStatus, onExpiry types.DeploymentLifecycleHookAction) func(*types.ServiceDeployment) {
	return func(d *types.ServiceDeployment) {
		d.LifecycleStage = types.ServiceDeploymentLifecycleStagePostTestTrafficShift
		d.LifecycleHookDetails = append(d.LifecycleHookDetails, types.DeploymentLifecycleHookDetail{
			HookId: aws.String("hook-1"), TargetType: types.DeploymentLifecycleHookTargetTypePause, Status: status,
			ExpiresAt: at(time.Hour), TimeoutAction: onExpiry,
		})
	}
}

func stage(stage types.ServiceDeploymentLifecycleStage, traffic float64) func(*types.ServiceDeployment) {
	return func(d *types.ServiceDeployment) {
		d.LifecycleStage = stage
		d.TargetServiceRevision.RequestedProductionTrafficWeight = aws.Float64(traffic)
		d.TargetServiceRevision.RunningTaskCount, d.TargetServiceRevision.PendingTaskCount = 2, 0
	}
}

func TestJudgeShift(t *testing.T) {
	startedOn := slipway.Deployment{
		Place: slipway.Place{Cluster: "shop", Service: "web"}, Phase: slipway.PhaseStarted, Strategy: slipway.StrategyBlueGreen,
		Base: oldARN, BaseDeployment: oldID, TaskDefinition: newARN, ID: newID, StartedAt: t0,
	}
	told := startedOn // ECS was told to roll it back
	told.Phase, told.RollbackID, told.RollbackReason = slipway.PhaseRollingBack, carrierARN, "out of time\nwith details"
	updated := told // the service was updated to what ran before
	updated.RollbackID = backID

	const (
		minute         = time.Minute
		pending        = types.ServiceDeploymentStatusPending
		going          = types.ServiceDeploymentStatusInProgress
		successful     = types.ServiceDeploymentStatusSuccessful
		stopRequested  = types.ServiceDeploymentStatusStopRequested
		stopped        = types.ServiceDeploymentStatusStopped
		backRequested  = types.ServiceDeploymentStatusRollbackRequested
		backGoing      = types.ServiceDeploymentStatusRollbackInProgress
		backSuccessful = types.ServiceDeploymentStatusRollbackSuccessful
		backFailed     = types.ServiceDeploymentStatusRollbackFailed
		breakerSays    = "Service deployment rolled back because the circuit breaker threshold was exceeded."
		hookSays       = "Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed. Lifecycle hook target arn:aws:lambda:x returned FAILED status."
	)
	old := entry(oldID, oldARN, active, completed, -24*time.Hour, 0, 2)
	oldDone := entry(oldID, oldARN, deploymentPrimary, completed, -24*time.Hour, 2*minute, 2)
	oldUntouched := entry(oldID, oldARN, deploymentPrimary, completed, -24*time.Hour, -24*time.Hour, 2)
	oldAgain := entry(oldID, oldARN, deploymentPrimary, inProgress, -24*time.Hour, minute, 2)
	fresh := entry(newID, newARN, deploymentPrimary, inProgress, 0, minute, 2)
	done := entry(newID, newARN, deploymentPrimary, completed, 0, minute, 2)
	bad := entry(newID, newARN, deploymentPrimary, failed, 0, minute, 0)
	leaving := entry(newID, newARN, active, inProgress, 0, minute, 1)
	other := entry(otherID, otherARN, deploymentPrimary, inProgress, minute, minute, 0)
	back := entry(backID, oldARN, deploymentPrimary, inProgress, minute, minute, 1)
	backDone := entry(backID, oldARN, deploymentPrimary, completed, minute, minute, 2)
	failing := fresh
	failing.FailedTasks, failing.RunningCount = 3, 0
	const replaced = "replaced by deployment ecs-svc/9 of web:9, made at 2026-11-01T12:01:00Z"

	tests := []struct {
		name      string
		d         slipway.Deployment
		s         *types.Service
		r         *record
		successor *record
		after     time.Duration
		state     slipway.State
		by        string
		cause     slipway.Cause
		reason    string
		waiting   string
	}{
		{name: "not recorded yet, the service shows the new one", s: shifting(fresh, old), state: slipway.StateProgressing, waiting: "2 old tasks to stop"},
		{name: "not recorded yet, the service lags", s: shifting(oldUntouched), after: time.Second, state: slipway.StateProgressing},
		{name: "pending", s: shifting(fresh, old), r: carried(pending), state: slipway.StateProgressing},
		{name: "scaling up", s: shifting(entry(newID, newARN, deploymentPrimary, inProgress, 0, minute, 1), old), r: carried(going), state: slipway.StateProgressing, waiting: "1 of 2 tasks to run"},
		{
			name: "waits for approval", s: shifting(fresh, old), r: carried(going, hooked(types.DeploymentLifecycleHookStatusAwaitingAction, types.DeploymentLifecycleHookActionRollback)),
			state: slipway.StateProgressing, waiting: "somebody to approve it at POST_TEST_TRAFFIC_SHIFT, until 2026-11-01T13:00:00Z, then ROLLBACK",
		},
		{
			name: "waits for a hook", s: shifting(fresh, old), r: carried(going, hooked(types.DeploymentLifecycleHookStatusInProgress, "")),
			state: slipway.StateProgressing, waiting: "the lifecycle hook hook-1 at POST_TEST_TRAFFIC_SHIFT",
		},
		{
			name: "shifted in part", s: shifting(fresh, old), r: carried(going, stage(types.ServiceDeploymentLifecycleStageProductionTrafficShift, 12.5)),
			state: slipway.StateProgressing, waiting: "the traffic to be shifted on from 12.5 %",
		},
		{
			name: "bakes", s: shifting(fresh, old), r: carried(going, stage(types.ServiceDeploymentLifecycleStageBakeTime, 100)),
			state: slipway.StateProgressing, waiting: "the bake time of 5 minutes to pass",
		},
		{
			name: "cleans up", s: shifting(fresh, old), r: carried(going, stage(types.ServiceDeploymentLifecycleStageCleanUp, 100)),
			state: slipway.StateProgressing, waiting: "2 old tasks to stop",
		},
		{
			name: "tasks fail and nobody else would end it", s: shifting(failing, old), r: carried(going), state: slipway.StateFailed,
			reason: "3 of its tasks failed one after the other, and ECS would go on for ever: the service has neither the deployment circuit breaker nor alarms",
		},
		{name: "tasks fail and the breaker will see", s: withShiftBreaker(shifting(failing, old)), r: carried(going), state: slipway.StateProgressing, waiting: "2 of 2 tasks to run"},
		{name: "SUCCESSFUL, but old tasks drain", s: shifting(fresh, old), r: carried(successful), state: slipway.StateProgressing, waiting: "2 old tasks to stop"},
		{name: "SUCCESSFUL, but the service lags", s: shifting(oldDone, leaving), r: carried(successful), state: slipway.StateProgressing},
		{name: "SUCCESSFUL, and the service says so", s: shifting(done), r: carried(successful), state: slipway.StateDeployed},
		{name: "SUCCESSFUL long ago, though something is left", s: shifting(fresh, old), r: carried(successful), after: 13 * minute, state: slipway.StateDeployed},
		{name: "SUCCESSFUL, replaced since", s: shifting(other), r: carried(successful), state: slipway.StateDeployed, reason: "it was deployed; since then " + replaced},

		{name: "being stopped", s: shifting(fresh, old), r: carried(stopRequested), state: slipway.StateProgressing, reason: "ECS is stopping it"},
		{name: "being stopped for another", s: shifting(other, leaving), r: carried(stopRequested), state: slipway.StateReplaced, reason: replaced},
		{name: "stopped for another", s: shifting(other), r: carried(stopped), state: slipway.StateReplaced, reason: replaced},
		{
			name: "stopped for another, which was rolled back", s: shifting(oldDone), r: carried(stopped),
			successor: &record{runs: otherARN, status: backSuccessful, createdAt: t0.Add(minute)}, state: slipway.StateReplaced,
			reason: "replaced by a deployment of web:9, made at 2026-11-01T12:01:00Z, which ECS has rolled back since",
		},
		{name: "stopped just now, and the service lags", s: shifting(fresh, old), r: carried(stopped), after: 150 * time.Second, state: slipway.StateProgressing, reason: "ECS has stopped it"},
		{
			name: "failed, and ECS is not to roll back", s: shifting(bad, old), r: carried(stopped, because("the breaker says so.")), after: 130 * time.Second,
			state: slipway.StateFailed, reason: "ECS stopped it, and does not roll it back: ECS deployment circuit breaker: tasks failed to start",
		},
		{
			name: "stopped, and nobody knows for what", s: shifting(fresh, old), r: carried(stopped, because("as it says.")),
			state: slipway.StateFailed, reason: "ECS stopped it, and does not roll it back: as it says",
		},

		{
			name: "the breaker rolls back", s: shifting(oldAgain, leaving), r: carried(backGoing, breakerTriggered, because(breakerSays)),
			state: slipway.StateRollingBack, by: slipway.ByECS, cause: slipway.CauseBreaker,
			reason: "ECS is rolling back to web:7: Service deployment rolled back because the circuit breaker threshold was exceeded",
		},
		{
			name: "rolled back by the breaker", s: shifting(oldDone), r: carried(backSuccessful, because(breakerSays)),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseBreaker,
			reason: "rolled back by ECS to web:7: Service deployment rolled back because the circuit breaker threshold was exceeded",
		},
		{name: "rolled back, and tasks drain", s: shifting(oldDone, leaving), r: carried(backSuccessful, because(breakerSays)), state: slipway.StateRollingBack, by: slipway.ByECS, cause: slipway.CauseBreaker,
			reason: "ECS is rolling back to web:7: Service deployment rolled back because the circuit breaker threshold was exceeded"},
		{
			name: "rolled back by an alarm", s: shifting(oldDone), r: carried(backSuccessful, alarmTriggered, because("Service deployment rolled back.")),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseAlarm, reason: "rolled back by ECS to web:7: Service deployment rolled back; in alarm: web-5xx",
		},
		{
			name: "rolled back by a Lambda hook", s: shifting(oldDone), r: carried(backSuccessful, because(hookSays)),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseHook, reason: "rolled back by ECS to web:7: " + strings.TrimSuffix(hookSays, "."),
		},
		{
			name: "rolled back by a pause that nobody answered", s: shifting(oldDone),
			r:     carried(backSuccessful, hooked(types.DeploymentLifecycleHookStatusTimedOut, types.DeploymentLifecycleHookActionRollback)),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseHook, reason: "rolled back by ECS to web:7: lifecycle hook hook-1: TIMED_OUT",
		},
		{
			name: "rolled back after a pause that went on by itself", s: shifting(oldDone),
			r:     carried(backSuccessful, hooked(types.DeploymentLifecycleHookStatusTimedOut, types.DeploymentLifecycleHookActionContinue), breakerTriggered, because(breakerSays)),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseBreaker,
			reason: "rolled back by ECS to web:7: Service deployment rolled back because the circuit breaker threshold was exceeded",
		},
		{
			name: "a person rolls back", s: shifting(fresh, old), r: carried(backRequested),
			state: slipway.StateRollingBack, by: slipway.ByECS, cause: slipway.CausePerson, reason: "ECS is rolling back: somebody stopped the deployment",
		},
		{
			name: "rolled back by a person", s: shifting(oldDone), r: carried(backSuccessful, because("Service deployment rolled back because of a stop request.")),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CausePerson, reason: "rolled back by ECS to web:7: Service deployment rolled back because of a stop request",
		},
		{
			name: "rolled back, and AWS does not say why", s: shifting(oldDone), r: carried(backSuccessful),
			state: slipway.StateRolledBack, by: slipway.ByECS, reason: "rolled back by ECS to web:7",
		},
		{
			name: "rolled back, replaced since", s: shifting(other), r: carried(backSuccessful, because(breakerSays)),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseBreaker,
			reason: "rolled back by ECS; since then " + replaced + ": Service deployment rolled back because the circuit breaker threshold was exceeded",
		},
		{
			name: "nothing to go back to", s: shifting(bad), r: carried(backFailed, because("No rollback candidate was found to run the rollback")),
			state: slipway.StateFailed, reason: "it failed, and so did ECS's rollback: No rollback candidate was found to run the rollback",
		},

		{name: "told to roll back", d: told, s: shifting(fresh, old), r: carried(backRequested), state: slipway.StateRollingBack, by: slipway.BySlipway, reason: "putting web:7 back: out of time"},
		{name: "told, not shown yet", d: told, s: shifting(fresh, old), r: carried(going), state: slipway.StateRollingBack, by: slipway.BySlipway, reason: "putting web:7 back: out of time"},
		{
			name: "told, and done", d: told, s: shifting(oldDone), r: carried(backSuccessful, because("Service deployment rolled back because of a stop request.")),
			state: slipway.StateRolledBack, by: slipway.BySlipway, reason: "put web:7 back: out of time",
		},
		{
			name: "told, but the breaker was first", d: told, s: shifting(oldDone), r: carried(backSuccessful, breakerTriggered, because(breakerSays)),
			state: slipway.StateRolledBack, by: slipway.ByECS, cause: slipway.CauseBreaker, reason: "put web:7 back: out of time",
		},
		{
			name: "told, and it failed", d: told, s: shifting(bad), r: carried(backFailed, because("why it failed.")),
			state: slipway.StateFailed, reason: "the rollback failed: why it failed",
		},
		{
			name: "told too late", d: told, s: shifting(done), r: carried(successful),
			state: slipway.StateFailed, reason: "the deployment was over before ECS could roll it back",
		},
		{name: "told, but replaced", d: told, s: shifting(other), r: carried(stopped), state: slipway.StateReplaced, reason: replaced},

		{name: "the service was updated back", d: updated, s: shifting(back, leaving), r: carried(going), state: slipway.StateRollingBack, by: slipway.BySlipway, reason: "putting web:7 back: out of time"},
		{name: "updated back, and done", d: updated, s: shifting(backDone), r: carried(successful), state: slipway.StateRolledBack, by: slipway.BySlipway, reason: "put web:7 back: out of time"},
		{
			name: "updated back, which fails", d: updated, s: shifting(back, leaving), r: carried(backGoing, because(breakerSays)), state: slipway.StateRollingBack, by: slipway.BySlipway,
			reason: "the rollback failed, and ECS is undoing it: Service deployment rolled back because the circuit breaker threshold was exceeded",
		},
		{
			name: "updated back, which failed", d: updated, s: shifting(done), r: carried(backSuccessful, because(breakerSays)), state: slipway.StateFailed,
			reason: "the rollback failed, and ECS undid it: Service deployment rolled back because the circuit breaker threshold was exceeded",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.d
			if d.Phase == slipway.PhaseNew {
				d = startedOn
			}
			after := tt.after
			if after == 0 {
				after = 5 * minute
			}
			o := judge(d, facts{described: described{service: tt.s}, record: tt.r, successor: tt.successor}, t0.Add(after))
			if o.State != tt.state || o.By != tt.by || o.Cause != tt.cause || o.Reason != tt.reason {
				t.Errorf("got  %s by %q because of %q: %q\nwant %s by %q because of %q: %q", o.State, o.By, o.Cause, o.Reason, tt.state, tt.by, tt.cause, tt.reason)
			}
			if tt.waiting != "" && o.Waiting != tt.waiting || o.Final() && o.Waiting != "" {
				t.Errorf("it waits for %q, want %q", o.Waiting, tt.waiting)
			}
			if o.Final() && o.State != slipway.StateDeployed && o.Reason == "" {
				t.Errorf("a final %s without a reason", o.State)
			}
		})
	}
}

func withShiftBreaker(s *types.Service) *types.Service {
	s.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	return s
}

func TestJudgeShiftCounts(t *testing.T) {
	r := carried(types.ServiceDeploymentStatusInProgress, stage(types.ServiceDeploymentLifecycleStageProductionTrafficShift, 5),
		hooked(types.DeploymentLifecycleHookStatusAwaitingAction, types.DeploymentLifecycleHookActionContinue), breakerTriggered)
	d := slipway.Deployment{Phase: slipway.PhaseStarted, Strategy: slipway.StrategyCanary, ID: newID, TaskDefinition: newARN, StartedAt: t0}
	got := judge(d, facts{described: described{service: shifting(entry(oldID, oldARN, deploymentPrimary, completed, -time.Hour, 0, 4))}, record: r}, t0)
	want := slipway.Observation{
		At: t0, State: slipway.StateProgressing, TaskDefinition: oldARN, Draining: 4,
		Tasks: slipway.TaskCounts{Desired: 2, Running: 2, Failed: 3},
		Stage: "POST_TEST_TRAFFIC_SHIFT", Traffic: aws.Float64(5), BakeMinutes: 5,
		Hooks:   []slipway.Hook{{ID: "hook-1", Stage: "POST_TEST_TRAFFIC_SHIFT", Expires: t0.Add(time.Hour), OnExpiry: "CONTINUE"}},
		Waiting: "somebody to approve it at POST_TEST_TRAFFIC_SHIFT, until 2026-11-01T13:00:00Z, then CONTINUE",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBakeMinutes(t *testing.T) {
	alarms := &types.DeploymentAlarms{Enable: true}
	for _, tt := range []struct {
		name string
		c    types.DeploymentConfiguration
		want int
	}{
		{"rolling", types.DeploymentConfiguration{BakeTimeInMinutes: aws.Int32(5)}, 0},
		{"rolling with alarms", types.DeploymentConfiguration{BakeTimeInMinutes: aws.Int32(5), Alarms: alarms}, 5},
		{"blue/green", types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(5)}, 5},
		{"canary", types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(5), CanaryConfiguration: &types.CanaryConfiguration{CanaryBakeTimeInMinutes: aws.Int32(20)},
		}, 25},
		{"canary by default", types.DeploymentConfiguration{Strategy: types.DeploymentStrategyCanary}, 10},
		{"linear", types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyLinear, BakeTimeInMinutes: aws.Int32(1),
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(30), StepBakeTimeInMinutes: aws.Int32(2)},
		}, 7}, // 30, 60, 90, 100
		{"linear by default", types.DeploymentConfiguration{Strategy: types.DeploymentStrategyLinear}, 54},
	} {
		if got := bakeMinutes(&tt.c); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestThreshold(t *testing.T) {
	for _, tt := range []struct {
		kind    types.ThresholdType
		value   int32
		desired int
		want    int
	}{
		{"", 0, 0, 3}, {"", 0, 1, 3}, {"", 0, 7, 4}, {"", 0, 25, 13}, {"", 0, 400, 200}, {"", 0, 800, 200},
		{types.ThresholdTypeCount, 7, 100, 7},
		{types.ThresholdTypeBoundedPercent, 10, 100, 10}, {types.ThresholdTypeBoundedPercent, 10, 10, 3},
		{types.ThresholdTypeUnboundedPercent, 10, 10, 1}, {types.ThresholdTypeUnboundedPercent, 100, 400, 400},
	} {
		c := &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{}}
		if tt.kind != "" {
			c.DeploymentCircuitBreaker.ThresholdConfiguration = &types.ThresholdConfiguration{Type: tt.kind, Value: tt.value}
		}
		if got := threshold(c, tt.desired); got != tt.want {
			t.Errorf("%s %d of %d tasks: got %d, want %d", tt.kind, tt.value, tt.desired, got, tt.want)
		}
	}
	if got := threshold(nil, 25); got != 13 {
		t.Errorf("without a configuration: %d", got)
	}
}

func TestHopeless(t *testing.T) {
	d := slipway.Deployment{Phase: slipway.PhaseStarted, ID: newID, TaskDefinition: newARN, Base: oldARN, BaseDeployment: oldID, StartedAt: t0}
	fresh := func(running, failedTasks int32) types.Deployment {
		ours := entry(newID, newARN, deploymentPrimary, inProgress, 0, 0, running)
		ours.FailedTasks = failedTasks
		return ours
	}
	killed := crashed(5)
	for i := range killed {
		killed[i].StopCode = types.TaskStopCodeUserInitiated
	}
	withAlarms := service(fresh(0, 9))
	withAlarms.DeploymentConfiguration = &types.DeploymentConfiguration{Alarms: &types.DeploymentAlarms{Enable: true}}
	for _, tt := range []struct {
		name    string
		s       *types.Service
		stopped []types.Task
		want    slipway.State
	}{
		{"two failed", service(fresh(0, 2)), nil, slipway.StateProgressing},
		{"three failed", service(fresh(0, 3)), nil, slipway.StateFailed},
		{"ECS counted anew, but three crashed", service(fresh(0, 0)), crashed(3), slipway.StateFailed},
		{"three crashed, but one runs", service(fresh(1, 0)), crashed(3), slipway.StateProgressing},
		{"one runs, but each was lost twice", service(fresh(1, 0)), crashed(4), slipway.StateFailed},
		{"no room", withEvents(service(fresh(0, 9)), "(service web) was unable to place a task. Reason: Capacity is unavailable at this time."), nil, slipway.StateProgressing},
		{"no room, and crashes", withEvents(service(fresh(0, 9)), "(service web) was unable to place a task. Reason: Capacity is unavailable at this time."), crashed(3), slipway.StateFailed},
		{"people stopped them", service(fresh(0, 0)), killed, slipway.StateProgressing},
		{"the breaker decides", withBreaker(service(fresh(0, 9)), false), nil, slipway.StateProgressing},
		{"alarms decide", withAlarms, nil, slipway.StateProgressing},
	} {
		if o := judge(d, facts{described: described{service: tt.s}, stopped: tt.stopped}, t0.Add(time.Minute)); o.State != tt.want {
			t.Errorf("%s: got %s (%s), want %s", tt.name, o.State, o.Reason, tt.want)
		}
	}
	d.Phase, d.RollbackID = slipway.PhaseRollingBack, newID
	d.Base, d.TaskDefinition = newARN, oldARN
	before := entry(oldID, oldARN, active, completed, -time.Hour, 0, 2)
	want := "9 of its tasks failed one after the other, and ECS would go on for ever: the service has neither the deployment circuit breaker nor alarms; 2 tasks from before still run"
	if o := judge(d, facts{described: described{service: service(fresh(0, 9), before)}}, t0.Add(time.Minute)); o.State != slipway.StateFailed || o.Reason != want {
		t.Errorf("a rollback that cannot succeed is %s: %q", o.State, o.Reason)
	}
}

func TestPausing(t *testing.T) {
	hook := func(id string, status types.DeploymentLifecycleHookStatus) types.DeploymentLifecycleHookDetail {
		return types.DeploymentLifecycleHookDetail{HookId: aws.String(id), Status: status}
	}
	const awaits, succeeded = types.DeploymentLifecycleHookStatusAwaitingAction, types.DeploymentLifecycleHookStatusSucceeded
	for _, tt := range []struct {
		name    string
		hooks   []types.DeploymentLifecycleHookDetail
		id      string
		want    string
		problem string
	}{
		{"the only one", []types.DeploymentLifecycleHookDetail{hook("a", succeeded), hook("b", awaits)}, "", "b", ""},
		{"named", []types.DeploymentLifecycleHookDetail{hook("a", awaits), hook("b", awaits)}, "b", "b", ""},
		{"none", []types.DeploymentLifecycleHookDetail{hook("a", succeeded)}, "", "", "it waits for nobody's approval"},
		{"several", []types.DeploymentLifecycleHookDetail{hook("a", awaits), hook("b", awaits)}, "", "", "it waits at several hooks, so name one: a, b"},
		{"answered", []types.DeploymentLifecycleHookDetail{hook("a", succeeded)}, "a", "", "hook a does not wait any more: it is SUCCEEDED"},
		{"unknown", []types.DeploymentLifecycleHookDetail{hook("a", awaits)}, "c", "", "it has no hook c"},
	} {
		got, problem := pausing(tt.hooks, tt.id)
		if aws.ToString(got.HookId) != tt.want || problem != tt.problem {
			t.Errorf("%s: got %q, %q", tt.name, aws.ToString(got.HookId), problem)
		}
	}
}
