package lambda

import (
	"cmp"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// reason is an error for a person, with what to do.
func reason(err error) string {
	text := err.Error()
	if hint := slipway.HintOf(err); hint != "" {
		text += "; " + hint
	}
	return text
}

// outcome says how a deployment ended: what it was, by whom, and why. The first word
// is a slipway.Outcome.
func outcome(e slipway.Execution) string {
	text := string(e.Outcome)
	if e.RolledBackBy != "" {
		text += " by " + e.RolledBackBy
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// progress says how far a deployment is.
func progress(e slipway.Execution) string {
	d := e.Deployment
	switch d.Phase {
	case slipway.PhaseNew:
		return "looking at what runs"
	case slipway.PhasePrepared, slipway.PhaseRegistered:
		return "deploying " + slipway.FormatImages(e.Revision.Images)
	case slipway.PhaseTesting, slipway.PhaseStarted, slipway.PhaseRollingBack, slipway.PhaseUnchanged:
	}
	doing := "deploying " + slipway.FormatImages(e.Revision.Images)
	if d.Phase == slipway.PhaseRollingBack || d.RollbackFor != slipway.OutcomeNone {
		doing = fmt.Sprintf("putting back %s: %s", d.Base, d.RollbackReason)
	}
	seen := e.Observation
	if seen == nil || seen.Tasks == (slipway.TaskCounts{}) && seen.Waiting == "" && seen.Reason == "" {
		return doing
	}
	text := cmp.Or(seen.Waiting, seen.Reason)
	if seen.Tasks != (slipway.TaskCounts{}) {
		tasks := fmt.Sprintf("%d of %d tasks running, %d pending, %d failed", seen.Tasks.Running, seen.Tasks.Desired, seen.Tasks.Pending, seen.Tasks.Failed)
		if text != "" {
			tasks += "; " + text
		}
		text = tasks
	}
	return doing + "; " + text
}

// percent says how much of a deployment is done, below 100: of the traffic where AWS
// shifts it, of the tasks otherwise.
func percent(e slipway.Execution) int {
	seen := e.Observation
	switch {
	case seen == nil:
		return 0
	case seen.Traffic != nil:
		return min(int(*seen.Traffic), 99)
	case seen.Tasks.Desired > 0:
		return min(100*seen.Tasks.Running/seen.Tasks.Desired, 99)
	}
	return 0
}

// external is what AWS calls what a deployment made, for CodePipeline to show; empty
// before there is anything.
func external(e slipway.Execution) string {
	return cmp.Or(e.Deployment.RollbackID, e.Deployment.ID, e.Deployment.TaskDefinition)
}
