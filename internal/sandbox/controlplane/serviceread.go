package controlplane

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func (a api) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch n := len(in.Services); {
	case n == 0:
		return nil, errParameter("Services cannot be empty.")
	case n > describeServicesMost:
		return nil, errParameter("Services cannot have more than %d elements.", describeServicesMost)
	}
	out := &ecs.DescribeServicesOutput{Services: []types.Service{}, Failures: []types.Failure{}}
	for _, name := range in.Services {
		s := cl.Services[lastPart(name)]
		if s == nil {
			out.Failures = append(out.Failures, a.missing("service/"+*cl.ClusterName+"/"+lastPart(name)))
			continue
		}
		out.Services = append(out.Services, a.showService(s, slices.Contains(in.Include, types.ServiceFieldTags)))
	}
	return out, nil
}

// listServicesUsual is the page size of ListServices when none is given.
const listServicesUsual = 10

func (a api) ListServices(_ context.Context, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, name := range slices.Sorted(maps.Keys(cl.Services)) {
		s := cl.Services[name]
		if *s.Status != statusInactive &&
			(in.LaunchType == "" || in.LaunchType == s.LaunchType) &&
			(in.SchedulingStrategy == "" || in.SchedulingStrategy == s.SchedulingStrategy) {
			arns = append(arns, *s.ServiceArn)
		}
	}
	arns, next, err := page(arns, in.NextToken, in.MaxResults, listServicesUsual)
	return &ecs.ListServicesOutput{ServiceArns: arns, NextToken: next}, err
}

// describeService is the service with its deployments, counts and events.
func (c *ControlPlane) describeService(s *service, withTags bool) types.Service {
	d := s.Service
	d.DeploymentConfiguration = s.withHookDetails()
	d.Events = orEmpty(slices.Clone(s.Events))
	d.Deployments = []types.Deployment{}
	d.CurrentServiceRevisions = []types.ServiceCurrentRevisionSummary{}
	tasks := c.state.Clusters[s.Cluster].tasksOf(s)
	for _, r := range s.Rollouts {
		entry := r.Deployment
		for _, t := range tasks {
			if t.Deployment == *r.Id {
				entry.RunningCount += t.runs()
				entry.PendingCount += t.pends()
			}
		}
		d.RunningCount += entry.RunningCount
		d.PendingCount += entry.PendingCount
		d.Deployments = append(d.Deployments, entry)
		d.CurrentServiceRevisions = append(d.CurrentServiceRevisions, types.ServiceCurrentRevisionSummary{
			Arn: aws.String(r.Revision), RequestedTaskCount: entry.DesiredCount,
			RunningTaskCount: entry.RunningCount, PendingTaskCount: entry.PendingCount,
		})
	}
	c.describeTaskSets(s, &d, tasks, withTags)
	if len(s.Records) > 0 {
		d.CurrentServiceDeployment = s.Records[0].ServiceDeploymentArn
	}
	if !withTags {
		d.Tags = nil
	}
	return d
}
