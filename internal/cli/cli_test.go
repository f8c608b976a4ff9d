package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// The scripts run the test binary as slipway.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"slipway": func() {
			os.Exit(Main(context.Background(), os.Args[1:], IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

var (
	monday  = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	webapp1 = slipway.App{Cluster: "cluster1", Name: "webapp1"}
	v1      = []slipway.Image{{Container: "webapp1", URI: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.1"}}
	v2      = []slipway.Image{{Container: "webapp1", URI: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.2"}}
)

const (
	firstID  = "01930e2a-6b5c-7000-8000-000000000001"
	secondID = "01930e2b-0000-7000-8000-000000000002"
	commit1  = "1111111111111111111111111111111111111111"
	commit2  = "2222222222222222222222222222222222222222"
)

// scripted is a Backend whose executions are those in the list, newest first.
// look, if set, is called before each look at them, and may change them.
type scripted struct {
	mu         sync.Mutex
	apps       []slipway.AppStatus
	history    []slipway.HistoryEntry
	executions []slipway.Execution
	commands   []api.Command
	refreshed  int
	asked      string // the commit that was last asked for
	look       func(*scripted) error
}

func (c *scripted) before() error {
	if c.look == nil {
		return nil
	}
	return c.look(c)
}

func (c *scripted) Apps(context.Context) ([]slipway.AppStatus, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.before()
	return slices.Clone(c.apps), err
}

func (c *scripted) History(_ context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if app != webapp1 {
		return nil, api.NotFoundf("`slipway status` lists the apps there are", "there is no app %s", app)
	}
	return c.history[:min(limit, len(c.history))], c.before()
}

func (c *scripted) Executions(_ context.Context, query api.ExecutionQuery) ([]slipway.Execution, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = query.Commit
	if err := c.before(); err != nil {
		return nil, err
	}
	var found []slipway.Execution
	for _, e := range c.executions {
		if (query.App == nil || *query.App == e.App()) && strings.HasPrefix(e.ID, query.ID) &&
			(query.Commit == "" || query.Commit == e.Revision.Commit) && len(found) < query.Limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (c *scripted) Command(_ context.Context, command api.Command) (slipway.Execution, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands = append(c.commands, command)
	if len(c.executions) == 0 {
		return slipway.Execution{}, errors.New("the test has no execution to answer with")
	}
	return c.executions[0], c.before()
}

func (c *scripted) Refresh(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refreshed++
	return c.before()
}

// answer is what a command left behind.
type answered struct {
	code     int
	out, err string
}

// slipwayOn runs the command line against a controller.
func slipwayOn(t *testing.T, c *scripted, args ...string) answered {
	t.Helper()
	server := httptest.NewServer(api.Handler(c, api.Options{}))
	t.Cleanup(server.Close)
	t.Setenv("SLIPWAY_SERVER", server.URL)
	return slipwayCommand(t, args...)
}

// slipwayCommand runs the command line in this process.
func slipwayCommand(t *testing.T, args ...string) answered {
	t.Helper()
	var out, err bytes.Buffer
	code := Main(t.Context(), args, IO{In: strings.NewReader(""), Out: &out, Err: &err})
	return answered{code, out.String(), err.String()}
}

// ended1 is the first execution, which succeeded.
func ended1() slipway.Execution {
	return slipway.Execution{
		ID: firstID, Status: slipway.StatusSucceeded, Stage: slipway.StageDeploy, Outcome: slipway.OutcomeDeployed,
		CreatedAt: monday, StartedAt: monday, EndedAt: monday.Add(42 * time.Second),
		Revision: slipway.Revision{App: webapp1, Commit: commit1, Blob: "b1", Images: v1},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Dev <dev@example.com>", Delivery: "d1", At: monday},
		Pipeline: slipway.Pipeline{
			Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(time.Hour),
			Place: slipway.Place{Cluster: "cluster1", Service: "webapp1", Region: "eu-west-1", RoleARN: "arn:aws:iam::111122223333:role/deploy", Endpoint: "https://ecs.example.com"},
		},
		Deployment: slipway.Deployment{
			Execution: firstID, App: webapp1, Commit: commit1, Images: v1, Phase: slipway.PhaseStarted,
			Place:      slipway.Place{Cluster: "cluster1", Service: "webapp1", Region: "eu-west-1"},
			PreparedAt: monday, FirstWriteAt: monday, StartedAt: monday, ID: "ecs-svc/1111111111111111111",
			Base: "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7", BaseImages: v1,
			TaskDefinition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:8",
		},
		Observation: &slipway.Observation{
			At: monday.Add(42 * time.Second), State: slipway.StateDeployed, Tasks: slipway.TaskCounts{Desired: 2, Running: 2},
			Events: []slipway.Event{{At: monday.Add(40 * time.Second), Message: "(service webapp1) has reached a steady state."}},
		},
	}
}

// failed2 is the second, which ECS rolled back.
func failed2() slipway.Execution {
	e := ended1()
	e.ID, e.Revision.Commit, e.Revision.Blob, e.Revision.Images = secondID, commit2, "b2", v2
	e.Status, e.Outcome, e.RolledBackBy = slipway.StatusFailed, slipway.OutcomeRolledBack, slipway.ByECS
	e.Reason = "webapp1 exited with code 1\nlog: no such table"
	e.CreatedAt, e.StartedAt, e.EndedAt = monday.Add(time.Minute), monday.Add(time.Minute), monday.Add(3*time.Minute)
	return e
}

// pausing2 is the second while it runs as a canary and waits for a person.
func pausing2() slipway.Execution {
	e := failed2()
	e.Status = slipway.StatusInProgress
	e.Deployment.Strategy, e.Deployment.ResumedAt = slipway.StrategyCanary, monday
	seen, traffic := *e.Observation, 12.5
	seen.State, seen.Stage, seen.Traffic, seen.BakeMinutes = slipway.StateProgressing, "POST_PRODUCTION_TRAFFIC_SHIFT", &traffic, 15
	seen.Waiting = "somebody to approve it"
	seen.Hooks = []slipway.Hook{{ID: "ecs-pause-1", Stage: seen.Stage, Expires: monday.Add(time.Hour), OnExpiry: "ROLLBACK"}}
	seen.By, seen.Cause = slipway.ByECS, slipway.CauseAlarm
	e.Observation = &seen
	e.Decisions = []slipway.Decision{{Hook: "ecs-pause-0", Stage: "POST_SCALE_UP", Approve: true, By: "Ada", At: monday, Reason: "smoke tests passed"}}
	return e
}

// world is a controller with one app, whose second commit was rolled back.
func world() *scripted {
	return &scripted{
		apps: []slipway.AppStatus{{
			App: webapp1, Drift: true, DriftSince: monday.Add(time.Minute),
			Revision:  &slipway.RevisionSummary{Commit: commit2, Images: v2},
			Running:   &slipway.RunningSummary{Images: v1, TaskDefinition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7", Since: monday},
			Execution: failed2().Summary(),
		}},
		history: []slipway.HistoryEntry{
			{
				Commit: slipway.Commit{ID: commit2, Author: "Dev <dev@example.com>", Time: monday.Add(time.Minute), Message: "webapp1 1.4.2"},
				Images: v2, Execution: failed2().Summary(),
			},
			{
				Commit: slipway.Commit{ID: commit1, Author: "Dev <dev@example.com>", Time: monday, Message: "webapp1 1.4.1"},
				Images: v1, Execution: ended1().Summary(),
			},
		},
		executions: []slipway.Execution{failed2(), ended1()},
	}
}
