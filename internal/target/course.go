package target

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// countShift fills in what only a service deployment tells. Its counts are those
// of the target service revision, whatever other deployments there are.
func countShift(o *slipway.Observation, detail *types.ServiceDeployment) {
	o.Stage = string(detail.LifecycleStage)
	if t := detail.TargetServiceRevision; t != nil {
		o.Traffic = t.RequestedProductionTrafficWeight
		if o.Tasks.Desired == 0 && o.Tasks.Running == 0 {
			o.Tasks.Desired, o.Tasks.Pending, o.Tasks.Running = int(t.RequestedTaskCount), int(t.PendingTaskCount), int(t.RunningTaskCount)
		}
	}
	if b := detail.DeploymentCircuitBreaker; b != nil {
		o.Tasks.Failed = max(o.Tasks.Failed, int(b.FailureCount))
	}
	if detail.DeploymentConfiguration != nil {
		o.BakeMinutes = bakeMinutes(detail.DeploymentConfiguration)
	}
	for _, hook := range detail.LifecycleHookDetails {
		if hook.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
			o.Hooks = append(o.Hooks, slipway.Hook{
				ID: aws.ToString(hook.HookId), Stage: o.Stage, Expires: aws.ToTime(hook.ExpiresAt), OnExpiry: string(hook.TimeoutAction),
			})
		}
	}
}

// bakeMinutes is how long a deployment that goes well waits on purpose: after the
// canary, after each step but the last, and once all traffic is shifted. Developer
// guide, "Amazon ECS linear deployments" and "canary deployments", have the
// defaults. A rolling update bakes only with alarms.
func bakeMinutes(c *types.DeploymentConfiguration) int {
	bake := int(aws.ToInt32(c.BakeTimeInMinutes))
	switch c.Strategy {
	case types.DeploymentStrategyCanary:
		const usual = 10
		if c.CanaryConfiguration == nil || c.CanaryConfiguration.CanaryBakeTimeInMinutes == nil {
			return bake + usual
		}
		return bake + int(*c.CanaryConfiguration.CanaryBakeTimeInMinutes)
	case types.DeploymentStrategyLinear:
		minutes, percent := 6, 10.0
		if l := c.LinearConfiguration; l != nil {
			if l.StepBakeTimeInMinutes != nil {
				minutes = int(*l.StepBakeTimeInMinutes)
			}
			if aws.ToFloat64(l.StepPercent) > 0 {
				percent = *l.StepPercent
			}
		}
		return bake + minutes*(int(math.Ceil(100/percent))-1)
	case types.DeploymentStrategyBlueGreen:
		return bake
	default:
		if c.Alarms == nil || !c.Alarms.Enable {
			return 0
		}
		return bake
	}
}

// waiting is what a deployment waits for at the moment, for a person; empty when
// that is not known.
func waiting(d slipway.Deployment, w watched, f facts, o slipway.Observation) string {
	if len(o.Hooks) > 0 {
		hook := o.Hooks[0]
		text := "somebody to approve it"
		if hook.Stage != "" {
			text += " at " + hook.Stage
		}
		if !hook.Expires.IsZero() {
			text += fmt.Sprintf(", until %s, then %s", hook.Expires.UTC().Format(time.RFC3339), hook.OnExpiry)
		}
		return text
	}
	if f.record != nil && f.record.detail != nil {
		for _, hook := range f.record.detail.LifecycleHookDetails {
			if hook.Status == types.DeploymentLifecycleHookStatusInProgress {
				return "the lifecycle hook " + hookName(hook) + " at " + o.Stage
			}
		}
	}
	ours := w.in(f.service)
	over := ours != nil && complete(f.service, ours) || f.record != nil && f.record.status == types.ServiceDeploymentStatusSuccessful
	switch {
	case o.Stage == string(types.ServiceDeploymentLifecycleStageBakeTime) && !w.back:
		bake := f.record.detail.DeploymentConfiguration
		if bake == nil {
			bake = f.service.DeploymentConfiguration
		}
		if bake == nil {
			return "the bake time to pass"
		}
		return fmt.Sprintf("the bake time of %d minutes to pass", aws.ToInt32(bake.BakeTimeInMinutes))
	case o.Stage == string(types.ServiceDeploymentLifecycleStageProductionTrafficShift) && !w.back && o.Traffic != nil && *o.Traffic > 0 && *o.Traffic < 100:
		return fmt.Sprintf("the traffic to be shifted on from %s %%", percent(*o.Traffic))
	case !over && o.Tasks.Running < o.Tasks.Desired:
		return fmt.Sprintf("%d of %d tasks to run", o.Tasks.Desired-o.Tasks.Running, o.Tasks.Desired)
	case o.Draining > 0 && (over || o.Stage == "" || o.Stage == string(types.ServiceDeploymentLifecycleStageCleanUp)):
		return fmt.Sprintf("%d old tasks to stop", o.Draining)
	case !over && !shifts(d, f.service) && o.BakeMinutes > 0:
		return "its alarms to stay quiet"
	}
	return ""
}

// percent is a percentage without needless digits.
func percent(p float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") }
