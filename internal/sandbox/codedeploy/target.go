package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// targetID is that of a deployment's only target, as seen.
func (d *deployment) targetID() string {
	return aws.ToString(d.Service.ClusterName) + ":" + aws.ToString(d.Service.ServiceName)
}

func (a api) ListDeploymentTargets(_ context.Context, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
	d, err := a.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentTargetsOutput{TargetIds: []string{d.targetID()}}, nil
}

func (a api) GetDeploymentTarget(ctx context.Context, in *codedeploy.GetDeploymentTargetInput) (*codedeploy.GetDeploymentTargetOutput, error) {
	t, err := a.target(ctx, in.DeploymentId, aws.ToString(in.TargetId))
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentTargetOutput{DeploymentTarget: t}, nil
}

func (a api) BatchGetDeploymentTargets(ctx context.Context, in *codedeploy.BatchGetDeploymentTargetsInput) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	if len(in.TargetIds) > targetsMost {
		return nil, errCoded("DeploymentTargetListSizeExceededException", "The maximum number of targets that can be associated with an Amazon ECS or Lambda deployment was exceeded.")
	}
	out := &codedeploy.BatchGetDeploymentTargetsOutput{DeploymentTargets: []types.DeploymentTarget{}}
	for _, id := range in.TargetIds {
		t, err := a.target(ctx, in.DeploymentId, id)
		if err != nil {
			return nil, err
		}
		out.DeploymentTargets = append(out.DeploymentTargets, *t)
	}
	return out, nil
}

// target describes a deployment's target.
func (c *Service) target(ctx context.Context, deploymentID *string, id string) (*types.DeploymentTarget, error) {
	d, err := c.deployment(deploymentID)
	if err != nil {
		return nil, err
	}
	if id != d.targetID() {
		return nil, errCoded("DeploymentTargetDoesNotExistException", "The provided target ID does not belong to the attempted deployment: %s", id)
	}
	return &types.DeploymentTarget{
		DeploymentTargetType: types.DeploymentTargetTypeEcsTarget,
		EcsTarget: &types.ECSTarget{
			DeploymentId: d.Info.DeploymentId, TargetId: aws.String(id), Status: targetStatus(d.Info.Status),
			TargetArn: aws.String("arn:aws:ecs:" + c.options.Region + ":" + c.options.Account + ":service/" +
				aws.ToString(d.Service.ClusterName) + "/" + aws.ToString(d.Service.ServiceName)),
			LastUpdatedAt: aws.Time(d.UpdatedAt), LifecycleEvents: d.Events, TaskSetsInfo: c.taskSets(ctx, d),
		},
	}, nil
}

// targetStatus is what a deployment's status means for its target. That of a
// stopped one is ours.
func targetStatus(status types.DeploymentStatus) types.TargetStatus {
	switch status {
	case types.DeploymentStatusCreated, types.DeploymentStatusQueued:
		return types.TargetStatusPending
	case types.DeploymentStatusReady:
		return types.TargetStatusReady
	case types.DeploymentStatusSucceeded:
		return types.TargetStatusSucceeded
	case types.DeploymentStatusFailed, types.DeploymentStatusStopped:
		return types.TargetStatusFailed
	default:
		return types.TargetStatusInProgress
	}
}

// taskSets are the deployment's two task sets, as far as ECS still has them.
func (c *Service) taskSets(ctx context.Context, d *deployment) []types.ECSTaskSet {
	sets := []types.ECSTaskSet{}
	service, err := c.describe(ctx, d.Service)
	if err != nil {
		return sets
	}
	for _, side := range []struct {
		taskSet
		label  types.TargetLabel
		weight int
	}{{d.Original, types.TargetLabelBlue, 100 - d.Weight}, {d.Replacement, types.TargetLabelGreen, d.Weight}} {
		for _, ts := range service.TaskSets {
			if aws.ToString(ts.Id) == side.ID && side.ID != "" {
				sets = append(sets, types.ECSTaskSet{
					Identifer: ts.Id, Status: ts.Status, TaskSetLabel: side.label, TrafficWeight: float64(side.weight), //nolint:misspell // as AWS spells it
					DesiredCount: int64(ts.ComputedDesiredCount), PendingCount: int64(ts.PendingCount), RunningCount: int64(ts.RunningCount),
					TargetGroup: &types.TargetGroupInfo{Name: aws.String(nameOf(side.TargetGroupARN))},
				})
			}
		}
	}
	return sets
}
