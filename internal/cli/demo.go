package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/sandbox"
)

// demoCmd tells the whole story in a sandbox of its own.
type demoCmd struct {
	TimeScale float64 `default:"50" help:"How many times faster than AWS everything happens."`
}

func (*demoCmd) Help() string {
	return `Brings a sandbox up, deploys under live traffic, pushes a version that crashes and sees ECS roll it back, rolls back by a commit, and shows the history. Ends with 0 only if all of it really happened.

Examples:

    slipway demo
    slipway demo --output json`
}

// demoApp is whose story is told.
var demoApp = slipway.App{Cluster: "cluster1", Name: "webapp1"}

// demoTimeout bounds one act of the story.
const demoTimeout = time.Minute

// demoReport is the answer; its JSON form is a promise to scripts.
type demoReport struct {
	Executions []demoExecution `json:"executions"`
	Traffic    demoTraffic     `json:"traffic"`
}

// demoExecution is one deployment of the story.
type demoExecution struct {
	ID        string              `json:"id"`
	App       slipway.App         `json:"app"`
	Commit    string              `json:"commit"`
	Trigger   slipway.TriggerKind `json:"trigger"`
	Status    slipway.Status      `json:"status"`
	Outcome   slipway.Outcome     `json:"outcome"`
	Reason    string              `json:"reason"`
	StartedAt time.Time           `json:"startedAt"`
	EndedAt   time.Time           `json:"endedAt"`
	// CommitToFirstCallMs is the time from before the commit was made and pushed
	// to the first call that writes to ECS, in milliseconds.
	CommitToFirstCallMs int64 `json:"commitToFirstCallMs"`
}

// Run tells it.
func (c *demoCmd) Run(ctx context.Context, e *env) (err error) {
	dir, err := os.MkdirTemp("", "slipway-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := e.openSandbox(ctx, sandboxOptions{
		World:  sandbox.Options{Region: sandboxRegion, Dir: filepath.Join(dir, "sandbox"), TimeScale: c.TimeScale, Logger: e.logFrom(slog.LevelError)},
		Listen: "127.0.0.1:0", Controller: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()

	backend, err := api.NewClient(s.endpoints.HTTP, e.http)
	if err != nil {
		return err
	}
	d := &demo{env: e, sandbox: s, backend: backend, began: time.Now(), dir: filepath.Join(dir, "clone")}
	story := d.tell(ctx)
	if err := e.answer(d.report, func(t *table) { d.summary(ctx, t) }); err != nil {
		return err
	}
	return story
}

// demo is the story as it is told.
type demo struct {
	env     *env
	sandbox *sandboxed
	backend api.Backend
	began   time.Time
	dir     string // of the developer's clone
	report  demoReport
}

// act is one deployment of the story and how it must end.
type act struct {
	does    string // what the developer does
	push    func(context.Context) (commit string, err error)
	outcome slipway.Outcome
	by      string // who rolls back
	serves  string // the version that the load balancer serves afterwards
}

// tell plays the acts under live traffic. The error says what did not happen.
func (d *demo) tell(ctx context.Context) error {
	d.say("a sandbox is up: two ECS clusters of four apps, load balancers, a git server, the controller")
	if err := d.clone(ctx); err != nil {
		return err
	}
	first, err := d.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	t := startTraffic(ctx, d.sandbox.endpoints.LoadBalancers[demoApp.String()])
	defer t.stop()
	d.say("clients call %s through its load balancer without a pause, and will until the end", demoApp)
	acts := []act{
		{
			does:    "a developer pushes version 1.1.0",
			push:    func(ctx context.Context) (string, error) { return d.push(ctx, "1.1.0") },
			outcome: slipway.OutcomeDeployed, serves: "1.1.0",
		},
		{
			does:    "a developer pushes version 1.2.0-crash, which exits as soon as it starts",
			push:    func(ctx context.Context) (string, error) { return d.push(ctx, "1.2.0-crash") },
			outcome: slipway.OutcomeRolledBack, by: slipway.ByECS, serves: "1.1.0",
		},
		{
			does:    "a developer has had enough: slipway rollback " + demoApp.String() + " --to " + slipway.ShortCommit(first),
			push:    func(ctx context.Context) (string, error) { return d.rollback(ctx, first) },
			outcome: slipway.OutcomeDeployed, serves: "1.0.0",
		},
	}
	for _, a := range acts {
		if err := d.play(ctx, a, t); err != nil {
			return err
		}
	}
	t.stop()
	d.report.Traffic = t.count()
	if d.report.Traffic.Failed > 0 || d.report.Traffic.Requests == 0 {
		return fmt.Errorf("%d of %d requests failed: %w", d.report.Traffic.Failed, d.report.Traffic.Requests, t.firstError())
	}
	return nil
}

// play plays one act and checks that it ended as it must.
func (d *demo) play(ctx context.Context, a act, t *traffic) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	d.say("")
	d.say("%s", a.does)
	pushed := time.Now()
	commit, err := a.push(ctx)
	if err != nil {
		return err
	}
	execution, err := d.follow(ctx, commit)
	if err != nil {
		return fmt.Errorf("follow the execution of commit %s: %w", slipway.ShortCommit(commit), err)
	}
	toFirstCall := execution.Deployment.FirstWriteAt.Sub(pushed)
	d.report.Executions = append(d.report.Executions, demoExecution{
		ID: execution.ID, App: execution.App(), Commit: execution.Revision.Commit, Trigger: execution.Trigger.Kind,
		Status: execution.Status, Outcome: execution.Outcome, Reason: execution.Reason,
		StartedAt: execution.StartedAt, EndedAt: execution.EndedAt, CommitToFirstCallMs: toFirstCall.Milliseconds(),
	})
	d.say("%s: %s", execution.Status, cmp.Or(execution.Reason, "deployed, the new tasks are healthy and the old ones are gone"))
	d.say("the first call to ECS was made %d ms after the commit began", toFirstCall.Milliseconds())
	if execution.Outcome != a.outcome || execution.RolledBackBy != a.by {
		return fmt.Errorf("execution %s ended as %s %s, not as %s %s: %s", execution.ID, execution.Outcome, execution.RolledBackBy, a.outcome, a.by, execution.Reason)
	}
	if err := t.sees(ctx, a.serves); err != nil {
		return err
	}
	d.say("clients see version %s", a.serves)
	return nil
}

// follow waits for the execution of a commit and tells what ECS says of it.
func (d *demo) follow(ctx context.Context, commit string) (slipway.Execution, error) {
	told := make(map[slipway.Event]bool)
	for {
		found, err := d.backend.Executions(ctx, api.ExecutionQuery{App: &demoApp, Commit: commit, Limit: 1})
		if err != nil {
			return slipway.Execution{}, err
		}
		if len(found) > 0 {
			if seen := found[0].Observation; seen != nil {
				for _, event := range seen.Events {
					if !told[event] {
						told[event] = true
						d.say("  ecs: %s", briefly(event.Message))
					}
				}
			}
			if found[0].Status.Ended() {
				return found[0], nil
			}
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return slipway.Execution{}, err
		}
	}
}

// say tells a line of the story, with the time since it began: as the answer,
// unless that is JSON.
func (d *demo) say(format string, args ...any) {
	line := ""
	if format != "" {
		line = fmt.Sprintf("%5.1fs  %s", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
	}
	if d.env.Output == "json" {
		d.env.note("%s", line)
		return
	}
	_, _ = fmt.Fprintln(d.env.Out, line)
}

// briefly shortens the ids in ECS's messages, which nobody reads in a story.
func briefly(message string) string {
	message = taskID.ReplaceAllString(message, "$1")
	message = deploymentID.ReplaceAllString(message, "$1")
	return targetGroup.ReplaceAllString(message, "$1")
}

var (
	taskID       = regexp.MustCompile(`([0-9a-f]{6})[0-9a-f]{26}`)
	deploymentID = regexp.MustCompile(`(ecs-svc/[0-9]{6})[0-9]+`)
	targetGroup  = regexp.MustCompile(`arn:[^ ]*:targetgroup/([^/]+)/[0-9a-f]+`)
)

// summary is the answer for people: the history, and what the clients saw.
func (d *demo) summary(ctx context.Context, t *table) {
	t.row("")
	entries, err := d.backend.History(ctx, demoApp, 0)
	if err != nil {
		t.row("the history could not be read: " + err.Error())
		return
	}
	historyTable(d.env, entries)(t)
	t.row("")
	t.row(fmt.Sprintf("%d requests, %d failed", d.report.Traffic.Requests, d.report.Traffic.Failed))
}
