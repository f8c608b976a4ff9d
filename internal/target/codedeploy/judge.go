package codedeploy

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/slipway-cd/slipway"
)

// rollbackGrace is how long a deployment that ended badly may be without its
// rollback before we believe that there will be none.
const rollbackGrace = time.Minute

// Install is the lifecycle event in which the replacement task set is made and its
// tasks become healthy.
const Install = "Install"

// Facts are what CodeDeploy said about a deployment at one moment.
type Facts struct {
	// Deployment is nil where CodeDeploy knows none of that id.
	Deployment *types.DeploymentInfo
	// Rollback is the deployment that rolls it back; nil while there is none.
	Rollback *types.DeploymentInfo
	// Newest is the group's last deployment, asked for only where ours ended badly
	// without a rollback; nil where it is not known.
	Newest *types.DeploymentInfo
	// Target is nil where it was not asked for, or could not be read.
	Target *types.ECSTarget
}

// Verdict is what the facts mean.
type Verdict struct {
	State slipway.State
	Cause slipway.Cause // of a rollback of CodeDeploy's
	// Headline says it in a sentence; Why, in CodeDeploy's words, what led to it.
	Headline, Why string
}

// Judge says what became of a deployment. It is a function of its arguments alone.
// A deployment that CodeDeploy rolls back is never a success, though the rollback
// is one.
func Judge(f Facts, now time.Time) Verdict {
	d := f.Deployment
	switch {
	case d == nil:
		return Verdict{State: slipway.StateGone, Headline: "CodeDeploy does not know the deployment any more: its application was deleted"}
	case !Over(d):
		return Verdict{State: slipway.StateProgressing}
	case f.Rollback != nil:
		return judgeRollback(d, f.Rollback)
	case d.Status == types.DeploymentStatusSucceeded:
		return Verdict{State: slipway.StateDeployed}
	}
	why := messageOf(d)
	if rollbackDue(d) && now.Sub(aws.ToTime(d.CompleteTime)) < rollbackGrace {
		return Verdict{State: slipway.StateRollingBack, Cause: causeOf(d), Headline: "it failed, and CodeDeploy is about to roll it back", Why: why}
	}
	if next := f.Newest; next != nil && aws.ToString(next.DeploymentId) != aws.ToString(d.DeploymentId) && aws.ToTime(next.CreateTime).After(aws.ToTime(d.CreateTime)) {
		return Verdict{State: slipway.StateReplaced, Headline: ReplacedBy(next), Why: why}
	}
	if codeOf(d) == types.ErrorCodeManualStop && now.Sub(aws.ToTime(d.CompleteTime)) < rollbackGrace {
		// Who stops a deployment by hand may mean to begin another.
		return Verdict{State: slipway.StateProgressing, Headline: "somebody stopped it in CodeDeploy, without a rollback", Why: why}
	}
	if codeOf(d) == types.ErrorCodeManualStop {
		return Verdict{State: slipway.StateFailed, Headline: "somebody stopped it in CodeDeploy, without a rollback", Why: why}
	}
	return Verdict{State: slipway.StateFailed, Headline: "it failed, and CodeDeploy does not roll it back", Why: why}
}

// judgeRollback is about a deployment that is rolled back by another.
func judgeRollback(d, back *types.DeploymentInfo) Verdict {
	v := Verdict{Cause: causeOf(d), Why: messageOf(d)}
	switch id := aws.ToString(back.DeploymentId); {
	case !Over(back):
		v.State, v.Headline = slipway.StateRollingBack, "CodeDeploy is rolling it back by deployment "+id
	case back.Status == types.DeploymentStatusSucceeded:
		v.State, v.Headline = slipway.StateRolledBack, "rolled back by CodeDeploy, by deployment "+id
	default:
		v.State, v.Headline = slipway.StateFailed, "CodeDeploy's rollback by deployment "+id+" failed too"
		if why := messageOf(back); why != "" {
			v.Headline += " (" + why + ")"
		}
	}
	return v
}

// ReplacedBy says which deployment took another's place.
func ReplacedBy(next *types.DeploymentInfo) string {
	return fmt.Sprintf("replaced by deployment %s of %s, made at %s", aws.ToString(next.DeploymentId), aws.ToString(next.DeploymentGroupName),
		aws.ToTime(next.CreateTime).UTC().Format(time.RFC3339))
}

// rollbackDue reports whether CodeDeploy was told to roll back what ended like
// this.
func rollbackDue(d *types.DeploymentInfo) bool {
	auto := d.AutoRollbackConfiguration
	if auto == nil || !auto.Enabled || d.Creator == types.DeploymentCreatorCodeDeployRollback {
		return false
	}
	event := types.AutoRollbackEventDeploymentFailure
	switch codeOf(d) {
	case types.ErrorCodeAlarmActive:
		event = types.AutoRollbackEventDeploymentStopOnAlarm
	case types.ErrorCodeManualStop:
		event = types.AutoRollbackEventDeploymentStopOnRequest
	default:
	}
	return slices.Contains(auto.Events, event)
}

// causeOf is what ended a deployment badly, where it is one of the causes.
func causeOf(d *types.DeploymentInfo) slipway.Cause {
	switch codeOf(d) {
	case types.ErrorCodeAlarmActive:
		return slipway.CauseAlarm
	case types.ErrorCodeManualStop:
		return slipway.CausePerson
	case types.ErrorCodeHookExecutionFailure:
		return slipway.CauseHook
	default:
		return ""
	}
}

func codeOf(d *types.DeploymentInfo) types.ErrorCode {
	if d.ErrorInformation == nil {
		return ""
	}
	return d.ErrorInformation.Code
}

// messageOf is why a deployment ended badly, with CodeDeploy's code.
func messageOf(d *types.DeploymentInfo) string {
	if d.ErrorInformation == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", aws.ToString(d.ErrorInformation.Message), d.ErrorInformation.Code)
}

// Stage is the lifecycle event that a deployment has come to, as AWS spells it; the
// last one while it waits, and empty where that is not known.
func (f Facts) Stage() string {
	stage := ""
	if f.Target != nil {
		for _, event := range f.Target.LifecycleEvents {
			switch event.Status {
			case types.LifecycleEventStatusInProgress, types.LifecycleEventStatusFailed:
				return aws.ToString(event.LifecycleEventName)
			case types.LifecycleEventStatusSucceeded:
				stage = aws.ToString(event.LifecycleEventName)
			default:
			}
		}
	}
	return stage
}

// Traffic is the percentage of the production traffic that the replacement has, or
// nil where that is not known.
func (f Facts) Traffic() *float64 {
	if f.Target != nil {
		for _, set := range f.Target.TaskSetsInfo {
			if set.TaskSetLabel == types.TargetLabelGreen {
				return aws.Float64(set.TrafficWeight)
			}
		}
	}
	return nil
}

// Waiting says what a deployment that goes on waits for, for a person.
func (f Facts) Waiting() string {
	if hooks := f.Hooks(); len(hooks) > 0 {
		hook := hooks[0]
		text := "somebody to approve that the traffic is shifted"
		if hook.GoesOn() {
			text = "the original task set to be terminated; until then it can be rolled back at once"
		}
		if !hook.Expires.IsZero() {
			text += fmt.Sprintf("; until %s, then %s", hook.Expires.UTC().Format(time.RFC3339), hook.OnExpiry)
		}
		return text
	}
	if f.Deployment == nil || Over(f.Deployment) {
		return ""
	}
	switch f.Stage() {
	case Install:
		return "the tasks of the replacement task set to be healthy"
	case "AllowTraffic":
		return "the traffic to be shifted"
	case "BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic":
		return "the hook " + f.Stage()
	default:
		return ""
	}
}
