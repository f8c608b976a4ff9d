package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/codedeploy"
)

// Rollback implements kind. A deployment that goes on is stopped, and CodeDeploy
// moves the traffic back. One that is over is followed by another, of Base and all
// at once; but nothing is written where CodeDeploy has rolled back by itself, where
// Base has all the traffic, or where somebody else's deployment goes on.
func (k *codeDeploy) Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	if d.Phase == slipway.PhaseRollingBack {
		return d, nil
	}
	if d.Phase != slipway.PhaseStarted || d.Base == "" || d.Base == d.TaskDefinition {
		return d, &slipway.Error{
			Next:    slipway.NextNever,
			Message: fmt.Sprintf("there is nothing to put back in service %s of cluster %s", d.Place.Service, d.Place.Cluster),
		}
	}
	c, deploys, err := k.reach(ctx, d.Place)
	if err != nil {
		return d, err
	}
	id, err := c.putTaskSetBack(ctx, deploys, d)
	if err != nil {
		return d, err
	}
	d.RollbackID, d.RollbackStartedAt = id, time.Now()
	return enter(d, slipway.PhaseRollingBack), nil
}

// putTaskSetBack returns d's RollbackID.
func (c *client) putTaskSetBack(ctx context.Context, deploys *codedeploy.Client, d slipway.Deployment) (string, error) {
	ours, err := deploys.Get(ctx, d.ID)
	if err != nil {
		return "", err
	}
	if ours != nil && !codedeploy.Over(ours) {
		stopped, err := deploys.Stop(ctx, d.ID)
		if err != nil {
			return "", err
		}
		if stopped {
			c.log.InfoContext(ctx, "had CodeDeploy roll back a deployment", keyApp, d.App.String(), keyExecution, d.Execution, keyDeployment, d.ID)
			return d.ID, nil
		}
		if ours, err = deploys.Get(ctx, d.ID); err != nil { // it ended in this moment
			return "", err
		}
	}
	if ours != nil && ours.RollbackInfo != nil && aws.ToString(ours.RollbackInfo.RollbackDeploymentId) != "" {
		if d.Attempt > 1 && ours.ErrorInformation != nil && ours.ErrorInformation.Code == deploytypes.ErrorCodeManualStop {
			return d.ID, nil // an earlier attempt stopped it
		}
		return *ours.RollbackInfo.RollbackDeploymentId, nil
	}
	s, err := c.byCodeDeploy(ctx, d.Place)
	if err != nil {
		return "", err
	}
	group, err := deploys.GroupOf(ctx, d.Place)
	if err != nil {
		return "", err
	}
	description := "slipway rollback of execution " + d.Execution
	if d.Attempt > 1 {
		before, err := deploys.Find(ctx, group, description, d.StartedAt.Add(-recordSlack))
		if err != nil {
			return "", err
		}
		if before != nil {
			return aws.ToString(before.DeploymentId), nil
		}
	}
	serving := servingSet(s)
	switch aws.ToString(serving.TaskDefinition) {
	case d.Base:
		target, err := deploys.Target(ctx, d.ID, d.Place.Cluster, d.Place.Service)
		if err := c.optional(ctx, err); err != nil {
			return "", err
		}
		if share := (codedeploy.Facts{Target: target}).Traffic(); besideSet(s) == nil || share != nil && *share == 0 {
			return aws.ToString(serving.Id), nil
		}
	case d.TaskDefinition:
	default:
		return "", nil
	}
	base, err := c.activeBase(ctx, d, false)
	if err != nil {
		return "", err
	}
	id, _, err := c.deployTaskSet(ctx, deploys, d, group, *serving, base, description, codedeploy.AllAtOnce)
	if errors.Is(err, codedeploy.ErrBusy) {
		return "", nil
	}
	return id, err
}
