package controlplane_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestRestart kills the control plane at any moment of a deployment: it goes on
// and ends as it would have ended, with the same ids.
func TestRestart(t *testing.T) {
	for _, c := range []struct {
		image, want string
		records     []string
	}{
		{"registry.example.com/webapp1:2.0.0", "D2 PRIMARY COMPLETED 2/0/2", []string{"SUCCESSFUL", "SUCCESSFUL"}},
		{"registry.example.com/webapp1:2.0.0-crash", "D1 PRIMARY COMPLETED 2/0/2", []string{"ROLLBACK_SUCCESSFUL", "SUCCESSFUL"}},
	} {
		for _, seconds := range []int{0, 2, 10, 17, 30, 41, 50, 76, 80, 120, 300, 380, 600} {
			inBubble(fmt.Sprintf("%s after %d s", c.image, seconds), t, func(t *testing.T) {
				w := sandboxtest.New(t)
				s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.DesiredCount(2), sandboxtest.CircuitBreaker(true))
				st := tell(t, s)
				st.pace = 5 * time.Second
				s.Deploy(c.image)
				st.until(st.at(time.Duration(seconds) * time.Second))
				before := st.named(fmt.Sprint(running(s)))
				w.Restart()
				same(t, "running tasks across the restart", before, st.named(fmt.Sprint(running(s))))
				st.until(over)
				if got := st.deployments(s.Describe()); got[:len(c.want)] != c.want {
					t.Errorf("deployments %s, want %s", got, c.want)
				}
				same(t, "service deployments", c.records, statuses(t, w, s))
				events := st.events()
				same(t, "last event", ") has reached a steady state.", events[len(events)-1])
			})
		}
	}
}

// running are the tasks that are to run.
func running(s *sandboxtest.Service) []string {
	var arns []string
	for _, task := range s.Tasks() {
		if *task.DesiredStatus == "RUNNING" {
			arns = append(arns, *task.TaskArn)
		}
	}
	slices.Sort(arns)
	return arns
}

// TestRestartKeepsService has nothing happen to a steady service, and no moment
// in which it looks unsteady.
func TestRestartKeepsService(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), containerCheck)
		st := tell(t, s)
		w.Restart()
		same(t, "deployments", []string{"D1 PRIMARY COMPLETED 1/0/1"}, st.until(st.at(10*time.Minute)))
		same(t, "events", []string(nil), st.events())

		// The rollback target survives too.
		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
		})
		s.Deploy("registry.example.com/webapp1:2.0.0-unhealthy")
		st.until(over)
		same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
	})
}

func TestStateThatCannotBeRead(t *testing.T) {
	_, err := controlplane.New(controlplane.Options{Runtime: controlplane.NewMemoryRuntime(controlplane.MemoryOptions{}), State: []byte("{")})
	if err == nil {
		t.Error("no error")
	}
}

// TestChanged has the state written when something changed, and only then.
func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := controlplane.NewMemoryRuntime(controlplane.MemoryOptions{})
		plane, err := controlplane.New(controlplane.Options{Runtime: runtime})
		if err != nil {
			t.Fatal(err)
		}
		defer runtime.Close()
		defer plane.Close()
		changes := 0
		for _, operation := range []string{"ListClusters", "CreateCluster", "DescribeClusters"} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
			r.Header.Set("X-Amz-Target", controlplane.TargetPrefix+"."+operation)
			plane.Handler().ServeHTTP(httptest.NewRecorder(), r)
			select {
			case <-plane.Changed():
				changes++
			default:
			}
		}
		same(t, "changes", 1, changes)
		state, err := plane.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		again, err := controlplane.New(controlplane.Options{Runtime: runtime, State: state})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		twice, err := again.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "state after a restart", string(state), string(twice))
	})
}
