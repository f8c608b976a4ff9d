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
	if c.unexplained(o, d) {
		if f.stopped, err = c.stoppedTasks(ctx, d); err != nil {
			// The verdict stands without its explanation.
			c.log.DebugContext(ctx, "cannot read the stopped tasks", keyApp, d.App.String(), keyError, err)
		}
		o = judge(d, f, time.Now())
	}
	if !o.Final() {
		o.Next = pace(o.At, lastMove(f.service), c.budget.spare(serviceRead))
	}
	return o, ctx.Err()
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
	if f.service == nil || w.id == "" || w.in(f.service) != nil {
		return f, nil
	}
	// The watched deployment is not listed any more. Where an older one is primary
	// again that says enough, unless nobody saw the failure's id.
	running := primary(f.service)
	if running == nil || older(running, nil, d) && !isRecord(w.id) {
		return f, nil
	}
	after, before := d.StartedAt.Add(-recordSlack), d.StartedAt.Add(recordSlack)
	if w.back {
		after, before = d.StartedAt, time.Time{} // it came after the bad one; we do not know when
	}
	f.record, err = c.recordOf(ctx, d.Place, w.taskDefinition, after, before)
	return f, c.optional(ctx, err)
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
		return o.Tasks.Failed > 0 && c.budget.spare(clusterResourceRead) == 0
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
		ours = append(ours, slices.DeleteFunc(out.Tasks, func(t types.Task) bool { return !w.started(t, d.StartedAt) })...)
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
func lastMove(s *types.Service) time.Time {
	var last time.Time
	move := func(at *time.Time) {
		if t := aws.ToTime(at); t.After(last) {
			last = t
		}
	}
	for i := range s.Deployments {
		move(s.Deployments[i].CreatedAt)
		move(s.Deployments[i].UpdatedAt)
	}
	for i := range s.Events {
		move(s.Events[i].CreatedAt)
	}
	return last
}
