package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// act is one deployment of a story and how it must end.
type act struct {
	app  slipway.App
	does string // what the developer does
	push func(context.Context) (commit string, err error)
	// during is called at each look at the execution; nil where nothing is done
	// meanwhile.
	during  func(context.Context, slipway.Execution) error
	outcome slipway.Outcome
	by      string        // who rolls back
	cause   slipway.Cause // and why
	serves  string        // the version that the load balancer serves afterwards
}

// deploys is the act of a developer who pushes a version that deploys well.
func (d *demo) deploys(app slipway.App, version string) act {
	return act{
		app: app, does: "a developer pushes version " + version + " of " + app.String(),
		push:    func(ctx context.Context) (string, error) { return d.push(ctx, app, version) },
		outcome: slipway.OutcomeDeployed, serves: version,
	}
}

// play plays one act and checks that it ended as it must. Without traffic, nobody
// is asked which version is served.
func (d *demo) play(ctx context.Context, a act, t *traffic) (slipway.Execution, error) {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	d.say("")
	d.say("%s", a.does)
	pushed := time.Now()
	commit, err := a.push(ctx)
	if err != nil {
		return slipway.Execution{}, err
	}
	execution, err := d.follow(ctx, a, commit)
	if err != nil {
		return execution, fmt.Errorf("follow the execution of commit %s: %w", slipway.ShortCommit(commit), err)
	}
	toFirstCall := execution.Deployment.FirstWriteAt.Sub(pushed)
	d.report.Executions = append(d.report.Executions, demoExecution{
		Scenario: d.scenario, ID: execution.ID, App: execution.App(), Commit: execution.Revision.Commit, Trigger: execution.Trigger.Kind,
		Status: execution.Status, Outcome: execution.Outcome, RolledBackBy: execution.RolledBackBy, Reason: execution.Reason,
		StartedAt: execution.StartedAt, EndedAt: execution.EndedAt, CommitToFirstCallMs: toFirstCall.Milliseconds(),
	})
	done := "deployed, the new tasks are healthy and the old ones are gone"
	if t == nil {
		done = "deployed"
	}
	d.say("%s: %s", execution.Status, cmp.Or(execution.Reason, done))
	d.say("the first call to AWS was made %d ms after the commit began", toFirstCall.Milliseconds())
	if execution.Outcome != a.outcome || execution.RolledBackBy != a.by {
		return execution, fmt.Errorf("execution %s ended as %s %s, not as %s %s: %s", execution.ID, execution.Outcome, execution.RolledBackBy, a.outcome, a.by, execution.Reason)
	}
	if a.cause != "" && (execution.Observation == nil || execution.Observation.Cause != a.cause) {
		return execution, fmt.Errorf("execution %s was not rolled back because of %s: %s", execution.ID, a.cause, execution.Reason)
	}
	if t == nil {
		return execution, nil
	}
	if err := t.sees(ctx, a.serves); err != nil {
		return execution, err
	}
	d.say("clients see version %s", a.serves)
	return execution, nil
}

// follow waits for the execution of a commit and tells what AWS says of it.
func (d *demo) follow(ctx context.Context, a act, commit string) (slipway.Execution, error) {
	told, last := make(map[slipway.Event]bool), ""
	for {
		found, err := d.backend.Executions(ctx, api.ExecutionQuery{App: &a.app, Commit: commit, Limit: 1})
		if err != nil {
			return slipway.Execution{}, err
		}
		if len(found) > 0 {
			execution := found[0]
			if seen := execution.Observation; seen != nil {
				for _, event := range seen.Events {
					if !told[event] {
						told[event] = true
						d.say("  ecs: %s", briefly(event.Message))
					}
				}
				if line := stretch(seen); line != "" && line != last && !execution.Status.Ended() {
					last = line
					d.say("  slipway: %s", line)
				}
			}
			if execution.Status.Ended() {
				return execution, nil
			}
			if a.during != nil {
				if err := a.during(ctx, execution); err != nil {
					return execution, err
				}
			}
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return slipway.Execution{}, err
		}
	}
}

// stretch is how far a deployment has come that shifts traffic; empty for others.
func stretch(o *slipway.Observation) string {
	if o.Stage == "" {
		return ""
	}
	line := o.Stage
	if o.Traffic != nil {
		line += ", " + percent(*o.Traffic) + " of the traffic"
	}
	if len(o.Hooks) > 0 {
		line += ", waits for " + o.Waiting
	}
	return line
}

// approve answers the pause that an execution is in.
func (d *demo) approve(ctx context.Context, x slipway.Execution, why string) error {
	hooks := x.Awaits()
	if len(hooks) == 0 {
		return errors.New("nobody is waited for")
	}
	d.say("somebody approves: slipway approve %s --reason %q", x.App(), why)
	_, err := d.backend.Command(ctx, api.Command{Action: api.ActionApprove, Execution: x.ID, Hook: hooks[0].ID, By: demoAuthor, Reason: why})
	return err
}
