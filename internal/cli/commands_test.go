package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// What is asked for by name reaches the controller, with who asked; and the
// exit code is that of the end, when that is waited for.
func TestCommands(t *testing.T) {
	running, queued := failed2(), failed2()
	running.Status, running.Outcome = slipway.StatusInProgress, ""
	queued.ID, queued.Status, queued.Outcome = "01930e2c-0000-7000-8000-000000000003", slipway.StatusQueued, ""
	stopped := failed2()
	stopped.Status, stopped.Outcome = slipway.StatusStopped, slipway.OutcomeStopped

	start := api.Command{Action: api.ActionStart, App: webapp1, By: who()}
	stop := api.Command{Action: api.ActionStop, Execution: secondID, By: who()}
	retry := api.Command{Action: api.ActionRetry, Execution: secondID, By: who()}
	why := stop
	why.Reason, why.Abandon = "wrong image", true

	pausing := running
	pausing.Observation = &slipway.Observation{State: slipway.StateProgressing, Hooks: []slipway.Hook{{ID: "ecs-pause-1"}}}
	twice := running
	twice.Observation = &slipway.Observation{State: slipway.StateProgressing, Hooks: []slipway.Hook{{ID: "ecs-pause-1"}, {ID: "ecs-pause-2"}}}
	approve := api.Command{Action: api.ActionApprove, Execution: secondID, By: who(), Hook: "ecs-pause-1"}
	other := approve
	other.Hook, other.Reason = "ecs-pause-2", "smoke tests passed"
	reject := approve
	reject.Action, reject.Reason = api.ActionReject, "too slow"

	tests := []struct {
		args       string
		executions []slipway.Execution
		becomes    *slipway.Execution // after the command
		want       *api.Command
		code       int
		says       string
	}{
		{"start cluster1/webapp1", []slipway.Execution{queued}, nil, &start, 0, "queued"},
		{"start cluster1/webapp1 --wait", []slipway.Execution{ended1()}, nil, &start, 0, "deployed"},
		{"start cluster1/webapp1 -w", []slipway.Execution{failed2()}, nil, &start, 3, "rolled back by ECS"},

		{"retry cluster1/webapp1", []slipway.Execution{failed2(), ended1()}, nil, &retry, 0, "rolled back"},
		{"retry 01930e2b --wait", []slipway.Execution{failed2(), ended1()}, nil, &retry, 3, "rolled back by ECS"},
		{"retry 0199", []slipway.Execution{failed2()}, nil, nil, 2, "there is no execution 0199"},
		{"retry 01930e2", []slipway.Execution{failed2(), ended1()}, nil, nil, 2, "several executions begin with 01930e2"},
		{"retry cluster1/service1", []slipway.Execution{failed2()}, nil, nil, 2, "cluster1/service1 was never executed"},

		{"stop cluster1/webapp1", []slipway.Execution{queued, running, ended1()}, nil, &stop, 0, "queued"},
		{"stop " + secondID + " --abandon --reason wrong_image", []slipway.Execution{running}, nil, &why, 0, "in progress"},
		{"stop cluster1/webapp1 --wait", []slipway.Execution{running}, &stopped, &stop, 0, "stopped"},
		{"stop cluster1/webapp1 --wait", []slipway.Execution{running}, new(failed2()), &stop, 3, "rolled back by ECS"},
		{"stop 01930e2b --wait", []slipway.Execution{running}, new(succeeded2()), &stop, 1, "it succeeded before it could be stopped"},
		{"stop cluster1/webapp1", []slipway.Execution{failed2(), ended1()}, nil, nil, 1, "nothing of cluster1/webapp1 is running"},
		{"stop 01930e2b", []slipway.Execution{failed2()}, nil, nil, 1, "nothing of 01930e2b is running"},
		{"stop cluster1/webapp1", nil, nil, nil, 2, "was never executed"},

		{"approve cluster1/webapp1", []slipway.Execution{queued, pausing}, nil, &approve, 0, "queued"},
		{"approve 01930e2b --wait", []slipway.Execution{pausing}, new(succeeded2()), &approve, 0, "deployed"},
		{"approve cluster1/webapp1", []slipway.Execution{twice}, nil, nil, 2, "name one with --hook, of ecs-pause-1, ecs-pause-2"},
		{"approve cluster1/webapp1 --hook ecs-pause-2 --reason smoke_tests_passed", []slipway.Execution{twice}, nil, &other, 0, "awaiting approval"},
		{"approve cluster1/webapp1", []slipway.Execution{running}, nil, nil, 1, "waits for nobody's approval"},
		{"approve cluster1/webapp1", []slipway.Execution{failed2()}, nil, nil, 1, "nothing of cluster1/webapp1 is running"},
		{"approve cluster1/webapp1", nil, nil, nil, 2, "was never executed"},
		{"reject cluster1/webapp1 --reason too_slow --wait", []slipway.Execution{pausing}, new(failed2()), &reject, 3, "rolled back by ECS"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			c := &scripted{executions: test.executions}
			c.look = func(c *scripted) error {
				if len(c.commands) > 0 && test.becomes != nil {
					c.executions = []slipway.Execution{*test.becomes}
				}
				return nil
			}
			args := strings.Fields(test.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "_", " ")
			}
			got := slipwayOn(t, c, args...)
			if got.code != test.code {
				t.Errorf("exit code %d, want %d", got.code, test.code)
			}
			if !strings.Contains(got.out+got.err, test.says) {
				t.Errorf("stdout %q\nstderr %q\ndo not say %q", got.out, got.err, test.says)
			}
			var want []api.Command
			if test.want != nil {
				want = append(want, *test.want)
			}
			if diff := cmp.Diff(want, c.commands); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

func succeeded2() slipway.Execution {
	e := failed2()
	e.Status, e.Outcome, e.RolledBackBy, e.Reason = slipway.StatusSucceeded, slipway.OutcomeDeployed, "", ""
	return e
}

// The answer alone is on stdout, so that a script can read it.
func TestWaitTalksOnStderr(t *testing.T) {
	c := world()
	got := slipwayOn(t, c, "start", "cluster1/webapp1", "--wait", "--output", "json")
	if got.code != 3 {
		t.Errorf("exit code %d, want 3", got.code)
	}
	if !strings.HasPrefix(got.out, "{\n") || !strings.HasSuffix(got.out, "}\n") {
		t.Errorf("stdout is not one JSON object:\n%s", got.out)
	}
	if !strings.Contains(got.err, "has reached a steady state") {
		t.Errorf("stderr does not tell what the service said:\n%s", got.err)
	}
}

func TestOneApp(t *testing.T) {
	tests := []struct {
		args string
		code int
		says string
	}{
		{"status cluster1/webapp1", 0, "drift"},
		{"status cluster1/nobody", 2, "there is no app cluster1/nobody"},
		{"history cluster1/webapp1 --limit 1", 0, "22222222"},
		{"history cluster1/nobody", 2, "there is no app cluster1/nobody"},
		{"show cluster1/webapp1", 0, secondID},
		{"show 01930e2a", 0, firstID},
		{"show cluster1/nobody", 2, "was never executed"},
		{"show ffff", 2, "there is no execution ffff"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			got := slipwayOn(t, world(), strings.Fields(test.args)...)
			if got.code != test.code || !strings.Contains(got.out+got.err, test.says) {
				t.Errorf("exit code %d\nstdout %q\nstderr %q\nwant %d and %q", got.code, got.out, got.err, test.code, test.says)
			}
			if (test.code != 0) != (got.out == "") {
				t.Errorf("stdout %q with exit code %d", got.out, got.code)
			}
		})
	}
}

// TestShowOfAShift: stage, traffic, pauses and who decided are told.
func TestShowOfAShift(t *testing.T) {
	c := world()
	c.executions[0] = pausing2()
	got := slipwayOn(t, c, "show", "cluster1/webapp1")
	for _, part := range []string{
		"deploying: 2 of 2 running, 12.5 % of the traffic; waits at POST_PRODUCTION_TRAFFIC_SHIFT for `slipway approve cluster1/webapp1`",
		"canary", "POST_PRODUCTION_TRAFFIC_SHIFT", "somebody to approve it", "ecs-pause-1",
		"approved by Ada at POST_SCALE_UP, ", ": smoke tests passed", "alarm",
	} {
		if !strings.Contains(got.out, part) {
			t.Errorf("%s\ndoes not say %q", got.out, part)
		}
	}
}
