package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// awaiting waits until the newest service deployment waits for a person, and
// returns it with the id of the hook; or until it is over.
func awaiting(t *testing.T, c *ecs.Client) (types.ServiceDeployment, string) {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; <-time.After(20 * time.Millisecond) {
		list, err := c.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String("cluster1"), Service: aws.String("webapp1")})
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*list.ServiceDeployments[0].ServiceDeploymentArn}})
		if err != nil {
			t.Fatal(err)
		}
		r := out.ServiceDeployments[0]
		for _, h := range r.LifecycleHookDetails {
			if h.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
				return r, *h.HookId
			}
		}
		if r.FinishedAt != nil && r.DeploymentConfiguration.Strategy == types.DeploymentStrategyCanary {
			return r, ""
		}
	}
	t.Fatal("no hook waits")
	return types.ServiceDeployment{}, ""
}

// versions are how many of 40 new requests each version answers.
func versions(t *testing.T, url string) string {
	t.Helper()
	seen := map[string]int{}
	for range 40 {
		code, body, err := get(t.Context(), url)
		if err != nil || code != http.StatusOK {
			t.Fatal(code, body, err)
		}
		seen[strings.Fields(body)[1]]++
	}
	return fmt.Sprint(seen)
}

// A seeded service becomes a canary by UpdateService. Its hook is a function over
// HTTP that asks the test listener; a person lets each step pass; and the clients
// of the load balancer get the versions by the weights that ECS tells, even after
// a restart in the middle of it.
func TestCanaryWithTraffic(t *testing.T) {
	const hook = "arn:aws:lambda:eu-west-1:111122223333:function:smoke-test"
	var routing sandbox.Routing
	var tested atomic.Value
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, body, err := get(r.Context(), routing.Test)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		tested.Store(strings.Fields(body)[1])
		_, _ = fmt.Fprint(w, `{"hookStatus": "SUCCEEDED"}`)
	}))
	defer function.Close()
	options := sandbox.Options{Dir: t.TempDir(), Functions: map[string]string{hook: function.URL}}
	w := open(t, options)
	routing = w.Endpoints().Routing["cluster1/webapp1"]
	production := w.Endpoints().LoadBalancers["cluster1/webapp1"]
	c := client(w)
	balancers := until(t, c, "cluster1", "webapp1", completed).LoadBalancers
	balancers[0].AdvancedConfiguration = &types.AdvancedConfiguration{
		AlternateTargetGroupArn: &routing.AlternateTargetGroup, ProductionListenerRule: &routing.ProductionListenerRule,
		TestListenerRule: &routing.TestListenerRule, RoleArn: aws.String("arn:aws:iam::111122223333:role/ecsInfrastructure"),
	}
	if _, err := c.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), LoadBalancers: balancers,
	}); err != nil {
		t.Fatal(err)
	}
	until(t, c, "cluster1", "webapp1", completed)
	if _, err := c.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String("cluster1"), Service: aws.String("webapp1"),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyCanary,
			CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(25), CanaryBakeTimeInMinutes: aws.Int32(0)},
			LifecycleHooks: []types.DeploymentLifecycleHook{
				{HookTargetArn: aws.String(hook), RoleArn: aws.String("arn:aws:iam::111122223333:role/hooks"), LifecycleStages: []types.DeploymentLifecycleHookStage{"POST_TEST_TRAFFIC_SHIFT"}},
				{TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []types.DeploymentLifecycleHookStage{"PRE_PRODUCTION_TRAFFIC_SHIFT"}},
			},
		},
	}); err != nil {
		t.Fatal(err)
	}
	deploy(t, c, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:2.0.0")

	next := func() {
		r, id := awaiting(t, c)
		if _, err := c.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn, HookId: &id}); err != nil {
			t.Fatal(err)
		}
	}
	awaiting(t, c)
	if got := versions(t, production); got != "map[1.0.0:40]" {
		t.Errorf("before the first step production answers %s", got)
	}
	if got := versions(t, routing.Test); got != "map[2.0.0:40]" || tested.Load() != "2.0.0" {
		t.Errorf("the test listener answers %s, and the function saw %v", got, tested.Load())
	}
	next()
	r, _ := awaiting(t, c)
	if got, weight := versions(t, production), *r.TargetServiceRevision.RequestedProductionTrafficWeight; got != "map[1.0.0:30 2.0.0:10]" || weight != 25 {
		t.Errorf("the canary has a weight of %v, and production answers %s", weight, got)
	}

	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, options)
	c = client(w)
	if got := w.Endpoints().Routing["cluster1/webapp1"]; got != routing {
		t.Errorf("after the restart the routing is %+v, before it was %+v", got, routing)
	}
	if got := versions(t, production); got != "map[1.0.0:30 2.0.0:10]" {
		t.Errorf("after the restart production answers %s", got)
	}
	stop := traffic(t, production)
	next()
	until(t, c, "cluster1", "webapp1", completed)
	for answer := range stop() {
		if strings.HasPrefix(answer, "failed") {
			t.Errorf("a request %s", answer)
		}
	}
	if got := versions(t, production); got != "map[2.0.0:40]" {
		t.Errorf("in the end production answers %s", got)
	}
	if r, id := awaiting(t, c); id != "" || r.Status != types.ServiceDeploymentStatusSuccessful {
		t.Errorf("the end is %s", r.Status)
	}
}
