package target

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// facts are what AWS said about a deployment's service at one moment.
type facts struct {
	described
	// record is ECS's lasting account of the watched deployment: asked for always
	// where ECS shifts traffic or calls hooks, and otherwise only when another is
	// primary and that does not say enough; nil where there is none.
	record *record
	// successor is the service deployment that came next, asked for only where
	// record was stopped; nil where there is none.
	successor *record
	// by is who registered what the service runs instead, asked for only where
	// the watched deployment was replaced, as far as AWS says.
	by string
	// stopped are stopped tasks of the watched deployment, asked for only when
	// they may explain something.
	stopped []types.Task
	// logs are the last lines of a container that failed, asked for only when
	// nothing else is left to wait for.
	logs tail
}

const (
	// rollbackGrace is how long a failed deployment may stay primary before we
	// believe that ECS, though told to roll back, has nothing to roll back to.
	rollbackGrace = time.Minute
	// staleGrace is how long after our update an answer without it is taken for
	// an old one: ECS does not promise to read what was just written.
	staleGrace = time.Minute
	// settleGrace is how long after ECS called a service deployment over it may
	// take until old tasks are gone: 38 s were seen with a short deregistration
	// delay. Later it is over all the same, because ECS will not undo it.
	settleGrace = 10 * time.Minute
)

// watched is the deployment whose end is waited for.
type watched struct {
	id             string // ecs-svc/…, or a record's ARN
	taskDefinition string
	back           bool // it puts back what ran before
}

func watch(d slipway.Deployment) watched {
	if d.Phase == slipway.PhaseRollingBack {
		return watched{id: d.RollbackID, taskDefinition: d.Base, back: true}
	}
	return watched{id: d.ID, taskDefinition: d.TaskDefinition}
}

// span is when ECS may say that the watched deployment was created. We do not know
// when a rollback was, but that it came after what it undoes.
func (w watched) span(d slipway.Deployment) span {
	if w.back {
		return span{after: d.StartedAt}
	}
	return around(d.StartedAt)
}

// asked reports whether ECS was told to roll the started deployment back, rather
// than given another one that does.
func (w watched) asked() bool { return w.back && isRecord(w.id) }

// in is the watched deployment in the service's list, or nil.
func (w watched) in(s *types.Service) *types.Deployment {
	if !isRecord(w.id) {
		return withID(s, w.id)
	}
	for i := range s.Deployments {
		if aws.ToString(s.Deployments[i].TaskDefinition) == w.taskDefinition {
			return &s.Deployments[i]
		}
	}
	return nil
}

// verdict is what an Observation says of the whole.
type verdict struct {
	state slipway.State
	by    string
	// cause is what made ECS roll back, where it is known.
	cause slipway.Cause
	// headline says it in a sentence; why, in AWS's words, what led to it.
	headline, why string
}

// judge says what the facts mean for d. It is a function of its arguments alone.
//
// Success is only what the watched deployment itself reached: a service that is
// stable again after a rollback, or on somebody else's deployment, is none.
func judge(d slipway.Deployment, f facts, now time.Time) slipway.Observation {
	o := slipway.Observation{At: now}
	w := watch(d)
	if f.service != nil {
		if running := primary(f.service); running != nil {
			o.TaskDefinition = aws.ToString(running.TaskDefinition)
		}
		count(&o, w.in(f.service), f, followed(d, f.service))
		o.Events = events(f.service, d.StartedAt)
	}
	v := decide(d, w, f, now)
	if v.state == slipway.StateDeployed && v.headline == "" {
		v.headline = caveat(f)
	}
	o.State, o.By = v.state, v.by
	if v.by == slipway.ByECS {
		o.Cause = v.cause
	}
	if f.service != nil && !o.Final() {
		o.Waiting = waiting(d, w, f, o)
	}
	o.Reason = reason(w, v, f, o)
	return o
}

// count fills in the numbers of o; byRecord adds those of the service deployment.
func count(o *slipway.Observation, ours *types.Deployment, f facts, byRecord bool) {
	o.Draining = draining(f.service, ours)
	if ours != nil {
		o.Tasks = slipway.TaskCounts{
			Desired: int(ours.DesiredCount), Pending: int(ours.PendingCount),
			Running: int(ours.RunningCount), Failed: int(ours.FailedTasks),
		}
	}
	if c := f.service.DeploymentConfiguration; c != nil {
		o.BakeMinutes = bakeMinutes(c)
	}
	if f.record != nil && f.record.detail != nil && byRecord {
		countShift(o, f.record.detail)
	}
}

// draining counts the running tasks of all deployments but ours.
func draining(s *types.Service, ours *types.Deployment) int {
	n := 0
	for i := range s.Deployments {
		if other := &s.Deployments[i]; other != ours {
			n += int(other.RunningCount)
		}
	}
	return n
}

// decide is judge without the numbers.
func decide(d slipway.Deployment, w watched, f facts, now time.Time) verdict {
	where := fmt.Sprintf("service %s in cluster %s", d.Place.Service, d.Place.Cluster)
	s := f.service
	if s == nil {
		return verdict{state: slipway.StateGone, headline: fmt.Sprintf("there is no %s any more", where), why: f.failure}
	}
	if status := aws.ToString(s.Status); status != serviceActive {
		return verdict{state: slipway.StateGone, headline: fmt.Sprintf("%s was deleted: it is %s", where, status)}
	}
	ours, running := w.in(s), primary(s)
	switch {
	case f.record != nil && (shifts(d, s) || w.asked()):
		return decideShift(d, w, f, now)
	case running == nil:
		return verdict{state: slipway.StateReplaced, headline: fmt.Sprintf("%s has no primary deployment any more", where)}
	case running == ours:
		return decideOurs(d, w, f, ours, now)
	case w.back && aws.ToString(running.Id) == d.ID:
		if w.asked() || ours == nil && !mentioned(f.service, w.id, d.StartedAt) {
			// An answer older than the call that puts Base back.
			return verdict{state: slipway.StateRollingBack, by: slipway.BySlipway}
		}
		return verdict{
			state: slipway.StateFailed, why: whyFailed(w, f),
			headline: "the rollback failed, and ECS returned to " + lastPart(aws.ToString(running.TaskDefinition)),
		}
	case older(running, ours, d):
		return decideRollback(d, w, f, ours, running, now)
	case f.record != nil:
		return decideByRecord(w, f, running)
	}
	return verdict{state: slipway.StateReplaced, headline: replacedBySome(f, running)}
}

// decideOurs is about the watched deployment while it is the primary one.
func decideOurs(d slipway.Deployment, w watched, f facts, ours *types.Deployment, now time.Time) verdict {
	going := verdict{state: slipway.StateProgressing}
	done := verdict{state: slipway.StateDeployed}
	if w.back {
		by := slipway.BySlipway
		if !w.asked() && (aws.ToString(ours.Id) == d.BaseDeployment || aws.ToTime(ours.CreatedAt).Before(d.StartedAt)) {
			by = slipway.ByECS // only ECS makes an old deployment primary again, if nobody tells it to
		}
		back := lastPart(aws.ToString(ours.TaskDefinition))
		going = verdict{state: slipway.StateRollingBack, by: by, headline: "putting " + back + " back", why: head(d.RollbackReason)}
		done = verdict{state: slipway.StateRolledBack, by: by, headline: "put " + back + " back", why: head(d.RollbackReason)}
	}
	switch {
	case ours.RolloutState == types.DeploymentRolloutStateFailed && rollbackDue(f.service, ours, now):
		going.headline, going.why = "it failed, and ECS is about to roll it back", whyFailed(w, f)
		return going
	case ours.RolloutState == types.DeploymentRolloutStateFailed:
		return verdict{state: slipway.StateFailed, headline: "it failed, and ECS does not roll it back", why: whyFailed(w, f)}
	case complete(f.service, ours) && !lingering(f.service):
		return done
	}
	if why := hopeless(f, ours); why != "" {
		if before := draining(f.service, ours); w.back && before > 0 {
			why += fmt.Sprintf("; %d tasks from before still run", before)
		}
		return verdict{state: slipway.StateFailed, headline: why}
	}
	return going
}

// decideRollback is about an older deployment that is primary again: only ECS
// makes it so, while anybody's UpdateService makes a new one. (A new one of the
// old task definition is therefore a replacement.)
func decideRollback(d slipway.Deployment, w watched, f facts, ours, running *types.Deployment, now time.Time) verdict {
	to, why := lastPart(aws.ToString(running.TaskDefinition)), whyFailed(w, f)
	back := verdict{state: slipway.StateRollingBack, by: slipway.ByECS, cause: causeOfRollback(f.record, why), headline: "ECS is rolling back to " + to, why: why}
	switch {
	case ours == nil && stale(d, w, f, running, now):
		return verdict{state: slipway.StateProgressing}
	case running.RolloutState == types.DeploymentRolloutStateFailed:
		return verdict{state: slipway.StateFailed, headline: "ECS's rollback to " + to + " failed too", why: why}
	case ours == nil && f.successor != nil:
		// It was not ours that was rolled back, but what had replaced it.
		return verdict{state: slipway.StateReplaced, headline: replacedByRecord(f.successor)}
	case ours == nil && complete(f.service, running):
		back.state, back.headline = slipway.StateRolledBack, "rolled back by ECS to "+to
	}
	return back
}

// decideByRecord is about a deployment that came to its end unseen, and was
// followed by another.
func decideByRecord(w watched, f facts, running *types.Deployment) verdict {
	since := "; since then " + replacedBy(running, "")
	switch f.record.status {
	case types.ServiceDeploymentStatusSuccessful:
		if w.back {
			return verdict{state: slipway.StateRolledBack, by: slipway.BySlipway, headline: "put " + lastPart(w.taskDefinition) + " back" + since}
		}
		return verdict{state: slipway.StateDeployed, headline: "it was deployed" + since}
	case types.ServiceDeploymentStatusRollbackSuccessful:
		why := whyFailed(w, f)
		return verdict{state: slipway.StateRolledBack, by: slipway.ByECS, cause: causeOfRollback(f.record, why), headline: "rolled back by ECS" + since, why: why}
	case types.ServiceDeploymentStatusRollbackFailed:
		return verdict{state: slipway.StateFailed, headline: "it failed, and so did ECS's rollback" + since, why: whyFailed(w, f)}
	default:
		return verdict{state: slipway.StateReplaced, headline: replacedBySome(f, running)}
	}
}

// replacedBySome says what took the watched deployment's place, and what runs
// since where that is something else.
func replacedBySome(f facts, running *types.Deployment) string {
	now := replacedBy(running, f.by)
	if f.successor == nil || f.successor.runs == aws.ToString(running.TaskDefinition) {
		return now
	}
	return replacedFirst(f.successor) + ", and that was " + now
}

// replacedBy says what took the watched deployment's place and, if known, who
// registered what it runs.
func replacedBy(running *types.Deployment, by string) string {
	text := fmt.Sprintf("replaced by deployment %s of %s", aws.ToString(running.Id), lastPart(aws.ToString(running.TaskDefinition)))
	if running.CreatedAt != nil {
		text += ", made at " + running.CreatedAt.UTC().Format(time.RFC3339)
	}
	if by != "" {
		text += "; the task definition is from " + by
	}
	return text
}

// replacedByRecord says the same of one that is over already.
func replacedByRecord(next *record) string {
	text := replacedFirst(next)
	switch next.status {
	case types.ServiceDeploymentStatusRollbackSuccessful:
		text += ", which ECS has rolled back since"
	case types.ServiceDeploymentStatusStopped:
		text += ", which was stopped since"
	default:
	}
	return text
}

func replacedFirst(next *record) string {
	return fmt.Sprintf("replaced by a deployment of %s, made at %s", lastPart(next.runs), next.createdAt.UTC().Format(time.RFC3339))
}

// older reports whether the primary deployment was there before the watched one.
func older(running, ours *types.Deployment, d slipway.Deployment) bool {
	began := d.StartedAt
	if ours != nil && ours.CreatedAt != nil {
		began = *ours.CreatedAt
	}
	return aws.ToString(running.Id) == d.BaseDeployment ||
		running.CreatedAt != nil && running.CreatedAt.Before(began)
}

// stale reports whether an answer in which Base still runs is from before our
// update, rather than from after a rollback: since then nothing has happened.
func stale(d slipway.Deployment, w watched, f facts, running *types.Deployment, now time.Time) bool {
	if w.back || isRecord(w.id) || now.Sub(d.StartedAt) > staleGrace || aws.ToTime(running.UpdatedAt).After(d.StartedAt) {
		return false
	}
	return !mentioned(f.service, w.id, d.StartedAt)
}

// mentioned reports whether a deployment is named in the service's events since
// a time.
func mentioned(s *types.Service, id string, since time.Time) bool {
	return slices.ContainsFunc(events(s, since), func(e slipway.Event) bool {
		return strings.Contains(e.Message, "(deployment "+id+")")
	})
}

// rollbackDue reports whether ECS was told to roll a failed deployment back and
// may just not have begun: the circuit breaker and the alarms each have a
// rollback of their own. Developer guide, "deployment circuit breaker".
func rollbackDue(s *types.Service, failed *types.Deployment, now time.Time) bool {
	c := s.DeploymentConfiguration
	if c == nil || failed.UpdatedAt == nil || now.Sub(*failed.UpdatedAt) > rollbackGrace {
		return false
	}
	breaker, alarms := c.DeploymentCircuitBreaker, c.Alarms
	return breaker != nil && breaker.Enable && breaker.Rollback || alarms != nil && alarms.Enable && alarms.Rollback
}
