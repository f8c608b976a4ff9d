package controlplane

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// taskSetsMost is how many task sets a service can have.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
const taskSetsMost = 5

func (a api) CreateTaskSet(_ context.Context, in *ecs.CreateTaskSetInput) (*ecs.CreateTaskSetOutput, error) {
	s, err := a.withTaskSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if *s.Status != statusActive {
		return nil, errServiceNotActive()
	}
	if len(s.TaskSets) >= taskSetsMost {
		return nil, errParameter("Unable to create new TaskSet since this exceeds the maximum limit.")
	}
	if in.Scale != nil && (in.Scale.Value < 0 || in.Scale.Value > 100) {
		return nil, errParameter("The scale must be between 0 and 100.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	td, err := a.usable(aws.ToString(in.TaskDefinition), errClient)
	if err != nil {
		return nil, err
	}
	if err := checkLoadBalancers(td, in.LoadBalancers); err != nil {
		return nil, err
	}
	described := a.describeTaskSet(s, a.addTaskSet(s, td, in), nil, true)
	return &ecs.CreateTaskSetOutput{TaskSet: &described}, nil
}

func (a api) DescribeTaskSets(_ context.Context, in *ecs.DescribeTaskSetsInput) (*ecs.DescribeTaskSetsOutput, error) {
	s, err := a.withTaskSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	wanted := in.TaskSets
	if len(wanted) == 0 {
		for _, ts := range slices.Backward(s.TaskSets) {
			wanted = append(wanted, *ts.Id)
		}
	}
	out := &ecs.DescribeTaskSetsOutput{TaskSets: []types.TaskSet{}, Failures: []types.Failure{}}
	tasks := a.state.Clusters[s.Cluster].tasksOf(s)
	for _, id := range wanted {
		ts := s.taskSet(id)
		if ts == nil {
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(id), Reason: aws.String(reasonMissing)})
			continue
		}
		out.TaskSets = append(out.TaskSets, a.describeTaskSet(s, ts, tasks, slices.Contains(in.Include, types.TaskSetFieldTags)))
	}
	return out, nil
}

func (a api) UpdateServicePrimaryTaskSet(_ context.Context, in *ecs.UpdateServicePrimaryTaskSetInput) (*ecs.UpdateServicePrimaryTaskSetOutput, error) {
	s, ts, err := a.findTaskSet(in.Cluster, in.Service, in.PrimaryTaskSet)
	if err != nil {
		return nil, err
	}
	if *ts.Status == taskSetDraining {
		return nil, errParameter("The task set %s is draining.", *ts.Id)
	}
	a.makePrimary(s, ts)
	described := a.describeTaskSet(s, ts, a.state.Clusters[s.Cluster].tasksOf(s), false)
	return &ecs.UpdateServicePrimaryTaskSetOutput{TaskSet: &described}, nil
}

func (a api) DeleteTaskSet(_ context.Context, in *ecs.DeleteTaskSetInput) (*ecs.DeleteTaskSetOutput, error) {
	s, ts, err := a.findTaskSet(in.Cluster, in.Service, in.TaskSet)
	if err != nil {
		return nil, err
	}
	switch {
	case *ts.Status == taskSetPrimary:
		return nil, errParameter("The primary task set cannot be deleted.")
	case !aws.ToBool(in.Force) && ts.Scale.Value > 0:
		return nil, errParameter("The task set cannot be deleted while it is scaled above 0.")
	}
	a.drain(s, ts)
	described := a.describeTaskSet(s, ts, a.state.Clusters[s.Cluster].tasksOf(s), false)
	return &ecs.DeleteTaskSetOutput{TaskSet: &described}, nil
}

// withTaskSets finds a service that has task sets: here, one that CodeDeploy
// deploys.
func (c *ControlPlane) withTaskSets(clusterName, name *string) (*service, error) {
	s, err := c.service(clusterName, name)
	if err != nil {
		return nil, err
	}
	if !s.byCodeDeploy() {
		return nil, errParameter("Amazon ECS only supports task set management on services configured to use external deployment controllers.")
	}
	return s, nil
}

func (c *ControlPlane) findTaskSet(clusterName, name, idOrARN *string) (*service, *taskSet, error) {
	s, err := c.withTaskSets(clusterName, name)
	if err != nil {
		return nil, nil, err
	}
	ts := s.taskSet(aws.ToString(idOrARN))
	if ts == nil {
		return nil, nil, errCoded("TaskSetNotFoundException", "The specified task set wasn't found.")
	}
	return s, ts, nil
}
