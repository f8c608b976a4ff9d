package sandbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// A world with the other strategies has all that the article's has, and cluster3;
// what it was made with is not changed by a later option.
func TestStrategiesAreSeeded(t *testing.T) {
	options := sandbox.Options{Dir: t.TempDir(), Strategies: true, TimeScale: 100}
	w := open(t, options)
	c := client(w)
	var deployed []string
	out, err := c.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String("cluster3"), Services: []string{"canary1", "linear1", "bluegreen1", "codedeploy1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Services {
		how := string(s.DeploymentController.Type)
		if s.DeploymentConfiguration != nil && len(s.TaskSets) == 0 {
			how = fmt.Sprint(s.DeploymentConfiguration.Strategy, " ", s.DeploymentConfiguration.Alarms.AlarmNames)
		}
		deployed = append(deployed, *s.ServiceName+" "+how)
	}
	slices.Sort(deployed)
	want := []string{
		"bluegreen1 BLUE_GREEN [cluster3-bluegreen1-5xx]", "canary1 CANARY [cluster3-canary1-5xx]",
		"codedeploy1 CODE_DEPLOY", "linear1 LINEAR [cluster3-linear1-5xx]",
	}
	if !slices.Equal(deployed, want) {
		t.Errorf("seeded %q, want %q", deployed, want)
	}
	for _, app := range []string{"cluster3/canary1", "cluster3/linear1", "cluster3/bluegreen1", "cluster3/codedeploy1", "cluster1/webapp1"} {
		_, name, _ := strings.Cut(app, "/")
		code, body, err := get(t.Context(), w.Endpoints().LoadBalancers[app])
		if err != nil || code != http.StatusOK || !strings.HasPrefix(body, name+" 1.0.0 ") {
			t.Errorf("%s answers %d %q %v", app, code, body, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	options.Strategies = false
	w = open(t, options)
	if _, has := w.Endpoints().LoadBalancers["cluster3/canary1"]; !has {
		t.Error("cluster3 was lost in a restart")
	}

	article := open(t, sandbox.Options{Dir: t.TempDir(), TimeScale: 100})
	dir := article.RepositoryPath()
	if err := article.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.New(t.Context(), sandbox.Options{Dir: strings.TrimSuffix(dir, "/deployment.git"), TimeScale: 100, Strategies: true}); err == nil ||
		!strings.Contains(err.Error(), "was made without cluster3") {
		t.Errorf("got %v", err)
	}
}
