package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

// moveSettles is how long AWS may still show a target as it was before a write that
// was acknowledged: ours, it publishes none.
const moveSettles = time.Minute

// Observe says what became of d; see ECS.Observe. The deployment is over as soon as
// every target is read back on the new task definition.
func (s *schedules) Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
	c, err := s.ecs.client(ctx, d.Place)
	if err != nil {
		return slipway.Observation{}, err
	}
	switch d.Phase {
	case slipway.PhaseTesting:
		return c.observeTest(ctx, d)
	case slipway.PhaseStarted, slipway.PhaseRollingBack:
	default:
		return slipway.Observation{}, &slipway.Error{
			Next: slipway.NextNever, Message: fmt.Sprintf("a deployment in phase %q has nothing to observe", d.Phase),
		}
	}
	now, err := c.readTargets(ctx, d)
	if err != nil {
		return slipway.Observation{}, err
	}
	f := targetFacts{runs: map[string]string{}}
	for name, t := range now {
		f.runs[name] = t.TaskDefinition
		if schedule.Pinned(t.TaskDefinition) {
			continue
		}
		// What it runs is the family's newest.
		latest, err := c.describe(ctx, t.TaskDefinition)
		if err != nil {
			return slipway.Observation{}, err
		}
		f.runs[name] = latest.arn
	}
	o := judgeTargets(d, f, time.Now())
	if o.State == slipway.StateReplaced {
		f.by, err = c.registrar(ctx, o.TaskDefinition)
		c.forgo(ctx, d, "who registered the task definition", err)
		o = judgeTargets(d, f, time.Now())
	}
	if !o.Final() {
		o.Next = pace(o.At, d.StartedAt, c.budget.spare(scheduleControl))
	}
	return o, ctx.Err()
}

// targetFacts are what AWS says about a batch app's targets.
type targetFacts struct {
	// runs is the ARN of the task definition, with its revision, that each target
	// runs, by its name; those that are gone are not in it.
	runs map[string]string
	// by is who registered what another one than ours runs; empty where that is not
	// known or not needed.
	by string
}

// tally says of each of d's targets, by label, how it stands.
type tally struct {
	done, behind, gone []string
	// others are those that run what is neither new nor old, and other is the task
	// definition that the first of them runs.
	others []string
	other  string
	// problem is why one that is behind could not be moved.
	problem string
}

// tallyOf compares what the targets run with what they are to run: the new task
// definition or, where d rolls back, what each ran before.
func tallyOf(d slipway.Deployment, f targetFacts) tally {
	var n tally
	for _, t := range d.Targets {
		was, wanted := t.Before, d.TaskDefinition
		if t.Newest() {
			was = d.Base
		}
		if d.Phase == slipway.PhaseRollingBack && moves(d, t) {
			was, wanted = d.TaskDefinition, t.Before
			if t.Newest() {
				wanted = d.RollbackID
			}
		}
		label := schedule.Label(t.Name)
		switch runs, there := f.runs[t.Name]; {
		case !there:
			n.gone = append(n.gone, label)
		case runs == wanted:
			n.done = append(n.done, label)
		case runs == was:
			n.behind = append(n.behind, label)
			if n.problem == "" {
				n.problem = t.Problem
			}
		default:
			n.others = append(n.others, label)
			if n.other == "" {
				n.other = runs
			}
		}
	}
	return n
}

// judgeTargets says what the facts mean for d, in phase started or rolling-back.
func judgeTargets(d slipway.Deployment, f targetFacts, now time.Time) slipway.Observation {
	n := tallyOf(d, f)
	back := d.Phase == slipway.PhaseRollingBack
	o := slipway.Observation{At: now, TaskDefinition: d.TaskDefinition}
	since := d.StartedAt
	if back {
		o.TaskDefinition, since = d.Base, d.RollbackStartedAt
	}
	switch {
	case len(n.gone) == len(d.Targets):
		o.State = slipway.StateGone
		o.Reason = fmt.Sprintf("%s no longer exist, or run tasks of cluster %s no more", listed(n.gone), d.Place.Cluster)
	case len(n.others) > 0:
		o.State, o.TaskDefinition = slipway.StateReplaced, n.other
		o.Reason = fmt.Sprintf("somebody else moved %s to %s", listed(n.others), lastPart(n.other))
		if f.by != "" {
			o.Reason += ", which " + f.by + " registered"
		}
		o.Reason += rest(n.done, d)
	case len(n.behind) > 0 && n.problem != "" && !back:
		o.State, o.Reason = slipway.StateFailed, n.problem+rest(n.done, d)
	case len(n.behind) > 0 && now.Sub(since) >= moveSettles:
		o.State, o.TaskDefinition = slipway.StateReplaced, f.runs[nameOf(d, n.behind[0])]
		o.Reason = fmt.Sprintf("%s, which had been moved, runs %s again: somebody else moved it back%s", n.behind[0], lastPart(o.TaskDefinition), rest(n.done, d))
	case len(n.behind) > 0:
		o.State = slipway.StateProgressing
		if back {
			o.State = slipway.StateRollingBack
		}
		o.Waiting = fmt.Sprintf("%d of %d targets are moved; AWS still shows %s as before", len(n.done), len(d.Targets)-len(n.gone), listed(n.behind))
	case back:
		o.State, o.By = slipway.StateRolledBack, slipway.BySlipway
		o.Reason = run(n.done) + " again what they ran before"
		if len(n.done) == 1 {
			o.Reason = run(n.done) + " again what it ran before"
		}
	default:
		o.State, o.Reason = slipway.StateDeployed, achieved(d, n)
	}
	return o
}

// nameOf is the name of d's target with a label.
func nameOf(d slipway.Deployment, label string) string {
	for _, t := range d.Targets {
		if schedule.Label(t.Name) == label {
			return t.Name
		}
	}
	return ""
}

// run says that some run something, which follows.
func run(labels []string) string {
	if len(labels) == 1 {
		return labels[0] + " runs"
	}
	return listed(labels) + " run"
}

// rest says that others were moved.
func rest(done []string, d slipway.Deployment) string {
	if len(done) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s %s", run(done), lastPart(d.TaskDefinition))
}

// achieved says what was done, for a deployment that succeeded.
func achieved(d slipway.Deployment, n tally) string {
	text := run(n.done) + " " + lastPart(d.TaskDefinition)
	var before, newest []string
	for _, t := range d.Targets {
		if t.Newest() {
			newest = append(newest, schedule.Label(t.Name))
		} else if at := lastPart(t.Before); !slices.Contains(before, at) {
			before = append(before, at)
		}
	}
	if len(newest) > 0 && !d.Reused {
		text += fmt.Sprintf("; nothing was written to %s: it names no revision, so that registering the task definition switched it", listed(newest))
	}
	if base := lastPart(d.Base); len(newest) > 0 && !slices.Contains(before, base) {
		before = append(before, base)
	}
	if len(before) > 1 {
		text += fmt.Sprintf("; they ran %s before, of which %s, the newest, was copied", strings.Join(before, " and "), lastPart(d.Base))
		if d.Reused && d.TaskDefinition == d.Base {
			text = strings.TrimSuffix(text, "was copied") + "had the images already"
		}
	}
	if len(n.gone) > 0 {
		text += fmt.Sprintf("; %s no longer exists", listed(n.gone))
	}
	return text
}
