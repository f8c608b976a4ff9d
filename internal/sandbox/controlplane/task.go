package controlplane

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// A task's statuses, in the order in which it has them.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
const (
	statusProvisioning   = "PROVISIONING"
	statusPending        = "PENDING"
	statusActivating     = "ACTIVATING"
	statusRunning        = "RUNNING"
	statusDeactivating   = "DEACTIVATING"
	statusStopping       = "STOPPING"
	statusDeprovisioning = "DEPROVISIONING"
	statusStopped        = "STOPPED"
)

// wanted says whether the task is to run.
func (t *task) wanted() bool { return *t.DesiredStatus == statusRunning }

// running says whether the task counts as running. A draining task does: real
// services show old deployments with a desired count of 0 and running tasks.
func (t *task) running() bool {
	return *t.LastStatus == statusRunning || *t.LastStatus == statusDeactivating
}

// pending says whether the task is on its way to run.
func (t *task) pending() bool {
	return t.wanted() && slices.Contains([]string{statusProvisioning, statusPending, statusActivating}, *t.LastStatus)
}

// drained says whether the task serves no traffic any more.
func (t *task) drained() bool {
	return slices.Contains([]string{statusStopping, statusDeprovisioning, statusStopped}, *t.LastStatus)
}

func (t *task) runs() int32 { return count(t.running()) }

func (t *task) pends() int32 { return count(t.pending()) }

func count(is bool) int32 {
	if is {
		return 1
	}
	return 0
}

// fitness is what the scheduler makes of a task that is to run.
func (c *ControlPlane) fitness(s *service, t *task) fitness {
	if *t.LastStatus != statusRunning {
		return starting
	}
	checked := len(t.Targets) > 0 || t.checked()
	switch {
	case t.sick() && c.since(*t.StartedAt) >= s.grace():
		return failing
	case checked && t.sound():
		return healthy
	case !checked && c.since(*t.StartedAt) >= healthyAfter:
		return healthy
	default:
		return warming
	}
}

// checked says whether a container has a health check.
func (t *task) checked() bool { return t.HealthStatus != "" }

// sick says whether a health check fails.
func (t *task) sick() bool {
	return t.HealthStatus == types.HealthStatusUnhealthy ||
		slices.ContainsFunc(t.Targets, func(target *target) bool { return target.Health.State == TargetUnhealthy })
}

// sound says whether all health checks pass.
func (t *task) sound() bool {
	return (!t.checked() || t.HealthStatus == types.HealthStatusHealthy) &&
		!slices.ContainsFunc(t.Targets, func(target *target) bool { return target.Health.State != TargetHealthy })
}

// ailments are the events that tell why the task is failing.
func (t *task) ailments() []string {
	var messages []string
	for _, target := range t.Targets {
		if target.Health.State == TargetUnhealthy {
			messages = append(messages, fmt.Sprintf("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s).",
				t.ID, target.Port, target.TargetGroupARN, strings.TrimSuffix(target.Health.Description, ".")))
		}
	}
	if t.HealthStatus == types.HealthStatusUnhealthy {
		messages = append(messages, fmt.Sprintf("(task %s) failed container health checks.", t.ID))
	}
	return messages
}

// dismissal is the reason with which the scheduler stops the task.
func (t *task) dismissal() string {
	if t.Failing {
		for _, target := range t.Targets {
			if target.Health.State == TargetUnhealthy {
				return fmt.Sprintf("Task failed ELB health checks in (target-group %s)", target.TargetGroupARN)
			}
		}
		return "Task failed container health checks"
	}
	return fmt.Sprintf("Scaling activity initiated by (deployment %s)", t.Deployment)
}

// container finds one of the task's containers.
func (t *task) container(name string) *types.Container {
	for i := range t.Containers {
		if aws.ToString(t.Containers[i].Name) == name {
			return &t.Containers[i]
		}
	}
	return nil
}
