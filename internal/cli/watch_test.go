package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

// rollout is a controller whose one execution goes through a whole deployment,
// by the clock.
func rollout(begin time.Time) *scripted {
	event := func(second int, message string) slipway.Event {
		return slipway.Event{At: begin.Add(time.Duration(second) * time.Second), Message: message}
	}
	steps := []struct {
		after  time.Duration
		change func(*slipway.Execution)
	}{
		{0, func(e *slipway.Execution) { e.Status, e.Stage = slipway.StatusQueued, "" }},
		{1 * time.Second, func(e *slipway.Execution) { e.Status, e.Stage = slipway.StatusInProgress, slipway.StageSource }},
		{2 * time.Second, func(e *slipway.Execution) { e.Stage = slipway.StageDeploy }},
		{3 * time.Second, func(e *slipway.Execution) { e.Deployment.Phase = slipway.PhasePrepared }},
		{4 * time.Second, func(e *slipway.Execution) { e.Deployment.Phase = slipway.PhaseRegistered }},
		{5 * time.Second, func(e *slipway.Execution) { e.Deployment.Phase = slipway.PhaseStarted }},
		{6 * time.Second, func(e *slipway.Execution) {
			e.Observation = &slipway.Observation{
				State: slipway.StateProgressing, Tasks: slipway.TaskCounts{Desired: 2, Pending: 1, Running: 1}, Draining: 2,
				Events: []slipway.Event{event(6, "(service webapp1) has started 2 tasks.")},
			}
		}},
		{20 * time.Second, func(e *slipway.Execution) {
			e.Observation = &slipway.Observation{
				State: slipway.StateDeployed, Tasks: slipway.TaskCounts{Desired: 2, Running: 2},
				Events: []slipway.Event{event(6, "(service webapp1) has started 2 tasks."), event(19, "(service webapp1) has reached a steady state.")},
			}
			e.Status, e.Outcome, e.EndedAt = slipway.StatusSucceeded, slipway.OutcomeDeployed, begin.Add(20*time.Second)
		}},
	}
	return &scripted{
		executions: []slipway.Execution{{ID: firstID, Revision: slipway.Revision{App: webapp1, Images: v2}}},
		look: func(c *scripted) error {
			for _, step := range steps {
				if time.Since(begin) >= step.after {
					step.change(&c.executions[0])
				}
			}
			return nil
		},
	}
}

func testEnv() (*env, *bytes.Buffer, *bytes.Buffer) {
	var out, err bytes.Buffer
	return &env{IO: IO{Out: &out, Err: &err}, globals: globals{Output: "table"}, now: time.Now}, &out, &err
}

// Without a terminal each change is a line, and each event of the service.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, out, talk := testEnv()
		execution, err := e.follow(t.Context(), rollout(time.Now()), firstID)
		if err != nil || execution.Outcome != slipway.OutcomeDeployed {
			t.Fatalf("outcome %s, %v", execution.Outcome, err)
		}
		// A bubble's clock begins at midnight.
		want := `cluster1/webapp1 webapp1:1.4.2: waiting for its turn
cluster1/webapp1 webapp1:1.4.2: reading the revision
cluster1/webapp1 webapp1:1.4.2: reading the service
cluster1/webapp1 webapp1:1.4.2: registering the task definition
cluster1/webapp1 webapp1:1.4.2: updating the service
cluster1/webapp1 webapp1:1.4.2: deploying
00:00:06 (service webapp1) has started 2 tasks.
cluster1/webapp1 webapp1:1.4.2: deploying: 1 of 2 running, 1 pending, 2 old still running
00:00:19 (service webapp1) has reached a steady state.
`
		if diff := cmp.Diff(want, talk.String()); diff != "" {
			t.Errorf("stderr (-want +got):\n%s", diff)
		}
		if out.Len() > 0 {
			t.Errorf("talked on stdout: %s", out)
		}
	})
}

// On a terminal one line changes: it is taken back before anything else is
// written, and is not left behind.
func TestFollowOnATerminal(t *testing.T) {
	e, _, talk := testEnv()
	line := &progressLine{env: e, moves: true}
	line.tell("one")
	line.tell("one")
	line.tell("%s", strings.Repeat("x", 100))
	line.event(slipway.Event{At: monday, Message: "steady"})
	line.tell("two")
	line.end()
	line.end()
	const back = "\r\x1b[2K"
	want := "one" + back + strings.Repeat("x", 78) + "…" + back + "09:00:00 steady\n" + "two" + back
	if diff := cmp.Diff(want, talk.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFollowQuietly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _, talk := testEnv()
		e.Quiet = true
		if _, err := e.follow(t.Context(), rollout(time.Now()), firstID); err != nil {
			t.Fatal(err)
		}
		if talk.Len() > 0 {
			t.Errorf("talked: %s", talk)
		}
	})
}

// A controller may restart while it is watched; it may not be gone for good.
func TestFollowThroughARestart(t *testing.T) {
	tests := []struct {
		name    string
		outage  time.Duration
		problem error
		fails   bool
	}{
		{"a restart", 50 * time.Second, &slipway.Error{Next: slipway.NextRetry, Message: "does not answer"}, false},
		{"gone for good", time.Hour, &slipway.Error{Next: slipway.NextRetry, Message: "does not answer"}, true},
		{"an error that does not pass", time.Second, errors.New("the database is broken"), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				c := rollout(begin)
				going := c.look
				c.look = func(c *scripted) error {
					if since := time.Since(begin); since > 5*time.Second && since < 5*time.Second+test.outage {
						return test.problem
					}
					return going(c)
				}
				e, _, talk := testEnv()
				_, err := e.follow(t.Context(), c, firstID)
				if test.fails != (err != nil) {
					t.Fatalf("error %v after %s", err, time.Since(begin))
				}
				if test.fails && !errors.Is(err, test.problem) {
					t.Errorf("%v, want the server's own error", err)
				}
				if n := strings.Count(talk.String(), "waiting: does not answer"); !test.fails && n != 1 {
					t.Errorf("told %d times that it waits, want once:\n%s", n, talk)
				}
			})
		})
	}
}

// Interrupting stops the watching and not the deployment, and says so.
func TestFollowInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		c := rollout(time.Now())
		e, _, talk := testEnv()
		_, err := e.follow(ctx, c, firstID)
		if exitCode(err) != exitError {
			t.Errorf("exit code %d: the outcome is not known, so it cannot be a good one", exitCode(err))
		}
		if want := "stopped watching; the execution goes on: `slipway show " + firstID + "`"; !strings.Contains(talk.String(), want) {
			t.Errorf("%s\ndoes not say %q", talk, want)
		}
		if len(c.commands) > 0 {
			t.Errorf("asked the controller for %v", c.commands)
		}
	})
}

// Without a terminal, --watch writes a line for each app that changed, and in
// JSON a list for each change; it ends without an error when interrupted.
func TestStatusWatch(t *testing.T) {
	tests := []struct {
		output string
		want   string
	}{
		{"table", `cluster1/webapp1: in git webapp1:1.4.2, running webapp1:1.4.1, last execution in progress; deploying: 0 of 2 running
cluster1/webapp1: in git webapp1:1.4.2, running webapp1:1.4.1, last execution in progress; deploying: 1 of 2 running
cluster1/webapp1: in git webapp1:1.4.2, running webapp1:1.4.2, last execution deployed
`},
		{"json", `[{"app":"cluster1/webapp1","revision":null,"running":null,"drift":true,"execution":{"id":"1","status":"InProgress","progress":{"tasks":{"desired":2,"pending":0,"running":0,"failed":0}}}}]
[{"app":"cluster1/webapp1","revision":null,"running":null,"drift":true,"execution":{"id":"1","status":"InProgress","progress":{"tasks":{"desired":2,"pending":0,"running":1,"failed":0}}}}]
[{"app":"cluster1/webapp1","revision":null,"running":null,"drift":false,"execution":{"id":"1","status":"Succeeded","outcome":"deployed"}}]
`},
	}
	for _, test := range tests {
		t.Run(test.output, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begin := time.Now()
				c := &scripted{look: func(c *scripted) error {
					app := slipway.AppStatus{App: webapp1, Drift: true}
					execution := slipway.Execution{
						ID: "1", Status: slipway.StatusInProgress, Stage: slipway.StageDeploy, Revision: slipway.Revision{App: webapp1},
						Deployment:  slipway.Deployment{Phase: slipway.PhaseStarted},
						Observation: &slipway.Observation{Tasks: slipway.TaskCounts{Desired: 2}},
					}
					since := time.Since(begin)
					if since > 10*time.Second {
						execution.Observation.Tasks.Running = 1
					}
					running := v1
					if since > 20*time.Second {
						execution.Status, execution.Outcome = slipway.StatusSucceeded, slipway.OutcomeDeployed
						running, app.Drift = v2, false
					}
					if test.output == "table" {
						app.Revision = &slipway.RevisionSummary{Images: v2}
						app.Running = &slipway.RunningSummary{Images: running}
					}
					app.Execution = execution.Summary()
					c.apps, c.executions = []slipway.AppStatus{app}, []slipway.Execution{execution}
					return nil
				}}
				e, out, _ := testEnv()
				e.Output = test.output
				if err := (&statusCmd{}).watch(ctx, e, c); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, out.String()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A server that never answered is no reason to wait.
func TestStatusWatchWithoutAServer(t *testing.T) {
	problem := &slipway.Error{Next: slipway.NextRetry, Message: "does not answer"}
	e, _, _ := testEnv()
	if err := (&statusCmd{}).watch(t.Context(), e, &scripted{look: func(*scripted) error { return problem }}); !errors.Is(err, problem) {
		t.Errorf("%v, want the error at once", err)
	}
}
