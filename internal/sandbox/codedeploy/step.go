package codedeploy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// The times of CodeDeploy.
const (
	// pollEvery is how often CodeDeploy looks at a deployment. Ours: real ones
	// react within some ten seconds.
	pollEvery = 5 * time.Second
	// installTimeout and hookTimeout are as the troubleshooting page says.
	// https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html
	installTimeout = 60 * time.Minute
	hookTimeout    = time.Hour
)

// The lifecycle events of a deployment to ECS, in order.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
const (
	beforeInstall         = "BeforeInstall"
	install               = "Install"
	afterInstall          = "AfterInstall"
	allowTestTraffic      = "AllowTestTraffic"
	afterAllowTestTraffic = "AfterAllowTestTraffic"
	beforeAllowTraffic    = "BeforeAllowTraffic"
	allowTraffic          = "AllowTraffic"
	afterAllowTraffic     = "AfterAllowTraffic"
)

// hookEvents are those that can have a function.
func hookEvents() []string {
	return []string{beforeInstall, afterInstall, afterAllowTestTraffic, beforeAllowTraffic, afterAllowTraffic}
}

// lifecycle is all events in one status.
func lifecycle(status types.LifecycleEventStatus) []types.LifecycleEvent {
	var events []types.LifecycleEvent
	for _, name := range []string{
		beforeInstall, install, afterInstall, allowTestTraffic, afterAllowTestTraffic, beforeAllowTraffic, allowTraffic, afterAllowTraffic,
	} {
		events = append(events, types.LifecycleEvent{LifecycleEventName: aws.String(name), Status: status})
	}
	return events
}

// failure is why a deployment ends other than well.
type failure struct {
	status  types.DeploymentStatus // Failed, or Stopped
	code    types.ErrorCode
	message string
	// event is what automatic rollbacks are configured for.
	event types.AutoRollbackEvent
}

// failed is a failure of the deployment itself.
func failed(code types.ErrorCode, format string, args ...any) *failure {
	return &failure{types.DeploymentStatusFailed, code, fmt.Sprintf(format, args...), types.AutoRollbackEventDeploymentFailure}
}

// step is one look at a deployment that is not over. It goes through as many
// lifecycle events as it can.
func (c *Service) step(d *deployment) {
	if d.Info.Status == types.DeploymentStatusCreated {
		d.Info.Status, d.Info.StartTime = types.DeploymentStatusInProgress, aws.Time(time.Now())
		c.note(d)
	}
	if why := c.stopped(d); why != nil {
		c.end(d, why)
		return
	}
	if d.Info.Creator == types.DeploymentCreatorCodeDeployRollback {
		c.moveBack(d)
		return
	}
	for i := range d.Events {
		event := &d.Events[i]
		if event.Status == types.LifecycleEventStatusSucceeded {
			continue
		}
		done, why := c.advance(d, event)
		if why != nil {
			c.end(d, why)
			return
		}
		if !done {
			return
		}
		event.Status, event.EndTime = types.LifecycleEventStatusSucceeded, aws.Time(time.Now())
		c.note(d)
	}
	if why := c.terminate(d); why != nil {
		c.end(d, why)
	}
}

// stopped says who or what stops the deployment; nil when it goes on. The text
// for a person's stop is ours.
func (c *Service) stopped(d *deployment) *failure {
	if d.Stop != nil {
		return &failure{types.DeploymentStatusStopped, types.ErrorCodeManualStop,
			"The deployment was stopped by a user.", types.AutoRollbackEventDeploymentStopOnRequest}
	}
	if c.options.Alarms == nil {
		return nil
	}
	active := slices.DeleteFunc(slices.Clone(d.Alarms), func(name string) bool {
		state, _ := c.options.Alarms.State(name)
		return state != "ALARM"
	})
	if len(active) == 0 {
		return nil
	}
	message := "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <" +
		strings.Join(active, "> <") + ">"
	return &failure{types.DeploymentStatusStopped, types.ErrorCodeAlarmActive, message, types.AutoRollbackEventDeploymentStopOnAlarm}
}

// note says that the deployment has changed.
func (c *Service) note(d *deployment) {
	d.UpdatedAt = time.Now()
	c.options.Changed()
}

// advance works on one lifecycle event, and says whether it is done.
func (c *Service) advance(d *deployment, event *types.LifecycleEvent) (done bool, why *failure) {
	name := *event.LifecycleEventName
	if name == beforeAllowTraffic && event.StartTime == nil {
		if ready, why := c.ready(d); !ready {
			return false, why
		}
	}
	first := event.StartTime == nil
	if first {
		event.Status, event.StartTime = types.LifecycleEventStatusInProgress, aws.Time(time.Now())
		c.note(d)
	}
	switch name {
	case install:
		return c.install(d, c.since(*event.StartTime))
	case allowTestTraffic:
		d.Tested = true
		c.forwardTests(d)
		return true, nil
	case allowTraffic:
		return c.shift(d, c.since(*event.StartTime))
	default:
		return c.hook(d, name)
	}
}

// hook calls the event's function, once, and waits for its report.
func (c *Service) hook(d *deployment, event string) (done bool, why *failure) {
	function := d.Spec.Hooks[event]
	if function == "" {
		return true, nil
	}
	if d.Hook == nil || d.Hook.Event != event {
		d.Hook = &hook{ID: newUUID(), Event: event, Called: time.Now()}
		c.invoke(d.Hook, function, fmt.Appendf(nil, `{"DeploymentId":%q,"LifecycleEventHookExecutionId":%q}`, *d.Info.DeploymentId, d.Hook.ID))
		return false, nil
	}
	switch {
	case d.Hook.Result == types.LifecycleEventStatusSucceeded:
		return true, nil
	case d.Hook.Result != "":
		return false, failed(types.ErrorCodeHookExecutionFailure, "The deployment failed because one or more of the lifecycle event validation functions failed.")
	case c.since(d.Hook.Called) >= hookTimeout:
		return false, failed(types.ErrorCodeTimeout, "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within one hour after a deployment hook is invoked.")
	}
	return false, nil
}

// invoke calls a hook's function. One that cannot be called has failed.
func (c *Service) invoke(h *hook, function string, payload []byte) {
	if c.options.Functions == nil {
		h.Result = types.LifecycleEventStatusFailed
		return
	}
	c.calls.Go(func() {
		_, err := c.options.Functions.Invoke(c.ctx, function, payload)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil && h.Result == "" && !c.closed {
			h.Result = types.LifecycleEventStatusFailed
		}
	})
}

// ready waits for a person before the traffic is shifted, if the group says so.
func (c *Service) ready(d *deployment) (ready bool, why *failure) {
	b := d.Info.BlueGreenDeploymentConfiguration
	if b == nil || b.DeploymentReadyOption == nil || b.DeploymentReadyOption.ActionOnTimeout != types.DeploymentReadyActionStopDeployment {
		return true, nil
	}
	if slices.Contains(d.Continued, types.DeploymentWaitTypeReadyWait) {
		d.Info.Status, d.WaitingSince = types.DeploymentStatusInProgress, time.Time{}
		return true, nil
	}
	if d.WaitingSince.IsZero() {
		d.Info.Status, d.WaitingSince = types.DeploymentStatusReady, time.Now()
		c.note(d)
	}
	minutes := b.DeploymentReadyOption.WaitTimeInMinutes
	if c.since(d.WaitingSince) < time.Duration(minutes)*time.Minute {
		return false, nil
	}
	return false, &failure{types.DeploymentStatusStopped, types.ErrorCodeTimeout,
		fmt.Sprintf("The deployment timed out while waiting for a notification to continue. This time out period is %d minutes.", minutes),
		types.AutoRollbackEventDeploymentFailure}
}

// end ends a deployment other than well, and begins the rollback if there is to
// be one.
func (c *Service) end(d *deployment, why *failure) {
	now := time.Now()
	for i := range d.Events {
		switch event := &d.Events[i]; event.Status {
		case types.LifecycleEventStatusInProgress:
			event.Status, event.EndTime = types.LifecycleEventStatusFailed, aws.Time(now)
			event.Diagnostics = &types.Diagnostics{ErrorCode: types.LifecycleErrorCodeUnknownError, Message: aws.String(why.message)}
		case types.LifecycleEventStatusPending:
			event.Status = types.LifecycleEventStatusSkipped
		default:
		}
	}
	d.Info.ErrorInformation = &types.ErrorInformation{Code: why.code, Message: aws.String(why.message)}
	c.finish(d, why.status)
	if d.rollsBack(why.event) {
		c.rollBack(d)
	}
}

// finish gives a deployment its last status.
func (c *Service) finish(d *deployment, status types.DeploymentStatus) {
	d.Info.Status, d.Info.CompleteTime = status, aws.Time(time.Now())
	c.attempted(d)
	c.note(d)
	c.options.Logger.Debug("deployment ended", "deployment", *d.Info.DeploymentId, "status", status)
}
