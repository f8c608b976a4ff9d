package controlplane_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestStrategiesRollBack has every cause of a rollback on every strategy.
func TestStrategiesRollBack(t *testing.T) {
	const rolledBack = "Service deployment rolled back because "
	type cause struct {
		name, tag, reason, event string
		options                  []sandboxtest.ServiceOption
		answer                   string
		meddle                   func(t *testing.T, v *voyage, a *alarms)
	}
	causes := []cause{
		{
			name: "circuit breaker", tag: "2.0.0-crash", reason: rolledBack + "the circuit breaker threshold was exceeded.",
			event: "deployment failed: tasks failed to start.", options: []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(true)},
		}, {
			name: "alarm", tag: "2.0.0", reason: rolledBack + "of one or more active alarms.",
			event: "deployment failed: alarm detected.", options: []sandboxtest.ServiceOption{sandboxtest.DeploymentAlarms(true, "errors", "latency", "already")},
			meddle: func(_ *testing.T, v *voyage, a *alarms) {
				v.until(in("BAKE_TIME"))
				a.ring("latency", true)
			},
		}, {
			name: "hook", tag: "2.0.0", answer: `{"hookStatus": "FAILED"}`,
			reason:  rolledBack + "POST_PRODUCTION_TRAFFIC_SHIFT lifecycle hook(s) failed. Lifecycle hook target " + hookARN + " returned FAILED status.",
			event:   "deployment failed: " + rolledBack + "POST_PRODUCTION_TRAFFIC_SHIFT lifecycle hook(s) failed. Lifecycle hook target " + hookARN + " returned FAILED status.",
			options: []sandboxtest.ServiceOption{sandboxtest.Hooks(lambda("POST_PRODUCTION_TRAFFIC_SHIFT"))},
		}, {
			name: "person", tag: "2.0.0", reason: rolledBack + "of a stop request.",
			meddle: func(t *testing.T, v *voyage, _ *alarms) {
				r := v.until(in("BAKE_TIME"))
				if _, err := v.w.ECS().StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn}); err != nil {
					t.Fatal(err)
				}
				same(t, "status", types.ServiceDeploymentStatusRollbackRequested, newest(t, v.w, v.s).Status)
			},
		},
	}
	for strategy, option := range map[string]sandboxtest.ServiceOption{
		"blue/green": sandboxtest.BlueGreen(10), "canary": sandboxtest.Canary(10, 3, 10), "linear": sandboxtest.Linear(50, 3, 10),
	} {
		for _, c := range causes {
			inBubble(strategy+", "+c.name, t, func(t *testing.T) {
				f := &functions{answer: func(event) (string, error) { return `{"hookStatus": "SUCCEEDED"}`, nil }}
				a := &alarms{ringing: map[string]bool{"errors": false, "latency": false, "already": true}}
				w := sandboxtest.New(t, sandboxtest.Functions(f), sandboxtest.Alarms(a))
				s := w.Service("cluster1", "webapp1", append(c.options, sandboxtest.Managed(), option)...)
				if c.answer != "" {
					f.answer = func(event) (string, error) { return c.answer, nil }
				}
				st := tell(t, s)
				v := embark(t, w, s, c.tag)
				if c.meddle != nil {
					c.meddle(t, v, a)
				}
				r := v.until(ended)
				same(t, "status", types.ServiceDeploymentStatusRollbackSuccessful, r.Status)
				same(t, "reason", c.reason, *r.StatusReason)
				same(t, "rolled back to", *r.SourceServiceRevisions[0].Arn, *r.Rollback.ServiceRevisionArn)
				same(t, "why", c.reason, *r.Rollback.Reason)
				same(t, "weights", map[string]float64{s.TargetGroup: 100, *s.Managed.AlternateTargetGroupArn: 0}, w.Weights(*s.Managed.ProductionListenerRule))
				same(t, "weight of the new revision", "0 and 0", fmt.Sprintf("%v and %v", *r.TargetServiceRevision.RequestedProductionTrafficWeight, *r.TargetServiceRevision.RequestedTestTrafficWeight))
				st.until(over)
				same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
				same(t, "task definition", s.TaskDefinition, *s.Describe().TaskDefinition)
				events := strings.Join(st.events(), "\n")
				if !strings.Contains(events, c.event) || !strings.Contains(events, "rolling back to deployment D1.") {
					t.Errorf("events have no %q and no rollback:\n%s", c.event, events)
				}
				if c.name == "alarm" {
					same(t, "alarms", "TRIGGERED [latency]", fmt.Sprintf("%s %v", r.Alarms.Status, r.Alarms.TriggeredAlarmNames))
				}
				// And it can be deployed again.
				f.answer = func(event) (string, error) { return `{"hookStatus": "SUCCEEDED"}`, nil }
				same(t, "status", types.ServiceDeploymentStatusSuccessful, embark(t, w, s, "3.0.0").until(ended).Status)
			})
		}
	}
}

// TestRollbackStages: the traffic returns before the new tasks go, and the hooks
// of both shifts are called again with the weights turned round.
func TestRollbackStages(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		f := &functions{answer: func(event) (string, error) { return `{"hookStatus": "SUCCEEDED"}`, nil }}
		w := sandboxtest.New(t, sandboxtest.Functions(f))
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.Canary(10, 5, 10), sandboxtest.Hooks(
			lambda("RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
				"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT")))
		f.events = nil
		v := embark(t, w, s, "2.0.0")
		r := v.until(in("BAKE_TIME"))
		same(t, "calls", "PRE_SCALE_UP, POST_SCALE_UP, TEST_TRAFFIC_SHIFT, POST_TEST_TRAFFIC_SHIFT, PRE_PRODUCTION_TRAFFIC_SHIFT 0, "+
			"PRODUCTION_TRAFFIC_SHIFT 10, PRE_PRODUCTION_TRAFFIC_SHIFT 10, PRODUCTION_TRAFFIC_SHIFT 100, POST_PRODUCTION_TRAFFIC_SHIFT", f.calls())
		e := f.events[2]
		same(t, "test weights", map[string]float64{*r.TargetServiceRevision.Arn: 100, *r.SourceServiceRevisions[0].Arn: 0}, e.ExecutionDetails.TestTrafficWeights)
		same(t, "about", s.ARN+" "+*r.ServiceDeploymentArn, e.ExecutionDetails.ServiceArn+" "+e.ResourceArn)
		f.events, v.seen = nil, nil
		if _, err := w.ECS().StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn}); err != nil {
			t.Fatal(err)
		}
		v.until(ended)
		same(t, "calls", "PRODUCTION_TRAFFIC_SHIFT 0, TEST_TRAFFIC_SHIFT", f.calls())
		same(t, "the way back", []string{
			"ROLLBACK_REQUESTED BAKE_TIME 100/100 100/100",
			"ROLLBACK_IN_PROGRESS SCALE_UP 100/100 100/100",
			"ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 0/100 0/100",
			"ROLLBACK_IN_PROGRESS TEST_TRAFFIC_SHIFT 0/0 0/0",
			"ROLLBACK_IN_PROGRESS CLEAN_UP 0/0 0/0",
			"ROLLBACK_SUCCESSFUL CLEAN_UP 0/0 0/0",
		}, v.way())
	})
	inBubble("a hook fails on the way back", t, func(t *testing.T) {
		f := &functions{answer: func(event) (string, error) { return `{"hookStatus": "SUCCEEDED"}`, nil }}
		w := sandboxtest.New(t, sandboxtest.Functions(f))
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(10), sandboxtest.Hooks(lambda("PRODUCTION_TRAFFIC_SHIFT")))
		f.answer = func(event) (string, error) { return `{"hookStatus": "FAILED"}`, nil }
		r := embark(t, w, s, "2.0.0").until(ended)
		same(t, "status", types.ServiceDeploymentStatusRollbackFailed, r.Status)
		d := s.Settle()
		same(t, "task definition", s.TaskDefinition, *d.TaskDefinition)
		same(t, "weight", 100.0, w.Weights(*s.Managed.ProductionListenerRule)[s.TargetGroup])
	})
}

// TestStoppedInCleanUp: blue is going already when somebody stops the deployment.
// It comes back before the traffic does.
func TestStoppedInCleanUp(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0))
		st := tell(t, s)
		v := embark(t, w, s, "2.0.0")
		r := v.until(in("CLEAN_UP"))
		sleep(10 * time.Second)
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/0", named(st))
		if _, err := w.ECS().StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn}); err != nil {
			t.Fatal(err)
		}
		v.seen = nil
		same(t, "status", types.ServiceDeploymentStatusRollbackSuccessful, v.until(ended).Status)
		same(t, "the way back", []string{
			"ROLLBACK_REQUESTED CLEAN_UP 100/100 100/100",
			"ROLLBACK_IN_PROGRESS SCALE_UP 100/100 100/100",
			"ROLLBACK_IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 0/100 0/100",
		}, v.way()[:3])
		st.until(over)
		same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", named(st))
	})
}
