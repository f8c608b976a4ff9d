package target

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

const (
	// taskPage is how many tasks one call lists, and one describes. API
	// reference, ListTasks and DescribeTasks.
	taskPage = 100
	// taskPages bounds how many pages of stopped tasks are looked through.
	taskPages = 3
)

// Observe says what became of d, which is in phase started or rolling-back. It
// writes nothing and may be called at any time and from anywhere; calls for
// services of one cluster that come at about the same moment share one request.
// Observation.Next is when it is worth calling again.
//
// An error says nothing about the deployment, only that AWS could not be asked.
func (e *ECS) Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
	if d.Phase != slipway.PhaseStarted && d.Phase != slipway.PhaseRollingBack {
		return slipway.Observation{}, &slipway.Error{
			Next: slipway.NextNever, Message: fmt.Sprintf("a deployment in phase %q has nothing to observe", d.Phase),
		}
	}
	c, err := e.client(ctx, d.Place)
	if err != nil {
		return slipway.Observation{}, err
	}
	f, err := c.facts(ctx, d)
	if err != nil {
		return slipway.Observation{}, err
	}
	o := judge(d, f, time.Now())
	if ended(d, o) && f.record == nil {
		// ECS has ended it by itself: its lasting account says what made it do so,
		// and whether it was ours that it rolled back.
		if f, err = c.explained(ctx, d, f); err != nil {
			return slipway.Observation{}, err
		}
		o = judge(d, f, time.Now())
	}
	if c.unexplained(o, d) {
		f.stopped, err = c.stoppedTasks(ctx, d)
		c.forgo(ctx, d, "the stopped tasks", err)
		o = judge(d, f, time.Now())
	}
	if o.Final() && len(f.stopped) > 0 {
		f.logs, err = c.tailOf(ctx, f.stopped, behind(f.service))
		c.forgo(ctx, d, "the container's log", err)
		o = judge(d, f, time.Now())
	}
	if o.State == slipway.StateReplaced && o.TaskDefinition != "" && (f.successor == nil || f.successor.runs == o.TaskDefinition) {
		f.by, err = c.registrar(ctx, o.TaskDefinition)
		c.forgo(ctx, d, "who registered the task definition", err)
		o = judge(d, f, time.Now())
	}
	if !o.Final() {
		o.Next = pace(o.At, lastMove(f), c.budget.spare(serviceRead))
	}
	return o, ctx.Err()
}

// ended reports whether o says that ECS rolled d back.
func ended(d slipway.Deployment, o slipway.Observation) bool {
	return d.Phase == slipway.PhaseStarted && o.State == slipway.StateRolledBack
}

// forgo is for what a verdict can do without: its error is only logged.
func (c *client) forgo(ctx context.Context, d slipway.Deployment, what string, err error) {
	if err != nil {
		c.log.DebugContext(ctx, "cannot read "+what, keyApp, d.App.String(), keyError, err)
	}
}

// facts asks AWS what judge needs to know.
func (c *client) facts(ctx context.Context, d slipway.Deployment) (facts, error) {
	answer, err := c.services.get(ctx, d.Place.Cluster, d.Place.Service)
	if isClusterMissing(err) {
		return facts{described: described{failure: "there is no such cluster"}}, nil
	}
	if err != nil {
		return facts{}, err
	}
	f := facts{described: answer}
	w := watch(d)
	if f.service == nil || w.id == "" || aws.ToString(f.service.Status) != serviceActive {
		return f, nil
	}
	if followed(d, f.service) {
		f.record, err = c.carrier(ctx, d, w, f.service)
		if err == nil && f.record != nil && f.record.status == types.ServiceDeploymentStatusStopped {
			f.successor, err = c.recordOf(ctx, d.Place, "", span{after: f.record.createdAt})
		}
		return f, c.optional(ctx, err)
	}
	ours, running := w.in(f.service), primary(f.service)
	if running == nil || running == ours {
		return f, nil
	}
	// Another is primary. An older one says enough while ours is listed or, unless
	// nobody saw the failure's id, when it is not any more; a newer one may have come
	// before ours was done or after, when ours still drains.
	if older(running, ours, d) && (ours != nil || !isRecord(w.id)) {
		return f, nil
	}
	f.record, err = c.recordOf(ctx, d.Place, w.taskDefinition, w.span(d))
	if err == nil && f.record != nil && f.record.status == types.ServiceDeploymentStatusStopped {
		f.successor, err = c.recordOf(ctx, d.Place, "", span{after: f.record.createdAt})
	}
	return f, c.optional(ctx, err)
}

// explained is f with the whole of ECS's lasting account, and with what came next
// where the deployment was stopped.
func (c *client) explained(ctx context.Context, d slipway.Deployment, f facts) (facts, error) {
	w := watch(d)
	found, err := c.recordOf(ctx, d.Place, w.taskDefinition, w.span(d))
	if found == nil || err != nil {
		return f, c.optional(ctx, err)
	}
	if f.record, err = c.detailed(ctx, found.arn); f.record == nil {
		f.record = found
	}
	if err == nil && found.status == types.ServiceDeploymentStatusStopped {
		f.successor, err = c.recordOf(ctx, d.Place, "", span{after: found.createdAt})
	}
	return f, c.optional(ctx, err)
}

// registrar says who registered a task definition, as far as AWS says.
func (c *client) registrar(ctx context.Context, arn string) (string, error) {
	out, err := c.api.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(arn), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return "", c.explain(ctx, err, "cannot read the task definition "+lastPart(arn))
	}
	by := aws.ToString(out.TaskDefinition.RegisteredBy)
	for _, t := range out.Tags {
		if aws.ToString(t.Key) == tagExecution {
			by = "Slipway's execution " + aws.ToString(t.Value)
		}
	}
	return by, nil
}

// unexplained reports whether stopped tasks may explain what o says. While
// nothing is final yet, they are asked for only with budget to spare.
func (c *client) unexplained(o slipway.Observation, d slipway.Deployment) bool {
	switch o.State {
	case slipway.StateFailed:
		return true
	case slipway.StateRolledBack:
		return d.Phase == slipway.PhaseStarted
	case slipway.StateRollingBack:
		return (d.Phase == slipway.PhaseStarted || o.Tasks.Failed > 0) && c.budget.spare(clusterResourceRead) == 0
	case slipway.StateProgressing:
		return (o.Tasks.Failed > 0 || restarted(o)) && c.budget.spare(clusterResourceRead) == 0
	case slipway.StateDeployed:
		return restarted(o)
	default:
		return false
	}
}

// stoppedTasks returns the stopped tasks of the watched deployment that ECS still
// knows: it forgets them after about an hour. ListTasks takes startedBy only
// without any other filter, and then lists running tasks; so all of the service's
// stopped ones are listed, and sorted out here.
func (c *client) stoppedTasks(ctx context.Context, d slipway.Deployment) ([]types.Task, error) {
	w := watch(d)
	return c.stoppedOf(ctx, d, func(t types.Task) bool { return w.started(t, d.StartedAt) })
}

// stoppedOf returns those of the service's stopped tasks that are of interest.
func (c *client) stoppedOf(ctx context.Context, d slipway.Deployment, interests func(types.Task) bool) ([]types.Task, error) {
	doing := fmt.Sprintf("cannot read the stopped tasks of service %s in cluster %s", d.Place.Service, d.Place.Cluster)
	var ours []types.Task
	pages := ecs.NewListTasksPaginator(c.api, &ecs.ListTasksInput{
		Cluster: aws.String(d.Place.Cluster), ServiceName: aws.String(d.Place.Service),
		DesiredStatus: types.DesiredStatusStopped, MaxResults: aws.Int32(taskPage),
	})
	for range taskPages {
		if !pages.HasMorePages() {
			break
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c.explain(ctx, err, doing)
		}
		if len(page.TaskArns) == 0 {
			continue
		}
		out, err := c.api.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(d.Place.Cluster), Tasks: page.TaskArns})
		if err != nil {
			return nil, c.explain(ctx, err, doing)
		}
		ours = append(ours, slices.DeleteFunc(out.Tasks, func(t types.Task) bool { return !interests(t) })...)
	}
	return ours, nil
}

// started reports whether the watched deployment started a task. A record has
// another id than a task's startedBy; then the task definition and the time tell.
func (w watched) started(t types.Task, since time.Time) bool {
	if !isRecord(w.id) {
		return aws.ToString(t.StartedBy) == w.id
	}
	return aws.ToString(t.TaskDefinitionArn) == w.taskDefinition && !aws.ToTime(t.CreatedAt).Before(since)
}

// lastMove is when something last happened to a service, as far as it tells.
func lastMove(f facts) time.Time {
	var last time.Time
	move := func(at *time.Time) {
		if t := aws.ToTime(at); t.After(last) {
			last = t
		}
	}
	for i := range f.service.Deployments {
		move(f.service.Deployments[i].CreatedAt)
		move(f.service.Deployments[i].UpdatedAt)
	}
	for i := range f.service.Events {
		move(f.service.Events[i].CreatedAt)
	}
	if f.record != nil && f.record.detail != nil {
		move(f.record.detail.UpdatedAt)
	}
	return last
}
