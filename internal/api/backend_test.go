package api

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

var webapp1 = slipway.App{Cluster: "cluster1", Name: "webapp1"}

// bothSides runs a test with a Backend and with a Client of a server of it: a
// caller must not be able to tell which one it has.
func bothSides(t *testing.T, test func(*testing.T, *memory, Backend)) {
	t.Run("backend", func(t *testing.T) {
		m := &memory{}
		test(t, m, m)
	})
	t.Run("client", func(t *testing.T) {
		m := &memory{}
		client, err := NewClient("http://127.0.0.1:7878", &http.Client{Transport: inProcess{Handler(m, Options{})}})
		if err != nil {
			t.Fatal(err)
		}
		test(t, m, client)
	})
}

func TestApps(t *testing.T) {
	bothSides(t, func(t *testing.T, m *memory, backend Backend) {
		m.apps = []slipway.AppStatus{
			{App: slipway.App{Cluster: "cluster1", Name: "service1"}, Removed: true},
			{
				App:       webapp1,
				Revision:  &slipway.RevisionSummary{Commit: "c1", Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:1"}}},
				Running:   &slipway.RunningSummary{Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:0"}}, TaskDefinition: "arn"},
				Drift:     true,
				Execution: &slipway.ExecutionSummary{ID: "1", Status: slipway.StatusInProgress, StartedAt: monday},
			},
		}
		got, err := backend.Apps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.apps, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		client, ok := backend.(*Client)
		if !ok {
			return
		}
		one, err := client.App(t.Context(), webapp1)
		if diff := cmp.Diff(m.apps[1], one); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		_, err = client.App(t.Context(), slipway.App{Cluster: "cluster1", Name: "nobody"})
		if !errors.Is(err, ErrNotFound) || slipway.HintOf(err) == "" {
			t.Errorf("of an app that is not there: %v", err)
		}
	})
}

func TestHistory(t *testing.T) {
	bothSides(t, func(t *testing.T, m *memory, backend Backend) {
		entries := []slipway.HistoryEntry{
			{Commit: slipway.Commit{ID: "c2", Author: "Dev <dev@example.com>", Time: monday, Message: "bad file"}, Problem: "revision.json:1:1: empty"},
			{
				Commit:    slipway.Commit{ID: "c1", Author: "Dev <dev@example.com>", Time: monday, Message: "webapp1 1"},
				Images:    []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:1"}},
				Execution: &slipway.ExecutionSummary{ID: "1", Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack, Reason: "exit code 1"},
			},
		}
		m.history = map[slipway.App][]slipway.HistoryEntry{webapp1: entries}
		got, err := backend.History(t.Context(), webapp1, 5)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(entries, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		got, err = backend.History(t.Context(), webapp1, 1)
		if err != nil || len(got) != 1 {
			t.Errorf("History with limit 1 = %d entries, %v", len(got), err)
		}
		_, err = backend.History(t.Context(), slipway.App{Cluster: "cluster1", Name: "nobody"}, 5)
		if !errors.Is(err, ErrNotFound) || slipway.NextOf(err) != slipway.NextUsage || slipway.HintOf(err) == "" {
			t.Errorf("History of an unknown app: %v, want a hint and ErrNotFound", err)
		}
	})
}

func TestExecutions(t *testing.T) {
	service1 := slipway.App{Cluster: "cluster1", Name: "service1"}
	execution := func(id string, app slipway.App, commit string) slipway.Execution {
		return slipway.Execution{
			ID: id, Status: slipway.StatusSucceeded, Outcome: slipway.OutcomeDeployed, CreatedAt: monday,
			Revision: slipway.Revision{App: app, Commit: commit, Images: []slipway.Image{{Container: "app", URI: "example.com/app:1"}}},
			Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Dev <dev@example.com>", At: monday},
			Deployment: slipway.Deployment{
				Execution: id, App: app, Phase: slipway.PhaseStarted, ID: "ecs-svc/1", StartedAt: monday,
				Place: slipway.Place{Cluster: app.Cluster, Service: app.Name},
			},
			Observation: &slipway.Observation{At: monday, State: slipway.StateDeployed, Tasks: slipway.TaskCounts{Desired: 2, Running: 2},
				Events: []slipway.Event{{At: monday, Message: "(service webapp1) has reached a steady state."}}},
		}
	}
	all := []slipway.Execution{execution("3", webapp1, "c3"), execution("2", service1, "c2"), execution("1", webapp1, "c1")}
	tests := []struct {
		name  string
		query ExecutionQuery
		want  []string
	}{
		{"all", ExecutionQuery{Limit: 10}, []string{"3", "2", "1"}},
		{"the newest", ExecutionQuery{Limit: 1}, []string{"3"}},
		{"of an app", ExecutionQuery{App: &webapp1, Limit: 10}, []string{"3", "1"}},
		{"of a commit", ExecutionQuery{Commit: "c2", Limit: 10}, []string{"2"}},
		{"of an app and another's commit", ExecutionQuery{App: &webapp1, Commit: "c2", Limit: 10}, nil},
		{"by id", ExecutionQuery{ID: "1", Limit: 1}, []string{"1"}},
		{"by an unknown id", ExecutionQuery{ID: "9", Limit: 1}, nil},
		{"by id, of another app", ExecutionQuery{ID: "1", App: &service1, Limit: 1}, nil},
		{"by id, of another commit", ExecutionQuery{ID: "1", Commit: "c2", Limit: 1}, nil},
	}
	bothSides(t, func(t *testing.T, m *memory, backend Backend) {
		m.executions = all
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				got, err := backend.Executions(t.Context(), test.query)
				if err != nil {
					t.Fatal(err)
				}
				var ids []string
				for _, execution := range got {
					ids = append(ids, execution.ID)
				}
				if diff := cmp.Diff(test.want, ids); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
		got, err := backend.Executions(t.Context(), ExecutionQuery{ID: "3", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[:1], got); diff != "" {
			t.Errorf("an execution changed on the way (-want +got):\n%s", diff)
		}
	})
}

func TestCommand(t *testing.T) {
	commands := []Command{
		{Action: ActionStart, App: webapp1, By: "dev"},
		{Action: ActionStop, Execution: "0001", By: "dev", Reason: "wrong image", Abandon: true},
		{Action: ActionStop, Execution: "0001", By: "dev"},
		{Action: ActionRetry, Execution: "0001", By: "dev"},
		{Action: ActionApprove, Execution: "0001", By: "dev"},
		{Action: ActionReject, Execution: "0001", By: "dev", Reason: "too many errors", Hook: "ecs-pause-1"},
	}
	bothSides(t, func(t *testing.T, m *memory, backend Backend) {
		for _, command := range commands {
			got, err := backend.Command(t.Context(), command)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m.executions[0], got); diff != "" {
				t.Errorf("%s: the execution (-want +got):\n%s", command.Action, diff)
			}
		}
		if diff := cmp.Diff(commands, m.commands); diff != "" {
			t.Errorf("commands changed on the way (-want +got):\n%s", diff)
		}
		for _, action := range []Action{ActionStop, ActionRetry, ActionApprove, ActionReject} {
			if _, err := backend.Command(t.Context(), Command{Action: action, Execution: "9999", By: "dev"}); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s of an unknown execution: %v, want ErrNotFound", action, err)
			}
		}
	})
}

func TestRefresh(t *testing.T) {
	bothSides(t, func(t *testing.T, m *memory, backend Backend) {
		if err := backend.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m.refreshed != 1 {
			t.Errorf("refreshed %d times, want once", m.refreshed)
		}
	})
}

// An error means the same on both sides of the wire.
func TestErrors(t *testing.T) {
	cause := errors.New("exit status 128")
	tests := []struct {
		name   string
		err    error
		next   slipway.Next
		hint   string
		text   string
		after  time.Duration
		status int
	}{
		{"usage", slipway.Usagef("no such branch"), slipway.NextUsage, "", "no such branch", 0, 422},
		{
			"person", &slipway.Error{Next: slipway.NextPerson, Message: "access denied", Hint: "allow ecs:UpdateService"},
			slipway.NextPerson, "allow ecs:UpdateService", "access denied", 0, 409,
		},
		{
			"retry", &slipway.Error{Next: slipway.NextRetry, Message: "git fetch", Err: cause, RetryAfter: 90 * time.Second},
			slipway.NextRetry, "", "git fetch: exit status 128", 90 * time.Second, 503,
		},
		{
			"retry at no certain time", &slipway.Error{Next: slipway.NextRetry, Message: "git fetch", RetryAfter: time.Second},
			slipway.NextRetry, "", "git fetch", time.Second, 503,
		},
		{"never", &slipway.Error{Next: slipway.NextNever, Message: "gone"}, slipway.NextNever, "", "gone", 0, 500},
		{"an error that says nothing of it", cause, slipway.NextNever, "", "exit status 128", 0, 500},
		{
			"wrapped", fmt.Errorf("start: %w", &slipway.Error{Next: slipway.NextPerson, Message: "disabled", Hint: "enable it"}),
			slipway.NextPerson, "enable it", "start: disabled", 0, 409,
		},
		{"not found", NotFoundf("look elsewhere", "there is no app %s", webapp1), slipway.NextUsage, "look elsewhere", "there is no app cluster1/webapp1", 0, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if p, ok := errors.AsType[*problem](asProblem(test.err)); !ok || p.Status != test.status {
				t.Errorf("problem is %+v, want status %d", p, test.status)
			}
			bothSides(t, func(t *testing.T, m *memory, backend Backend) {
				m.err = test.err
				calls := map[string]func() error{
					"Apps":       func() error { _, err := backend.Apps(t.Context()); return err },
					"History":    func() error { _, err := backend.History(t.Context(), webapp1, 1); return err },
					"Executions": func() error { _, err := backend.Executions(t.Context(), ExecutionQuery{Limit: 1}); return err },
					"Command": func() error {
						_, err := backend.Command(t.Context(), Command{Action: ActionStart, App: webapp1, By: "dev"})
						return err
					},
					"Refresh": func() error { return backend.Refresh(t.Context()) },
				}
				for name, call := range calls {
					err := call()
					if err == nil {
						t.Errorf("%s: no error", name)
						continue
					}
					if err.Error() != test.text || slipway.NextOf(err) != test.next || slipway.HintOf(err) != test.hint {
						t.Errorf("%s: %q, next %q, hint %q; want %q, %q, %q",
							name, err, slipway.NextOf(err), slipway.HintOf(err), test.text, test.next, test.hint)
					}
					if e, ok := errors.AsType[*slipway.Error](err); ok && e.RetryAfter != test.after {
						t.Errorf("%s: retry after %s, want %s", name, e.RetryAfter, test.after)
					}
					if want := test.status == 404; errors.Is(err, ErrNotFound) != want {
						t.Errorf("%s: ErrNotFound is %t, want %t", name, !want, want)
					}
				}
			})
		})
	}
}
