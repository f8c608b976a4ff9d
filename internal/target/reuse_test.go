package target

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestReuse: what was registered before and would be registered again is used
// again, if nothing else was changed since.
func TestReuse(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		first := advance(t, e, deployment(image2), slipway.PhaseStarted)
		observe(t, e, first)
		observe(t, e, advance(t, e, deployment("registry.example.com/webapp1:3.0.0"), slipway.PhaseStarted))
		w.ForgetCalls()

		again := deployment(image2)
		again.Execution = "0199f000-0000-7000-8000-000000000002"
		again.Reusable = []string{"arn:aws:ecs:ca-central-1:111122223333:task-definition/webapp1:99", s.TaskDefinition, first.TaskDefinition}
		// A crash before the first answer was written down finds it all the same.
		d := advance(t, e, again, slipway.PhaseRegistered)
		if d.TaskDefinition != first.TaskDefinition || !d.Reused || !d.FirstWriteAt.IsZero() {
			t.Errorf("got %+v", d)
		}
		w.FaultOnce("UpdateService", lost())
		d = advance(t, e, d, slipway.PhaseStarted)
		if d.FirstWriteAt.IsZero() {
			t.Error("the update was the first write")
		}
		checkWrites(t, w, "UpdateService")
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")

		// Something else has changed: it is not the same any more.
		change(t, w, s, func(td *ecs.RegisterTaskDefinitionInput) {
			td.ContainerDefinitions[0].Image = aws.String("registry.example.com/webapp1:4.0.0")
			td.Memory = aws.String("1024")
		})
		s.Settle()
		if d := advance(t, e, again, slipway.PhaseRegistered); d.Reused {
			t.Errorf("%s was reused though the memory was changed", d.TaskDefinition)
		}
	})
}

// TestReuseWhileItDrains: the tasks of its last time are not our deployment.
func TestReuseWhileItDrains(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		first := advance(t, e, deployment(image2), slipway.PhaseStarted)
		observe(t, e, first)
		advance(t, e, deployment("registry.example.com/webapp1:3.0.0"), slipway.PhaseStarted)
		pass(3 * time.Minute)
		if n := len(s.Describe().Deployments); n != 2 {
			t.Fatalf("%d deployments", n)
		}
		again := deployment(image2)
		again.Reusable = []string{first.TaskDefinition}
		d := advance(t, e, again, slipway.PhaseStarted)
		if !d.Reused || d.ID == first.ID {
			t.Errorf("got %+v", d)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService", "RegisterTaskDefinition", "UpdateService", "UpdateService")
	})
}

// TestFound: what a service runs and what it replaced, where the images need no
// change.
func TestFound(t *testing.T) {
	entry := func(id, status, rollout string, td int) string {
		return fmt.Sprintf(`{"id":"ecs-svc/%s","status":%q,"rolloutState":%q,"taskDefinition":"td:%d"}`, id, status, rollout, td)
	}
	tests := []struct {
		name        string
		deployments []string
		phase       slipway.Phase
		id, base    string
	}{
		{"over", []string{entry("9", "PRIMARY", "COMPLETED", 9)}, slipway.PhaseUnchanged, "", "td:9"},
		{"old tasks drain", []string{entry("9", "PRIMARY", "COMPLETED", 9), entry("8", "ACTIVE", "COMPLETED", 8)}, slipway.PhaseStarted, "ecs-svc/9", "td:8"},
		{"after a failed one", []string{entry("9", "PRIMARY", "IN_PROGRESS", 9), entry("8", "ACTIVE", "FAILED", 8), entry("7", "ACTIVE", "COMPLETED", 7)}, slipway.PhaseStarted, "ecs-svc/9", "td:7"},
		{"the first", []string{entry("9", "PRIMARY", "IN_PROGRESS", 9)}, slipway.PhaseStarted, "ecs-svc/9", "td:9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := over(transport(func(r *http.Request) (*http.Response, error) {
					body := `{"services":[{"serviceName":"webapp1","status":"ACTIVE","deployments":[` + strings.Join(tt.deployments, ",") + `]}]}`
					if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeTaskDefinition") {
						body = `{"taskDefinition":{"family":"f","containerDefinitions":[{"name":"webapp1","image":"` + image2 + `"}]}}`
					}
					return answer(200, "application/x-amz-json-1.1", body)(r)
				}))
				d := deployment(image2)
				d.Place.Region = "eu-west-1"
				d, err := attempt(t, e, d)
				if err != nil || d.Phase != tt.phase || d.ID != tt.id || d.Base != tt.base {
					t.Errorf("got %+v, %v", d, err)
				}
			})
		})
	}
}

// TestReuseOfInactive: a deregistered one is registered anew.
func TestReuseOfInactive(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1")
		first := advance(t, e, deployment(image2), slipway.PhaseStarted)
		observe(t, e, first)
		observe(t, e, advance(t, e, deployment("registry.example.com/webapp1:3.0.0"), slipway.PhaseStarted))
		deregister(t, w, first.TaskDefinition)
		again := deployment(image2)
		again.Reusable = []string{first.TaskDefinition}
		if d := advance(t, e, again, slipway.PhaseRegistered); d.Reused || d.TaskDefinition == first.TaskDefinition {
			t.Errorf("an inactive task definition was reused: %+v", d)
		}
	})
}

// change registers the task definition that the service runs with a change,
// updates the service to it and returns its ARN: what a person does by hand.
func change(t *testing.T, w *sandboxtest.World, s *sandboxtest.Service, edit func(*ecs.RegisterTaskDefinitionInput)) string {
	t.Helper()
	before := len(w.Calls())
	runs := describeTask(t, w, *s.Describe().TaskDefinition)
	td := runs.TaskDefinition
	in := &ecs.RegisterTaskDefinitionInput{
		Family: td.Family, ContainerDefinitions: slices.Clone(td.ContainerDefinitions), Cpu: td.Cpu, Memory: td.Memory,
		NetworkMode: td.NetworkMode, RequiresCompatibilities: td.RequiresCompatibilities,
	}
	if len(runs.Tags) > 0 {
		in.Tags = runs.Tags
	}
	edit(in)
	made, err := w.ECS().RegisterTaskDefinition(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	arn := *made.TaskDefinition.TaskDefinitionArn
	if _, err := w.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: aws.String(s.Cluster), Service: aws.String(s.Name), TaskDefinition: aws.String(arn),
	}); err != nil {
		t.Fatal(err)
	}
	if before == 0 {
		w.ForgetCalls()
	}
	return arn
}

// TestHandMadeChangeSurvives: cpu, environment and a sidecar's image are changed
// by hand between two deployments, and a newer task definition of the family lies
// about that the service does not run.
func TestHandMadeChangeSurvives(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.Definition(func(td *ecs.RegisterTaskDefinitionInput) {
			td.ContainerDefinitions = append(td.ContainerDefinitions, types.ContainerDefinition{Name: aws.String("proxy"), Image: aws.String("registry.example.com/proxy:1")})
			td.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}
		}))
		observe(t, e, advance(t, e, deployment(image2), slipway.PhaseStarted))
		change(t, w, s, func(td *ecs.RegisterTaskDefinitionInput) {
			td.Cpu = aws.String("1024")
			td.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("MODE"), Value: aws.String("<fast> & safe")}}
			td.ContainerDefinitions[1].Image = aws.String("registry.example.com/proxy:2")
		})
		s.Settle()
		if _, err := w.ECS().RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("webapp1"), Cpu: aws.String("4096"), Memory: aws.String("8192"),
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("webapp1"), Image: aws.String("registry.example.com/webapp1:0")}},
		}); err != nil {
			t.Fatal(err)
		}

		next := deployment("registry.example.com/webapp1:3.0.0")
		next.Execution = "0199f000-0000-7000-8000-000000000002"
		d := advance(t, e, next, slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
		out := describeTask(t, w, d.TaskDefinition)
		td := out.TaskDefinition
		if *td.Cpu != "1024" || *td.Memory != "512" || len(td.ContainerDefinitions) != 2 {
			t.Errorf("cpu %s, memory %s, %d containers", *td.Cpu, *td.Memory, len(td.ContainerDefinitions))
		}
		web, proxy := td.ContainerDefinitions[0], td.ContainerDefinitions[1]
		if *web.Image != "registry.example.com/webapp1:3.0.0" || *proxy.Image != "registry.example.com/proxy:2" || *web.Environment[0].Value != "<fast> & safe" {
			t.Errorf("images %s and %s, environment %s", *web.Image, *proxy.Image, *web.Environment[0].Value)
		}
		tags := map[string]string{}
		for _, tag := range out.Tags {
			tags[*tag.Key] = *tag.Value
		}
		if len(tags) != 4 || tags["team"] != "shop" || tags[tagExecution] != next.Execution || tags[tagApp] != "cluster1/webapp1" {
			t.Errorf("tags %v", tags)
		}
	})
}
