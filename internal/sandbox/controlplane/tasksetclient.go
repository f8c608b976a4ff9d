package controlplane

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// The actions that CodeDeploy calls, for one that runs in this process. They do
// what their requests do; of what they answer, nothing may be changed.

// DescribeServices describes services.
func (c *ControlPlane) DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	return locked(c, func(a api) (*ecs.DescribeServicesOutput, error) { return a.DescribeServices(ctx, in) })
}

// CreateTaskSet adds a task set to a service that CodeDeploy deploys.
func (c *ControlPlane) CreateTaskSet(ctx context.Context, in *ecs.CreateTaskSetInput) (*ecs.CreateTaskSetOutput, error) {
	return locked(c, func(a api) (*ecs.CreateTaskSetOutput, error) { return a.CreateTaskSet(ctx, in) })
}

// UpdateServicePrimaryTaskSet says which task set serves.
func (c *ControlPlane) UpdateServicePrimaryTaskSet(ctx context.Context, in *ecs.UpdateServicePrimaryTaskSetInput) (*ecs.UpdateServicePrimaryTaskSetOutput, error) {
	return locked(c, func(a api) (*ecs.UpdateServicePrimaryTaskSetOutput, error) {
		return a.UpdateServicePrimaryTaskSet(ctx, in)
	})
}

// DeleteTaskSet stops a task set's tasks and takes it away.
func (c *ControlPlane) DeleteTaskSet(ctx context.Context, in *ecs.DeleteTaskSetInput) (*ecs.DeleteTaskSetOutput, error) {
	return locked(c, func(a api) (*ecs.DeleteTaskSetOutput, error) { return a.DeleteTaskSet(ctx, in) })
}

// locked calls an action with the lock held, as a request would.
func locked[O any](c *ControlPlane, action func(api) (O, error)) (O, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		var none O
		return none, &awsjson.Error{Code: "ServerException", Message: "the sandbox is shutting down", Status: http.StatusServiceUnavailable}
	}
	defer c.touch()
	return action(api{c})
}
