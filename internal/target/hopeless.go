package target

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// hopeless says why the watched deployment, which goes on, cannot succeed; it is
// empty where it may, or where ECS itself will say. With neither the circuit
// breaker nor alarms, ECS starts failing tasks again for ever; so what the breaker
// would have done is done here, by its own formula.
//
// ECS counts consecutive failures, but counts anew as soon as one task runs, so
// that tasks which crash a little later are never many. Those that stopped within
// the hour for which ECS knows them count instead, where none of the deployment's
// tasks runs, or where each of them was lost twice.
//
// A task for which there is no room is a failure to ECS and its breaker, but there
// may be room in a minute: that alone is not hopeless.
func hopeless(f facts, ours *types.Deployment) string {
	if ours == nil || ours.RolloutState == types.DeploymentRolloutStateCompleted || guarded(f.service) {
		return ""
	}
	desired := int(ours.DesiredCount)
	failed, stopped, limit := int(ours.FailedTasks), failures(f.stopped), threshold(f.service.DeploymentConfiguration, desired)
	if misplaced(trouble(events(f.service, aws.ToTime(ours.CreatedAt)))) {
		failed = stopped
	}
	if ours.RunningCount == 0 || stopped >= 2*desired {
		failed = max(failed, stopped)
	}
	if failed < limit {
		return ""
	}
	return fmt.Sprintf("%d of its tasks failed one after the other, and ECS would go on for ever: the service has neither the deployment circuit breaker nor alarms", failed)
}

// failures counts the tasks that stopped because something is wrong with them.
func failures(stopped []types.Task) int {
	n := 0
	for i := range stopped {
		if failure(&stopped[i]) {
			n++
		}
	}
	return n
}

// guarded reports whether ECS itself ends deployments that fail.
func guarded(s *types.Service) bool {
	c := s.DeploymentConfiguration
	return c != nil && (c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.Enable || c.Alarms != nil && c.Alarms.Enable)
}

// threshold is how many failed tasks the circuit breaker bears. Developer guide,
// "How the Amazon ECS deployment circuit breaker detects failures".
func threshold(c *types.DeploymentConfiguration, desired int) int {
	const least, most, half = 3, 200, 50
	configured := types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: half}
	if c != nil && c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.ThresholdConfiguration != nil {
		configured = *c.DeploymentCircuitBreaker.ThresholdConfiguration
	}
	value := int(configured.Value)
	share := (desired*value + 99) / 100
	switch configured.Type {
	case types.ThresholdTypeCount:
		return max(1, value)
	case types.ThresholdTypeUnboundedPercent:
		return max(1, share)
	default:
		return min(most, max(least, share))
	}
}

// failure reports whether a task stopped because something is wrong with it, and
// not because it was not needed, somebody stopped it, or its machine went away.
func failure(task *types.Task) bool {
	switch task.StopCode {
	case types.TaskStopCodeUserInitiated, types.TaskStopCodeSpotInterruption, types.TaskStopCodeTerminationNotice, types.TaskStopCodeInfrastructureHealth:
		return false
	default:
		return causeOf(task, nil) != ""
	}
}

// restarted reports whether ECS has started more tasks since the deployment began
// than it is to have, so that some must have stopped though ECS counts no failure.
func restarted(o slipway.Observation) bool {
	started := 0
	for _, event := range o.Events {
		if found := regexp.MustCompile(`has started (\d+) tasks`).FindStringSubmatch(event.Message); found != nil {
			n, _ := strconv.Atoi(found[1]) // 0 where the number is absurd
			started += n
		}
	}
	return started > o.Tasks.Desired
}
