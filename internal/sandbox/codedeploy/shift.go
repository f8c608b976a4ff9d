package codedeploy

import (
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// The statuses of a task set. API reference of ECS, TaskSet.
const (
	primary  = "PRIMARY"
	draining = "DRAINING"
)

// install makes the replacement task set, and waits until it is steady.
func (c *Service) install(d *deployment, waited time.Duration) (done bool, why *failure) {
	service, err := c.describe(c.ctx, d.Service)
	if err != nil {
		return false, failed(types.ErrorCodeInvalidEcsService, "%s", messageOf(err))
	}
	if d.Replacement.ID == "" {
		return false, c.replaceTaskSet(d, service)
	}
	i := slices.IndexFunc(service.TaskSets, func(ts ecstypes.TaskSet) bool { return aws.ToString(ts.Id) == d.Replacement.ID })
	switch {
	case i < 0 || aws.ToString(service.TaskSets[i].Status) == draining:
		return false, ecsError(errors.New("the replacement task set was deleted"))
	case service.TaskSets[i].StabilityStatus == ecstypes.StabilityStatusSteadyState:
		return true, nil
	case waited >= installTimeout:
		return false, failed(types.ErrorCodeTimeout, "The deployment timed out while waiting for the replacement task set to become healthy. This time out period is 60 minutes.")
	}
	return false, nil
}

// replaceTaskSet makes the replacement of the service's primary task set, in the
// pair's other target group. What an earlier deployment left there goes first
// (ours: what CodeDeploy does with it is not known).
func (c *Service) replaceTaskSet(d *deployment, service *ecstypes.Service) *failure {
	var serving *ecstypes.TaskSet
	for i, ts := range service.TaskSets {
		switch aws.ToString(ts.Status) {
		case primary:
			serving = &service.TaskSets[i]
		case draining:
		default:
			if err := c.deleteTaskSet(d, aws.ToString(ts.Id)); err != nil {
				return ecsError(err)
			}
		}
	}
	if serving == nil || len(serving.LoadBalancers) != 1 {
		return failed(types.ErrorCodeInvalidEcsService, "The ECS service has no primary task set behind a load balancer.")
	}
	d.Original = taskSet{ID: aws.ToString(serving.Id), TargetGroupARN: aws.ToString(serving.LoadBalancers[0].TargetGroupArn)}
	for _, group := range d.pair().TargetGroups {
		if arn, found := c.options.TargetGroup(aws.ToString(group.Name)); found && arn != d.Original.TargetGroupARN {
			d.Replacement.TargetGroupARN = arn
		}
	}
	c.forward(d, 0)
	in := &ecs.CreateTaskSetInput{
		Cluster: d.Service.ClusterName, Service: d.Service.ServiceName, ExternalId: d.Info.DeploymentId,
		TaskDefinition: aws.String(d.Spec.TaskDefinition),
		LoadBalancers: []ecstypes.LoadBalancer{{
			ContainerName: aws.String(d.Spec.ContainerName), ContainerPort: aws.Int32(d.Spec.ContainerPort),
			TargetGroupArn: aws.String(d.Replacement.TargetGroupARN),
		}},
		LaunchType: serving.LaunchType, CapacityProviderStrategy: serving.CapacityProviderStrategy,
		NetworkConfiguration: serving.NetworkConfiguration, PlatformVersion: serving.PlatformVersion, ServiceRegistries: serving.ServiceRegistries,
		Scale: &ecstypes.Scale{Unit: ecstypes.ScaleUnitPercent, Value: 100},
	}
	replace(&in.NetworkConfiguration, d.Spec.NetworkConfiguration)
	if d.Spec.PlatformVersion != "" {
		in.PlatformVersion = aws.String(d.Spec.PlatformVersion)
	}
	if len(d.Spec.CapacityProviderStrategy) > 0 {
		in.CapacityProviderStrategy, in.LaunchType = d.Spec.CapacityProviderStrategy, ""
	}
	out, err := c.ecs.CreateTaskSet(c.ctx, in)
	if err != nil {
		return ecsError(err)
	}
	d.Replacement.ID = aws.ToString(out.TaskSet.Id)
	c.note(d)
	return nil
}

// shift moves the production traffic as the configuration says; with all of it,
// the replacement becomes the primary task set.
func (c *Service) shift(d *deployment, shifting time.Duration) (done bool, why *failure) {
	percent := weight(routing(*d.Info.DeploymentConfigName), shifting)
	if percent != d.Weight {
		c.forward(d, percent)
	}
	if percent < 100 {
		return false, nil
	}
	return true, c.makePrimary(d, d.Replacement.ID)
}

// forward gives the replacement its percent of the production traffic.
func (c *Service) forward(d *deployment, percent int) {
	for _, listener := range d.pair().ProdTrafficRoute.ListenerArns {
		c.options.Traffic.Shift(listener, map[string]float64{
			d.Original.TargetGroupARN: float64(100 - percent), d.Replacement.TargetGroupARN: float64(percent),
		})
	}
	d.Weight = percent
	c.note(d)
}

// forwardTests gives the test traffic, if there is a listener for it, to the task
// set that is being tested, or serves.
func (c *Service) forwardTests(d *deployment) {
	route := d.pair().TestTrafficRoute
	if route == nil {
		return
	}
	to := d.Original
	if d.Tested {
		to = d.Replacement
	}
	for _, listener := range route.ListenerArns {
		c.options.Traffic.Shift(listener, map[string]float64{to.TargetGroupARN: 100})
	}
}

// terminate ends the deployment well once the original task set has been kept
// for as long as the group says; meanwhile it can still be rolled back.
func (c *Service) terminate(d *deployment) *failure {
	wait, keep := int32(terminationWait), false
	if b := d.Info.BlueGreenDeploymentConfiguration; b != nil && b.TerminateBlueInstancesOnDeploymentSuccess != nil {
		wait = b.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes
		keep = b.TerminateBlueInstancesOnDeploymentSuccess.Action == types.InstanceActionKeepAlive
	}
	if !keep {
		if d.WaitingSince.IsZero() {
			d.Info.InstanceTerminationWaitTimeStarted, d.WaitingSince = true, time.Now()
			c.note(d)
		}
		if c.since(d.WaitingSince) < time.Duration(wait)*time.Minute && !slices.Contains(d.Continued, types.DeploymentWaitTypeTerminationWait) {
			return nil
		}
		if err := c.deleteTaskSet(d, d.Original.ID); err != nil {
			return ecsError(err)
		}
	}
	c.finish(d, types.DeploymentStatusSucceeded)
	return nil
}

func (c *Service) makePrimary(d *deployment, taskSet string) *failure {
	_, err := c.ecs.UpdateServicePrimaryTaskSet(c.ctx, &ecs.UpdateServicePrimaryTaskSetInput{
		Cluster: d.Service.ClusterName, Service: d.Service.ServiceName, PrimaryTaskSet: aws.String(taskSet),
	})
	if err != nil {
		return ecsError(err)
	}
	return nil
}

// deleteTaskSet deletes a task set with its tasks; one that is gone is no error.
func (c *Service) deleteTaskSet(d *deployment, taskSet string) error {
	_, err := c.ecs.DeleteTaskSet(c.ctx, &ecs.DeleteTaskSetInput{
		Cluster: d.Service.ClusterName, Service: d.Service.ServiceName, TaskSet: aws.String(taskSet), Force: aws.Bool(true),
	})
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "TaskSetNotFoundException" {
		return nil
	}
	return err
}

// ecsError is the failure of a call of ECS, in CodeDeploy's words.
func ecsError(err error) *failure {
	text := messageOf(err)
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		text += " (Service: AmazonECS; Status Code: 400; Error Code: " + api.ErrorCode() + "; Request ID: " + newUUID() + "; Proxy: null)"
	}
	return failed(types.ErrorCodeEcsUpdateError, "The ECS service cannot be updated due to an unexpected error: %s. Check your ECS service status.", text)
}

// messageOf is an error's text as AWS sent it.
func messageOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return err.Error()
}
