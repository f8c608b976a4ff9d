package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

func (a api) StopDeployment(_ context.Context, in *codedeploy.StopDeploymentInput) (*codedeploy.StopDeploymentOutput, error) {
	d, err := a.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if d.over() {
		return nil, errCoded("DeploymentAlreadyCompletedException", "Deployment %s is already in a final state: %s", *d.Info.DeploymentId, d.Info.Status)
	}
	d.Stop = &stopRequest{RollBack: aws.ToBool(in.AutoRollbackEnabled)}
	return &codedeploy.StopDeploymentOutput{
		Status: types.StopStatusPending, StatusMessage: aws.String("No more commands will be scheduled for execution in the deployment target"),
	}, nil
}

func (a api) ContinueDeployment(_ context.Context, in *codedeploy.ContinueDeploymentInput) (*codedeploy.ContinueDeploymentOutput, error) {
	d, err := a.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	wait := in.DeploymentWaitType
	if wait == "" {
		wait = types.DeploymentWaitTypeReadyWait
	}
	switch {
	case !slices.Contains(wait.Values(), wait):
		return nil, errCoded("InvalidDeploymentWaitTypeException", "The wait type is invalid.")
	case d.over():
		return nil, errCoded("DeploymentAlreadyCompletedException", "Deployment %s is already in a final state: %s", *d.Info.DeploymentId, d.Info.Status)
	case wait == types.DeploymentWaitTypeReadyWait && d.Info.Status != types.DeploymentStatusReady,
		wait == types.DeploymentWaitTypeTerminationWait && !d.Info.InstanceTerminationWaitTimeStarted:
		return nil, errCoded("DeploymentIsNotInReadyStateException", "The deployment does not have a status of Ready and can't continue yet.")
	}
	d.Continued = append(d.Continued, wait)
	return &codedeploy.ContinueDeploymentOutput{}, nil
}

func (a api) PutLifecycleEventHookExecutionStatus(_ context.Context, in *codedeploy.PutLifecycleEventHookExecutionStatusInput) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error) {
	d, err := a.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Hook == nil || d.Hook.ID != aws.ToString(in.LifecycleEventHookExecutionId):
		return nil, errCoded("InvalidLifecycleEventHookExecutionIdException", "A lifecycle event hook is invalid. Review the hooks section in your AppSpec file to ensure the lifecycle events and hooks functions are valid.")
	case d.Hook.Result != "":
		return nil, errCoded("LifecycleEventAlreadyCompletedException", "An attempt to return the status of an already completed lifecycle event occurred.")
	case in.Status != types.LifecycleEventStatusSucceeded && in.Status != types.LifecycleEventStatusFailed:
		return nil, errCoded("InvalidLifecycleEventHookExecutionStatusException", "The result of a Lambda validation function that verifies a lifecycle event is invalid. It should return Succeeded or Failed.")
	}
	d.Hook.Result = in.Status
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{LifecycleEventHookExecutionId: in.LifecycleEventHookExecutionId}, nil
}
