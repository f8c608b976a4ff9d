package tfprovider

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// backend answers with what it has.
type backend struct {
	api.Backend // the rest is not asked for
	apps        []slipway.AppStatus
	executions  []slipway.Execution
	err         error
}

func (b backend) Apps(context.Context) ([]slipway.AppStatus, error) { return b.apps, b.err }

func (b backend) Executions(context.Context, api.ExecutionQuery) ([]slipway.Execution, error) {
	return b.executions, nil
}

// serve serves a backend as a controller does.
func serve(t *testing.T, b backend) (address string) {
	server := httptest.NewServer(api.Handler(b, api.Options{}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestDeployment(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	execution := slipway.Execution{
		ID: "0193", Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack, Reason: "exit code 1",
		Revision:  slipway.Revision{App: slipway.App{Cluster: "cluster1", Name: "webapp1"}, Commit: "c2"},
		StartedAt: monday, EndedAt: monday.Add(time.Minute),
	}
	address := serve(t, backend{
		executions: []slipway.Execution{execution},
		apps: []slipway.AppStatus{
			{
				App: execution.App(), Drift: true, Execution: execution.Summary(),
				Running: &slipway.RunningSummary{
					TaskDefinition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7", Since: monday.Add(-time.Hour),
					Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:1"}, {Container: "proxy", URI: "example.com/proxy:2"}},
				},
			},
			{App: slipway.App{Cluster: "cluster1", Name: "fresh"}, Problem: "there is no service fresh in cluster cluster1"},
		},
	})
	p := newPlugin(t, values{"server": address})

	got, problem := p.read("slipway_deployment", webapp1(nil))
	want := map[string]string{
		"cluster": "cluster1", "app": "webapp1", "images.webapp1": "example.com/webapp1:1", "images.proxy": "example.com/proxy:2",
		"task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7", "since": "2026-11-02T08:00:00Z", "drift": "true",
		"execution.id": "0193", "execution.commit": "c2", "execution.status": "Failed", "execution.outcome": "rolled-back",
		"execution.reason": "exit code 1", "execution.started_at": "2026-11-02T09:00:00Z", "execution.ended_at": "2026-11-02T09:01:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" || problem != "" {
		t.Errorf("%s(-want +got):\n%s", problem, diff)
	}

	// What is not there yet is null; it says why, and does not stop the plan that
	// may be about to make it.
	got, problem = p.read("slipway_deployment", values{"cluster": "cluster1", "app": "fresh"})
	if diff := cmp.Diff(map[string]string{"cluster": "cluster1", "app": "fresh", "drift": "false"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(problem, "WARNING at app: ") || !strings.Contains(problem, "there is no service fresh") {
		t.Error(problem)
	}

	for _, test := range []struct {
		name string
		set  values
		says []string
	}{
		{
			"no such app", values{"cluster": "cluster1", "app": "nobody"},
			[]string{"ERROR at app: Cannot read what cluster1/nobody runs: ", "there is no app cluster1/nobody", "hint: `slipway status` lists"},
		},
		{"no address", webapp1(values{"server": "localhost"}), []string{"ERROR at server: ", `"localhost" is no server's address`}},
		{
			"nobody there", webapp1(values{"server": "http://127.0.0.1:1"}),
			[]string{"ERROR at server: ", "the server at http://127.0.0.1:1 does not answer", "hint: start `slipway serve` or `slipway sandbox`, or set server"},
		},
		{"no app's name", values{"cluster": "cluster1", "app": "web app"}, []string{"ERROR at app: ", "has the character ' '"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problem := p.read("slipway_deployment", test.set)
			for _, says := range test.says {
				if !strings.Contains(problem, says) {
					t.Errorf("%s\ndoes not say %q", problem, says)
				}
			}
		})
	}

	t.Run("a server that is not known yet", func(t *testing.T) {
		p := newPlugin(t, values{"server": tftypes.UnknownValue})
		if _, problem := p.read("slipway_deployment", webapp1(nil)); !strings.Contains(problem, "the provider's server is not known before apply") {
			t.Error(problem)
		}
		if got, problem := p.read("slipway_deployment", webapp1(values{"server": address})); got["drift"] != "true" {
			t.Error(problem)
		}
	})
	t.Run("a fault of the server's", func(t *testing.T) {
		broken := serve(t, backend{err: &slipway.Error{Next: slipway.NextPerson, Message: "the database is full", Hint: "make room"}})
		if _, problem := p.read("slipway_deployment", webapp1(values{"server": broken})); !strings.Contains(problem, "ERROR at server: ") || !strings.Contains(problem, "hint: make room") {
			t.Error(problem)
		}
	})
}
