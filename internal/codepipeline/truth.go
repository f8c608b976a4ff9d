package codepipeline

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// look finds out what the deploy action of an execution really did. Where AWS cannot
// be asked, what CodePipeline says stands, and is not kept for good; nor is what may
// still change in ECS after CodePipeline is done with it.
func (c *Conductor) look(ctx context.Context, e slipway.Execution, s said) (_ slipway.Execution, final bool) {
	action := s.deploy(e.App())
	if action == nil || len(e.Revision.Images) == 0 {
		return e, s.ended()
	}
	to := aws.ToTime(action.LastUpdateTime)
	if action.Status == types.ActionExecutionStatusInProgress {
		to = aws.ToTime(nil)
	}
	d := slipway.Deployment{
		Execution: e.ID, App: e.App(), Commit: e.Revision.Commit, Images: e.Revision.Images, Place: e.Pipeline.Place, ID: external(action),
	}
	if !strings.HasPrefix(d.ID, "d-") { // CodeDeploy's; others mean nothing to us
		d.ID = ""
	}
	d, err := c.options.Deployments.Trace(ctx, d, aws.ToTime(action.StartTime), to)
	if err == nil && d.Phase == slipway.PhaseStarted {
		e.Deployment = d
		var seen slipway.Observation
		if seen, err = c.options.Deployments.Observe(ctx, d); err == nil {
			e = judge(e, s, *action, seen)
			return e, s.ended() && e.Status.Ended() && seen.Final()
		}
	}
	if err != nil {
		c.options.Logger.DebugContext(ctx, "cannot look at what a pipeline deployed", "app", e.App().String(), "execution", e.ID, "error", err)
	}
	return e, err == nil && s.ended()
}

// judge puts what AWS shows of a deployment beside what CodePipeline says of the
// action that made it: a function of its arguments alone.
func judge(e slipway.Execution, s said, action types.ActionExecutionDetail, seen slipway.Observation) slipway.Execution {
	if e.Observation != nil { // approvals, which CodePipeline alone knows
		seen.Hooks = append(e.Observation.Hooks, seen.Hooks...)
	}
	e.Observation = &seen
	if r, ok := reported(action); ok && s.ended() && r.outcome == e.Outcome || isFunction(action) && action.Status == types.ActionExecutionStatusInProgress {
		return e // it watches, and knows better
	}
	end := func(outcome slipway.Outcome, reason string) slipway.Execution {
		e.Outcome, e.Reason, e.Status = outcome, reason, outcome.Status()
		if !s.ended() {
			e.EndedAt = seen.At.UTC()
			e.Reason = pipeline.Amend(e.Reason, "; CodePipeline does not notice and waits until its action's time-out: `slipway stop %s --abandon` ends that", e.ID)
		}
		return e
	}
	switch seen.State {
	case slipway.StateRolledBack:
		e.RolledBackBy = seen.By
		return end(slipway.OutcomeRolledBack, seen.Reason)
	case slipway.StateReplaced:
		return end(slipway.OutcomeReplaced, seen.Reason)
	case slipway.StateGone:
		return end(slipway.OutcomeFailed, seen.Reason)
	case slipway.StateDeployed:
		return went(e, s, action, end)
	case slipway.StateFailed:
		if s.ended() && e.Outcome == slipway.OutcomeFailed {
			e.Reason = pipeline.Amend(seen.Reason, "; %s", head(e.Reason))
		}
		return e
	case slipway.StateProgressing, slipway.StateRollingBack, slipway.StateTested:
		// CodePipeline calls it done when its tasks run, and ECS may still roll it back:
		// it bakes, or waits for a person.
		if e.Outcome == slipway.OutcomeDeployed {
			e.Status, e.Outcome, e.EndedAt = slipway.StatusInProgress, slipway.OutcomeNone, time.Time{}
		}
	}
	if s.ended() && e.Outcome == slipway.OutcomeFailed && action.Status == types.ActionExecutionStatusFailed {
		e.Outcome = slipway.OutcomeTimedOut
		e.Reason = pipeline.Amend(e.Reason, "; the deployment goes on in ECS")
	}
	return e
}

// went is an execution whose deployment went well, whatever became of the rest.
func went(e slipway.Execution, s said, action types.ActionExecutionDetail, end func(slipway.Outcome, string) slipway.Execution) slipway.Execution {
	switch of := s.summary.Status; {
	case !s.ended() || of == types.PipelineExecutionStatusSucceeded:
	case action.Status != types.ActionExecutionStatusSucceeded:
		// In spite of a time-out, or of a stop that left it alone.
		return end(slipway.OutcomeDeployed, "deployed in the end, though CodePipeline gave up on it: "+e.Reason)
	case of == types.PipelineExecutionStatusStopped:
		return end(slipway.OutcomeDeployed, "deployed before it was stopped: "+e.Reason)
	case of == types.PipelineExecutionStatusSuperseded:
		return end(slipway.OutcomeDeployed, "deployed; a newer execution took its place in the stages that follow")
	case of == types.PipelineExecutionStatusFailed:
		e.Reason = "deployed, but " + e.Reason
	}
	return e
}

// head is the first line of a reason.
func head(reason string) string {
	first, _, _ := strings.Cut(reason, "\n")
	return first
}
