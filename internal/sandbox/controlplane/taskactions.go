package controlplane

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func (a api) ListTasks(_ context.Context, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.StartedBy != nil && (in.Family != nil || in.ServiceName != nil || in.DesiredStatus != "") {
		return nil, errParameter("startedBy must be the only filter.")
	}
	if in.ServiceName != nil && cl.Services[lastPart(*in.ServiceName)] == nil {
		return nil, errServiceNotFound()
	}
	desired := orDefault(in.DesiredStatus, types.DesiredStatusRunning)
	var found []*task
	for _, t := range cl.Tasks {
		family, _, _ := splitDefinition(*t.TaskDefinitionArn)
		if *t.DesiredStatus == string(desired) &&
			(in.Family == nil || *in.Family == family) &&
			(in.ServiceName == nil || lastPart(*in.ServiceName) == t.Service) &&
			(in.StartedBy == nil || *in.StartedBy == aws.ToString(t.StartedBy)) &&
			(in.LaunchType == "" || in.LaunchType == t.LaunchType) &&
			in.ContainerInstance == nil { // Fargate tasks have none
			found = append(found, t)
		}
	}
	sortTasks(found)
	var arns []string
	for _, t := range found {
		arns = append(arns, *t.TaskArn)
	}
	arns, next, err := page(arns, in.NextToken, in.MaxResults, pageMost)
	return &ecs.ListTasksOutput{TaskArns: arns, NextToken: next}, err
}

func (a api) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch n := len(in.Tasks); {
	case n == 0:
		return nil, errParameter("Tasks cannot be empty.")
	case n > describeTasksMost:
		return nil, errParameter("Tasks cannot have more than %d elements.", describeTasksMost)
	}
	out := &ecs.DescribeTasksOutput{Tasks: []types.Task{}, Failures: []types.Failure{}}
	for _, id := range in.Tasks {
		t := cl.Tasks[lastPart(id)]
		if t == nil {
			out.Failures = append(out.Failures, a.missing("task/"+*cl.ClusterName+"/"+lastPart(id)))
			continue
		}
		out.Tasks = append(out.Tasks, t.describe(slices.Contains(in.Include, types.TaskFieldTags)))
	}
	return out, nil
}

// describe is the task as DescribeTasks shows it.
func (t *task) describe(withTags bool) types.Task {
	d := t.Task
	if d.HealthStatus == "" {
		d.HealthStatus = types.HealthStatusUnknown
	}
	d.Containers = slices.Clone(t.Containers)
	for i := range d.Containers {
		if d.Containers[i].HealthStatus == "" {
			d.Containers[i].HealthStatus = types.HealthStatusUnknown
		}
	}
	if !withTags {
		d.Tags = []types.Tag{}
	}
	return d
}

func (a api) StopTask(_ context.Context, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	t := cl.Tasks[lastPart(aws.ToString(in.Task))]
	if t == nil {
		return nil, errParameter("The referenced task was not found.")
	}
	reason := aws.ToString(in.Reason)
	if reason == "" {
		reason = "Task stopped by user"
	}
	a.stop(t, types.TaskStopCodeUserInitiated, reason)
	described := t.describe(true)
	return &ecs.StopTaskOutput{Task: &described}, nil
}
