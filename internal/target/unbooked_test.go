package target

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// registrars has AWS say who registered which task definitions, by the number of the
// revision; the sandbox knows but one principal.
func registrars(w *sandboxtest.World, by map[int]string) *ECS {
	config := w.Config()
	inner := w.HTTPClient().Transport
	config.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		response, err := inner.RoundTrip(r)
		if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeTaskDefinition") {
			return response, err
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		for revision, who := range by {
			if bytes.Contains(body, fmt.Appendf(nil, `:task-definition/webapp1:%d"`, revision)) {
				body = bytes.ReplaceAll(body, []byte("arn:aws:iam::"+sandboxtest.Account+":root"), []byte(who))
			}
		}
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return response, nil
	})}
	return NewECS(Options{Config: func(context.Context, string) (aws.Config, error) { return config, nil }})
}

// TestRetireWithoutBooks: where nobody remembers what the app registered, its tags say
// it, and who registered it.
func TestRetireWithoutBooks(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, _ *ECS) {
		const role, ada = "arn:aws:sts::111122223333:assumed-role/slipway-deploy/", "arn:aws:iam::111122223333:user/ada"
		e := registrars(w, map[int]string{
			1: ada, 2: role + "a", 3: role + "b", 4: ada, 5: "arn:aws:sts::111122223333:assumed-role/slipway-deploy-2/a", 6: role + "a", 7: role + "a", 8: role + "c", 9: role + "d",
		})
		s := w.Service("cluster1", "webapp1") // webapp1:1
		copied := func(app string) {
			t.Helper()
			out := describeTask(t, w, *s.Describe().TaskDefinition)
			in := &ecs.RegisterTaskDefinitionInput{Family: out.TaskDefinition.Family, ContainerDefinitions: out.TaskDefinition.ContainerDefinitions, Tags: out.Tags}
			for i := range in.Tags {
				if *in.Tags[i].Key == tagApp {
					in.Tags[i].Value = &app
				}
			}
			if _, err := w.ECS().RegisterTaskDefinition(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		deploy := func(n int) slipway.Deployment {
			t.Helper()
			d := advance(t, e, deployment(fmt.Sprintf("registry.example.com/webapp1:%d.0.0", n)), slipway.PhaseStarted)
			checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
			if !strings.HasSuffix(d.TaskDefinition, fmt.Sprintf("/webapp1:%d", n)) {
				t.Fatalf("%s is not the %dth", d.TaskDefinition, n)
			}
			return d
		}
		deploy(2)
		deploy(3)
		copied("cluster1/webapp1") // 4, by Ada
		copied("cluster1/webapp1") // 5, by another role
		copied("cluster1/webapp2") // 6, of another app
		deploy(7)
		deploy(8)
		d := deploy(9)

		w.Fault(denied("DescribeTaskDefinition"))
		if got, err := e.Retire(t.Context(), d, 2, nil); err == nil || len(got) > 0 {
			t.Errorf("without knowing whose they are: %v, %v", got, err)
		}
		w.Fault(nil)
		foreign := d
		foreign.Execution = "0199f000-0000-7000-8000-000000000002"
		if got, err := e.Retire(t.Context(), foreign, 2, nil); err != nil || len(got) > 0 {
			t.Errorf("where another registered what runs: %v, %v", got, err)
		}
		w.ForgetCalls()
		if got, err := e.Retire(t.Context(), d, 9, nil); err != nil || len(got) > 0 || len(w.Calls()) != 1 {
			t.Errorf("with enough to keep: %v, %v, calls %v", got, err, w.Calls().Operations())
		}
		got, err := e.Retire(t.Context(), d, 3, nil) // of 9, 8, 7, 3, 2
		named := func(n int) string { return strings.TrimSuffix(d.TaskDefinition, "9") + fmt.Sprint(n) }
		if diff := cmp.Diff([]string{named(2), named(3)}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		for n := range 9 {
			gone := slices.Contains(got, named(n+1))
			if status := describeTask(t, w, named(n+1)).TaskDefinition.Status; (status == types.TaskDefinitionStatusInactive) != gone {
				t.Errorf("webapp1:%d is %s", n+1, status)
			}
		}
		w.ForgetCalls()
		if got, err := e.Retire(t.Context(), d, 3, nil); err != nil || len(got) > 0 {
			t.Errorf("again: %v, %v", got, err)
		}
		checkWrites(t, w, []string{}...)
	})
}

// TestRetireWithoutBooksIsBounded: however long a family is, it takes so many calls.
func TestRetireWithoutBooksIsBounded(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
		out := describeTask(t, w, *s.Describe().TaskDefinition)
		for range 240 {
			if _, err := w.ECS().RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
				Family: out.TaskDefinition.Family, ContainerDefinitions: out.TaskDefinition.ContainerDefinitions, Tags: out.Tags,
			}); err != nil {
				t.Fatal(err)
			}
		}
		w.ForgetCalls()
		got, err := e.Retire(t.Context(), d, 10, nil)
		if err != nil || len(got) != retireMost {
			t.Errorf("%d were retired, %v", len(got), err)
		}
		// The oldest of those that were looked at went first.
		if first := "/webapp1:143"; len(got) > 0 && !strings.HasSuffix(got[0], first) {
			t.Errorf("%s went first, want %s", got[0], first)
		}
		if n := w.Calls().Count("DescribeTaskDefinition"); n > retireLooks+retireMost+1 {
			t.Errorf("%d task definitions were read", n)
		}
	})
}
