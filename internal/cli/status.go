package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// statusCmd shows the apps.
type statusCmd struct {
	App   *appArg `arg:"" optional:"" name:"cluster/app" help:"Show this app alone."`
	Watch bool    `help:"Go on showing changes until interrupted."`
}

func (*statusCmd) Help() string {
	return `Drift means that a container runs another image than git names for it. An app that was rolled back has drifted until git changes.

Examples:

    slipway status
    slipway status cluster1/webapp1 --output json
    slipway status --watch`
}

// Run answers once, or again and again.
func (c *statusCmd) Run(ctx context.Context, e *env) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	if c.Watch {
		return c.watch(ctx, e, backend)
	}
	view, err := c.look(ctx, backend)
	if e.offline(err) {
		if view.apps, err = e.gitStatus(ctx); err == nil {
			view.apps, err = c.chosen(view.apps)
		}
	}
	if err != nil {
		return err
	}
	return e.answer(view.apps, view.table(e))
}

// statusView is what one look at the controller shows.
type statusView struct {
	apps []slipway.AppStatus
	// executions has those that run, by id, to say how far they are.
	executions map[string]slipway.Execution
	// named: the one app was asked for by name.
	named bool
}

func (c *statusCmd) look(ctx context.Context, backend api.Backend) (statusView, error) {
	apps, err := backend.Apps(ctx)
	if err == nil {
		apps, err = c.chosen(apps)
	}
	if err != nil || !slices.ContainsFunc(apps, runs) {
		return statusView{apps: apps, named: c.App != nil}, err
	}
	executions, err := backend.Executions(ctx, api.ExecutionQuery{Limit: 200})
	view := statusView{apps: apps, named: c.App != nil, executions: make(map[string]slipway.Execution)}
	for _, execution := range executions {
		if !execution.Status.Ended() {
			view.executions[execution.ID] = execution
		}
	}
	return view, err
}

// runs reports that an app has an execution that has not ended.
func runs(status slipway.AppStatus) bool {
	return status.Execution != nil && !status.Execution.Status.Ended()
}

// chosen are those of the apps that were asked for.
func (c *statusCmd) chosen(apps []slipway.AppStatus) ([]slipway.AppStatus, error) {
	if c.App == nil {
		return apps, nil
	}
	apps = slices.DeleteFunc(apps, func(status slipway.AppStatus) bool { return status.App != c.App.App })
	if len(apps) == 0 {
		return nil, api.NotFoundf("`slipway status` lists the apps there are", "there is no app %s", c.App)
	}
	return apps, nil
}

func (v statusView) table(e *env) func(*table) {
	return func(t *table) {
		t.heading("APP", "IN GIT", "RUNNING", "LAST EXECUTION", "WHEN", "NOTE")
		for _, status := range v.apps {
			if v.past(status) {
				continue
			}
			inGit, running, last := v.cells(status)
			when := ""
			if x := status.Execution; x != nil {
				when = e.ago(latest(x.StartedAt, x.EndedAt))
			}
			t.row(status.App, inGit, running, last, when, v.note(status, e.ago))
		}
	}
}

// past reports that an app is no longer of interest to people who did not ask
// for it: git does not have it, nothing runs, and nothing is under way.
func (v statusView) past(status slipway.AppStatus) bool {
	return status.Removed && status.Running == nil && !runs(status) && !v.named
}

// sentence is a row of the table where lines are not aligned. It does not change
// because time passes.
func (v statusView) sentence(status slipway.AppStatus) string {
	inGit, running, last := v.cells(status)
	text := fmt.Sprintf("%s: in git %s, running %s, last execution %s", status.App, inGit, running.text, last.text)
	if note := v.note(status, moment); note != "" {
		text += "; " + note
	}
	return text
}

func (v statusView) cells(status slipway.AppStatus) (inGit string, running, last cell) {
	inGit, running, last = "-", cell{text: "-"}, cell{text: "-"}
	if status.Revision != nil {
		inGit = shortImages(status.Revision.Images)
	}
	if status.Running != nil {
		running.text = shortImages(matching(status))
	}
	if status.Drift {
		running.colour = yellow
		if running.text == inGit { // only what is left out differs
			inGit, running.text = slipway.FormatImages(status.Revision.Images), slipway.FormatImages(matching(status))
		}
	}
	if x := status.Execution; x != nil {
		last = result(*x)
		if leaving := shortImages(v.leaving(x.ID)); leaving != "" && status.Running != nil && leaving != running.text {
			running.text = leaving + " → " + running.text
		}
	}
	return inGit, running, last
}

// leaving are the images that still run beside those that ECS calls the
// service's: it does so once the service is updated, before any task runs. None
// before that, and when it is done.
func (v statusView) leaving(id string) []slipway.Image {
	x := v.executions[id] // zero, and so not started, where it has ended
	switch o := x.Observation; {
	case x.Deployment.Phase == slipway.PhaseRollingBack:
		return x.Deployment.Images
	case x.Deployment.Phase != slipway.PhaseStarted, o != nil && o.Final():
		return nil
	case o != nil && o.State == slipway.StateRollingBack:
		return x.Deployment.Images
	}
	return x.Deployment.BaseImages
}

// drift says which task definition an app drifts by, and since when, as age says it.
func drift(status slipway.AppStatus, age func(time.Time) string) string {
	text := "drift"
	if status.Running != nil && status.Running.TaskDefinition != "" {
		text += " by " + lastPart(status.Running.TaskDefinition)
	}
	if !status.DriftSince.IsZero() {
		text += " since " + age(status.DriftSince)
	}
	return text
}

// note says what else there is to know; age says how long ago something was.
func (v statusView) note(status slipway.AppStatus, age func(time.Time) string) string {
	var notes []string
	if status.Removed {
		notes = append(notes, "removed from git")
	}
	// While an execution runs, git and ECS differ because it is at work.
	if status.Drift && !runs(status) {
		notes = append(notes, drift(status, age))
	}
	if status.Problem != "" {
		notes = append(notes, firstLine(status.Problem, 100))
	}
	if x := status.Execution; x != nil {
		if why := trouble(*x); why != "" && (status.Problem == "" || !strings.HasPrefix(why, status.Problem)) {
			notes = append(notes, firstLine(why, 100))
		}
		if execution, ok := v.executions[x.ID]; ok {
			notes = append(notes, progress(execution))
		}
	}
	return strings.Join(notes, "; ")
}

// matching are the images that run in the containers that git names; all of
// them when none has a name that git knows.
func matching(status slipway.AppStatus) []slipway.Image {
	if status.Revision == nil {
		return status.Running.Images
	}
	var images []slipway.Image
	for _, image := range status.Running.Images {
		if slices.ContainsFunc(status.Revision.Images, func(i slipway.Image) bool { return i.Container == image.Container }) {
			images = append(images, image)
		}
	}
	if len(images) == 0 {
		return status.Running.Images
	}
	return images
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
