package target

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// shifts reports whether ECS sets new tasks beside the old ones and shifts traffic
// (blue/green, linear, canary), so that the service deployment is what tells.
func shifts(d slipway.Deployment, s *types.Service) bool {
	return cmp.Or(d.Strategy, strategyOf(s)) != slipway.StrategyRolling
}

// followed reports whether the service deployment is asked for at every look:
// where traffic is shifted, where ECS was told to roll it back, and where hooks may
// hold the deployment up. AWS says that a rolling update can have those, too.
func followed(d slipway.Deployment, s *types.Service) bool {
	return shifts(d, s) || watch(d).asked() || s.DeploymentConfiguration != nil && len(s.DeploymentConfiguration.LifecycleHooks) > 0
}

// decideShift is about a deployment that shifts traffic, by its service
// deployment. Developer guide, "View service history using Amazon ECS service
// deployments", has the statuses and which follows which.
func decideShift(d slipway.Deployment, w watched, f facts, now time.Time) verdict {
	r, ours, running := f.record, w.in(f.service), primary(f.service)
	to := lastPart(w.taskDefinition)
	going := verdict{state: slipway.StateProgressing}
	if w.back {
		going = verdict{state: slipway.StateRollingBack, by: slipway.BySlipway, headline: "putting " + to + " back", why: head(d.RollbackReason)}
		if w.asked() {
			// ECS may have begun by itself before we told it to.
			if cause := causeOfRollback(r, ""); cause != "" && cause != slipway.CausePerson {
				going.by, going.cause = slipway.ByECS, cause
			}
		}
	}
	since := ""
	undone := w.back && running != nil && aws.ToString(running.TaskDefinition) == d.TaskDefinition
	if running != nil && running != ours && !undone && !older(running, ours, d) {
		since = "; since then " + replacedBy(running, "")
	}
	switch r.status {
	case types.ServiceDeploymentStatusSuccessful:
		switch {
		case w.asked():
			return verdict{state: slipway.StateFailed, headline: "the deployment was over before ECS could roll it back" + since}
		case since != "" && w.back:
			return verdict{state: slipway.StateRolledBack, by: slipway.BySlipway, headline: "put " + to + " back" + since}
		case since != "":
			return verdict{state: slipway.StateDeployed, headline: "it was deployed" + since}
		case !settled(f, r, running, now):
			return going
		case w.back:
			return verdict{state: slipway.StateRolledBack, by: slipway.BySlipway, headline: "put " + to + " back", why: head(d.RollbackReason)}
		}
		return verdict{state: slipway.StateDeployed}
	case types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress,
		types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed:
		return decideShiftBack(d, w, f, going, since, now)
	case types.ServiceDeploymentStatusStopRequested:
		if since == "" {
			going.headline = "ECS is stopping it"
			return going
		}
		return verdict{state: slipway.StateReplaced, headline: replacedBy(running, f.by)}
	case types.ServiceDeploymentStatusStopped:
		return decideStopped(w, f, going, since, now)
	default: // PENDING, IN_PROGRESS
		if why := hopeless(f, ours); why != "" && !w.asked() {
			return verdict{state: slipway.StateFailed, headline: why}
		}
		return going
	}
}

// decideShiftBack is about a service deployment that ECS is rolling back, or did.
func decideShiftBack(d slipway.Deployment, w watched, f facts, going verdict, since string, now time.Time) verdict {
	r, running := f.record, primary(f.service)
	why := whyRolledBack(r)
	over := r.status == types.ServiceDeploymentStatusRollbackSuccessful
	switch {
	case r.status == types.ServiceDeploymentStatusRollbackFailed && w.back:
		return verdict{state: slipway.StateFailed, headline: "the rollback failed" + since, why: why}
	case r.status == types.ServiceDeploymentStatusRollbackFailed:
		return verdict{state: slipway.StateFailed, headline: "it failed, and so did ECS's rollback" + since, why: why}
	case w.asked() && !over && hopeless(f, w.in(f.service)) != "":
		return verdict{state: slipway.StateFailed, headline: hopeless(f, w.in(f.service))}
	case w.asked() && over && (since != "" || settled(f, r, running, now)):
		going.state, going.headline = slipway.StateRolledBack, "put "+lastPart(d.Base)+" back"+since
		return going
	case w.asked():
		return going
	case w.back && over:
		return verdict{state: slipway.StateFailed, headline: "the rollback failed, and ECS undid it" + since, why: why}
	case w.back:
		going.headline, going.why = "the rollback failed, and ECS is undoing it", why
		return going
	}
	back := verdict{state: slipway.StateRollingBack, by: slipway.ByECS, cause: causeOfRollback(r, ""), why: why}
	to := ""
	if running != nil && older(running, w.in(f.service), d) {
		to = " to " + lastPart(aws.ToString(running.TaskDefinition))
	}
	back.headline = "ECS is rolling back" + to
	if over && (since != "" || settled(f, r, running, now)) {
		back.state, back.headline = slipway.StateRolledBack, "rolled back by ECS"+to+since
	}
	return back
}

// decideStopped is about a service deployment that ECS stopped without rolling it
// back: because a newer one took its place, or because it failed and ECS was not
// told to roll back.
func decideStopped(w watched, f facts, going verdict, since string, now time.Time) verdict {
	r, ours, running := f.record, w.in(f.service), primary(f.service)
	failed := running != nil && running == ours && ours.RolloutState == types.DeploymentRolloutStateFailed
	switch {
	case since != "":
		return verdict{state: slipway.StateReplaced, headline: replacedBySome(f, running)}
	case f.successor != nil:
		return verdict{state: slipway.StateReplaced, headline: replacedByRecord(f.successor)}
	case !failed && now.Sub(r.finishedAt) < staleGrace:
		// The service may not show yet what came next.
		going.headline = "ECS has stopped it"
		return going
	}
	return verdict{state: slipway.StateFailed, headline: "ECS stopped it, and does not roll it back", why: cmp.Or(whyFailed(w, f), whyRolledBack(r))}
}

// settled reports whether, after its service deployment was over, the service
// shows so too: ECS says SUCCESSFUL while old tasks still drain.
func settled(f facts, r *record, running *types.Deployment, now time.Time) bool {
	if !r.finishedAt.IsZero() && now.Sub(r.finishedAt) >= settleGrace {
		return true
	}
	return running != nil && complete(f.service, running) && !lingering(f.service)
}
