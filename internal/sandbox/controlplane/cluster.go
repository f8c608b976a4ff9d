package controlplane

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// api has ECS's actions as methods. All are called with the lock held.
type api struct{ *ControlPlane }

const (
	statusActive   = "ACTIVE"
	statusInactive = "INACTIVE"
	statusDraining = "DRAINING"
	reasonMissing  = "MISSING"
)

// cluster finds an ACTIVE cluster by name or ARN; nil is the default one.
func (c *ControlPlane) cluster(nameOrARN *string) (*cluster, error) {
	name := "default"
	if nameOrARN != nil && *nameOrARN != "" {
		name = lastPart(*nameOrARN)
	}
	if found := c.state.Clusters[name]; found != nil && *found.Status == statusActive {
		return found, nil
	}
	return nil, errClusterNotFound()
}

func (a api) CreateCluster(_ context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	name := aws.ToString(in.ClusterName)
	if name == "" {
		name = "default"
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	// Creating a cluster that exists answers with it.
	cl := a.state.Clusters[name]
	if cl == nil || *cl.Status != statusActive {
		cl = &cluster{
			Cluster: types.Cluster{
				ClusterArn:                      aws.String(a.arn("cluster/" + name)),
				ClusterName:                     aws.String(name),
				Status:                          aws.String(statusActive),
				CapacityProviders:               orEmpty(in.CapacityProviders),
				DefaultCapacityProviderStrategy: orEmpty(in.DefaultCapacityProviderStrategy),
				Configuration:                   in.Configuration,
				Settings:                        in.Settings,
				Statistics:                      []types.KeyValuePair{},
				Tags:                            in.Tags,
			},
			Services: map[string]*service{}, Tasks: map[string]*task{},
		}
		if cl.Settings == nil {
			cl.Settings = []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: aws.String("disabled")}}
		}
		a.state.Clusters[name] = cl
	}
	described := cl.describe()
	return &ecs.CreateClusterOutput{Cluster: &described}, nil
}

func (a api) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	names := in.Clusters
	if len(names) == 0 {
		names = []string{"default"}
	}
	out := &ecs.DescribeClustersOutput{Clusters: []types.Cluster{}, Failures: []types.Failure{}}
	for _, name := range names {
		cl := a.state.Clusters[lastPart(name)]
		if cl == nil {
			out.Failures = append(out.Failures, a.missing("cluster/"+lastPart(name)))
			continue
		}
		described := cl.describe()
		if !slices.Contains(in.Include, types.ClusterFieldTags) {
			described.Tags = []types.Tag{}
		}
		if !slices.Contains(in.Include, types.ClusterFieldSettings) {
			described.Settings = []types.ClusterSetting{}
		}
		if !slices.Contains(in.Include, types.ClusterFieldConfigurations) {
			described.Configuration = nil
		}
		out.Clusters = append(out.Clusters, described)
	}
	return out, nil
}

func (a api) ListClusters(_ context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	var arns []string
	for _, name := range slices.Sorted(maps.Keys(a.state.Clusters)) {
		if cl := a.state.Clusters[name]; *cl.Status == statusActive {
			arns = append(arns, *cl.ClusterArn)
		}
	}
	arns, next, err := page(arns, in.NextToken, in.MaxResults, pageMost)
	return &ecs.ListClustersOutput{ClusterArns: arns, NextToken: next}, err
}

func (a api) DeleteCluster(_ context.Context, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	cl, err := a.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	described := cl.describe()
	if described.ActiveServicesCount > 0 {
		return nil, errCoded("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
	}
	if described.RunningTasksCount+described.PendingTasksCount > 0 {
		return nil, errCoded("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
	}
	cl.Status = aws.String(statusInactive)
	described.Status = cl.Status
	return &ecs.DeleteClusterOutput{Cluster: &described}, nil
}

// describe is the cluster with its counts.
func (c *cluster) describe() types.Cluster {
	d := c.Cluster
	for _, s := range c.Services {
		if *s.Status == statusActive {
			d.ActiveServicesCount++
		}
	}
	for _, t := range c.Tasks {
		switch {
		case t.running():
			d.RunningTasksCount++
		case t.pending():
			d.PendingTasksCount++
		}
	}
	return d
}

// missing is the failure of a resource that does not exist.
func (c *ControlPlane) missing(resource string) types.Failure {
	return types.Failure{Arn: aws.String(c.arn(resource)), Reason: aws.String(reasonMissing)}
}

// orEmpty is the list, empty if it is nil, as ECS answers.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
