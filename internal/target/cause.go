package target

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

// hookName is what a hook calls, or its id.
func hookName(hook types.DeploymentLifecycleHookDetail) string {
	return cmp.Or(aws.ToString(hook.TargetArn), aws.ToString(hook.HookId))
}

// failedHook is a hook that made ECS roll back, or nil.
func failedHook(detail *types.ServiceDeployment) *types.DeploymentLifecycleHookDetail {
	for i, hook := range detail.LifecycleHookDetails {
		expired := hook.Status == types.DeploymentLifecycleHookStatusTimedOut && hook.TimeoutAction != types.DeploymentLifecycleHookActionContinue
		if expired || hook.Status == types.DeploymentLifecycleHookStatusFailed {
			return &detail.LifecycleHookDetails[i]
		}
	}
	return nil
}

// causeOfRollback is what made ECS roll a deployment back, by its monitors and
// hooks, or else by what it says: r, which may be nil, and said. It is empty where
// ECS did not, or does not say why.
func causeOfRollback(r *record, said string) slipway.Cause {
	const triggered = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	if r != nil {
		if detail := r.detail; detail != nil {
			switch breaker, alarms := detail.DeploymentCircuitBreaker, detail.Alarms; {
			case breaker != nil && breaker.Status == triggered:
				return slipway.CauseBreaker
			case alarms != nil && (alarms.Status == triggered || len(alarms.TriggeredAlarmNames) > 0):
				return slipway.CauseAlarm
			case failedHook(detail) != nil:
				return slipway.CauseHook
			}
			if detail.Rollback != nil {
				said += " " + aws.ToString(detail.Rollback.Reason)
			}
		}
		said += " " + r.reason
		if r.status == types.ServiceDeploymentStatusRollbackRequested {
			said += " user request"
		}
	}
	for _, known := range []struct {
		sign  string
		cause slipway.Cause
	}{
		{`circuit breaker|tasks failed to start`, slipway.CauseBreaker},
		{`alarm`, slipway.CauseAlarm},
		{`lifecycle hook`, slipway.CauseHook},
		{`\bstop|\buser\b`, slipway.CausePerson},
	} {
		if regexp.MustCompile(`(?i)` + known.sign).MatchString(said) {
			return known.cause
		}
	}
	return ""
}

// whyRolledBack is why ECS rolled a service deployment back: its own words and
// the alarm or the hook where they do not name it.
func whyRolledBack(r *record) string {
	why := strings.TrimRight(r.reason, ". ")
	add := func(more string) {
		if why != "" {
			why += "; "
		}
		why += more
	}
	if r.detail != nil {
		if why == "" && r.detail.Rollback != nil {
			why = strings.TrimRight(aws.ToString(r.detail.Rollback.Reason), ". ")
		}
		if alarms := r.detail.Alarms; alarms != nil && len(alarms.TriggeredAlarmNames) > 0 {
			if names := strings.Join(alarms.TriggeredAlarmNames, ", "); !strings.Contains(why, names) {
				add("in alarm: " + names)
			}
		}
		if hook := failedHook(r.detail); hook != nil && !strings.Contains(why, hookName(*hook)) {
			add(fmt.Sprintf("lifecycle hook %s: %s", hookName(*hook), hook.Status))
		}
	}
	if why == "" && causeOfRollback(r, "") == slipway.CausePerson {
		why = "somebody stopped the deployment"
	}
	return why
}
