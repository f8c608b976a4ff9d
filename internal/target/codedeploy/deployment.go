package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
)

// ErrBusy is the Kind of the error that a group has a deployment already.
var ErrBusy = errors.New("the deployment group is busy")

const (
	// found is how many of a group's newest deployments are looked through. API
	// reference, BatchGetDeployments.
	found = 25
	// afterBusy is how long to leave a busy group alone.
	afterBusy = 15 * time.Second
	// AllAtOnce is the predefined configuration that moves the traffic in one step.
	AllAtOnce = "CodeDeployDefault.ECSAllAtOnce"
)

// Create begins a deployment and returns its id. The SDK does not repeat the call:
// after an ambiguous error, Find says whether it had its effect. An empty config is
// the group's own. Where the group has a deployment already, the error's Kind is
// ErrBusy.
func (c *Client) Create(ctx context.Context, g Group, appSpec, description, config string) (string, error) {
	in := &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String(g.Application), DeploymentGroupName: aws.String(g.Name), Description: aws.String(description),
		Revision: &types.RevisionLocation{
			RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: aws.String(appSpec)},
		},
	}
	if config != "" {
		in.DeploymentConfigName = aws.String(config)
	}
	out, err := c.api.CreateDeployment(ctx, in, c.once)
	if err == nil {
		return aws.ToString(out.DeploymentId), nil
	}
	doing := fmt.Sprintf("cannot begin a deployment of deployment group %s in application %s", g.Name, g.Application)
	if busy, ok := errors.AsType[*types.DeploymentLimitExceededException](err); ok {
		return "", &slipway.Error{
			Next: slipway.NextRetry, RetryAfter: afterBusy, Kind: ErrBusy, Err: errors.New(busy.ErrorMessage()), Message: doing + " yet",
			Hint: "it begins when the other has ended; a deployment lasts until the original task set has been terminated, which the deployment group may put off",
		}
	}
	_, noApplication := errors.AsType[*types.ApplicationDoesNotExistException](err)
	_, noGroup := errors.AsType[*types.DeploymentGroupDoesNotExistException](err)
	if noApplication || noGroup {
		c.forget(g)
		return "", &slipway.Error{Next: slipway.NextRetry, Message: doing + ": it is gone", Err: err}
	}
	return "", c.explain(ctx, err, doing)
}

// Find returns the group's newest deployment of a description that was created
// after a time, or nil. Only the newest 25 are looked through.
func (c *Client) Find(ctx context.Context, g Group, description string, after time.Time) (*types.DeploymentInfo, error) {
	doing := fmt.Sprintf("cannot read the deployments of deployment group %s in application %s", g.Name, g.Application)
	listed, err := c.api.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName: aws.String(g.Application), DeploymentGroupName: aws.String(g.Name),
		CreateTimeRange: &types.TimeRange{Start: aws.Time(after)},
	})
	if err != nil {
		return nil, c.explain(ctx, err, doing)
	}
	ids := listed.Deployments[:min(len(listed.Deployments), found)]
	if len(ids) == 0 {
		return nil, nil
	}
	out, err := c.api.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: ids})
	if err != nil {
		return nil, c.explain(ctx, err, doing)
	}
	var newest *types.DeploymentInfo
	for i := range out.DeploymentsInfo {
		if d := &out.DeploymentsInfo[i]; aws.ToString(d.Description) == description &&
			(newest == nil || aws.ToTime(d.CreateTime).After(aws.ToTime(newest.CreateTime))) {
			newest = d
		}
	}
	return newest, nil
}

// Get returns a deployment, or nil where there is none of that id any more.
func (c *Client) Get(ctx context.Context, id string) (*types.DeploymentInfo, error) {
	out, err := c.api.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(id)})
	if _, gone := errors.AsType[*types.DeploymentDoesNotExistException](err); gone {
		return nil, nil
	}
	if err != nil {
		return nil, c.explain(ctx, err, "cannot read deployment "+id)
	}
	return out.DeploymentInfo, nil
}

// Newest returns the group's deployment that was begun last, or nil.
func (c *Client) Newest(ctx context.Context, g Group) (*types.DeploymentInfo, error) {
	out, err := c.api.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String(g.Application), DeploymentGroupName: aws.String(g.Name),
	})
	if err != nil {
		return nil, c.explain(ctx, err, fmt.Sprintf("cannot read deployment group %s in application %s", g.Name, g.Application))
	}
	last := out.DeploymentGroupInfo.LastAttemptedDeployment
	if last == nil {
		return nil, nil
	}
	return c.Get(ctx, aws.ToString(last.DeploymentId))
}

// Target returns how far a deployment has come with an ECS service.
func (c *Client) Target(ctx context.Context, id, cluster, service string) (*types.ECSTarget, error) {
	out, err := c.api.GetDeploymentTarget(ctx, &codedeploy.GetDeploymentTargetInput{
		DeploymentId: aws.String(id), TargetId: aws.String(cluster + ":" + service),
	})
	if err != nil {
		return nil, c.explain(ctx, err, "cannot read the target of deployment "+id)
	}
	return out.DeploymentTarget.EcsTarget, nil
}

// Stop ends a deployment and has CodeDeploy roll it back. It reports false where
// the deployment had ended already.
func (c *Client) Stop(ctx context.Context, id string) (bool, error) {
	_, err := c.api.StopDeployment(ctx, &codedeploy.StopDeploymentInput{DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(true)}, c.once)
	if _, over := errors.AsType[*types.DeploymentAlreadyCompletedException](err); over {
		return false, nil
	}
	if err != nil {
		return false, c.explain(ctx, err, "cannot stop deployment "+id)
	}
	return true, nil
}

// Patience is how many minutes CodeDeploy was told to wait on purpose while
// everything is well: between the steps of the traffic, for a person, and before
// the original task set is terminated.
func (c *Client) Patience(ctx context.Context, d *types.DeploymentInfo) (int, error) {
	minutes := 0
	routing, err := c.routing(ctx, aws.ToString(d.DeploymentConfigName))
	if err == nil && routing != nil {
		if linear := routing.TimeBasedLinear; linear != nil && linear.LinearPercentage > 0 {
			minutes += int(linear.LinearInterval * ((100+linear.LinearPercentage-1)/linear.LinearPercentage - 1))
		}
		if canary := routing.TimeBasedCanary; canary != nil {
			minutes += int(canary.CanaryInterval)
		}
	}
	if b := d.BlueGreenDeploymentConfiguration; b != nil {
		if ready := b.DeploymentReadyOption; ready != nil && ready.ActionOnTimeout == types.DeploymentReadyActionStopDeployment {
			minutes += int(ready.WaitTimeInMinutes)
		}
		if end := b.TerminateBlueInstancesOnDeploymentSuccess; end != nil && end.Action == types.InstanceActionTerminate {
			minutes += int(end.TerminationWaitTimeInMinutes)
		}
	}
	return minutes, err
}

// routing is how a deployment configuration, which never changes, moves traffic.
func (c *Client) routing(ctx context.Context, name string) (*types.TrafficRoutingConfig, error) {
	c.mu.Lock()
	known, found := c.configs[name]
	c.mu.Unlock()
	if found || name == "" {
		return known, nil
	}
	out, err := c.api.GetDeploymentConfig(ctx, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: aws.String(name)})
	if err != nil {
		return nil, c.explain(ctx, err, "cannot read deployment configuration "+name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.configs[name] = out.DeploymentConfigInfo.TrafficRoutingConfig
	return c.configs[name], nil
}

// Over reports whether a deployment has ended.
func Over(d *types.DeploymentInfo) bool {
	return slices.Contains([]types.DeploymentStatus{
		types.DeploymentStatusSucceeded, types.DeploymentStatusFailed, types.DeploymentStatusStopped,
	}, d.Status)
}
