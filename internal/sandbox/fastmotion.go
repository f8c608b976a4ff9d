package sandbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
)

const (
	// fastMotion is the time scale in which a world is seeded.
	fastMotion = 1000
	// steadyTimeout is real time for the seeded services to come up.
	steadyTimeout = time.Minute
)

// seedState creates the seeded world through the ECS API, in a control plane and
// a data plane of its own that run in fast motion, and returns the state once
// every service is steady. So a new world is up at once, whatever its time
// scale.
func seedState(ctx context.Context, o Options) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, steadyTimeout)
	defer cancel()
	plane := dataplane.New(dataplane.Options{TimeScale: fastMotion, Logger: o.Logger})
	defer plane.Close()
	if err := addTargetGroups(plane, o); err != nil {
		return nil, err
	}
	control, err := controlplane.New(controlplane.Options{
		Region: o.Region, Account: o.Account, Runtime: plane, TimeScale: fastMotion, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	defer control.Close()

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: control.Handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends when it is closed
	defer func() { _ = server.Close() }()
	client := ecs.New(ecs.Options{
		Region:       o.Region,
		BaseEndpoint: aws.String("http://" + listener.Addr().String()),
		Credentials:  credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
		HTTPClient:   &http.Client{Transport: &http.Transport{}},
	})
	if err := create(ctx, client, o); err != nil {
		return nil, fmt.Errorf("seed the sandbox: %w", err)
	}
	if err := steady(ctx, client, o); err != nil {
		return nil, fmt.Errorf("seed the sandbox: its services do not come up: %w", err)
	}
	if err := addHooks(ctx, client, o); err != nil {
		return nil, fmt.Errorf("seed the sandbox: %w", err)
	}
	control.Close()
	return control.Snapshot()
}

func addTargetGroups(plane *dataplane.Plane, o Options) error {
	for _, app := range seedApps(o) {
		if app.protocol == "" {
			continue
		}
		for _, group := range []dataplane.TargetGroup{app.targetGroup(o), app.alternateGroup(o)} {
			if err := plane.AddTargetGroup(group); err != nil {
				return err
			}
		}
	}
	return nil
}

// create makes the clusters, task definitions and services.
func create(ctx context.Context, client *ecs.Client, o Options) error {
	for _, cluster := range seedClusters(o) {
		if _, err := client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &cluster}); err != nil {
			return err
		}
	}
	for _, app := range seedApps(o) {
		if _, err := client.RegisterTaskDefinition(ctx, app.taskDefinition(o)); err != nil {
			return err
		}
		if app.scheduled {
			continue
		}
		if _, err := client.CreateService(ctx, app.service(o)); err != nil {
			return err
		}
	}
	return nil
}

// addHooks has deployments pause from now on: the first could not have ended.
func addHooks(ctx context.Context, client *ecs.Client, o Options) error {
	for _, app := range seedApps(o) {
		if app.hooks == nil {
			continue
		}
		config := app.service(o).DeploymentConfiguration
		config.LifecycleHooks = app.hooks
		if _, err := client.UpdateService(ctx, &ecs.UpdateServiceInput{
			Cluster: aws.String(app.cluster), Service: aws.String(app.name), DeploymentConfiguration: config,
		}); err != nil {
			return err
		}
	}
	return nil
}

// steady returns when all services run what they should.
func steady(ctx context.Context, client *ecs.Client, o Options) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		unsteady := 0
		for _, cluster := range seedClusters(o) {
			services, err := seededServices(ctx, client, o, cluster)
			if err != nil {
				return err
			}
			for _, s := range services {
				if !isSteady(s) || s.RunningCount != s.DesiredCount {
					unsteady++
				}
			}
		}
		if unsteady == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// isSteady reports whether a service has done with its only deployment, or task set.
func isSteady(s types.Service) bool {
	if len(s.TaskSets) > 0 {
		return len(s.TaskSets) == 1 && s.TaskSets[0].StabilityStatus == types.StabilityStatusSteadyState
	}
	return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
}

// seededServices describes the seeded services of a cluster.
func seededServices(ctx context.Context, client *ecs.Client, o Options, cluster string) ([]types.Service, error) {
	var names []string
	for _, app := range seedApps(o) {
		if app.cluster == cluster && !app.scheduled {
			names = append(names, app.name)
		}
	}
	out, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: names})
	if err != nil {
		return nil, err
	}
	return out.Services, nil
}
