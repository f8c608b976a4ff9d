package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// showCmd shows one execution.
type showCmd struct {
	Execution executionArg `arg:"" name:"id|cluster/app" help:"An execution, or the newest of an app."`
}

func (*showCmd) Help() string {
	return `Examples:

    slipway show cluster1/webapp1
    slipway show 01930e2a-6b5c --output json`
}

// Run shows it as it is now.
func (c *showCmd) Run(ctx context.Context, e *env) error {
	backend, err := e.backend(ctx)
	if err != nil {
		return err
	}
	execution, err := c.Execution.find(ctx, backend)
	if err != nil {
		return err
	}
	return e.answer(execution, executionTable(e, execution))
}

func executionTable(e *env, x slipway.Execution) func(*table) {
	return func(t *table) {
		// line leaves out what there is nothing to say about.
		line := func(name string, value any) {
			if text := fmt.Sprint(value); text != "" && text != (cell{}).text {
				t.row(cell{name, bold}, value)
			}
		}
		line("Execution", x.ID)
		line("App", x.App())
		t.row(cell{"Result", bold}, result(*x.Summary()))
		line("Doing", progress(x))
		for i, text := range strings.Split(strings.TrimSpace(x.Reason), "\n") {
			line([]string{"Reason", ""}[min(i, 1)], text)
		}
		line("Commit", x.Revision.Commit)
		for _, image := range x.Revision.Images {
			line("Image", image.Container+" = "+image.URI)
		}
		line("Trigger", triggerText(x.Trigger))
		line("Stop", stopText(x.Stop))
		for _, decision := range x.Decisions {
			line("Decision", decisionText(decision))
		}
		line("Created", withAgo(e, x.CreatedAt))
		line("Started", withAgo(e, x.StartedAt))
		if !x.EndedAt.IsZero() {
			line("Ended", withAgo(e, x.EndedAt)+took(x))
		}
		line("Stage", x.Stage)
		deploymentLines(line, x.Deployment)
		observationLines(t, line, x.Observation)
	}
}

func deploymentLines(line func(string, any), d slipway.Deployment) {
	if d.Place.Service == "" {
		return
	}
	place := d.Place.Cluster + "/" + d.Place.Service
	if d.Place.Region != "" {
		place += " in " + d.Place.Region
	}
	line("ECS service", place)
	if d.TaskDefinition != "" && d.Reused {
		line("Task definition", d.TaskDefinition+" (registered before)")
	} else {
		line("Task definition", d.TaskDefinition)
	}
	line("Strategy", d.Strategy)
	line("Copied from", d.Base)
	line("Images before", slipway.FormatImages(d.BaseImages))
	line("Deployment", d.ID)
	line("Rolled back with", d.RollbackID)
	line("Rolled back for", d.RollbackReason)
}

func observationLines(t *table, line func(string, any), o *slipway.Observation) {
	if o == nil {
		return
	}
	line("Tasks", strings.TrimPrefix(counts(o), ": "))
	line("Lifecycle stage", o.Stage)
	if o.Traffic != nil {
		line("Traffic", percent(*o.Traffic))
	}
	line("Waiting for", o.Waiting)
	for _, hook := range o.Hooks {
		line("Hook", hook.ID)
	}
	line("Cause", o.Cause)
	line("Observed", moment(o.At))
	if len(o.Events) > 0 {
		t.row("")
		t.row(cell{"Events", bold})
	}
	for _, event := range o.Events {
		t.row("  " + event.At.UTC().Format(time.TimeOnly) + " " + event.Message)
	}
}

func triggerText(t slipway.Trigger) string {
	text := string(t.Kind)
	if t.By != "" {
		text += " by " + t.By
	}
	if t.Delivery != "" {
		text += ", delivery " + t.Delivery
	}
	return text
}

func stopText(s *slipway.StopRequest) string {
	if s == nil {
		return ""
	}
	text := "asked for by " + s.By
	if s.Superseded {
		text = "a newer commit takes over"
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	if s.Abandon {
		text += " (abandon: the service is left as it is)"
	}
	return text
}

func decisionText(d slipway.Decision) string {
	text := "rejected by " + d.By
	if d.Approve {
		text = "approved by " + d.By
	}
	if d.Stage != "" {
		text += " at " + d.Stage
	}
	text += ", " + moment(d.At)
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	return text
}

func withAgo(e *env, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s (%s)", moment(at), e.ago(at))
}

func took(x slipway.Execution) string {
	if x.StartedAt.IsZero() {
		return ""
	}
	return ", took " + span(x.EndedAt.Sub(x.StartedAt))
}
