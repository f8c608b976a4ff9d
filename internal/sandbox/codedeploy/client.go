package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// The actions that CodePipeline calls, for one that runs in this process. They do
// what their requests do.

// CreateDeployment begins a deployment.
func (c *Service) CreateDeployment(ctx context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	out, err := locked(c, func(a api) (*codedeploy.CreateDeploymentOutput, error) { return a.CreateDeployment(ctx, in) })
	c.options.Changed()
	return out, err
}

// GetDeployment tells of a deployment.
func (c *Service) GetDeployment(ctx context.Context, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	return locked(c, func(a api) (*codedeploy.GetDeploymentOutput, error) {
		out, err := a.GetDeployment(ctx, in)
		if err != nil {
			return nil, err
		}
		info := *out.DeploymentInfo // which goes on changing
		return &codedeploy.GetDeploymentOutput{DeploymentInfo: &info}, nil
	})
}

// locked calls an action with the lock held, as a request would.
func locked[O any](c *Service, action func(api) (O, error)) (O, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ecs == nil {
		var none O
		return none, &awsjson.Error{Code: "InternalFailure", Message: "the sandbox is not up"}
	}
	return action(api{c})
}
