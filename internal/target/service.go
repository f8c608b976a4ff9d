package target

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// What ECS writes in Service.Status and Deployment.Status, which have no types.
// API reference, Service and Deployment.
const (
	serviceActive     = "ACTIVE"
	serviceDraining   = "DRAINING"
	deploymentPrimary = "PRIMARY"
)

// described is what DescribeServices said about one service: the service, or
// why there is none (for example MISSING).
type described struct {
	service *types.Service
	failure string
}

// describeServices describes up to ten services of one cluster, by name.
func (c *client) describeServices(ctx context.Context, cluster string, names []string) (map[string]described, error) {
	out, err := c.api.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: names})
	if err != nil {
		return nil, c.explain(ctx, err, fmt.Sprintf("cannot read the services of cluster %s", cluster))
	}
	answers := make(map[string]described, len(names))
	for _, failure := range out.Failures {
		answers[lastPart(aws.ToString(failure.Arn))] = described{failure: aws.ToString(failure.Reason)}
	}
	for _, service := range out.Services {
		answers[aws.ToString(service.ServiceName)] = described{service: &service}
	}
	return answers, nil
}

// lastPart is what follows an ARN's last slash: a name, or family:revision.
func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// errCodeDeploy is the Kind of an error about a service whose deployments are
// CodeDeploy's.
var errCodeDeploy = errors.New("a service of CodeDeploy's")

// deployable returns the service of a place if ECS itself deploys it. Otherwise
// the error says what the service is instead.
func (c *client) deployable(ctx context.Context, place slipway.Place) (*types.Service, error) {
	answer, err := c.services.get(ctx, place.Cluster, place.Service)
	if err != nil {
		return nil, err
	}
	return answer.deployable(place)
}

// deployable is client.deployable for what DescribeServices said.
func (answer described) deployable(place slipway.Place) (*types.Service, error) {
	where := fmt.Sprintf("service %s in cluster %s", place.Service, place.Cluster)
	problem := func(hint, format string, args ...any) error {
		return &slipway.Error{Next: slipway.NextPerson, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	missing := func(format string, args ...any) error {
		return &slipway.Error{Next: slipway.NextPerson, Kind: slipway.ErrNoService, Message: fmt.Sprintf(format, args...), Hint: hintService}
	}
	s := answer.service
	switch {
	case s == nil && (answer.failure == "MISSING" || answer.failure == ""):
		return nil, missing("there is no %s", where)
	case s == nil:
		return nil, problem("", "ECS does not describe %s: %s", where, answer.failure)
	case aws.ToString(s.Status) == serviceDraining:
		return nil, missing("%s is being deleted (DRAINING)", where)
	case aws.ToString(s.Status) != serviceActive:
		return nil, missing("%s is %s: it was deleted", where, aws.ToString(s.Status))
	case s.DeploymentController != nil && s.DeploymentController.Type == types.DeploymentControllerTypeCodeDeploy:
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Kind: errCodeDeploy, Message: where + " has the deployment controller CODE_DEPLOY, and the app is said to be a service of ECS's own",
			Hint: "take the kind out of the target in pipeline.yaml, or change the service's deployment controller to ECS",
		}
	case s.DeploymentController != nil && s.DeploymentController.Type != types.DeploymentControllerTypeEcs:
		return nil, problem("change the service's deployment controller to ECS, which UpdateService allows",
			"%s has the deployment controller %s, and Slipway deploys through ECS or CodeDeploy", where, s.DeploymentController.Type)
	case primary(s) == nil:
		return nil, problem("", "%s has no primary deployment", where)
	}
	return s, nil
}

// strategyOf is the service's deployment strategy. One that is newer than this
// build is called as ECS calls it.
func strategyOf(s *types.Service) slipway.Strategy {
	if s.DeploymentConfiguration == nil {
		return slipway.StrategyRolling
	}
	switch configured := s.DeploymentConfiguration.Strategy; configured {
	case "", types.DeploymentStrategyRolling:
		return slipway.StrategyRolling
	case types.DeploymentStrategyBlueGreen:
		return slipway.StrategyBlueGreen
	case types.DeploymentStrategyLinear:
		return slipway.StrategyLinear
	case types.DeploymentStrategyCanary:
		return slipway.StrategyCanary
	default:
		return slipway.Strategy(strings.ToLower(string(configured)))
	}
}

// primary is the service's most recent deployment, or nil.
func primary(s *types.Service) *types.Deployment {
	for i := range s.Deployments {
		if aws.ToString(s.Deployments[i].Status) == deploymentPrimary {
			return &s.Deployments[i]
		}
	}
	return nil
}

// withID is the service's deployment of that id, or nil.
func withID(s *types.Service, id string) *types.Deployment {
	for i := range s.Deployments {
		if id != "" && aws.ToString(s.Deployments[i].Id) == id {
			return &s.Deployments[i]
		}
	}
	return nil
}

// complete reports whether a deployment has reached its end: its tasks run, the
// old ones are gone. Behind a Classic Load Balancer ECS gives no rolloutState;
// then the counts decide.
func complete(s *types.Service, d *types.Deployment) bool {
	if d.RolloutState == "" {
		return len(s.Deployments) == 1 && d.RunningCount == d.DesiredCount && d.PendingCount == 0
	}
	return d.RolloutState == types.DeploymentRolloutStateCompleted
}

// lingering reports whether other deployments still have tasks, or are listed,
// though the service was not told to clean up later. With earlySuccessCriteria
// and a DEFERRED cleanup a deployment is complete while old tasks remain, for up
// to two weeks. Developer guide, "Early success criteria".
func lingering(s *types.Service) bool {
	if len(s.Deployments) < 2 {
		return false
	}
	c := s.DeploymentConfiguration
	return c == nil || c.EarlySuccessCriteria == nil || !c.EarlySuccessCriteria.Enable ||
		c.EarlySuccessCriteria.SourceServiceRevisionCleanup != types.ServiceRevisionCleanupDeferred
}
