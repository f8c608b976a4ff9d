package controlplane_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// alarms are in the state ALARM by name.
type alarms struct {
	mu      sync.Mutex
	ringing map[string]bool
}

func (a *alarms) State(name string) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ringing, found := a.ringing[name]
	if ringing {
		return "ALARM", true
	}
	return "OK", found
}

func (a *alarms) ring(name string, ringing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ringing[name] = ringing
}

// TestAlarmsOnRolling: a rolling deployment with alarms bakes, and an alarm that
// rings until the bake is over rolls it back, or stops it.
func TestAlarmsOnRolling(t *testing.T) {
	quiet := func(*alarms) {}
	for _, c := range []struct {
		name           string
		rollback       bool
		bake           int32
		first          func(*alarms) // before the deployment
		then           func(*alarms) // while it bakes
		status         types.ServiceDeploymentStatus
		reason         string
		monitor        types.ServiceDeploymentRollbackMonitorsStatus
		deployments    string
		least, longest time.Duration
	}{
		{
			name: "quiet", rollback: true, first: quiet, then: quiet, status: types.ServiceDeploymentStatusSuccessful,
			monitor: types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete, deployments: "D2 PRIMARY COMPLETED 1/0/1",
			least: 5 * time.Minute, longest: 8 * time.Minute,
		}, {
			name: "quiet, bakes as long as it is told", rollback: true, bake: 30, first: quiet, then: quiet, status: types.ServiceDeploymentStatusSuccessful,
			monitor: types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete, deployments: "D2 PRIMARY COMPLETED 1/0/1",
			least: 31 * time.Minute, longest: 34 * time.Minute,
		}, {
			name: "rings while it bakes", rollback: true, first: quiet, then: func(a *alarms) { a.ring("errors", true) },
			status: types.ServiceDeploymentStatusRollbackSuccessful, reason: "Service deployment rolled back because of one or more active alarms.",
			monitor: types.ServiceDeploymentRollbackMonitorsStatusTriggered, deployments: "D1 PRIMARY COMPLETED 1/0/1", longest: 6 * time.Minute,
		}, {
			name: "rings, without rollback", first: quiet, then: func(a *alarms) { a.ring("errors", true) },
			status: types.ServiceDeploymentStatusStopped, monitor: types.ServiceDeploymentRollbackMonitorsStatusTriggered,
			deployments: "D2 PRIMARY FAILED 1/0/1", longest: 5 * time.Minute,
		}, {
			name: "rang before, rests, and rings again: ignored", rollback: true, first: func(a *alarms) { a.ring("errors", true) },
			then: func(a *alarms) { a.ring("errors", false); sleep(time.Minute); a.ring("errors", true) }, status: types.ServiceDeploymentStatusSuccessful,
			monitor: types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete, deployments: "D2 PRIMARY COMPLETED 1/0/1", longest: 8 * time.Minute,
		},
	} {
		inBubble(c.name, t, func(t *testing.T) {
			a := &alarms{ringing: map[string]bool{"errors": false}}
			w := sandboxtest.New(t, sandboxtest.Alarms(a))
			s := w.Service("cluster1", "service1")
			s.Update(func(in *ecs.UpdateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{
					Alarms: &types.DeploymentAlarms{AlarmNames: []string{"errors", "missing"}, Enable: true, Rollback: c.rollback}, BakeTimeInMinutes: &c.bake,
				}
			})
			c.first(a)
			st := tell(t, s)
			v := embark(t, w, s, "2.0.0")
			same(t, "monitoring", "MONITORING [errors missing]", fmt.Sprintf("%s %v", newest(t, w, s).Alarms.Status, newest(t, w, s).Alarms.AlarmNames))
			st.until(func(d types.Service) bool { return len(d.Deployments) == 1 }) // it bakes
			c.then(a)
			r := v.until(ended)
			same(t, "end", fmt.Sprintf("%s %s", c.status, c.reason), fmt.Sprintf("%s %s", r.Status, aws.ToString(r.StatusReason)))
			same(t, "alarms", c.monitor, r.Alarms.Status)
			if took := time.Since(v.began); took < c.least || took > c.longest {
				t.Errorf("it took %s", took)
			}
			st.until(over)
			same(t, "deployments", c.deployments, named(st))
		})
	}
}

// TestAlarmBeforeAnyTaskIsHealthy: the alarm decides before the breaker does.
func TestAlarmBeforeAnyTaskIsHealthy(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		a := &alarms{ringing: map[string]bool{"errors": false}}
		w := sandboxtest.New(t, sandboxtest.Alarms(a))
		s := w.Service("cluster1", "service1", sandboxtest.CircuitBreaker(false), sandboxtest.DeploymentAlarms(true, "errors"))
		st := tell(t, s)
		v := embark(t, w, s, "2.0.0-missing")
		sleep(time.Minute)
		a.ring("errors", true)
		rung := time.Now()
		st.until(func(d types.Service) bool { return st.names[*d.Deployments[0].Id] == "D1" })
		if took := time.Since(rung); took > 30*time.Second {
			t.Errorf("the rollback began %s after the alarm", took)
		}
		same(t, "reasons", "ECS deployment alarm: rolling back to deploymentId D1. / ECS deployment alarm: alarm detected.",
			st.named(*s.Describe().Deployments[0].RolloutStateReason+" / "+*s.Describe().Deployments[1].RolloutStateReason))
		same(t, "end", types.ServiceDeploymentStatusRollbackSuccessful, v.until(ended).Status)
	})
}

// TestEarlySuccess ends a rolling deployment before all of its tasks are there.
func TestEarlySuccess(t *testing.T) {
	for _, c := range []struct {
		cleanup     types.ServiceRevisionCleanup
		bake        int32
		deployments string // when the service deployment succeeds
		least       time.Duration
	}{
		// Three of six tasks are enough; the old ones are draining, or have drained.
		{types.ServiceRevisionCleanupDeferred, 0, "D2 PRIMARY COMPLETED 3/0/6, D1 ACTIVE COMPLETED 6/0/0", 0},
		{types.ServiceRevisionCleanupBlocking, 0, "D2 PRIMARY COMPLETED 6/0/6, D1 ACTIVE COMPLETED 0/0/0", 0},
		{types.ServiceRevisionCleanupDeferred, 20, "D2 PRIMARY COMPLETED 6/0/6", 20 * time.Minute},
	} {
		inBubble(fmt.Sprintf("%s, baking for %d min", c.cleanup, c.bake), t, func(t *testing.T) {
			w := sandboxtest.New(t)
			s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.DesiredCount(6), sandboxtest.Percentages(50, 100), sandboxtest.CircuitBreaker(true))
			s.Update(func(in *ecs.UpdateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{
					BakeTimeInMinutes: &c.bake,
					EarlySuccessCriteria: &types.DeploymentEarlySuccessCriteria{
						Enable: true, HealthyPercent: aws.Int32(50), SourceServiceRevisionCleanup: c.cleanup,
					},
				}
			})
			st := tell(t, s)
			v := embark(t, w, s, "2.0.0")
			r := v.until(ended)
			same(t, "status", types.ServiceDeploymentStatusSuccessful, r.Status)
			same(t, "deployments", c.deployments, named(st))
			if took := time.Since(v.began); took < c.least {
				t.Errorf("it took %s", took)
			}
			st.until(over)
			sleep(5 * time.Minute)
			same(t, "deployments", "D2 PRIMARY COMPLETED 6/0/6", named(st))
		})
	}
}
