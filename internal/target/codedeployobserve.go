package target

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/codedeploy"
)

// Observe implements kind.
func (k *codeDeploy) Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
	if d.Phase != slipway.PhaseStarted && d.Phase != slipway.PhaseRollingBack {
		return slipway.Observation{}, &slipway.Error{
			Next: slipway.NextNever, Message: fmt.Sprintf("a deployment in phase %q has nothing to observe", d.Phase),
		}
	}
	c, deploys, err := k.reach(ctx, d.Place)
	if err != nil {
		return slipway.Observation{}, err
	}
	var f facts
	if f.described, err = c.services.get(ctx, d.Place.Cluster, d.Place.Service); err != nil && !isClusterMissing(err) {
		return slipway.Observation{}, err
	}
	o := slipway.Observation{At: time.Now(), State: slipway.StateGone}
	if f.service == nil || aws.ToString(f.service.Status) != serviceActive {
		o.Reason = fmt.Sprintf("there is no service %s in cluster %s any more", d.Place.Service, d.Place.Cluster)
		return o, ctx.Err()
	}
	said, err := c.said(ctx, deploys, d)
	if err != nil {
		return slipway.Observation{}, err
	}
	countTaskSets(&o, f.service, d, said)
	v := judgeTaskSet(d, said, o.At)
	o.State, o.Stage = v.state, said.Stage()
	if c.needsTasks(d, o) {
		f.stopped, err = c.stoppedOf(ctx, d, func(t types.Task) bool {
			return aws.ToString(t.TaskDefinitionArn) == d.TaskDefinition && !aws.ToTime(t.CreatedAt).Before(d.StartedAt.Add(-recordSlack))
		})
		c.forgo(ctx, d, "the stopped tasks", err)
	}
	if why := hopelessSet(d, o, f.stopped); why != "" {
		v = verdict{state: slipway.StateFailed, headline: why}
	}
	if v.state == slipway.StateDeployed {
		v.headline = caveat(f)
	}
	o.State, o.By = v.state, v.by
	if v.by == slipway.ByCodeDeploy {
		o.Cause = v.cause
	}
	if o.Final() && len(f.stopped) > 0 {
		f.logs, err = c.tailOf(ctx, f.stopped, behind(f.service))
		c.forgo(ctx, d, "the container's log", err)
	}
	if !o.Final() {
		o.Traffic, o.Waiting, o.Hooks = said.Traffic(), said.Waiting(), said.Hooks()
		if said.Deployment != nil {
			o.BakeMinutes, err = deploys.Patience(ctx, said.Deployment)
			c.forgo(ctx, d, "the deployment configuration", err)
		}
		o.Next = pace(o.At, lastTurn(f.service, said), c.budget.spare(codeDeployRead))
	}
	o.Reason = reason(watched{back: d.Phase == slipway.PhaseRollingBack}, v, f, o)
	return o, ctx.Err()
}

// said asks CodeDeploy what there is to judge. In phase rolling-back with no
// RollbackID, somebody else's deployment is in the way: the newest.
func (c *client) said(ctx context.Context, deploys *codedeploy.Client, d slipway.Deployment) (said codedeploy.Facts, err error) {
	id := followedID(d)
	if id != "" {
		if said.Deployment, err = deploys.Get(ctx, id); err != nil {
			return said, err
		}
	}
	switch at := said.Deployment; {
	case at != nil && at.RollbackInfo != nil && aws.ToString(at.RollbackInfo.RollbackDeploymentId) != "":
		said.Rollback, err = deploys.Get(ctx, *at.RollbackInfo.RollbackDeploymentId)
		return said, err
	case at != nil && at.Status == deploytypes.DeploymentStatusSucceeded:
		return said, nil
	case at != nil && !codedeploy.Over(at):
		said.Target, err = deploys.Target(ctx, id, d.Place.Cluster, d.Place.Service)
		return said, c.optional(ctx, err)
	case at == nil && id != "":
		return said, nil
	}
	group, err := deploys.GroupOf(ctx, d.Place)
	if err == nil {
		said.Newest, err = deploys.Newest(ctx, group)
	}
	return said, c.optional(ctx, err)
}

// followedID is the id of the deployment that tells what becomes of d.
func followedID(d slipway.Deployment) string {
	if d.Phase == slipway.PhaseRollingBack {
		return d.RollbackID
	}
	return d.ID
}

// judgeTaskSet says what CodeDeploy's account means for d, in either phase.
func judgeTaskSet(d slipway.Deployment, said codedeploy.Facts, now time.Time) verdict {
	judged := codedeploy.Judge(said, now)
	v := verdict{state: judged.State, cause: judged.Cause, headline: judged.Headline, why: judged.Why}
	if v.state == slipway.StateRollingBack || v.state == slipway.StateRolledBack {
		v.by = slipway.ByCodeDeploy
	}
	if d.Phase == slipway.PhaseStarted {
		return v
	}
	to, why := lastPart(d.Base), head(d.RollbackReason)
	rolling := verdict{state: slipway.StateRollingBack, by: slipway.BySlipway, headline: "putting " + to + " back", why: why}
	done := verdict{state: slipway.StateRolledBack, by: slipway.BySlipway, headline: "put " + to + " back", why: why}
	switch {
	case d.RollbackID == "" && said.Newest != nil:
		return verdict{state: slipway.StateReplaced, headline: codedeploy.ReplacedBy(said.Newest)}
	case d.RollbackID == "":
		return verdict{state: slipway.StateReplaced, headline: "somebody else's deployment is in the way"}
	case isTaskSet(d.RollbackID):
		done.headline = to + " has all the traffic"
		return done
	case v.state == slipway.StateReplaced || v.state == slipway.StateGone:
		return v
	case d.RollbackID == d.ID:
		return judgeStopped(v, rolling, done, now.Sub(d.RollbackStartedAt))
	}
	if said.Deployment.Creator == deploytypes.DeploymentCreatorCodeDeployRollback {
		rolling.by, done.by = slipway.ByCodeDeploy, slipway.ByCodeDeploy
	}
	switch v.state {
	case slipway.StateProgressing:
		return rolling
	case slipway.StateDeployed:
		return done
	default:
		return verdict{state: slipway.StateFailed, headline: "the rollback by deployment " + d.RollbackID + " failed", why: v.why}
	}
}

// judgeStopped is about a deployment that we had CodeDeploy stop and roll back.
func judgeStopped(v, rolling, done verdict, since time.Duration) verdict {
	switch {
	case v.state == slipway.StateRolledBack:
		return done
	case v.state == slipway.StateDeployed:
		return verdict{state: slipway.StateFailed, headline: "it was deployed before CodeDeploy could stop it"}
	case v.state != slipway.StateFailed || since < rollbackGrace:
		return rolling
	}
	return v
}

// isTaskSet reports whether an id is that of a task set, not of a deployment.
func isTaskSet(id string) bool { return strings.HasPrefix(id, "ecs-svc/") }

// countTaskSets fills in what runs: the watched deployment's task set, or the one
// that serves while its traffic is put back, and all others.
func countTaskSets(o *slipway.Observation, s *types.Service, d slipway.Deployment, said codedeploy.Facts) {
	id := d.ID
	if d.Phase == slipway.PhaseRollingBack && said.Deployment != nil && d.RollbackID != d.ID {
		id = d.RollbackID
	}
	serving := servingSet(s)
	if serving != nil {
		o.TaskDefinition = aws.ToString(serving.TaskDefinition)
	}
	for i := range s.TaskSets {
		set := &s.TaskSets[i]
		if aws.ToString(set.ExternalId) == id {
			o.Tasks = slipway.TaskCounts{Desired: int(set.ComputedDesiredCount), Pending: int(set.PendingCount), Running: int(set.RunningCount)}
		} else {
			o.Draining += int(set.RunningCount)
		}
	}
	o.Events = events(s, d.StartedAt)
}

// needsTasks reports whether stopped tasks may explain what o says, or tell early
// that it cannot succeed.
func (c *client) needsTasks(d slipway.Deployment, o slipway.Observation) bool {
	if d.Phase != slipway.PhaseStarted {
		return false
	}
	switch o.State {
	case slipway.StateFailed, slipway.StateRolledBack:
		return true
	case slipway.StateDeployed:
		return restarted(o)
	case slipway.StateProgressing:
		return restarted(o) && c.budget.spare(clusterResourceRead) == 0
	default:
		return false
	}
}

// hopelessSet says why a deployment that goes on cannot succeed, or is empty.
// CodeDeploy has no circuit breaker: it waits for an hour for tasks to become
// healthy, and never looks at them again. So what ECS's would do is done here, by
// its formula, and as in hopeless.
func hopelessSet(d slipway.Deployment, o slipway.Observation, stopped []types.Task) string {
	if d.Phase != slipway.PhaseStarted || o.State != slipway.StateProgressing {
		return ""
	}
	failed, installing := failures(stopped), o.Stage == codedeploy.Install
	switch {
	case failed < threshold(nil, o.Tasks.Desired):
		return ""
	case installing:
		return fmt.Sprintf("%d of its tasks failed, and CodeDeploy would wait for an hour", failed)
	case o.Tasks.Running == 0 || failed >= 2*o.Tasks.Desired:
		return fmt.Sprintf("%d of its tasks failed, and CodeDeploy would go on all the same", failed)
	}
	return ""
}

// lastTurn is when something last happened, as far as AWS tells.
func lastTurn(s *types.Service, said codedeploy.Facts) time.Time {
	var last time.Time
	for _, event := range s.Events {
		if at := aws.ToTime(event.CreatedAt); at.After(last) {
			last = at
		}
	}
	if said.Target != nil && aws.ToTime(said.Target.LastUpdatedAt).After(last) {
		last = *said.Target.LastUpdatedAt
	}
	if said.Rollback != nil && aws.ToTime(said.Rollback.CreateTime).After(last) {
		last = *said.Rollback.CreateTime
	}
	return last
}
