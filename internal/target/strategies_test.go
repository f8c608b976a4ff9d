package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// strategies are the ways to shift traffic, each with the percentages that the new
// tasks get on the way.
var strategies = []struct {
	name    slipway.Strategy
	option  sandboxtest.ServiceOption
	traffic []float64
}{
	{slipway.StrategyBlueGreen, sandboxtest.BlueGreen(5), []float64{0, 100}},
	{slipway.StrategyLinear, sandboxtest.Linear(40, 2, 1), []float64{0, 40, 80, 100}},
	{slipway.StrategyCanary, sandboxtest.Canary(5, 10, 1), []float64{0, 5, 100}},
}

// onEach runs a test with a service of each strategy behind a load balancer.
func onEach(t *testing.T, test func(t *testing.T, w *sandboxtest.World, e *ECS, service func(...sandboxtest.ServiceOption) *sandboxtest.Service)) {
	t.Helper()
	for _, strategy := range strategies {
		t.Run(string(strategy.name), func(t *testing.T) {
			in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
				test(t, w, e, func(options ...sandboxtest.ServiceOption) *sandboxtest.Service {
					return w.Service("cluster1", "webapp1", append([]sandboxtest.ServiceOption{sandboxtest.Managed(), strategy.option}, options...)...)
				})
			})
		})
	}
}

func TestShift(t *testing.T) {
	for _, tt := range strategies {
		t.Run(string(tt.name), func(t *testing.T) {
			in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
				s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), tt.option, sandboxtest.DesiredCount(2))
				d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
				if d.Strategy != tt.name {
					t.Errorf("the strategy is %q", d.Strategy)
				}
				all := observe(t, e, d)
				checkEnd(t, last(all), slipway.StateDeployed, "")
				var traffic []float64
				var stages []string
				for _, o := range all {
					if o.Traffic != nil {
						traffic = append(traffic, *o.Traffic)
					}
					stages = append(stages, o.Stage)
				}
				if diff := cmp.Diff(tt.traffic, slices.Compact(traffic)); diff != "" {
					t.Errorf("traffic (-want +got):\n%s", diff)
				}
				for _, stage := range []string{"SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"} {
					if stage == "PRODUCTION_TRAFFIC_SHIFT" && tt.name == slipway.StrategyBlueGreen {
						continue // it takes no time behind an ALB
					}
					if !slices.Contains(stages, stage) {
						t.Errorf("nobody saw stage %s in %v", stage, slices.Compact(stages))
					}
				}
				bake := slices.IndexFunc(all, func(o slipway.Observation) bool { return o.Stage == "BAKE_TIME" })
				if o := all[bake]; o.Tasks != (slipway.TaskCounts{Desired: 2, Running: 2}) || o.Draining != 2 || !strings.HasPrefix(o.Waiting, "the bake time of") {
					t.Errorf("while it baked: %+v", o)
				}
				if now := s.Describe(); last(all).TaskDefinition != d.TaskDefinition || *now.TaskDefinition != d.TaskDefinition || len(now.Deployments) != 1 {
					t.Errorf("runs %s with %d deployments", *now.TaskDefinition, len(now.Deployments))
				}
				checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
				// Once it is found, a service deployment costs one call for twenty.
				looks := w.Calls().Count("DescribeServices")
				if n := w.Calls().Count("DescribeServiceDeployments"); n > looks+5 || w.Calls().Count("DescribeServiceRevisions")+w.Calls().Count("ListServiceDeployments") > 8 {
					t.Errorf("%d looks took %v", looks, w.Calls().Operations())
				}
			})
		})
	}
}

func TestShiftIsRolledBackByTheBreaker(t *testing.T) {
	onEach(t, func(t *testing.T, w *sandboxtest.World, e *ECS, service func(...sandboxtest.ServiceOption) *sandboxtest.Service) {
		s := service(sandboxtest.CircuitBreaker(true))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		all := observe(t, e, d)
		o := last(all)
		checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "rolled back by ECS to webapp1:1: ", "circuit breaker", "container webapp1 exit code 1")
		if o.Cause != slipway.CauseBreaker || o.TaskDefinition != s.TaskDefinition {
			t.Errorf("because of %q, runs %s", o.Cause, o.TaskDefinition)
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
	})
}

// functions answers every Lambda hook alike.
type functions string

func (f functions) Invoke(context.Context, string, []byte) ([]byte, error) { return []byte(f), nil }

func TestShiftIsRolledBackByAHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t, sandboxtest.Functions(functions(`{"hookStatus":"FAILED"}`)))
		e := targetOf(w)
		w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(1))
		s := hookedService(t, w, types.DeploymentLifecycleHook{
			HookTargetArn:   aws.String("arn:aws:lambda:ca-central-1:111122223333:function:smoke-test"),
			RoleArn:         aws.String("arn:aws:iam::111122223333:role/hooks"),
			LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostTestTrafficShift},
		})
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "rolled back by ECS to webapp1:1: ", "function:smoke-test", "POST_TEST_TRAFFIC_SHIFT")
		if o.Cause != slipway.CauseHook || o.TaskDefinition != s {
			t.Errorf("because of %q, runs %s", o.Cause, o.TaskDefinition)
		}
	})
}

// hookedService gives webapp1 hooks, which starts no deployment, and returns what
// it runs.
func hookedService(t *testing.T, w *sandboxtest.World, hooks ...types.DeploymentLifecycleHook) string {
	t.Helper()
	out, err := w.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("cluster1"), Service: aws.String("webapp1"),
		DeploymentConfiguration: &types.DeploymentConfiguration{LifecycleHooks: hooks},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ForgetCalls()
	return *out.Service.TaskDefinition
}

// paused is a pause at stages that lasts an hour.
func paused(stages ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{
		TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: stages,
		TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(60), Action: types.DeploymentLifecycleHookActionRollback},
	}
}

// untilPaused observes d until it waits for a person.
func untilPaused(t *testing.T, e *ECS, d slipway.Deployment) slipway.Observation {
	t.Helper()
	for range 1000 {
		o, err := e.Observe(t.Context(), d)
		if err != nil || o.Final() {
			t.Fatalf("got %+v, %v", o, err)
		}
		if len(o.Hooks) > 0 {
			return o
		}
		pass(time.Until(o.Next))
	}
	t.Fatal("it never waited for anybody")
	return slipway.Observation{}
}

func TestDecide(t *testing.T) {
	const before, after = types.DeploymentLifecycleHookStagePostScaleUp, types.DeploymentLifecycleHookStagePostProductionTrafficShift
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(1))
		base := hookedService(t, w, paused(before, after))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		o := untilPaused(t, e, d)
		if hook := o.Hooks[0]; len(o.Hooks) != 1 || hook.Stage != string(before) || hook.OnExpiry != "ROLLBACK" || !strings.HasPrefix(o.Waiting, "somebody to approve it at POST_SCALE_UP, until ") {
			t.Errorf("got %+v", o)
		}
		if left := time.Until(o.Hooks[0].Expires); left < 55*time.Minute || left > time.Hour {
			t.Errorf("it expires in %v", left)
		}

		// An answer that is lost is found to have had its effect, and the same one
		// never counts for the next pause.
		w.FaultOnce("ContinueServiceDeployment", lost())
		approval := slipway.Decision{Hook: o.Hooks[0].ID, Approve: true, By: "ada"}
		got, err := e.Decide(t.Context(), persisted(t, d), approval)
		want := approval
		want.Stage = string(before)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		_, err = e.Decide(t.Context(), d, approval)
		checkError(t, err, slipway.NextPerson, "slipway show", "hook "+approval.Hook+" does not wait any more: it is SUCCEEDED")
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService", "ContinueServiceDeployment")

		second := untilPaused(t, e, d)
		if second.Hooks[0].ID == approval.Hook || second.Hooks[0].Stage != string(after) || *second.Traffic != 100 {
			t.Errorf("got %+v", second)
		}
		got, err = e.Decide(t.Context(), d, slipway.Decision{By: "ada"})
		if err != nil || got.Hook != second.Hooks[0].ID || got.Stage != string(after) {
			t.Errorf("got %+v, %v", got, err)
		}
		o = last(observe(t, e, d))
		checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "rolled back by ECS to webapp1:1: ")
		if o.Cause != slipway.CauseHook || o.TaskDefinition != base {
			t.Errorf("because of %q, runs %s: %s", o.Cause, o.TaskDefinition, o.Reason)
		}
		_, err = e.Decide(t.Context(), d, slipway.Decision{Approve: true})
		checkError(t, err, slipway.NextPerson, "slipway show", "waits for nobody's approval")
	})
}

func TestNobodyDecides(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.Canary(10, 1, 1))
		hookedService(t, w, paused(types.DeploymentLifecycleHookStagePostScaleUp))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "rolled back by ECS to webapp1:1: ", "TIMED_OUT")
		if took := time.Since(d.StartedAt); o.Cause != slipway.CauseHook || took < time.Hour {
			t.Errorf("because of %q after %v: %s", o.Cause, took, o.Reason)
		}
	})
}

func TestShiftIsReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, w *sandboxtest.World, e *ECS, service func(...sandboxtest.ServiceOption) *sandboxtest.Service) {
		s := service()
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		pass(20 * time.Second)
		theirs := s.Deploy("registry.example.com/webapp1:3.0.0")
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateReplaced, "", "replaced by deployment ecs-svc/", " of webapp1:3, made at ")
		d.RollbackReason = "stopped"
		back, err := e.Rollback(t.Context(), d)
		if err != nil || back.RollbackID != "" {
			t.Fatalf("got %+v, %v", back, err)
		}
		checkEnd(t, last(observe(t, e, back)), slipway.StateReplaced, "", " of webapp1:3")
		if now := *s.Settle().TaskDefinition; now != theirs {
			t.Errorf("runs %s", now)
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
	})
}

// TestReplacedAndThatRolledBack: what replaced ours crashed, and ECS went back to
// what ran before ours; nobody looked meanwhile.
func TestReplacedAndThatRolledBack(t *testing.T) {
	for _, option := range []sandboxtest.ServiceOption{sandboxtest.LoadBalanced(), sandboxtest.BlueGreen(1), sandboxtest.Canary(5, 1, 1)} {
		in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
			s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), option, sandboxtest.CircuitBreaker(true))
			d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
			pass(10 * time.Second)
			s.Deploy("registry.example.com/webapp1:3.0.0-crash")
			if now := *s.Settle().TaskDefinition; now != s.TaskDefinition {
				t.Fatalf("runs %s", now)
			}
			pass(2 * time.Minute)
			checkEnd(t, last(observe(t, e, d)), slipway.StateReplaced, "", "replaced by a deployment of webapp1:3, made at ", ", which ECS has rolled back since")
		})
	}
}

// TestLag: ECS shows a service, its list of service deployments included, as they
// were some seconds ago: the one before, SUCCESSFUL, is never taken for ours.
func TestLag(t *testing.T) {
	for _, tag := range []string{"2.0.0", "2.0.0-crash"} {
		for _, strategy := range strategies {
			t.Run(fmt.Sprintf("%s %s", strategy.name, tag), func(t *testing.T) {
				in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
					w.Service("cluster1", "webapp1", sandboxtest.Managed(), strategy.option, sandboxtest.CircuitBreaker(true))
					w.Lag(20 * time.Second)
					d := advance(t, e, deployment("registry.example.com/webapp1:"+tag), slipway.PhaseStarted)
					o := last(observe(t, e, d))
					if tag == "2.0.0" {
						checkEnd(t, o, slipway.StateDeployed, "")
					} else {
						checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "circuit breaker")
					}
					if took := time.Since(d.StartedAt); took < time.Minute {
						t.Errorf("it was %s after %v", o.State, took)
					}
					checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
				})
			})
		}
	}
}

// TestShiftWithoutRecords: without the permission to read service deployments, the
// service itself still tells how it ends.
func TestShiftWithoutRecords(t *testing.T) {
	for tag, want := range map[string]slipway.State{"2.0.0": slipway.StateDeployed, "2.0.0-crash": slipway.StateRolledBack} {
		in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
			w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(1), sandboxtest.CircuitBreaker(true))
			w.Fault(denied("ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions"))
			d := advance(t, e, deployment("registry.example.com/webapp1:"+tag), slipway.PhaseStarted)
			o := last(observe(t, e, d))
			by := ""
			if want == slipway.StateRolledBack {
				by = slipway.ByECS
			}
			checkEnd(t, o, want, by)
		})
	}
}

// denied is an ECS that refuses some operations.
func denied(operations ...string) func(string) *awsjson.Fault {
	return func(operation string) *awsjson.Fault {
		if slices.Contains(operations, operation) {
			return &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "no"}}
		}
		return nil
	}
}
