package controlplane

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Alarms are the account's CloudWatch alarms. State is an alarm's state, OK,
// ALARM or INSUFFICIENT_DATA; ok is false when there is no alarm of that name. It
// is called with the control plane's lock held: it must not wait, nor call the
// control plane.
type Alarms interface {
	State(name string) (state string, ok bool)
}

// noAlarms is an account without alarms.
type noAlarms struct{}

func (noAlarms) State(string) (string, bool) { return "", false }

// ringing are those of the alarms that are in the state ALARM.
func (c *ControlPlane) ringing(names []string) []string {
	var found []string
	for _, name := range names {
		if state, ok := c.options.Alarms.State(name); ok && state == "ALARM" {
			found = append(found, name)
		}
	}
	return found
}

// alarmed says whether alarms watch the service deployment.
func alarmed(config *types.DeploymentConfiguration) bool {
	return config.Alarms.Enable && len(config.Alarms.AlarmNames) > 0
}

// watched says whether alarms can still fail the service deployment: from its
// beginning to the end of its bake time.
func (s *service) watched() bool {
	record := s.record()
	return alarmed(record.DeploymentConfiguration) && record.Status == types.ServiceDeploymentStatusInProgress &&
		s.primary().RolloutState == types.DeploymentRolloutStateInProgress && (s.Course == nil || !s.Course.cleaning())
}

// hear polls the alarms, and fails the deployment when one of them rings. An
// alarm that was in ALARM when the deployment began is ignored for all of it.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
func (c *ControlPlane) hear(s *service) {
	d, record := s.primary(), s.record()
	if !s.watched() || c.since(d.Heard) < alarmPoll {
		return
	}
	d.Heard = time.Now()
	alarms := record.DeploymentConfiguration.Alarms
	triggered := slices.DeleteFunc(c.ringing(alarms.AlarmNames), func(name string) bool { return slices.Contains(d.Deaf, name) })
	if len(triggered) == 0 {
		return
	}
	record.Alarms = &types.ServiceDeploymentAlarms{
		AlarmNames: record.Alarms.AlarmNames, Status: types.ServiceDeploymentRollbackMonitorsStatusTriggered, TriggeredAlarmNames: triggered,
	}
	c.fail(s, failure{
		event:   "alarm detected.",
		rollout: "ECS deployment alarm: alarm detected.",
		back:    "ECS deployment alarm: rolling back to deploymentId ",
		status:  reasonAlarm, rollback: alarms.Rollback,
	})
}

// bakeTime is how long a rolling deployment remains in progress once its tasks
// have taken over: with alarms for a while of ECS's choice, if none is set.
func (s *service) bakeTime() time.Duration {
	config := s.record().DeploymentConfiguration
	if native(config) || s.record().Status != types.ServiceDeploymentStatusInProgress {
		return 0
	}
	if alarmed(config) && aws.ToInt32(config.BakeTimeInMinutes) == 0 {
		return alarmBake
	}
	if alarmed(config) || early(config) {
		return minutes(config.BakeTimeInMinutes)
	}
	return 0
}

// baked says whether the bake time is over; it begins with the first call.
func (c *ControlPlane) baked(s *service) bool {
	bake, d := s.bakeTime(), s.primary()
	if bake > 0 && d.Baking.IsZero() {
		d.Baking = time.Now()
	}
	return bake == 0 || c.since(d.Baking) >= bake
}

// early says whether the service deployment may succeed before all its tasks are
// healthy.
func early(config *types.DeploymentConfiguration) bool {
	return config.EarlySuccessCriteria != nil && config.EarlySuccessCriteria.Enable && !native(config)
}

// succeedEarly ends the deployment well once as many of its tasks are healthy as
// its early success criteria ask for. The rest goes on in the background.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/early-success-criteria.html
func (c *ControlPlane) succeedEarly(s *service, fit, leaving int) {
	d, record := s.primary(), s.record()
	if !early(record.DeploymentConfiguration) || record.Status != types.ServiceDeploymentStatusInProgress ||
		d.RolloutState != types.DeploymentRolloutStateInProgress {
		return
	}
	criteria := record.DeploymentConfiguration.EarlySuccessCriteria
	enough := (int(s.DesiredCount)*int(aws.ToInt32(criteria.HealthyPercent)) + 99) / 100
	blocked := criteria.SourceServiceRevisionCleanup == types.ServiceRevisionCleanupBlocking && leaving > 0
	if fit >= enough && !blocked && c.baked(s) {
		record.succeed()
		c.complete(s)
	}
}
