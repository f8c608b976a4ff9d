package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// result is what became of an execution, in a few words, and its colour.
func result(e slipway.ExecutionSummary) cell {
	switch e.Outcome {
	case slipway.OutcomeDeployed, slipway.OutcomeUnchanged:
		return cell{string(e.Outcome), green}
	case slipway.OutcomeRolledBack:
		return cell{"rolled back by " + actor(e.RolledBackBy), red}
	case slipway.OutcomeTimedOut:
		return cell{"timed out", red}
	case slipway.OutcomeFailed:
		return cell{"failed", red}
	case slipway.OutcomeReplaced, slipway.OutcomeStopped:
		return cell{string(e.Outcome), yellow}
	case slipway.OutcomeNone:
	}
	if e.Progress != nil && slices.ContainsFunc(e.Progress.Hooks, func(hook slipway.Hook) bool { return !hook.GoesOn() }) {
		return cell{"awaiting approval", yellow}
	}
	switch e.Status {
	case slipway.StatusInProgress:
		return cell{"in progress", yellow}
	case slipway.StatusFailed:
		return cell{"failed", red}
	case slipway.StatusSucceeded:
		return cell{"succeeded", green}
	case slipway.StatusQueued, slipway.StatusStopping, slipway.StatusStopped, slipway.StatusSuperseded:
	}
	return cell{strings.ToLower(string(e.Status)), yellow}
}

// actor is who rolled a deployment back, as people write it.
func actor(by string) string {
	switch by {
	case slipway.ByECS:
		return "ECS"
	case slipway.ByCodeDeploy:
		return "CodeDeploy"
	case slipway.BySlipway:
		return "Slipway"
	}
	return by
}

// trouble is why an execution did not do what it was to do; empty when it did.
func trouble(e slipway.ExecutionSummary) string {
	if e.Status == slipway.StatusSucceeded {
		return ""
	}
	return e.Reason
}

// progress is what an execution does at the moment; empty when it has ended.
func progress(e slipway.Execution) string {
	switch {
	case e.Status.Ended():
		return ""
	case e.Status == slipway.StatusQueued:
		return "waiting for its turn"
	case e.Stage != slipway.StageDeploy:
		return "reading the revision"
	}
	switch e.Deployment.Phase {
	case slipway.PhaseNew:
		return "reading the service"
	case slipway.PhasePrepared:
		return "registering the task definition"
	case slipway.PhaseRegistered:
		return "updating the service"
	case slipway.PhaseTesting:
		return "running the new task definition once"
	case slipway.PhaseUnchanged:
		return "nothing to change"
	case slipway.PhaseRollingBack:
		return "putting back what ran before" + counts(e.Observation) + course(e)
	case slipway.PhaseStarted:
	}
	if e.Observation != nil && e.Observation.State == slipway.StateRollingBack {
		return actor(e.Observation.By) + " rolls back" + counts(e.Observation)
	}
	return "deploying" + counts(e.Observation) + course(e)
}

// course is how far a deployment has come that shifts traffic, and whether it
// waits for a person; empty for others.
func course(e slipway.Execution) string {
	o := e.Observation
	if o == nil {
		return ""
	}
	text := ""
	if o.Traffic != nil {
		text += fmt.Sprintf(", %s of the traffic", percent(*o.Traffic))
	}
	if awaited := e.Awaits(); len(awaited) > 0 {
		return text + "; " + pause(e.App(), awaited)
	}
	if o.Stage != "" {
		text += ", at " + o.Stage
	}
	return text
}

// pause says what a person may do about an app's pauses.
func pause(app slipway.App, hooks []slipway.Hook) string {
	approve := fmt.Sprintf("`slipway approve %s`", app)
	needed := slices.IndexFunc(hooks, func(hook slipway.Hook) bool { return !hook.GoesOn() })
	switch {
	case needed >= 0 && hooks[needed].Stage != "":
		return fmt.Sprintf("waits at %s for %s", hooks[needed].Stage, approve)
	case needed >= 0:
		return "waits for " + approve
	case hooks[0].Expires.IsZero():
		return "goes on by itself, or at once with " + approve
	}
	return fmt.Sprintf("goes on by itself at %s, or at once with %s", hooks[0].Expires.UTC().Format(time.TimeOnly), approve)
}

func percent(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + " %" }

// counts says how many tasks run, with a colon before it; empty when nothing
// was observed yet.
func counts(o *slipway.Observation) string {
	if o == nil {
		return ""
	}
	text := fmt.Sprintf(": %d of %d running", o.Tasks.Running, o.Tasks.Desired)
	if o.Tasks.Desired == 0 { // on its way out
		text = fmt.Sprintf(": %d left", o.Tasks.Running)
	}
	for _, more := range []struct {
		n    int
		what string
	}{{o.Tasks.Pending, "pending"}, {o.Tasks.Failed, "failed"}, {o.Draining, "old still running"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	return text
}
