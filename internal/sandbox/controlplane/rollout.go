package controlplane

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The statuses of a deployment.
const (
	deploymentPrimary = "PRIMARY"
	deploymentActive  = "ACTIVE"
)

// settings are what a deployment has and its service does not show.
type settings struct {
	serviceConnect *types.ServiceConnectConfiguration
	volumes        []types.ServiceVolumeConfiguration
}

// deploy begins a deployment of the service as it now is. What the service ran
// before is replaced, whether it was complete or not.
func (c *ControlPlane) deploy(s *service, with settings) {
	now := time.Now()
	source := s.source()
	if len(s.Rollouts) > 0 {
		c.recordDeployment(s) // in case it was replaced before anybody looked
		c.stopRecord(s)
		c.retire(s, s.primary())
	}
	id := "ecs-svc/" + randomDigits(19)
	revision := &types.ServiceRevision{
		ServiceRevisionArn:          aws.String(c.arn("service-revision/" + s.Cluster + "/" + *s.ServiceName + "/" + randomDigits(19))),
		ServiceArn:                  s.ServiceArn,
		ClusterArn:                  s.ClusterArn,
		CreatedAt:                   aws.Time(now),
		TaskDefinition:              s.TaskDefinition,
		LaunchType:                  s.LaunchType,
		CapacityProviderStrategy:    s.CapacityProviderStrategy,
		PlatformVersion:             aws.String(platformVersion),
		PlatformFamily:              s.PlatformFamily,
		LoadBalancers:               s.LoadBalancers,
		ServiceRegistries:           s.ServiceRegistries,
		NetworkConfiguration:        s.NetworkConfiguration,
		ServiceConnectConfiguration: with.serviceConnect,
		VolumeConfigurations:        with.volumes,
	}
	if source == nil {
		resolveTargetGroups(revision, nil, !native(s.DeploymentConfiguration))
	} else {
		resolveTargetGroups(revision, s.revision(source.Revision), !native(s.DeploymentConfiguration))
	}
	s.Revisions = append(s.Revisions, revision)
	d := &deployment{
		Deployment: types.Deployment{
			Id:                          aws.String(id),
			Status:                      aws.String(deploymentPrimary),
			TaskDefinition:              s.TaskDefinition,
			DesiredCount:                s.DesiredCount,
			CreatedAt:                   aws.Time(now),
			UpdatedAt:                   aws.Time(now),
			LaunchType:                  s.LaunchType,
			CapacityProviderStrategy:    s.CapacityProviderStrategy,
			PlatformVersion:             aws.String(platformVersion),
			PlatformFamily:              s.PlatformFamily,
			NetworkConfiguration:        s.NetworkConfiguration,
			ServiceConnectConfiguration: with.serviceConnect,
			VolumeConfigurations:        with.volumes,
			RolloutState:                types.DeploymentRolloutStateInProgress,
			RolloutStateReason:          aws.String("ECS deployment " + id + " in progress."),
		},
		Revision: *revision.ServiceRevisionArn,
		Images:   map[string]string{},
	}
	if source != nil {
		d.Source = *source.Id
	}
	if alarmed(s.DeploymentConfiguration) {
		d.Deaf, d.Heard = c.ringing(s.DeploymentConfiguration.Alarms.AlarmNames), now
	}
	s.Rollouts = slices.Insert(s.Rollouts, 0, d)
	s.Steady = false
	clear(s.Complaints)
	c.kick(s)
}

// retire makes a deployment one of those that are replaced. It keeps a place
// for each task that it has.
func (c *ControlPlane) retire(s *service, d *deployment) {
	d.Status = aws.String(deploymentActive)
	d.UpdatedAt = aws.Time(time.Now())
	d.DesiredCount = 0
	for _, t := range c.state.Clusters[s.Cluster].tasksOf(s) {
		if t.Deployment == *d.Id && t.wanted() {
			d.DesiredCount++
		}
	}
}

// setRollout changes a deployment's rollout state.
func (d *deployment) setRollout(state types.DeploymentRolloutState, reason string) {
	d.RolloutState = state
	d.RolloutStateReason = aws.String(reason)
	d.UpdatedAt = aws.Time(time.Now())
}

// complete ends the service's deployment well.
func (c *ControlPlane) complete(s *service) {
	d := s.primary()
	d.setRollout(types.DeploymentRolloutStateCompleted, "ECS deployment "+*d.Id+" completed.")
	s.LastCompleted, s.Course = d, nil
	c.event(s, fmt.Sprintf("(deployment %s) deployment completed.", *d.Id))
}

// failure is why a deployment ends badly.
type failure struct {
	event   string // what follows "deployment failed: "
	rollout string // the failed deployment's rolloutStateReason
	// back begins the rolloutStateReason of the deployment that is rolled back to,
	// before its id.
	back     string
	status   string // the service deployment's statusReason
	rollback bool   // whether it is rolled back
}

// fail ends the service's deployment badly. It launches no more tasks; with
// rollback, the last completed deployment takes its place again, under its old
// id.
func (c *ControlPlane) fail(s *service, why failure) {
	d := s.primary()
	d.setRollout(types.DeploymentRolloutStateFailed, why.rollout)
	c.event(s, fmt.Sprintf("(deployment %s) deployment failed: %s", *d.Id, why.event))
	record := s.record()
	switch {
	case record.Status == types.ServiceDeploymentStatusRollbackInProgress:
		// The rollback itself does not start: nothing is left to try.
		record.finish(types.ServiceDeploymentStatusRollbackFailed, why.status)
	case !why.rollback:
		c.stopRecord(s)
	case s.LastCompleted == nil || s.LastCompleted == d:
		record.finish(types.ServiceDeploymentStatusRollbackFailed, reasonNoCandidate)
	default:
		c.rollBack(s, why.status, why.back+*s.LastCompleted.Id+".")
	}
}

// rollBack puts the last completed deployment in place of the primary one.
func (c *ControlPlane) rollBack(s *service, statusReason, rolloutReason string) {
	failed, target := s.primary(), s.LastCompleted
	c.event(s, fmt.Sprintf("rolling back to deployment %s.", *target.Id))
	c.retire(s, failed)
	s.Rollouts = slices.DeleteFunc(s.Rollouts, func(d *deployment) bool { return d == target })
	s.Rollouts = slices.Insert(s.Rollouts, 0, target)
	target.Status = aws.String(deploymentPrimary)
	target.DesiredCount = s.DesiredCount
	target.FailedTasks, target.StartFailures, target.RetryAt = 0, 0, time.Time{}
	target.setRollout(types.DeploymentRolloutStateInProgress, rolloutReason)
	revision := s.revision(target.Revision)
	s.TaskDefinition = target.TaskDefinition
	s.NetworkConfiguration = revision.NetworkConfiguration
	s.ServiceRegistries = revision.ServiceRegistries
	if k := s.Course; k != nil && !k.rolling() {
		// The rules that the traffic returns by remain the service's.
		s.Course = &course{Back: true, Other: *failed.Id, HookDetails: k.HookDetails, Steps: stepsBack(s.shiftTime(failed))}
	} else {
		s.Course = nil
		s.LoadBalancers = revision.LoadBalancers
	}
	s.record().rollBack(target.Revision, statusReason)
	if s.Course != nil {
		c.enter(s)
	}
	s.Steady = false
	clear(s.Complaints)
	c.kick(s)
}

// revision finds one of the service's revisions by its ARN.
func (s *service) revision(arn string) *types.ServiceRevision {
	i := slices.IndexFunc(s.Revisions, func(r *types.ServiceRevision) bool { return *r.ServiceRevisionArn == arn })
	if i < 0 {
		return nil
	}
	return s.Revisions[i]
}
