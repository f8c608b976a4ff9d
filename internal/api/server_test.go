package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

// The bytes that scripts see: members, their order, null where there is
// nothing, and nothing that is not ours.
func TestJSON(t *testing.T) {
	execution := slipway.Execution{
		ID: "1", Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack, RolledBackBy: slipway.ByECS,
		Reason: "exit code 1 <boom>", Stage: slipway.StageDeploy, CreatedAt: monday, StartedAt: monday, EndedAt: monday,
		Revision: slipway.Revision{App: webapp1, Commit: "c1", Images: []slipway.Image{{Container: "web", URI: "example.com/web:1"}}},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Dev <dev@example.com>", At: monday},
	}
	m := &memory{
		apps: []slipway.AppStatus{{
			App: webapp1, Revision: &slipway.RevisionSummary{Commit: "c1", Images: execution.Revision.Images},
			Running: &slipway.RunningSummary{Images: execution.Revision.Images, TaskDefinition: "arn", Since: monday}, Execution: execution.Summary(),
		}, {App: slipway.App{Cluster: "cluster2", Name: "gone"}, Removed: true, Problem: "removed"}},
		history: map[slipway.App][]slipway.HistoryEntry{webapp1: {
			{Commit: slipway.Commit{ID: "c1", Author: "Dev <dev@example.com>", Time: monday, Message: "first"}, Images: execution.Revision.Images},
		}},
		executions: []slipway.Execution{execution},
	}
	const (
		images      = `[{"name":"web","imageUri":"example.com/web:1"}]`
		app         = `{"app":"cluster1/webapp1","revision":{"commit":"c1","images":` + images + `},"running":{"images":` + images + `,"taskDefinition":"arn","since":"2026-11-02T09:00:00Z"},"drift":false,"execution":{"id":"1","status":"Failed","outcome":"rolled-back","rolledBackBy":"ecs","reason":"exit code 1 <boom>","startedAt":"2026-11-02T09:00:00Z","endedAt":"2026-11-02T09:00:00Z"}}`
		executed    = `{"id":"1","revision":{"app":"cluster1/webapp1","commit":"c1","images":` + images + `},"trigger":{"kind":"push","by":"Dev <dev@example.com>","at":"2026-11-02T09:00:00Z"},"status":"Failed","stage":"Deploy","outcome":"rolled-back","rolledBackBy":"ecs","reason":"exit code 1 <boom>","createdAt":"2026-11-02T09:00:00Z","startedAt":"2026-11-02T09:00:00Z","endedAt":"2026-11-02T09:00:00Z"}`
		problemText = `{"title":"Not Found","status":404,"detail":"there is no execution 9","next":"usage","hint":"` + "`slipway history CLUSTER/APP`" + ` lists an app's executions"}`
	)
	tests := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/api/v1/apps", "", 200, `[` + app + `,{"app":"cluster2/gone","revision":null,"running":null,"drift":false,"execution":null,"removed":true,"problem":"removed"}]`},
		{"GET", "/api/v1/apps/cluster1/webapp1", "", 200, app},
		{"GET", "/api/v1/apps/cluster1/webapp1/history", "", 200, `[{"commit":"c1","author":"Dev <dev@example.com>","time":"2026-11-02T09:00:00Z","message":"first","images":` + images + `,"execution":null}]`},
		{"GET", "/api/v1/executions", "", 200, `[` + executed + `]`},
		{"GET", "/api/v1/executions?app=cluster1/webapp1&commit=c1&limit=3", "", 200, `[` + executed + `]`},
		{"GET", "/api/v1/executions?app=cluster9/nobody", "", 200, `[]`},
		{"GET", "/api/v1/executions/1", "", 200, executed},
		{"GET", "/api/v1/executions/9", "", 404, problemText},
		{"POST", "/api/v1/executions/1/retry", `{"by":"dev"}`, 200, executed},
		{"POST", "/api/v1/refresh", "", 204, ``},
		{"GET", "/api/v1/version", "", 200, `{"version":"v1.2.3"}`},
		{"GET", "/healthz", "", 200, `{"status":"ok"}`},
		{"GET", "/readyz", "", 200, `{"status":"ok"}`},
	}
	handler := Handler(m, Options{Version: "v1.2.3"})
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			resp := ask(handler, test.method, test.path, test.body)
			if resp.Code != test.status {
				t.Errorf("status %d, want %d", resp.Code, test.status)
			}
			if diff := cmp.Diff(test.want, strings.TrimSpace(resp.Body.String())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if link := resp.Header().Get("Link"); link != "" {
				t.Errorf("a Link header, %q, that nobody asked for", link)
			}
		})
	}
}

// What does not fit is refused as a problem that says where, before the
// Backend sees it.
func TestRefused(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"no body", "POST", "/api/v1/apps/cluster1/webapp1/start", "", 400, "request body is required"},
		{"no JSON", "POST", "/api/v1/apps/cluster1/webapp1/start", "{", 400, "unexpected end of JSON input"},
		{"nobody asks", "POST", "/api/v1/apps/cluster1/webapp1/start", "{}", 422, "body"},
		{"an empty name", "POST", "/api/v1/apps/cluster1/webapp1/start", `{"by":""}`, 422, "body.by"},
		{"an unknown member", "POST", "/api/v1/executions/1/stop", `{"by":"dev","abandom":true}`, 422, "body.abandom"},
		{"nobody decides", "POST", "/api/v1/executions/1/approve", `{"hook":"h"}`, 422, "body"},
		{"an app's name", "POST", "/api/v1/apps/cluster1/web%20app/start", `{"by":"dev"}`, 422, "only letters"},
		{"an app's name in a query", "GET", "/api/v1/executions?app=webapp1", "", 422, "write CLUSTER/APP"},
		{"too much at once", "GET", "/api/v1/executions?limit=1001", "", 422, "query.limit"},
		{"a limit that is no number", "GET", "/api/v1/apps/cluster1/webapp1/history?limit=all", "", 422, "query.limit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := &memory{}
			resp := ask(Handler(m, Options{}), test.method, test.path, test.body)
			if resp.Code != test.status || resp.Header().Get("Content-Type") != problemType {
				t.Errorf("answered %d %s, want %d %s", resp.Code, resp.Header().Get("Content-Type"), test.status, problemType)
			}
			if !strings.Contains(resp.Body.String(), test.says) {
				t.Errorf("%s\ndoes not say %q", resp.Body, test.says)
			}
			if len(m.commands)+len(m.limits) > 0 {
				t.Errorf("the backend was asked")
			}
		})
	}
}

func TestDefaultLimit(t *testing.T) {
	m := &memory{history: map[slipway.App][]slipway.HistoryEntry{webapp1: {}}}
	handler := Handler(m, Options{})
	ask(handler, "GET", "/api/v1/executions", "")
	ask(handler, "GET", "/api/v1/apps/cluster1/webapp1/history?limit=0", "")
	if want := []int{DefaultLimit, DefaultLimit}; !slices.Equal(m.limits, want) {
		t.Errorf("limits %v, want %v", m.limits, want)
	}
}

func TestExecutionByTheBeginningOfItsID(t *testing.T) {
	handler := Handler(&memory{executions: []slipway.Execution{{ID: "0192-b"}, {ID: "0192-a"}, {ID: "0191-a"}}}, Options{})
	for id, status := range map[string]int{"0191": 200, "0192-a": 200, "0192": 422, "0193": 404} {
		if resp := ask(handler, "GET", "/api/v1/executions/"+id, ""); resp.Code != status {
			t.Errorf("%s answered %d, want %d: %s", id, resp.Code, status, resp.Body)
		}
	}
}

func TestReady(t *testing.T) {
	handler := Handler(&memory{}, Options{Ready: func(context.Context) error {
		return &slipway.Error{Next: slipway.NextPerson, Message: "no repository", Hint: "pass --repository"}
	}})
	if resp := ask(handler, "GET", "/healthz", ""); resp.Code != http.StatusOK {
		t.Errorf("/healthz answered %d: the process is alive", resp.Code)
	}
	resp := ask(handler, "GET", "/readyz", "")
	if resp.Code != http.StatusServiceUnavailable || resp.Header().Get("Retry-After") == "" {
		t.Errorf("/readyz answered %d with Retry-After %q", resp.Code, resp.Header().Get("Retry-After"))
	}
	if body := resp.Body.String(); !strings.Contains(body, "not ready: no repository") || !strings.Contains(body, "pass --repository") {
		t.Errorf("/readyz does not say why: %s", body)
	}
}

// A page in a browser must not be able to stop a deployment on localhost.
func TestAnotherOrigin(t *testing.T) {
	m := &memory{}
	req := httptest.NewRequest(http.MethodPost, "/api/v1/refresh", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp := httptest.NewRecorder()
	Handler(m, Options{}).ServeHTTP(resp, req)
	if resp.Code != http.StatusForbidden || m.refreshed > 0 {
		t.Errorf("answered %d and refreshed %d times, want 403 and nothing done", resp.Code, m.refreshed)
	}
}

func TestOpenAPI(t *testing.T) {
	handler := Handler(&memory{}, Options{Version: "v1.2.3"})
	resp := ask(handler, "GET", "/openapi.json", "")
	if resp.Code != http.StatusOK {
		t.Fatalf("answered %d", resp.Code)
	}
	if hosts := regexp.MustCompile(`[a-z]+://[^"]+`).FindAllString(resp.Body.String(), -1); len(hosts) > 0 {
		t.Errorf("names foreign hosts: %v", hosts)
	}
	var spec struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct {
			Schemas map[string]struct{ Properties map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal(resp.Body.Bytes(), &spec); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, methods := range spec.Paths {
		for method := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(operations)
	want := []string{
		"GET /api/v1/apps",
		"GET /api/v1/apps/{cluster}/{app}",
		"GET /api/v1/apps/{cluster}/{app}/history",
		"GET /api/v1/executions",
		"GET /api/v1/executions/{id}",
		"GET /api/v1/version",
		"GET /healthz",
		"GET /readyz",
		"POST /api/v1/apps/{cluster}/{app}/start",
		"POST /api/v1/executions/{id}/approve",
		"POST /api/v1/executions/{id}/reject",
		"POST /api/v1/executions/{id}/retry",
		"POST /api/v1/executions/{id}/stop",
		"POST /api/v1/refresh",
	}
	if diff := cmp.Diff(want, operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	for object, members := range map[string][]string{
		"AppStatus": {"revision", "running", "execution"}, "HistoryEntry": {"execution"},
	} {
		for _, member := range members {
			if schema := string(spec.Components.Schemas[object].Properties[member]); !strings.Contains(schema, `"null"`) {
				t.Errorf("%s.%s may be null, and the schema does not say so: %s", object, member, schema)
			}
		}
	}
	if docs := ask(handler, "GET", "/docs", ""); docs.Code != http.StatusNotFound {
		t.Errorf("/docs answered %d: it would load scripts from a foreign host", docs.Code)
	}
}

func TestClientAddress(t *testing.T) {
	for _, base := range []string{"", "127.0.0.1:7878", "localhost", "ftp://localhost", "http://", "http://[::1"} {
		if _, err := NewClient(base, http.DefaultClient); slipway.NextOf(err) != slipway.NextUsage {
			t.Errorf("NewClient(%q): %v, want a usage error", base, err)
		}
	}
}

func TestClientBehindAPath(t *testing.T) {
	handler := http.StripPrefix("/slipway", Handler(&memory{apps: []slipway.AppStatus{{App: webapp1}}}, Options{}))
	client, err := NewClient("http://cd.example.com/slipway/", &http.Client{Transport: inProcess{handler}})
	if err != nil {
		t.Fatal(err)
	}
	if apps, err := client.Apps(t.Context()); err != nil || len(apps) != 1 {
		t.Errorf("Apps = %v, %v", apps, err)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

func TestClientUnreachable(t *testing.T) {
	client := func(rt transport) *Client {
		c, err := NewClient("http://dev:secret@127.0.0.1:7878", &http.Client{Transport: rt})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	page := func(status int, body io.Reader) transport {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(body),
				Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
			}, nil
		}
	}
	tests := []struct {
		name       string
		transport  transport
		next       slipway.Next
		says, hint string
	}{
		{
			"nobody listens", func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
			slipway.NextRetry, "does not answer", "pass --server",
		},
		{"another server's page", page(200, strings.NewReader("<html>")), slipway.NextPerson, "not as a Slipway server does", "check --server"},
		{"another server's 404", page(404, strings.NewReader("<html>")), slipway.NextPerson, "not as a Slipway server does", "check --server"},
		{"a proxy whose server restarts", page(502, strings.NewReader("<html>")), slipway.NextRetry, "Bad Gateway", "check --server"},
		{
			"an answer that breaks off", func(*http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
					Body: io.NopCloser(strings.NewReader(`[{"app":`)),
				}, nil
			},
			slipway.NextRetry, "does not answer", "pass --server",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := client(test.transport).Apps(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			if slipway.NextOf(err) != test.next || !strings.Contains(err.Error(), test.says) || !strings.Contains(slipway.HintOf(err), test.hint) {
				t.Errorf("%v (next %s, hint %s)", err, slipway.NextOf(err), slipway.HintOf(err))
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("tells the password: %v", err)
			}
		})
	}
	t.Run("the caller has left", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client(func(req *http.Request) (*http.Response, error) { return nil, req.Context().Err() }).Apps(ctx)
		if !errors.Is(err, context.Canceled) || slipway.HintOf(err) != "" {
			t.Errorf("%v, want the context's own error", err)
		}
	})
}

func ask(handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp := httptest.NewRecorder()
	handler.ServeHTTP(resp, req)
	return resp
}
