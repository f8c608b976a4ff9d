package target

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/codedeploy"
)

// The statuses of a task set. API reference, TaskSet.
const (
	taskSetPrimary  = "PRIMARY"
	taskSetDraining = "DRAINING"
)

// codeDeploy deploys to services whose deployments CodeDeploy makes (deployment
// controller CODE_DEPLOY): a task set beside the one that serves, to which the
// traffic is shifted. Its phases are ECS's; only the two that write to the service
// go another way:
//
//	registered ─ CreateDeployment, found again by its description ─► started
//	started ──── StopDeployment with rollback, or a deployment of Base ─► rolling-back
//
// d.ID and d.RollbackID are CodeDeploy's ids (d-…); where CodeDeploy was told to
// roll d.ID back itself, RollbackID is d.ID. BaseDeployment is a task set.
type codeDeploy struct {
	ecs *ECS

	mu      sync.Mutex
	clients map[*client]*codedeploy.Client
}

func newCodeDeploy(ecs *ECS) *codeDeploy {
	return &codeDeploy{ecs: ecs, clients: map[*client]*codedeploy.Client{}}
}

// reach returns ECS and CodeDeploy as a place shows them.
func (k *codeDeploy) reach(ctx context.Context, place slipway.Place) (*client, *codedeploy.Client, error) {
	c, err := k.ecs.client(ctx, place)
	if err != nil {
		return nil, nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.clients[c] == nil {
		speaker := &client{called: "CodeDeploy", region: c.region, role: c.role, endpoint: aws.ToString(c.elsewhere())}
		k.clients[c] = codedeploy.New(codedeploy.Options{
			Config: c.config, Endpoint: c.elsewhere(), Retryer: c.budget.retryer(),
			Once: paced{RetryerV2: aws.NopRetryer{}, budget: c.budget}, Explain: speaker.explain,
		})
	}
	return c, k.clients[c], nil
}

// Advance implements kind.
func (k *codeDeploy) Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	c, deploys, err := k.reach(ctx, d.Place)
	if err != nil {
		return d, err
	}
	var next slipway.Deployment
	switch d.Phase {
	case slipway.PhaseNew:
		next, _, err = c.prepareTaskSet(ctx, deploys, d)
	case slipway.PhasePrepared:
		next, err = c.prepared(ctx, d)
	case slipway.PhaseRegistered:
		next, err = c.startTaskSet(ctx, deploys, d)
	default:
		err = &slipway.Error{Next: slipway.NextNever, Message: fmt.Sprintf("a deployment in phase %q has no next step", d.Phase)}
	}
	if err != nil {
		return d, err
	}
	return next, nil
}

// Plan implements kind.
func (k *codeDeploy) Plan(ctx context.Context, d slipway.Deployment) (slipway.Deployment, []slipway.FieldChange, error) {
	c, deploys, err := k.reach(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	prepared, changes, err := c.prepareTaskSet(ctx, deploys, d)
	if err != nil {
		return d, nil, err
	}
	return prepared, changes, nil
}

// Running implements kind.
func (k *codeDeploy) Running(ctx context.Context, places []slipway.Place) ([]slipway.Running, error) {
	all := make([]slipway.Running, len(places))
	var asked sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i, place := range places {
		asked.Go(func() {
			turns <- struct{}{}
			all[i] = k.running(ctx, place)
			<-turns
		})
	}
	asked.Wait()
	return all, ctx.Err()
}

func (k *codeDeploy) running(ctx context.Context, place slipway.Place) slipway.Running {
	nothing := func(err error) slipway.Running { return slipway.Running{Place: place, Err: err} }
	c, err := k.ecs.client(ctx, place)
	if err != nil {
		return nothing(err)
	}
	s, err := c.byCodeDeploy(ctx, place)
	if err != nil {
		return nothing(err)
	}
	serving := servingSet(s)
	arn := aws.ToString(serving.TaskDefinition)
	images, known := c.images.get(arn)
	if !known {
		described, err := c.describe(ctx, arn)
		if err != nil {
			return nothing(err)
		}
		images = described.images()
		c.images.put(arn, images)
	}
	return slipway.Running{
		Place: place, TaskDefinition: arn, Images: slices.Clone(images), Since: aws.ToTime(serving.CreatedAt),
		Steady: len(s.TaskSets) == 1 && serving.StabilityStatus == types.StabilityStatusSteadyState,
	}
}

// byCodeDeploy returns the service of a place if CodeDeploy deploys it, with a task
// set that serves. Otherwise the error says what the service is instead.
func (c *client) byCodeDeploy(ctx context.Context, place slipway.Place) (*types.Service, error) {
	answer, err := c.services.get(ctx, place.Cluster, place.Service)
	if err != nil {
		return nil, err
	}
	// What ECS itself deploys is none of CodeDeploy's.
	if _, err := answer.deployable(place); err != nil && !errors.Is(err, errCodeDeploy) {
		return nil, err
	}
	where := fmt.Sprintf("service %s in cluster %s", place.Service, place.Cluster)
	s := answer.service
	switch {
	case s == nil || s.DeploymentController == nil || s.DeploymentController.Type != types.DeploymentControllerTypeCodeDeploy:
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: where + " is not deployed by CodeDeploy: its deployment controller is another",
			Hint: "take the kind out of the target in pipeline.yaml",
		}
	case servingSet(s) == nil:
		return nil, &slipway.Error{Next: slipway.NextPerson, Message: where + " has no primary task set"}
	}
	return s, nil
}

// servingSet is the task set that serves production traffic, or nil.
func servingSet(s *types.Service) *types.TaskSet {
	for i := range s.TaskSets {
		if aws.ToString(s.TaskSets[i].Status) == taskSetPrimary {
			return &s.TaskSets[i]
		}
	}
	return nil
}

// besideSet is a task set that does not serve and is not on its way out, or nil:
// the replacement of a deployment that goes on, the original of one that keeps it
// for a while, or what a deployment left that failed.
func besideSet(s *types.Service) *types.TaskSet {
	for i := range s.TaskSets {
		if status := aws.ToString(s.TaskSets[i].Status); status != taskSetPrimary && status != taskSetDraining {
			return &s.TaskSets[i]
		}
	}
	return nil
}

// prepareTaskSet reads what the service runs, and whether there is anything to
// change.
func (c *client) prepareTaskSet(ctx context.Context, deploys *codedeploy.Client, d slipway.Deployment) (slipway.Deployment, []slipway.FieldChange, error) {
	s, err := c.byCodeDeploy(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	serving := servingSet(s)
	d.PreparedAt = time.Now()
	d.BaseDeployment = aws.ToString(serving.Id)
	d, changes, err := c.compare(ctx, d, aws.ToString(serving.TaskDefinition))
	if err != nil {
		return d, nil, err
	}
	beside := besideSet(s)
	if beside == nil {
		if len(changes) > 0 {
			return enter(d, slipway.PhasePrepared), changes, nil
		}
		return enter(d, slipway.PhaseUnchanged), nil, nil
	}
	group, err := deploys.GroupOf(ctx, d.Place)
	if err != nil {
		return d, nil, err
	}
	newest, err := deploys.Newest(ctx, group)
	if err != nil {
		return d, nil, err
	}
	if newest == nil || codedeploy.Over(newest) {
		// What is left beside it may still have traffic; a deployment, if only of a
		// copy, puts that right.
		return enter(d, slipway.PhasePrepared), changes, nil
	}
	id := aws.ToString(newest.DeploymentId)
	going := func(base, towards *types.TaskSet) slipway.Deployment {
		d.TaskDefinition, d.ID, d.StartedAt = aws.ToString(towards.TaskDefinition), id, aws.ToTime(newest.CreateTime)
		d.Base, d.BaseDeployment = aws.ToString(base.TaskDefinition), aws.ToString(base.Id)
		return enter(d, slipway.PhaseStarted)
	}
	switch {
	case len(changes) == 0 && aws.ToString(serving.ExternalId) == id:
		return going(beside, serving), nil, nil // somebody's, which has shifted the traffic
	case len(changes) == 0:
		return d, nil, &slipway.Error{
			Next: slipway.NextRetry, RetryAfter: afterBusy, Kind: codedeploy.ErrBusy,
			Message: fmt.Sprintf("service %s in cluster %s runs these images, but deployment %s is replacing them", d.Place.Service, d.Place.Cluster, id),
			Hint:    "wait for its end, or stop it in CodeDeploy",
		}
	case aws.ToString(beside.ExternalId) == id:
		other, err := c.describe(ctx, aws.ToString(beside.TaskDefinition))
		if err != nil {
			return d, nil, err
		}
		if _, missing, err := other.withImages(d.Images); err == nil && len(missing) == 0 {
			return going(serving, beside), nil, nil // somebody's, to the same images
		}
	}
	return enter(d, slipway.PhasePrepared), changes, nil
}

// afterBusy is how long to leave a service alone that somebody else's deployment
// has.
const afterBusy = 15 * time.Second

// startTaskSet begins the deployment, unless an earlier attempt did.
func (c *client) startTaskSet(ctx context.Context, deploys *codedeploy.Client, d slipway.Deployment) (slipway.Deployment, error) {
	s, err := c.byCodeDeploy(ctx, d.Place)
	if err != nil {
		return d, err
	}
	group, err := deploys.GroupOf(ctx, d.Place)
	if err != nil {
		return d, err
	}
	description := "slipway execution " + d.Execution
	if d.Attempt > 1 {
		before, err := deploys.Find(ctx, group, description, d.PreparedAt.Add(-recordSlack))
		if err != nil {
			return d, err
		}
		if before != nil {
			at := aws.ToTime(before.CreateTime)
			return started(d, aws.ToString(before.DeploymentId), at, at), nil
		}
	}
	serving := servingSet(s)
	if aws.ToString(serving.TaskDefinition) != d.Base {
		return restart(d, &types.Deployment{TaskDefinition: serving.TaskDefinition})
	}
	d.BaseDeployment = aws.ToString(serving.Id)
	id, sentAt, err := c.deployTaskSet(ctx, deploys, d, group, *serving, d.TaskDefinition, description, "")
	if err != nil {
		return d, err
	}
	return started(d, id, time.Time{}, sentAt), nil
}

// deployTaskSet has CodeDeploy replace the task set that serves by one of another
// task definition, and returns the deployment's id and when the call went out.
func (c *client) deployTaskSet(
	ctx context.Context, deploys *codedeploy.Client, d slipway.Deployment, group codedeploy.Group,
	serving types.TaskSet, taskDefinition, description, config string,
) (id string, sentAt time.Time, err error) {
	spec, err := codedeploy.AppSpec(serving, taskDefinition)
	if err != nil {
		return "", time.Time{}, &slipway.Error{
			Next: slipway.NextPerson, Message: fmt.Sprintf("cannot deploy service %s in cluster %s", d.Place.Service, d.Place.Cluster), Err: err,
			Hint: "CodeDeploy shifts traffic between two target groups: put the service behind a load balancer",
		}
	}
	sentAt = time.Now()
	if id, err = deploys.Create(ctx, group, spec, description, config); err != nil {
		return "", sentAt, err
	}
	c.log.InfoContext(ctx, "began a deployment of CodeDeploy's", keyApp, d.App.String(), keyExecution, d.Execution,
		keyTaskDefinition, taskDefinition, keyDeployment, id)
	return id, sentAt, nil
}
