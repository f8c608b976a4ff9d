package codepipeline_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// Long lists come in pages, of executions and of what they did.
func TestPages(t *testing.T) {
	in(t, func(r *rig) {
		var asks []types.ActionDeclaration
		for i := range 45 {
			asks = append(asks, approval(fmt.Sprintf("Ask%02d", i)))
		}
		r.create(declaration(web, stage("Ask", asks...), stage("Deploy", deploy(web))), web)
		for range 6 {
			r.stopAllBut("")
			r.start(r.head)
			r.pass(10 * time.Second)
		}
		for range 240 { // one is in the stage, and each supersedes the one that waits
			r.start(r.head)
		}
		r.pass(time.Minute)
		r.conductor = r.made(r.source(), nil)
		r.w.ForgetCalls()
		executions, err := r.conductor.Executions(r.Context(), web, settings(web), 247)
		if err != nil || len(executions) != 247 {
			r.Fatalf("%d executions, %v", len(executions), err)
		}
		calls := r.w.Calls()
		if pages, actions := calls.Count("ListPipelineExecutions"), calls.Count("ListActionExecutions"); pages != 3 || actions < 3 || actions > 6 {
			r.Errorf("%d pages of executions and %d of actions", pages, actions)
		}
		waits, stopped, superseded := 0, 0, 0
		for _, e := range executions {
			waits += len(e.Awaits())
			switch e.Status {
			case slipway.StatusStopped:
				stopped++
				if e.Stage != "Ask" {
					r.Errorf("%s was stopped in %q", e.ID, e.Stage)
				}
			case slipway.StatusSuperseded:
				superseded++
			default:
			}
		}
		if waits != 45 || stopped != 6 || superseded != 239 {
			r.Errorf("%d questions, %d stopped, %d superseded", waits, stopped, superseded)
		}
	})
}

// busy counts the calls of its network that go on at once.
type busy struct {
	next http.RoundTripper
	mu   sync.Mutex
	now  int
	most int
}

func (b *busy) RoundTrip(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.now++
	b.most = max(b.most, b.now)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.now--
		b.mu.Unlock()
	}()
	<-time.After(50 * time.Millisecond) // about as long as CodePipeline takes
	return b.next.RoundTrip(req)
}

// A status of many apps is asked for a few at a time, with as few calls as CodePipeline
// has for it, and what has ended is not asked for again.
func TestLatestIsSparing(t *testing.T) {
	in(t, func(r *rig) {
		const n = 12
		apps := map[slipway.App]slipway.Pipeline{}
		for i := range n {
			app := slipway.App{Cluster: "shop", Name: fmt.Sprintf("app%02d", i)}
			apps[app] = settings(app)
			r.w.Service(app.Cluster, app.Name, sandboxtest.Unsettled())
			r.commit(app, "1.1.0")
		}
		for app := range apps {
			if _, err := r.w.CodePipeline().CreatePipeline(r.Context(), &sdk.CreatePipelineInput{Pipeline: declaration(app, stage("Deploy", deploy(app)))}); err != nil {
				r.Fatal(err)
			}
		}
		r.pass(5 * time.Minute)
		network := &busy{next: r.w.HTTPClient().Transport}
		r.conductor = r.made(r.source(), network)
		latest := func() map[string]int {
			r.Helper()
			r.w.ForgetCalls()
			newest, failures := r.conductor.Latest(r.Context(), apps)
			if len(newest) != n || len(failures) != 0 {
				r.Fatalf("%d executions, %v", len(newest), failures)
			}
			for app, e := range newest {
				if e.App() != app || e.Outcome != slipway.OutcomeDeployed {
					r.Errorf("%s: %+v", app, e)
				}
			}
			counts := map[string]int{}
			for _, call := range r.w.Calls() {
				counts[call.Operation]++
			}
			return counts
		}
		wants := func(when string, most int, names ...string) {
			r.Helper()
			counts := latest()
			for _, name := range names {
				if counts[name] != n {
					r.Errorf("%s: %s is called %d times for %d apps", when, name, counts[name], n)
				}
				delete(counts, name)
			}
			others := 0
			for _, count := range counts {
				others += count
			}
			if others > most {
				r.Errorf("%s: more than %d other calls: %v", when, most, counts)
			}
		}
		// ECS takes ten services, and twenty revisions, at once; task definitions are read
		// once, and what they are never changes.
		wants("the first time", n, "ListPipelineExecutions", "ListActionExecutions", "ListServiceDeployments", "DescribeTaskDefinition")
		if network.most > 8 {
			r.Errorf("%d calls at once", network.most)
		}
		wants("at once", 0)
		r.pass(3 * time.Second)
		wants("later", 0, "ListPipelineExecutions")
		r.pass(time.Hour)
		wants("much later", 0, "ListPipelineExecutions")

		// Whose an execution is, is asked no longer than need be, and no more.
		first := slipway.App{Cluster: "shop", Name: "app00"}
		newest, _ := r.conductor.Latest(r.Context(), apps)
		for i := range 24 {
			app := slipway.App{Cluster: "shop", Name: fmt.Sprintf("more%02d", i)}
			apps[app] = settings(app)
			if _, err := r.w.CodePipeline().CreatePipeline(r.Context(), &sdk.CreatePipelineInput{Pipeline: declaration(app, stage("Deploy", deploy(app)))}); err != nil {
				r.Fatal(err)
			}
		}
		r.pass(time.Minute)
		r.w.ForgetCalls()
		if found, err := r.conductor.Find(r.Context(), apps, newest[first].ID); err != nil || len(found) != 1 || found[0].App() != first {
			r.Errorf("found %+v, %v", found, err)
		}
		if calls := r.w.Calls(); calls.Count("ListPipelineExecutions") > 3*8 || calls.Count("GetPipeline") > 0 {
			r.Errorf("an id that the first of %d pipelines has: %v", len(apps), calls.Operations())
		}
	})
}
