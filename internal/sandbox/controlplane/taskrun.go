package controlplane

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// RunTask runs tasks for those in the same process who do on AWS what a client
// with credentials does: EventBridge and its Scheduler. The errors are the
// action's.
func (c *ControlPlane) RunTask(ctx context.Context, in *ecs.RunTaskInput) (out *ecs.RunTaskOutput, err error) {
	err = &awsjson.Error{Code: "ServerException", Message: "the sandbox is shutting down", Status: 503}
	c.do(func() { out, err = api{c}.RunTask(ctx, in) })
	return out, err
}

// RunTask runs tasks that no service keeps running: each ends by itself, and is
// not replaced.
func (a api) RunTask(_ context.Context, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	td, err := a.usable(aws.ToString(in.TaskDefinition), errParameter)
	if err != nil {
		return nil, err
	}
	if err := checkRun(in, td); err != nil {
		return nil, err
	}
	if again, err := cl.runAgain(in, td); again != nil || err != nil {
		return again, err
	}
	out := &ecs.RunTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	if a.full {
		out.Failures = append(out.Failures, types.Failure{Reason: aws.String(noCapacity)})
		return out, nil
	}
	for range cmp.Or(aws.ToInt32(in.Count), 1) {
		t := a.newTask(*cl.ClusterName, td)
		t.Group, t.StartedBy = aws.String(cmp.Or(aws.ToString(in.Group), "family:"+td.Family)), in.StartedBy
		t.RunToken = aws.ToString(in.ClientToken)
		t.EnableExecuteCommand = in.EnableExecuteCommand
		t.Tags = orEmpty(in.Tags)
		if in.PropagateTags == types.PropagateTagsTaskDefinition {
			t.Tags = append(slices.Clone(t.Tags), td.Tags...)
		}
		if in.Overrides != nil {
			t.Overrides = in.Overrides
			t.Overrides.ContainerOverrides = orEmpty(t.Overrides.ContainerOverrides)
			t.Cpu, t.Memory = cmp.Or(in.Overrides.Cpu, t.Cpu), cmp.Or(in.Overrides.Memory, t.Memory)
		}
		if strategy := in.CapacityProviderStrategy; len(strategy) > 0 {
			t.CapacityProviderName = strategy[0].CapacityProvider
		}
		a.provision(t)
		out.Tasks = append(out.Tasks, t.describe(true))
	}
	return out, nil
}

// checkRun refuses what ECS refuses of a call of RunTask.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
func checkRun(in *ecs.RunTaskInput, td *taskDefinition) error {
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	if in.Count != nil && (*in.Count < 1 || *in.Count > runTaskMost) {
		return errParameter("count must be between 1 and %d.", runTaskMost)
	}
	if in.Overrides != nil {
		for _, override := range in.Overrides.ContainerOverrides {
			if name := aws.ToString(override.Name); td.container(name) == nil {
				return errParameter("Override for container named %s is not a container in the TaskDefinition.", name)
			}
		}
	}
	if strings.HasPrefix(aws.ToString(in.Group), "service:") {
		return errParameter("Group name must not begin with service:")
	}
	if in.LaunchType != "" && len(in.CapacityProviderStrategy) > 0 {
		return errParameter("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	vpc := in.NetworkConfiguration
	switch awsvpc := td.types().NetworkMode == types.NetworkModeAwsvpc; {
	case awsvpc && (vpc == nil || vpc.AwsvpcConfiguration == nil):
		return errParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case awsvpc && len(vpc.AwsvpcConfiguration.Subnets) == 0:
		return errParameter("subnets can not be empty.")
	case !awsvpc && vpc != nil:
		return errParameter("Network Configuration is not valid for the given networkMode of this task definition.")
	}
	return nil
}

// runAgain answers a call that was made before, with the same token, with the
// tasks that it ran then; nil if it was not. A token with other parameters is
// refused.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
func (c *cluster) runAgain(in *ecs.RunTaskInput, td *taskDefinition) (*ecs.RunTaskOutput, error) {
	if aws.ToString(in.ClientToken) == "" {
		return nil, nil
	}
	var before []*task
	for _, t := range c.Tasks {
		if t.RunToken == *in.ClientToken {
			before = append(before, t)
		}
	}
	if len(before) == 0 {
		return nil, nil
	}
	sortTasks(before)
	if *before[0].TaskDefinitionArn != td.ARN || len(before) != int(cmp.Or(aws.ToInt32(in.Count), 1)) {
		return nil, &types.ConflictException{Message: aws.String("The clientToken was used before with other parameters.")}
	}
	out := &ecs.RunTaskOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	for _, t := range before {
		out.Tasks = append(out.Tasks, t.describe(true))
	}
	return out, nil
}
