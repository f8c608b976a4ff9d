package controlplane

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// threshold is how many failed tasks a deployment may have.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
func threshold(t types.ThresholdConfiguration, desired int32) int32 {
	const least, most = 3, 200
	if t.Type == types.ThresholdTypeCount {
		return t.Value
	}
	share := int32((int64(desired)*int64(t.Value) + 99) / 100)
	if t.Type == types.ThresholdTypeUnboundedPercent {
		return max(1, share)
	}
	return min(most, max(least, share))
}

// countFailure counts a task that failed to start, ended before it was ever
// healthy, or failed its health checks, once, against its deployment.
func (c *ControlPlane) countFailure(s *service, t *task) {
	d := s.deployment(t.Deployment)
	if t.Failed || d == nil {
		return
	}
	t.Failed = true
	if d.RolloutState == types.DeploymentRolloutStateInProgress {
		d.FailedTasks++
	}
}

// countStartFailure throttles a deployment whose tasks never run: the first
// time all of them may be tried again at once, then after ever longer waits.
func (c *ControlPlane) countStartFailure(s *service, t *task) {
	if d := s.deployment(t.Deployment); d != nil {
		c.delayStart(s, d)
	}
}

// delayStart is countStartFailure for a task that there may not even be.
func (c *ControlPlane) delayStart(s *service, d *deployment) {
	d.StartFailures++
	rounds := int(d.StartFailures) / max(1, int(s.DesiredCount))
	if rounds < 2 {
		return
	}
	backOff := min(backOffMost, backOffFirst<<min(rounds-2, 8))
	d.RetryAt = time.Now().Add(time.Duration(float64(backOff) / c.scale))
	if c.complain(s, "is unable to consistently start tasks successfully.") {
		c.tellAction(s, "WARN", "SERVICE_TASK_START_IMPAIRED", "")
	}
}

// judge fails the service's deployment when the circuit breaker or an alarm says
// so: the first that does decides. It works with every strategy: Terraform's
// provider has a test against AWS in which it rolls a blue/green one back.
func (c *ControlPlane) judge(s *service) {
	d, breaker, record := s.primary(), s.DeploymentConfiguration.DeploymentCircuitBreaker, s.record()
	limit := threshold(*breaker.ThresholdConfiguration, s.DesiredCount)
	if !record.open() {
		return
	}
	record.DeploymentCircuitBreaker.FailureCount = d.FailedTasks
	record.DeploymentCircuitBreaker.Threshold = limit
	if breaker.Enable && d.RolloutState == types.DeploymentRolloutStateInProgress && d.FailedTasks >= limit {
		record.DeploymentCircuitBreaker.Status = types.ServiceDeploymentRollbackMonitorsStatusTriggered
		c.fail(s, failure{
			event:   "tasks failed to start.",
			rollout: "ECS deployment circuit breaker: tasks failed to start.",
			back:    "ECS deployment circuit breaker: rolling back to deploymentId ",
			status:  reasonBreaker, rollback: breaker.Rollback,
		})
		return
	}
	c.hear(s)
}
