package controlplane

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// register adds the task to its target groups.
func (c *ControlPlane) register(t *task) {
	s := c.serviceOf(t)
	for _, target := range t.Targets {
		c.options.Runtime.Register(target.Target, func(health TargetHealth) {
			c.do(func() { c.targetChanged(t, target, health) })
		})
		if !t.restored {
			c.event(s, fmt.Sprintf("registered 1 targets in (target-group %s)", target.TargetGroupARN))
		}
	}
}

// targetChanged is told of a target's health.
func (c *ControlPlane) targetChanged(t *task, target *target, health TargetHealth) {
	if t.restored && health.State == TargetInitial {
		return // what it was before the restart holds until the checks know
	}
	if target.Draining {
		return
	}
	target.Health = health
	c.kick(c.serviceOf(t))
}

// watchContainers runs the containers' health checks: their outcome is chosen
// by the image, as everything is.
func (c *ControlPlane) watchContainers(t *task) {
	for _, definition := range c.state.definition(*t.TaskDefinitionArn).types().ContainerDefinitions {
		check := definition.HealthCheck
		if check == nil {
			continue
		}
		seconds := func(given *int32, usual time.Duration) time.Duration {
			if given == nil {
				return usual
			}
			return time.Duration(*given) * time.Second
		}
		interval, period := seconds(check.Interval, checkInterval), seconds(check.StartPeriod, 0)
		retries := checkRetries
		if check.Retries != nil {
			retries = int(*check.Retries)
		}
		report := func(after time.Duration, status types.HealthStatus) {
			c.step(t, after, func() { c.containerChecked(t, *definition.Name, status) })
		}
		switch BehaviourOf(*definition.Image) {
		case BehaviourUnhealthy:
			report(period+time.Duration(retries)*interval, types.HealthStatusUnhealthy)
		case BehaviourSlow:
			if failed := period + time.Duration(retries)*interval; failed < slowStart {
				report(failed, types.HealthStatusUnhealthy)
			}
			report((slowStart+interval-1)/interval*interval, types.HealthStatusHealthy)
		default:
			report(interval, types.HealthStatusHealthy)
		}
	}
}

// containerChecked notes what a container's health check says, and what it makes
// of the task.
func (c *ControlPlane) containerChecked(t *task, name string, status types.HealthStatus) {
	t.container(name).HealthStatus = status
	t.HealthStatus = ""
	for _, definition := range c.state.definition(*t.TaskDefinitionArn).types().ContainerDefinitions {
		if definition.HealthCheck == nil || !essential(definition) {
			continue
		}
		health := t.container(*definition.Name).HealthStatus
		if t.HealthStatus == "" || health == types.HealthStatusUnhealthy ||
			health == types.HealthStatusUnknown && t.HealthStatus == types.HealthStatusHealthy {
			t.HealthStatus = health
		}
	}
	t.Version++
	if s := c.serviceOf(t); s != nil {
		c.kick(s)
	}
}
