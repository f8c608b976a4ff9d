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
	"cmp"
	"fmt"
	"slices"
	"strings"
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
	case slipway.PhaseTesting:
		if seen := e.Observation; seen != nil && seen.State == slipway.StateTested {
			return ActionStart
		}
		return ActionObserve
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

// Advance judges an execution before and after a step of Deploy, without an
// observation: it honours a request to stop before anything was started, and
// turns a deployment with nothing to do into its outcome.
func Advance(e slipway.Execution) slipway.Execution {
	if decided(e) {
		return e
	}
	switch e.Deployment.Phase {
	case slipway.PhaseUnchanged:
		runner := "the service already runs "
		if e.Deployment.Place.Kind == slipway.KindSchedule {
			runner = "all schedules already run "
		}
		return End(e, slipway.OutcomeUnchanged, runner+slipway.FormatImages(e.Revision.Images))
	case slipway.PhaseNew, slipway.PhasePrepared:
		return stopUntouched(e)
	case slipway.PhaseRegistered:
		// An attempt whose answer we did not see may have updated the service:
		// it has to be found out before the stop can be honoured.
		if e.Deployment.Attempt == 0 && !slices.ContainsFunc(e.Deployment.Targets, slipway.ScheduledTarget.Newest) {
			return stopUntouched(e)
		}
	case slipway.PhaseTesting, slipway.PhaseStarted, slipway.PhaseRollingBack:
	default:
		return End(e, slipway.OutcomeFailed, fmt.Sprintf("this build does not know phase %q of a deployment; a newer one began it", e.Deployment.Phase))
	}
	return e
}

// Observe judges what was seen of a deployment that was started. The result
// has an Outcome when it is over, a RollbackFor when what ran before must be
// put back, and neither when it is worth looking again.
func Observe(e slipway.Execution, seen slipway.Observation, now time.Time) slipway.Execution {
	if decided(e) {
		return e
	}
	if resumed(e.Observation, seen) {
		e.Deployment.ResumedAt = now
	}
	e.Observation = &seen
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		return observeRollBack(e, seen, now)
	}
	switch seen.State {
	case slipway.StateDeployed:
		return End(e, slipway.OutcomeDeployed, seen.Reason)
	case slipway.StateRolledBack:
		e.RolledBackBy = seen.By
		return End(e, slipway.OutcomeRolledBack, refusal(e.Decisions)+seen.Reason)
	case slipway.StateReplaced:
		return End(e, slipway.OutcomeReplaced, seen.Reason)
	case slipway.StateGone:
		return End(e, slipway.OutcomeFailed, seen.Reason)
	case slipway.StateFailed:
		return rollBackFor(e, slipway.OutcomeRolledBack, seen.Reason)
	case slipway.StateTested:
		return stopStarted(e)
	case slipway.StateProgressing, slipway.StateRollingBack:
	}
	return wait(e, now)
}

// wait judges a started deployment that was just seen to be neither done nor
// failed: it honours a request to stop, and the timeout.
func wait(e slipway.Execution, now time.Time) slipway.Execution {
	e = stopStarted(e)
	if pending(e) && !now.Before(Deadline(e)) {
		return giveUp(e, progress(e))
	}
	return e
}

// Blind judges a started deployment of which nothing could be seen since then,
// because of err: it honours a request to stop, and a timeout that counts from
// then. What nobody saw may have gone well: it would be wrong to roll it back
// because Slipway, or the way to AWS, was down when the deployment's own time
// was over.
func Blind(e slipway.Execution, since, now time.Time, err error) slipway.Execution {
	if decided(e) {
		return e
	}
	e = stopStarted(e)
	if pending(e) && !now.Before(since.Add(patience(e))) {
		return giveUp(e, fmt.Sprintf("it could not be observed: %v", err))
	}
	return e
}

// Timeout is how long Deploy may take, and how long a step before it may fail
// before it is given up.
func Timeout(e slipway.Execution) time.Duration {
	if e.Pipeline.Timeout <= 0 {
		return slipway.DefaultTimeout
	}
	return time.Duration(e.Pipeline.Timeout)
}

// wayBack is how long putting back what ran before may take. A short timeout is
// about the new tasks: the old ones need as long as they need, and stopping to
// watch them would leave the outcome unknown.
func wayBack(e slipway.Execution) time.Duration {
	return max(Timeout(e), slipway.DefaultTimeout)
}

// patience is how long what is going on may take.
func patience(e slipway.Execution) time.Duration {
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		return wayBack(e)
	}
	return Timeout(e)
}

// Deadline is when the time of a started deployment, or of its rollback, is
// over. A deployment that was found in progress may be older than the execution,
// which then has its whole timeout all the same. While ECS itself rolls back, it
// gets the time for the way back too: it is doing what we would do.
//
// The timeout is for what takes longer than it should. The time that AWS was told
// to wait does not count, nor that for which a person was waited for: it counts
// anew from then, and while one is waited for it is never over.
func Deadline(e slipway.Execution) time.Time {
	back := e.Deployment.Phase == slipway.PhaseRollingBack
	since := latest(e.Deployment.StartedAt, e.StartedAt, e.Deployment.ResumedAt)
	if back {
		since = latest(e.Deployment.RollbackStartedAt, e.Deployment.ResumedAt)
	}
	deadline := since.Add(patience(e))
	seen := e.Observation
	if seen == nil {
		return deadline
	}
	if len(seen.Hooks) > 0 {
		return latest(deadline, seen.At.Add(patience(e)))
	}
	if seen.State == slipway.StateRollingBack && !back {
		deadline = deadline.Add(wayBack(e))
	}
	return deadline.Add(time.Duration(seen.BakeMinutes) * time.Minute)
}

// latest is the latest of some times.
func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// resumed reports whether a person was waited for and is not any more.
func resumed(before *slipway.Observation, seen slipway.Observation) bool {
	return before != nil && len(before.Hooks) > 0 && !slices.EqualFunc(before.Hooks, seen.Hooks, func(a, b slipway.Hook) bool { return a.ID == b.ID })
}

// refusal says who refused to let a deployment go on, before AWS's own reason; it
// is empty where nobody did.
func refusal(decisions []slipway.Decision) string {
	for _, decision := range slices.Backward(decisions) {
		if !decision.Approve {
			text := "rejected by " + decision.By
			if decision.Stage != "" {
				text += " at " + decision.Stage
			}
			if decision.Reason != "" {
				text += ": " + decision.Reason
			}
			return text + "; "
		}
	}
	return ""
}

// Amend adds to the first line of a reason, which can stand alone; the details
// below it stay.
func Amend(reason, format string, args ...any) string {
	headline, details, found := strings.Cut(reason, "\n")
	headline += fmt.Sprintf(format, args...)
	if found {
		return headline + "\n" + details
	}
	return headline
}

// Short is a task definition's ARN as people speak of it: family:revision.
func Short(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// head is the first line of a reason.
func head(reason string) string {
	first, _, _ := strings.Cut(reason, "\n")
	return first
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
		return End(e, e.Deployment.RollbackFor, Amend(why, "; %s was put back", Short(e.Deployment.Base)))
	case slipway.StateReplaced:
		return End(e, slipway.OutcomeReplaced, Amend(why, "; while %s was put back: %s", Short(e.Deployment.Base), head(seen.Reason)))
	case slipway.StateFailed, slipway.StateGone:
		return End(e, slipway.OutcomeFailed, Amend(why, "; putting back %s failed: %s", Short(e.Deployment.Base), seen.Reason))
	case slipway.StateProgressing, slipway.StateRollingBack, slipway.StateTested:
	}
	return wait(e, now)
}

// decided reports whether an execution has its outcome.
func decided(e slipway.Execution) bool {
	return e.Outcome != slipway.OutcomeNone || e.Status.Ended()
}

// pending reports whether it is still worth looking at a started deployment.
func pending(e slipway.Execution) bool {
	return !decided(e) && (e.Deployment.Phase == slipway.PhaseRollingBack || e.Deployment.RollbackFor == slipway.OutcomeNone)
}

func stopUntouched(e slipway.Execution) slipway.Execution {
	if e.Stop == nil {
		return e
	}
	return End(e, stopOutcome(*e.Stop), StopReason(*e.Stop)+"; the service was not touched")
}

// stopStarted honours a request to stop a started deployment. A rollback is
// not stopped: it is the stop.
func stopStarted(e slipway.Execution) slipway.Execution {
	stop := e.Stop
	switch {
	case stop == nil || e.Deployment.Phase == slipway.PhaseRollingBack:
		return e
	case stop.Abandon && e.Deployment.Phase != slipway.PhaseTesting:
		goesOn := "; the deployment goes on in ECS unwatched"
		if stop.Superseded {
			goesOn = "; its deployment replaces this one"
		}
		return End(e, stopOutcome(*stop), StopReason(*stop)+goesOn)
	default:
		return rollBackFor(e, stopOutcome(*stop), StopReason(*stop))
	}
}

func giveUp(e slipway.Execution, detail string) slipway.Execution {
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		return End(e, slipway.OutcomeFailed, Amend(e.Deployment.RollbackReason, "; putting back %s did not end within %s and goes on unwatched: %s",
			Short(e.Deployment.Base), wayBack(e), head(detail)))
	}
	return rollBackFor(e, slipway.OutcomeTimedOut, fmt.Sprintf("not done after %s: %s", Timeout(e), detail))
}

// rollBackFor has what ran before put back. While a test run goes on, that is what
// still runs: only the task of the test is left, to end by itself.
func rollBackFor(e slipway.Execution, outcome slipway.Outcome, reason string) slipway.Execution {
	if e.Deployment.Phase == slipway.PhaseTesting {
		if outcome == slipway.OutcomeRolledBack {
			outcome = slipway.OutcomeFailed
		}
		return End(e, outcome, Amend(reason, "; no schedule was touched"))
	}
	e.Deployment.RollbackFor, e.Deployment.RollbackReason = outcome, reason
	return e
}

func stopOutcome(stop slipway.StopRequest) slipway.Outcome {
	if stop.Superseded {
		return slipway.OutcomeReplaced
	}
	return slipway.OutcomeStopped
}

// StopReason says for a person who asked for a stop, and why.
func StopReason(stop slipway.StopRequest) string {
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

// progress says how far a deployment was when it was last seen.
func progress(e slipway.Execution) string {
	seen := e.Observation
	if seen == nil {
		return "nothing was seen of it"
	}
	detail := cmp.Or(seen.Reason, seen.Waiting)
	if e.Deployment.Phase == slipway.PhaseRollingBack {
		detail = seen.Waiting // the reason is why we roll back, which is told already
	}
	if detail != "" && seen.Tasks == (slipway.TaskCounts{}) {
		return detail // a batch app's schedules, for example, have no tasks of their own
	}
	text := fmt.Sprintf("%d of %d tasks running, %d pending, %d failed", seen.Tasks.Running, seen.Tasks.Desired, seen.Tasks.Pending, seen.Tasks.Failed)
	if detail != "" {
		text += "; " + detail
	}
	return text
}
