package engine_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/target"
)

// onFargate runs a test with the real target on an ECS that is ten times
// faster than AWS's.
func onFargate(t *testing.T, test func(t *testing.T, r *rig, w *sandboxtest.World)) {
	t.Helper()
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t, sandboxtest.TimeScale(10))
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{}, target: target.New(target.Options{
			Config: func(context.Context, string) (aws.Config, error) { return w.Config(), nil },
		})}
		r.open()
		defer r.close()
		test(t, r, w)
	})
}

// deploy submits an execution that is to run an image, and returns its id.
func (r *rig) deploy(image string, timeout time.Duration) string {
	r.t.Helper()
	e := slipway.Execution{
		ID: engine.NewID(), CreatedAt: time.Now(), Pipeline: slipway.DefaultPipeline(webapp),
		Revision: slipway.Revision{App: webapp, Commit: "c0ffee", Blob: image, Images: []slipway.Image{{Container: "webapp1", URI: image}}},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, At: time.Now()},
	}
	e.Pipeline.Timeout = slipway.Duration(timeout)
	if err := r.engine.Submit(r.t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
		r.t.Fatal(err)
	}
	return e.ID
}

func TestOnFargate(t *testing.T) {
	const image = "registry.example.com/webapp1:"
	for _, test := range []struct {
		name    string
		tag     string
		service []sandboxtest.ServiceOption
		timeout time.Duration                                                 // 30 s if not given
		during  func(t *testing.T, r *rig, s *sandboxtest.Service, id string) // once it is started
		want    string                                                        // beginning of how it ends
		says    []string                                                      // parts of the reason
		runs    string                                                        // the tag that runs in the end
		updates int
	}{
		{name: "deployed", tag: "2.0.0", want: "Succeeded, deployed", runs: "2.0.0", updates: 1},
		{name: "unchanged", tag: "1.0.0", want: "Succeeded, unchanged", runs: "1.0.0"},
		{
			name: "crash, rolled back by ECS", tag: "2.0.0-crash", service: []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(true)},
			want: "Failed, rolled-back by ecs", says: []string{"tasks failed to start", "exit code 1"}, runs: "1.0.0", updates: 1,
		},
		{
			name: "crash, rolled back by us", tag: "2.0.0-crash", service: []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(false)},
			want: "Failed, rolled-back by slipway", says: []string{"exit code 1", "webapp1:1 was put back"}, runs: "1.0.0", updates: 2,
		},
		{
			name: "crash, and ECS would go on for ever", tag: "2.0.0-crash",
			want: "Failed, rolled-back by slipway", says: []string{"3 of its tasks failed", "exit code 1", "webapp1:1 was put back"}, runs: "1.0.0", updates: 2,
		},
		{
			name: "too slow", tag: "2.0.0-missing", timeout: 15 * time.Second,
			want: "Failed, timed-out", says: []string{"not done after 15s", "CannotPullContainerError", "webapp1:1 was put back"}, runs: "1.0.0", updates: 2,
		},
		{
			name: "replaced by somebody", tag: "2.0.0",
			during: func(_ *testing.T, _ *rig, s *sandboxtest.Service, _ string) { s.Deploy(image + "3.0.0") },
			want:   "Superseded, replaced", runs: "3.0.0", updates: 1,
		},
		{
			name: "stopped", tag: "2.0.0",
			during: func(t *testing.T, r *rig, _ *sandboxtest.Service, id string) {
				if _, err := r.engine.Stop(t.Context(), id, slipway.StopRequest{By: "Ada", At: time.Now()}); err != nil {
					t.Error(err)
				}
			},
			want: "Stopped, stopped", says: []string{"stopped by Ada", "webapp1:1 was put back"}, runs: "1.0.0", updates: 2,
		},
		{
			name: "a restart in the middle", tag: "2.0.0",
			during: func(_ *testing.T, r *rig, _ *sandboxtest.Service, _ string) { r.close(); r.open() },
			want:   "Succeeded, deployed", runs: "2.0.0", updates: 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			onFargate(t, func(t *testing.T, r *rig, w *sandboxtest.World) {
				s := w.Service("cluster1", "webapp1", test.service...)
				w.ForgetCalls()
				id := r.deploy(image+test.tag, cmp.Or(test.timeout, 30*time.Second))
				if test.during != nil {
					for r.get(id).Deployment.Phase != slipway.PhaseStarted {
						r.passes(100 * time.Millisecond)
					}
					r.passes(time.Second)
					test.during(t, r, s, id)
				}
				got := stepstest.Ended(r.wait(id))
				if !strings.HasPrefix(got, test.want+":") {
					t.Errorf("it ended as\n     %s\nwant %s", got, test.want)
				}
				for _, part := range test.says {
					if !strings.Contains(got, part) {
						t.Errorf("%s\ndoes not say %q", got, part)
					}
				}
				if n := w.Calls().Count("UpdateService") + w.Calls().Count("StopServiceDeployment"); n != test.updates {
					t.Errorf("the service was written to %d times, want %d", n, test.updates)
				}
				s.Settle()
				if got := runningImage(s); got != image+test.runs {
					t.Errorf("it runs %s, want %s", got, test.runs)
				}
			})
		})
	}
}

// TestPause: a person has all the time that ECS gives them, and who decided is
// written down.
func TestPause(t *testing.T) {
	for _, approve := range []bool{true, false} {
		t.Run(fmt.Sprintf("approve %t", approve), func(t *testing.T) {
			onFargate(t, func(t *testing.T, r *rig, w *sandboxtest.World) {
				s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.Canary(10, 1, 1))
				s.Update(func(in *ecs.UpdateServiceInput) {
					in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{{
						TargetType:           types.DeploymentLifecycleHookTargetTypePause,
						LifecycleStages:      []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostScaleUp},
						TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(600)},
					}}}
				})
				id := r.deploy("registry.example.com/webapp1:2.0.0", time.Minute)
				decide := func(decision slipway.Decision) (slipway.Execution, error) {
					decision.By, decision.At = "Ada", time.Now()
					return r.engine.Decide(t.Context(), id, decision)
				}
				if _, err := decide(slipway.Decision{Approve: true}); slipway.NextOf(err) != slipway.NextPerson {
					t.Errorf("approving what waits for nobody gave %v", err)
				}
				for o := r.get(id).Observation; o == nil || len(o.Hooks) == 0; o = r.get(id).Observation {
					r.passes(time.Second)
				}
				r.passes(5 * time.Minute)
				e := r.get(id)
				if e.Status != slipway.StatusInProgress || len(e.Observation.Hooks) != 1 {
					t.Fatalf("five minutes later: %s, %+v", e.Status, e.Observation)
				}
				decision := slipway.Decision{Hook: e.Observation.Hooks[0].ID, Approve: approve, Reason: "so it is"}
				for range 2 { // asking again changes nothing
					e, err := decide(decision)
					if err != nil || len(e.Decisions) != 1 || e.Decisions[0].By != "Ada" || e.Decisions[0].Stage != "POST_SCALE_UP" {
						t.Errorf("got %+v, %v", e.Decisions, err)
					}
				}
				decision.Approve = !approve
				if _, err := decide(decision); slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), " by Ada") {
					t.Errorf("deciding otherwise gave %v", err)
				}
				want, updates := "Succeeded, deployed", "2.0.0"
				if !approve {
					want, updates = "Failed, rolled-back by ecs: rejected by Ada at POST_SCALE_UP: so it is; rolled back by ECS to webapp1:1: ", "1.0.0"
				}
				if got := stepstest.Ended(r.wait(id)); !strings.HasPrefix(got, want) {
					t.Errorf("it ended as\n     %s\nwant %s", got, want)
				}
				s.Settle()
				if got := runningImage(s); got != "registry.example.com/webapp1:"+updates {
					t.Errorf("it runs %s", got)
				}
				if _, err := decide(slipway.Decision{Approve: true}); slipway.NextOf(err) != slipway.NextPerson {
					t.Errorf("approving what has ended gave %v", err)
				}
			})
		})
	}
}

// runningImage is the image of the service's running tasks.
func runningImage(s *sandboxtest.Service) string {
	for _, task := range s.Tasks() {
		if *task.LastStatus == "RUNNING" {
			return *task.Containers[0].Image
		}
	}
	return "nothing"
}
