package codedeploy

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// rollsBack says whether what ended the deployment has it rolled back. A person
// who stops it decides; else the configuration does. A rollback is never rolled
// back.
func (d *deployment) rollsBack(event types.AutoRollbackEvent) bool {
	if d.Info.Creator == types.DeploymentCreatorCodeDeployRollback {
		return false
	}
	if d.Stop != nil && d.Stop.RollBack {
		return true
	}
	auto := d.Info.AutoRollbackConfiguration
	return auto != nil && auto.Enabled && slices.Contains(auto.Events, event)
}

// rollBack begins the deployment that moves the traffic of another back. The
// messages of both are as seen.
func (c *Service) rollBack(of *deployment) {
	back := &deployment{
		Service: of.Service, Original: of.Original, Replacement: of.Replacement, Weight: of.Weight,
		Events: lifecycle(types.LifecycleEventStatusPending),
		Info: types.DeploymentInfo{
			ApplicationName: of.Info.ApplicationName, DeploymentGroupName: of.Info.DeploymentGroupName,
			DeploymentConfigName: aws.String(allAtOnce), DeploymentStyle: of.Info.DeploymentStyle, LoadBalancerInfo: of.Info.LoadBalancerInfo,
			BlueGreenDeploymentConfiguration: of.Info.BlueGreenDeploymentConfiguration,
			Creator:                          types.DeploymentCreatorCodeDeployRollback, Revision: of.Info.PreviousRevision,
			FileExistsBehavior: types.FileExistsBehaviorDisallow,
		},
	}
	c.begin(back)
	id, ofID := back.Info.DeploymentId, of.Info.DeploymentId
	back.Info.RollbackInfo = &types.RollbackInfo{
		RollbackTriggeringDeploymentId: ofID,
		RollbackMessage:                aws.String(fmt.Sprintf("Deployment %s is triggered to roll back deployment %s.", *id, *ofID)),
	}
	of.Info.RollbackInfo = &types.RollbackInfo{
		RollbackDeploymentId: id,
		RollbackMessage:      aws.String(fmt.Sprintf("Deployment %s terminated. Automatic rollback is triggered with a DeploymentId %s.", *ofID, *id)),
	}
}

// moveBack is the one step of a rollback: the original task set, which still
// runs, gets all traffic again, and the replacement is drained. Which of its
// lifecycle events such a deployment shows is not known: here, all but
// AllowTraffic are skipped.
func (c *Service) moveBack(d *deployment) {
	d.Events = lifecycle(types.LifecycleEventStatusSkipped)
	traffic := &d.Events[slices.IndexFunc(d.Events, func(e types.LifecycleEvent) bool { return *e.LifecycleEventName == allowTraffic })]
	traffic.Status, traffic.StartTime = types.LifecycleEventStatusInProgress, d.Info.StartTime
	if d.Replacement.ID != "" {
		if why := c.undo(d); why != nil {
			c.end(d, why)
			return
		}
	}
	traffic.Status = types.LifecycleEventStatusSucceeded
	c.finish(d, types.DeploymentStatusSucceeded)
	traffic.EndTime = d.Info.CompleteTime
}

func (c *Service) undo(d *deployment) *failure {
	c.forward(d, 0)
	c.forwardTests(d)
	if why := c.makePrimary(d, d.Original.ID); why != nil {
		return why
	}
	if err := c.deleteTaskSet(d, d.Replacement.ID); err != nil {
		return ecsError(err)
	}
	return nil
}
