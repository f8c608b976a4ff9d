package target

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestUnknownMembersReachECS: what ECS has and our SDK does not know is
// registered, by the real client.
func TestUnknownMembersReachECS(t *testing.T) {
	const task = `{"family":"webapp1","cpu":"256","memory":"512","networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],
		"quantumMode":{"qubits":12345678901234567890,"names":["a","b"]},
		"containerDefinitions":[{"name":"webapp1","image":"registry.example.com/webapp1:1.0.0","essential":true,
			"levitation":{"height":1.50,"on":[true,null]},
			"healthCheck":{"command":["CMD","true"],"patience":{"of":"a saint"}}}],
		"tags":[{"key":"team","value":"shop"}]}`
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		client := w.ECS()
		out, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("webapp1"), ContainerDefinitions: []types.ContainerDefinition{},
		}, replaceBody([]byte(task)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), TaskDefinition: out.TaskDefinition.TaskDefinitionArn,
		}); err != nil {
			t.Fatal(err)
		}
		s.Settle()
		w.ForgetCalls()

		d := advance(t, e, deployment(image2), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
		var sent, want members
		if err := json.Unmarshal(w.RawBodies("RegisterTaskDefinition")[0], &sent); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(task), &want); err != nil {
			t.Fatal(err)
		}
		if got := string(sent["quantumMode"]); got != compact(t, string(want["quantumMode"])) {
			t.Errorf("the task's unknown member became %s", got)
		}
		var containers []members
		if err := json.Unmarshal(sent["containerDefinitions"], &containers); err != nil {
			t.Fatal(err)
		}
		if got := string(containers[0]["levitation"]); got != `{"height":1.50,"on":[true,null]}` {
			t.Errorf("the container's unknown member became %s", got)
		}
		if got := string(containers[0]["healthCheck"]); !strings.Contains(got, `"patience":{"of":"a saint"}`) {
			t.Errorf("the health check became %s", got)
		}
		for _, name := range responseOnly() {
			if _, found := sent[name]; found {
				t.Errorf("%s was sent", name)
			}
		}
		if text(containers[0]["image"]) != image2 || !bytes.Contains(sent["tags"], []byte(`{"key":"team","value":"shop"}`)) {
			t.Errorf("sent %s with tags %s", containers[0]["image"], sent["tags"])
		}
	})
}

func TestPlan(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		prepared, changes, err := e.Plan(t.Context(), deployment(image2))
		if err != nil || prepared.Phase != slipway.PhasePrepared || prepared.Base != s.TaskDefinition {
			t.Fatalf("got %+v, %v", prepared, err)
		}
		want := []slipway.FieldChange{{Path: "containerDefinitions[webapp1].image", From: "registry.example.com/webapp1:1.0.0", To: image2}}
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		prepared, changes, err = e.Plan(t.Context(), deployment("registry.example.com/webapp1:1.0.0"))
		if err != nil || prepared.Phase != slipway.PhaseUnchanged || changes != nil {
			t.Errorf("nothing to change: %+v, %v, %v", prepared, changes, err)
		}
		d := deployment(image2)
		d.Images[0].Container = "web"
		_, _, err = e.Plan(t.Context(), d)
		checkError(t, err, slipway.NextUsage, "revision.json", `has no container "web"; it has webapp1`)
		d.Place.Service = "webapp2"
		_, _, err = e.Plan(t.Context(), d)
		checkError(t, err, slipway.NextPerson, "create the service", "there is no service webapp2 in cluster cluster1")
		checkWrites(t, w, []string{}...)
	})
}

func TestRunningAndServices(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		var want []slipway.Running
		var places []slipway.Place
		var latest *sandboxtest.Service
		for i := range 23 {
			name := fmt.Sprintf("app%02d", i)
			latest = w.Service("cluster1", name)
			place := slipway.Place{Cluster: "cluster1", Service: name}
			places = append(places, place)
			want = append(want, slipway.Running{
				Place: place, TaskDefinition: latest.TaskDefinition, Steady: true, Since: *latest.Describe().Deployments[0].CreatedAt,
				Images: []slipway.Image{{Container: name, URI: "registry.example.com/" + name + ":1.0.0"}},
			})
		}
		w.ForgetCalls()
		got, err := e.Running(t.Context(), append(slices.Clone(places), slipway.Place{Cluster: "cluster1", Service: "none"}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got[:23]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		checkError(t, got[23].Err, slipway.NextPerson, "create the service", "there is no service none in cluster cluster1")
		if n := w.Calls().Count("DescribeServices"); n != 3 {
			t.Errorf("24 services took %d calls", n)
		}

		w.ForgetCalls()
		nowhere := slipway.Place{Cluster: "nowhere", Service: "a"}
		also := slipway.Place{Cluster: "nowhere", Service: "b"}
		none, err := e.Running(t.Context(), []slipway.Place{nowhere, also})
		if err != nil || !isClusterMissing(none[0].Err) || !isClusterMissing(none[1].Err) || w.Calls().Count("DescribeServices") != 1 {
			t.Errorf("a cluster that does not exist took %v: %v", w.Calls().Operations(), none)
		}

		// Task definitions do not change, so they are not read again; and what
		// the caller does with the answer is the caller's.
		got[0].Images[0].URI = "mine"
		latest.Deploy("registry.example.com/app22:2.0.0")
		w.ForgetCalls()
		got, err = (&AWS{service: e}).Services(t.Context(), slipway.Place{Cluster: "cluster1"})
		if err != nil {
			t.Fatal(err)
		}
		now := latest.Describe()
		want[22].TaskDefinition, want[22].Steady, want[22].Since = *now.TaskDefinition, false, *now.Deployments[0].CreatedAt
		if !want[22].Since.After(want[0].Since) {
			t.Errorf("the new deployment runs since %s, the old one since %s", want[22].Since, want[0].Since)
		}
		want[22].Images = []slipway.Image{{Container: "app22", URI: "registry.example.com/app22:2.0.0"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := w.Calls().Count("DescribeTaskDefinition"); n != 1 {
			t.Errorf("%d task definitions were read", n)
		}
		_, err = (&AWS{service: e}).Services(t.Context(), slipway.Place{Cluster: "nowhere"})
		checkError(t, err, slipway.NextPerson, "create the cluster", "there is no such cluster")
	})
}

// crowd is an ECS with a thousand services that all deploy, and counts the
// calls. The sandbox would do, but this measures us alone.
type crowd struct {
	mu    sync.Mutex
	calls map[time.Time]int // DescribeServices, by the second
	sizes []int
	wakes map[time.Time]bool // when somebody began to observe
	begun time.Time
	done  time.Duration // how long a deployment takes
}

func (c *crowd) RoundTrip(r *http.Request) (*http.Response, error) {
	if target := r.Header.Get("X-Amz-Target"); !strings.HasSuffix(target, ".DescribeServices") {
		return nil, fmt.Errorf("nobody should call %s", target)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in struct{ Services []string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	now := time.Now()
	c.mu.Lock()
	c.calls[now.Truncate(time.Second)]++
	c.sizes = append(c.sizes, len(in.Services))
	c.mu.Unlock()
	rollout := "IN_PROGRESS"
	if now.Sub(c.begun) >= c.done {
		rollout = "COMPLETED"
	}
	var services []string
	for _, name := range in.Services {
		services = append(services, fmt.Sprintf(`{"serviceName":%q,"status":"ACTIVE","deployments":[{"id":"ecs-svc/%s","status":"PRIMARY","taskDefinition":"td","rolloutState":%q,"createdAt":%d}]}`,
			name, name, rollout, c.begun.Unix()))
	}
	return answer(200, "application/x-amz-json-1.1", `{"services":[`+strings.Join(services, ",")+`]}`)(r)
}

// deployCrowd observes a thousand deployments from their start to their end.
func deployCrowd(t testing.TB, c *crowd) {
	e := over(c)
	var deployments sync.WaitGroup
	for i := range 1000 {
		deployments.Go(func() {
			name := fmt.Sprintf("app%03d", i)
			d := slipway.Deployment{
				Place: slipway.Place{Cluster: "shop", Service: name, Region: "eu-west-1"}, Phase: slipway.PhaseStarted,
				TaskDefinition: "td", ID: "ecs-svc/" + name, StartedAt: c.begun,
			}
			for {
				c.mu.Lock()
				c.wakes[time.Now()] = true
				c.mu.Unlock()
				o, err := e.Observe(t.Context(), d)
				switch {
				case err != nil:
					t.Error(err)
					return
				case o.State == slipway.StateDeployed:
					return
				case o.Final():
					t.Errorf("%s is %s: %s", name, o.State, o.Reason)
					return
				}
				pass(time.Until(o.Next))
			}
		})
	}
	deployments.Wait()
}

// TestThousandDeployments: together they make one call for ten services in each
// interval, and stay below ECS's rate of 20 calls a second.
func TestThousandDeployments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{calls: map[time.Time]int{}, wakes: map[time.Time]bool{}, begun: time.Now(), done: 6 * time.Minute}
		deployCrowd(t, c)
		took := time.Since(c.begun)
		if took < c.done || took > c.done+30*time.Second {
			t.Errorf("deployments of %v took %v to be seen", c.done, took)
		}
		total, tokens := 0, 100.0 // ECS's bucket: burst 100, 20 a second
		at := c.begun
		for _, second := range slices.SortedFunc(maps.Keys(c.calls), time.Time.Compare) {
			calls := c.calls[second]
			total += calls
			tokens = min(100, tokens+20*second.Sub(at).Seconds()) - float64(calls)
			at = second
			if tokens < 0 {
				t.Fatalf("ECS would throttle at %v", second.Sub(c.begun))
			}
		}
		// Of those who wake together, at most one call is not full.
		seen, partial := 0, 0
		for _, size := range c.sizes {
			seen += size
			if size < batchSize {
				partial++
			}
		}
		if partial > len(c.wakes) {
			t.Errorf("%d calls were not full, in %d intervals", partial, len(c.wakes))
		}
		t.Logf("%d observations in %d calls, %d of them not full, in %d intervals", seen, total, partial, len(c.wakes))
	})
}

// BenchmarkObserve1000 is the cost, to us, of one observation each of a thousand
// deployments, with AWS taking no time.
func BenchmarkObserve1000(b *testing.B) {
	c := &crowd{calls: map[time.Time]int{}, begun: time.Now().Add(time.Hour)}
	e := over(c)
	client, err := e.client(b.Context(), slipway.Place{Region: "eu-west-1"})
	if err != nil {
		b.Fatal(err)
	}
	client.budget[serviceRead].SetLimit(rate.Inf) // which else would be what is measured
	for b.Loop() {
		var deployments sync.WaitGroup
		for i := range 1000 {
			deployments.Go(func() {
				name := fmt.Sprintf("app%03d", i)
				if _, err := e.Observe(b.Context(), slipway.Deployment{
					Place: slipway.Place{Cluster: "shop", Service: name, Region: "eu-west-1"}, Phase: slipway.PhaseStarted,
					TaskDefinition: "td", ID: "ecs-svc/" + name, StartedAt: c.begun,
				}); err != nil {
					b.Error(err)
				}
			})
		}
		deployments.Wait()
	}
	b.ReportMetric(float64(len(c.sizes))/float64(b.N), "calls/op")
}
