package controlplane

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The text with which a CODE_DEPLOY service refuses to be updated, as seen.
const (
	refusedByCodeDeploy = "Unable to update %s on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
	refusedForce        = "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
)

// byCodeDeploy says whether CodeDeploy deploys the service.
func (s *service) byCodeDeploy() bool {
	return s.DeploymentController.Type == types.DeploymentControllerTypeCodeDeploy
}

// orController is the deployment controller of a new service.
func orController(given *types.DeploymentController) *types.DeploymentController {
	if given == nil {
		return &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}
	}
	return given
}

// checkController refuses a deployment controller that the sandbox does not
// have, and a CODE_DEPLOY service that it could not shift traffic for.
func checkController(in *ecs.CreateServiceInput) error {
	switch controller := orController(in.DeploymentController); controller.Type {
	case types.DeploymentControllerTypeEcs:
		return nil
	case types.DeploymentControllerTypeCodeDeploy:
		if len(in.LoadBalancers) != 1 {
			return errParameter("A service with a CODE_DEPLOY deployment controller needs one load balancer.")
		}
		return nil
	default:
		return errUnsupported("The sandbox has no deployment controller of type %s.", controller.Type)
	}
}

// refusedUpdate says what UpdateService may not change of a service that
// CodeDeploy deploys; nil when it may change it all. next is what the service
// would be, deploys whether that needs a deployment.
func (s *service) refusedUpdate(in *ecs.UpdateServiceInput, next *types.Service, deploys bool) error {
	if !s.byCodeDeploy() {
		return nil
	}
	refused := func(what string) error { return errParameter(refusedByCodeDeploy, what) }
	switch {
	case *next.TaskDefinition != *s.TaskDefinition:
		return refused("task definition")
	case in.ForceNewDeployment:
		return errParameter(refusedForce)
	case in.LoadBalancers != nil && deploys:
		return refused("load balancers")
	case in.NetworkConfiguration != nil && deploys:
		return refused("network parameters")
	case in.PlatformVersion != nil && deploys:
		return refused("platform version")
	case in.CapacityProviderStrategy != nil:
		return refused("capacity provider strategy")
	case deploys:
		return refused("this setting")
	}
	return nil
}
