package codedeploy

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
)

// Hooks are the waits of a deployment that a person may end: the one before the
// traffic is shifted, which the deployment group asks for and which somebody has to
// end, and the one before the original task set is terminated.
// API reference, ContinueDeployment and DeploymentReadyOption.
func (f Facts) Hooks() []slipway.Hook {
	d := f.Deployment
	if d == nil || Over(d) {
		return nil
	}
	var wait types.DeploymentWaitType
	var minutes int32
	var onExpiry string
	b := d.BlueGreenDeploymentConfiguration
	switch {
	case d.InstanceTerminationWaitTimeStarted:
		wait, onExpiry = types.DeploymentWaitTypeTerminationWait, "CONTINUE"
		if b != nil && b.TerminateBlueInstancesOnDeploymentSuccess != nil {
			minutes = b.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes
		}
	case d.Status == types.DeploymentStatusReady:
		wait, onExpiry = types.DeploymentWaitTypeReadyWait, string(types.DeploymentReadyActionStopDeployment)
		if b != nil && b.DeploymentReadyOption != nil {
			minutes = b.DeploymentReadyOption.WaitTimeInMinutes
		}
	default:
		return nil
	}
	hook := slipway.Hook{ID: hookID(d, wait), Stage: string(wait), OnExpiry: onExpiry}
	if since := f.lastEvent(); !since.IsZero() {
		hook.Expires = since.Add(time.Duration(minutes) * time.Minute)
	}
	return []slipway.Hook{hook}
}

// lastEvent is when the last lifecycle event ended, with which a wait begins;
// CodeDeploy does not say when one began. It is zero where that is not known.
func (f Facts) lastEvent() (last time.Time) {
	if f.Target == nil {
		return last
	}
	for _, event := range f.Target.LifecycleEvents {
		if at := aws.ToTime(event.EndTime); at.After(last) {
			last = at
		}
	}
	return last
}

// hookID tells the waits of one deployment, and of a deployment and its rollback,
// apart.
func hookID(d *types.DeploymentInfo, wait types.DeploymentWaitType) string {
	return aws.ToString(d.DeploymentId) + "/" + string(wait)
}

// Continue ends a wait of a deployment. It reports false where the deployment does
// not wait there any more.
func (c *Client) Continue(ctx context.Context, id, wait string) (bool, error) {
	_, err := c.api.ContinueDeployment(ctx, &codedeploy.ContinueDeploymentInput{
		DeploymentId: aws.String(id), DeploymentWaitType: types.DeploymentWaitType(wait),
	}, c.once)
	_, moved := errors.AsType[*types.DeploymentIsNotInReadyStateException](err)
	_, over := errors.AsType[*types.DeploymentAlreadyCompletedException](err)
	if moved || over {
		return false, nil
	}
	if err != nil {
		return false, c.explain(ctx, err, "cannot continue deployment "+id)
	}
	return true, nil
}
