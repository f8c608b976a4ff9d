package controlplane

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// noCapacity is why Fargate places no task, in AWS's words.
// https://repost.aws/knowledge-center/ecs-fargate-runtask-capacity
const noCapacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone"

// SetCapacity says whether Fargate has room for more tasks; it has, in the
// beginning. Tasks that were placed already go on.
func (c *ControlPlane) SetCapacity(available bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.full = !available
}

// DeleteSecret has the secret or parameter that task definitions name by valueFrom
// be found by nobody from now on: a task that needs it does not start. Every other
// one is found.
func (c *ControlPlane) DeleteSecret(valueFrom string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deleted == nil {
		c.deleted = map[string]bool{}
	}
	c.deleted[valueFrom] = true
}

// misplace is what comes of tasks of a deployment for which there is no room: none
// is made, but the circuit breaker counts each.
// https://github.com/aws/containers-roadmap/issues/1273
func (c *ControlPlane) misplace(s *service, d *deployment, count int) {
	if c.complain(s, "was unable to place a task. Reason: "+noCapacity+".") {
		c.tellAction(s, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", "RESOURCE:FARGATE")
	}
	for range count {
		if d.RolloutState == types.DeploymentRolloutStateInProgress {
			d.FailedTasks++
		}
		c.delayStart(s, d)
	}
	if d.RetryAt.Before(time.Now()) {
		d.RetryAt = time.Now().Add(time.Duration(float64(placementRetry) / c.scale))
	}
}

// missingSecret is why a task cannot have its secrets, in AWS's words; empty when it
// can.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
func (c *ControlPlane) missingSecret(t *task) string {
	for _, container := range c.state.definition(*t.TaskDefinitionArn).types().ContainerDefinitions {
		for _, secret := range container.Secrets {
			if c.deleted[*secret.ValueFrom] {
				return fmt.Sprintf("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "+
					"unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret %s from secrets manager: "+
					"ResourceNotFoundException: Secrets Manager can't find the specified secret.", *secret.ValueFrom)
			}
		}
	}
	return ""
}
