package controlplane

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

func (a api) UpdateService(_ context.Context, document json.RawMessage) (*ecs.UpdateServiceOutput, error) {
	in := &ecs.UpdateServiceInput{}
	details, err := takeHookDetails(document, in)
	if err != nil {
		return nil, err
	}
	s, err := a.service(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if *s.Status != statusActive {
		return nil, errServiceNotActive()
	}
	if in.DesiredCount != nil && *in.DesiredCount < 0 {
		return nil, errParameter("Desired count must not be negative.")
	}
	if in.DeploymentController != nil && in.DeploymentController.Type != s.DeploymentController.Type {
		return nil, errUnsupported("The sandbox does not change a service's deployment controller.")
	}
	config := mergeConfiguration(s.DeploymentConfiguration, in.DeploymentConfiguration)
	if err := checkConfiguration(config); err != nil {
		return nil, err
	}
	next := s.Service
	reference := *s.TaskDefinition
	if in.TaskDefinition != nil {
		reference = *in.TaskDefinition
	}
	td := a.state.definition(reference)
	if in.TaskDefinition != nil || in.ForceNewDeployment {
		if td, err = a.usable(reference, errClient); err != nil {
			return nil, err
		}
	}
	next.TaskDefinition = aws.String(td.ARN)
	// These start a deployment when they differ, per the members' documentation
	// in the API reference of UpdateService.
	replace(&next.NetworkConfiguration, in.NetworkConfiguration)
	replaceList(&next.LoadBalancers, in.LoadBalancers)
	replaceList(&next.ServiceRegistries, in.ServiceRegistries)
	replace(&next.PlatformVersion, in.PlatformVersion)
	p := s.primary()
	with := settings{serviceConnect: p.ServiceConnectConfiguration, volumes: p.VolumeConfigurations}
	replace(&with.serviceConnect, in.ServiceConnectConfiguration)
	replaceList(&with.volumes, in.VolumeConfigurations)
	if err := checkLoadBalancers(td, next.LoadBalancers); err != nil {
		return nil, err
	}
	if err := checkManaged(config, next.LoadBalancers); err != nil {
		return nil, err
	}
	deploys := in.ForceNewDeployment || !reflect.DeepEqual(next, s.Service) ||
		!reflect.DeepEqual(with, settings{serviceConnect: p.ServiceConnectConfiguration, volumes: p.VolumeConfigurations})
	if err := s.refusedUpdate(in, &next, deploys); err != nil {
		return nil, err
	}
	// These do not.
	if in.DesiredCount != nil {
		next.DesiredCount = *in.DesiredCount
	}
	next.DeploymentConfiguration = config
	replaceList(&s.HookDetails, details)
	next.AvailabilityZoneRebalancing = orDefault(in.AvailabilityZoneRebalancing, next.AvailabilityZoneRebalancing)
	next.PropagateTags = orDefault(in.PropagateTags, next.PropagateTags)
	replace(&next.HealthCheckGracePeriodSeconds, in.HealthCheckGracePeriodSeconds)
	replaceList(&next.CapacityProviderStrategy, in.CapacityProviderStrategy)
	replaceList(&next.PlacementConstraints, in.PlacementConstraints)
	replaceList(&next.PlacementStrategy, in.PlacementStrategy)
	if in.EnableECSManagedTags != nil {
		next.EnableECSManagedTags = *in.EnableECSManagedTags
	}
	if in.EnableExecuteCommand != nil {
		next.EnableExecuteCommand = *in.EnableExecuteCommand
	}
	s.Service = next
	for _, d := range s.Rollouts {
		// An UpdateService ends the throttle.
		d.StartFailures, d.RetryAt = 0, time.Time{}
	}
	if deploys {
		a.deploy(s, with)
	} else {
		s.primary().DesiredCount = s.DesiredCount
		a.kick(s)
	}
	described := a.describeService(s, true)
	return &ecs.UpdateServiceOutput{Service: &described}, nil
}

// replace puts value into member if there is one.
func replace[T any](member **T, value *T) {
	if value != nil {
		*member = value
	}
}

// replaceList is replace for a list, which may be emptied.
func replaceList[T any](member *[]T, value []T) {
	if value != nil {
		*member = value
	}
}

// orDefault is value, or other when value is empty.
func orDefault[T ~string](value, other T) T {
	if value == "" {
		return other
	}
	return value
}
