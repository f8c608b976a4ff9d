package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/sandbox"
)

// demoCmd tells the whole story in a sandbox of its own.
type demoCmd struct {
	Scenario  string  `default:"rolling" enum:"rolling,canary,pause,alarm,batch,codedeploy,all" help:"What to show: rolling (a deployment, one rolled back, a rollback by commit), canary, pause, alarm, batch, codedeploy, or all of them."`
	TimeScale float64 `default:"50" help:"How many times faster than AWS everything happens."`
}

func (*demoCmd) Help() string {
	return `Brings a sandbox up, deploys under live traffic, pushes a version that crashes and sees ECS roll it back, rolls back by a commit, and shows the history. Ends with 0 only if all of it really happened. The other scenarios are: a canary whose clients are counted, a blue/green deployment that pauses until it is approved, an alarm that rolls a canary back, a batch app whose schedule is moved, and a blue/green deployment by CodeDeploy.

Examples:

    slipway demo
    slipway demo --scenario canary
    slipway demo --scenario all --output json`
}

// scenario is a part of the demo that can be shown by itself.
type scenario struct {
	name  string
	about string
	tell  func(*demo, context.Context) error
	// strategies: it needs the sandbox's cluster3.
	strategies bool
}

// scenarios are all, in the order in which they are told.
func scenarios() []scenario {
	return []scenario{
		{name: "rolling", about: "a rolling deployment, one that crashes, and a rollback by commit", tell: (*demo).rolling},
		{name: "canary", about: "a canary, and clients that are counted", tell: (*demo).canary, strategies: true},
		{name: "pause", about: "a blue/green deployment that waits for an approval", tell: (*demo).pause, strategies: true},
		{name: "alarm", about: "a canary that an alarm rolls back", tell: (*demo).alarm, strategies: true},
		{name: "batch", about: "a batch app, whose rule is moved to a new task definition", tell: (*demo).batch},
		{name: "codedeploy", about: "a blue/green deployment by CodeDeploy", tell: (*demo).codeDeploy, strategies: true},
	}
}

// chosen are the scenarios that were asked for.
func (c *demoCmd) chosen() []scenario {
	if c.Scenario == "all" {
		return scenarios()
	}
	return slices.DeleteFunc(scenarios(), func(s scenario) bool { return s.name != c.Scenario })
}

// demoTimeout bounds one act of the story.
const demoTimeout = time.Minute

// demoReport is the answer; its JSON form is a promise to scripts.
type demoReport struct {
	Executions []demoExecution `json:"executions"`
	Traffic    demoTraffic     `json:"traffic"`
	// Shares are what clients saw while traffic was shifted.
	Shares []demoShare `json:"shares,omitempty"`
}

// demoExecution is one deployment of the story.
type demoExecution struct {
	Scenario string              `json:"scenario"`
	ID       string              `json:"id"`
	App      slipway.App         `json:"app"`
	Commit   string              `json:"commit"`
	Trigger  slipway.TriggerKind `json:"trigger"`
	Status   slipway.Status      `json:"status"`
	Outcome  slipway.Outcome     `json:"outcome"`
	// RolledBackBy is as in an execution.
	RolledBackBy string    `json:"rolledBackBy,omitempty"`
	Reason       string    `json:"reason"`
	StartedAt    time.Time `json:"startedAt"`
	EndedAt      time.Time `json:"endedAt"`
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
	told := c.chosen()
	s, err := e.openSandbox(ctx, sandboxOptions{
		World: sandbox.Options{
			Region: sandboxRegion, Dir: filepath.Join(dir, "sandbox"), TimeScale: c.TimeScale, Logger: e.logFrom(slog.LevelError),
			Strategies: slices.ContainsFunc(told, func(s scenario) bool { return s.strategies }),
		},
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
	story := d.tell(ctx, told)
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
	// scenario is the name of the one that is told.
	scenario string
}

// tell tells some scenarios. The error says what did not happen.
func (d *demo) tell(ctx context.Context, told []scenario) error {
	clusters := "two ECS clusters of four apps"
	if slices.ContainsFunc(told, func(s scenario) bool { return s.strategies }) {
		clusters += ", a third with other strategies"
	}
	d.say("a sandbox is up: %s, load balancers, a git server, the controller", clusters)
	if err := d.clone(ctx); err != nil {
		return err
	}
	for i, s := range told {
		if d.scenario = s.name; len(told) > 1 {
			if i > 0 {
				d.say("")
			}
			d.say("== %s: %s", s.name, s.about)
		}
		if err := s.tell(d, ctx); err != nil {
			return fmt.Errorf("scenario %s: %w", s.name, err)
		}
	}
	return nil
}

// underTraffic plays acts of one app while clients call it, none of whose requests
// may fail.
func (d *demo) underTraffic(ctx context.Context, app slipway.App, play func(*traffic) error) error {
	t := startTraffic(ctx, d.sandbox.endpoints.LoadBalancers[app.String()])
	defer t.stop()
	d.say("clients call %s through its load balancer without a pause, and will until the end", app)
	if err := play(t); err != nil {
		return err
	}
	t.stop()
	seen := t.count()
	d.report.Traffic.Requests += seen.Requests
	d.report.Traffic.Failed += seen.Failed
	if seen.Failed > 0 || seen.Requests == 0 {
		return fmt.Errorf("%d of %d requests failed: %w", seen.Failed, seen.Requests, t.firstError())
	}
	return nil
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
	message = deploymentARN.ReplaceAllString(message, "$1")
	return targetGroup.ReplaceAllString(message, "$1")
}

var (
	taskID        = regexp.MustCompile(`([0-9a-f]{6})[0-9a-f]{26}`)
	deploymentID  = regexp.MustCompile(`(ecs-svc/[0-9]{6})[0-9]+`)
	deploymentARN = regexp.MustCompile(`arn:[^ ]*:service-deployment/[^ ]*/([^/ ]+)`)
	targetGroup   = regexp.MustCompile(`arn:[^ ]*:targetgroup/([^/]+)/[0-9a-f]+`)
)

// summary is the answer for people: the histories, and what the clients saw.
func (d *demo) summary(ctx context.Context, t *table) {
	var apps []slipway.App
	for _, execution := range d.report.Executions {
		if !slices.Contains(apps, execution.App) {
			apps = append(apps, execution.App)
		}
	}
	for _, app := range apps {
		t.row("")
		if len(apps) > 1 {
			t.row(cell{app.String(), bold})
		}
		entries, err := d.backend.History(ctx, app, 0)
		if err != nil {
			t.row("the history could not be read: " + err.Error())
			return
		}
		historyTable(d.env, entries)(t)
	}
	if d.report.Traffic.Requests == 0 {
		return
	}
	t.row("")
	t.row(fmt.Sprintf("%d requests, %d failed", d.report.Traffic.Requests, d.report.Traffic.Failed))
}
