package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
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
		r := &rig{t: t, path: path, cloud: &cloud{}, target: target.New(target.Options{
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
			name: "crash, and ECS never gives up", tag: "2.0.0-crash",
			want: "Failed, timed-out", says: []string{"not done after 30s", "webapp1:1 was put back"}, runs: "1.0.0", updates: 2,
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
				id := r.deploy(image+test.tag, 30*time.Second)
				if test.during != nil {
					for r.get(id).Deployment.Phase != slipway.PhaseStarted {
						r.passes(100 * time.Millisecond)
					}
					r.passes(time.Second)
					test.during(t, r, s, id)
				}
				got := ended(r.wait(id))
				if !strings.HasPrefix(got, test.want+":") {
					t.Errorf("it ended as\n     %s\nwant %s", got, test.want)
				}
				for _, part := range test.says {
					if !strings.Contains(got, part) {
						t.Errorf("%s\ndoes not say %q", got, part)
					}
				}
				if n := w.Calls().Count("UpdateService"); n != test.updates {
					t.Errorf("%d updates of the service, want %d", n, test.updates)
				}
				s.Settle()
				if got := runningImage(s); got != image+test.runs {
					t.Errorf("it runs %s, want %s", got, test.runs)
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
