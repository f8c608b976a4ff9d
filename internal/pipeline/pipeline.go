// Package pipeline decides, on plain data, what an execution does next. It does
// no I/O, keeps no state and reads no clock: time is an argument.
//
//	Source ─► Prepare ─► Register ─► Start ─► Observe ─► Finish
//	   │         │           │         │         │  ▲        ▲
//	   │         └ unchanged ┼─────────┼─────────┼──┼────────┤
//	   └ bad file            └ error   └ error   │  └ again  │
//	                                             ▼           │
//	                                         RollBack ─► ObserveRollBack
//
// An action's effect is written into the execution (its Phase, its Outcome)
// before Next is asked again, so a restart at any point asks the same question
// and gets the same answer. Who persists and who acts is the engine's affair.
package pipeline

import (
	"fmt"
	"time"

	"github.com/slipway-cd/slipway"
)

// Action is the next thing that an execution does. The values are names of
// durable steps: executions that an older build began are replayed by them, so
// they never change.
type Action string

// The actions.
const (
	ActionNone            Action = ""
	ActionSource          Action = "source"
	ActionPrepare         Action = "prepare"
	ActionRegister        Action = "register"
	ActionStart           Action = "start"
	ActionObserve         Action = "observe"
	ActionRollBack        Action = "roll-back"
	ActionObserveRollBack Action = "observe-roll-back"
	ActionFinish          Action = "finish"
)

// Next says what an execution that has begun does next: ActionNone once it has
// ended.
func Next(e slipway.Execution) Action {
	switch {
	case e.Status.Ended():
		return ActionNone
	case e.Outcome != slipway.OutcomeNone:
		return ActionFinish
	case e.Deployment.Execution == "":
		return ActionSource
	}
	switch e.Deployment.Phase {
	case slipway.PhaseNew:
		return ActionPrepare
	case slipway.PhasePrepared:
		return ActionRegister
	case slipway.PhaseRegistered:
		return ActionStart
	case slipway.PhaseStarted:
		if e.Deployment.RollbackFor != slipway.OutcomeNone {
			return ActionRollBack
		}
		return ActionObserve
	case slipway.PhaseRollingBack:
		return ActionObserveRollBack
	case slipway.PhaseUnchanged:
		return ActionFinish
	}
	return ActionFinish
}

// Advance judges an execution between two steps of Deploy, without an
// observation: it honours a request to stop before anything was started, and
// turns a deployment with nothing to do into its outcome.
func Advance(e slipway.Execution) slipway.Execution {
	if e.Outcome != slipway.OutcomeNone || e.Status.Ended() {
		return e
	}
	switch e.Deployment.Phase {
	case slipway.PhaseUnchanged:
		return End(e, slipway.OutcomeUnchanged, "the service already runs "+slipway.FormatImages(e.Revision.Images))
	case slipway.PhaseNew, slipway.PhasePrepared, slipway.PhaseRegistered:
		if e.Stop != nil && e.Deployment.Attempt == 0 {
			return End(e, stopOutcome(*e.Stop), stopReason(*e.Stop)+"; the service was not touched")
		}
	case slipway.PhaseStarted, slipway.PhaseRollingBack:
	}
	return e
}

// Observe judges what was seen of a deployment that was started. The result
// has an Outcome when it is over, a RollbackFor when what ran before must be
// put back, and neither when it is worth looking again.
func Observe(e slipway.Execution, seen slipway.Observation, now time.Time) slipway.Execution {
	e.Observation = &seen
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		return observeRollBack(e, seen, now)
	}
	switch seen.State {
	case slipway.StateDeployed:
		return End(e, slipway.OutcomeDeployed, seen.Reason)
	case slipway.StateRolledBack:
		e.RolledBackBy = seen.By
		return End(e, slipway.OutcomeRolledBack, seen.Reason)
	case slipway.StateReplaced:
		return End(e, slipway.OutcomeReplaced, seen.Reason)
	case slipway.StateGone:
		return End(e, slipway.OutcomeFailed, seen.Reason)
	case slipway.StateFailed:
		return rollBackFor(e, slipway.OutcomeRolledBack, seen.Reason)
	case slipway.StateProgressing, slipway.StateRollingBack:
	}
	return Wait(e, now)
}

// Wait judges a started deployment of which nothing final is known: it honours
// a request to stop, and the timeout.
func Wait(e slipway.Execution, now time.Time) slipway.Execution {
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		if over(e.Deployment.RollbackStartedAt, e.Pipeline.Timeout, now) {
			return End(e, slipway.OutcomeFailed, fmt.Sprintf("%s; putting back %s did not end within %s either",
				e.Deployment.RollbackReason, e.Deployment.Base, e.Pipeline.Timeout))
		}
		return e
	}
	if stop := e.Stop; stop != nil {
		if stop.Abandon {
			return End(e, stopOutcome(*stop), stopReason(*stop)+"; the deployment goes on in ECS unwatched")
		}
		return rollBackFor(e, slipway.OutcomeStopped, stopReason(*stop))
	}
	if over(e.Deployment.StartedAt, e.Pipeline.Timeout, now) {
		return rollBackFor(e, slipway.OutcomeTimedOut, timeoutReason(e))
	}
	return e
}

// End gives an execution its outcome; ActionFinish then writes it down. The
// superseding of a running execution is an outcome "replaced" with its own
// reason.
func End(e slipway.Execution, outcome slipway.Outcome, reason string) slipway.Execution {
	e.Outcome, e.Reason = outcome, reason
	return e
}

func observeRollBack(e slipway.Execution, seen slipway.Observation, now time.Time) slipway.Execution {
	why := e.Deployment.RollbackReason
	switch seen.State {
	case slipway.StateRolledBack, slipway.StateDeployed:
		if e.Deployment.RollbackFor == slipway.OutcomeRolledBack {
			e.RolledBackBy = slipway.BySlipway
			if seen.By != "" {
				e.RolledBackBy = seen.By
			}
		}
		return End(e, e.Deployment.RollbackFor, fmt.Sprintf("%s; %s was put back", why, e.Deployment.Base))
	case slipway.StateReplaced:
		return End(e, slipway.OutcomeReplaced, fmt.Sprintf("%s; while %s was put back: %s", why, e.Deployment.Base, seen.Reason))
	case slipway.StateFailed, slipway.StateGone:
		return End(e, slipway.OutcomeFailed, fmt.Sprintf("%s; putting back %s failed: %s", why, e.Deployment.Base, seen.Reason))
	case slipway.StateProgressing, slipway.StateRollingBack:
	}
	return Wait(e, now)
}

func rollBackFor(e slipway.Execution, outcome slipway.Outcome, reason string) slipway.Execution {
	e.Deployment.RollbackFor, e.Deployment.RollbackReason = outcome, reason
	return e
}

func over(since time.Time, timeout time.Duration, now time.Time) bool {
	return timeout > 0 && !now.Before(since.Add(timeout))
}

func stopOutcome(stop slipway.StopRequest) slipway.Outcome {
	if stop.Superseded {
		return slipway.OutcomeReplaced
	}
	return slipway.OutcomeStopped
}

func stopReason(stop slipway.StopRequest) string {
	if stop.Superseded {
		return "a newer commit took over"
	}
	reason := "stopped"
	if stop.By != "" {
		reason += " by " + stop.By
	}
	if stop.Reason != "" {
		reason += ": " + stop.Reason
	}
	return reason
}

func timeoutReason(e slipway.Execution) string {
	reason := fmt.Sprintf("not done after %s", e.Pipeline.Timeout)
	if seen := e.Observation; seen != nil {
		reason += fmt.Sprintf(": %d of %d tasks running, %d pending, %d failed", seen.Tasks.Running, seen.Tasks.Desired, seen.Tasks.Pending, seen.Tasks.Failed)
		if seen.Reason != "" {
			reason += "; " + seen.Reason
		}
	}
	return reason
}
