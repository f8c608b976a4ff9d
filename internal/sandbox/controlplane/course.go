package controlplane

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// course is where a service deployment with stages is on its way.
type course struct {
	Steps []step
	At    int
	Since time.Time // when the step began; zero before the first
	Hooks []*hook   // of the step
	// HookDetails are those of the hooks that the service had when it began.
	HookDetails []json.RawMessage
	// Back: it is rolled back; the primary deployment is the blue one then.
	Back bool
	// Other is the id of the deployment that shares the traffic with the primary
	// one: the blue one, or in a rollback the green one. Empty for a service's
	// first deployment.
	Other string
}

// step is the one at hand.
func (k *course) step() step { return k.Steps[k.At] }

// rolling says whether the course only leads up to a rolling update.
func (k *course) rolling() bool { return k.Steps[len(k.Steps)-1].Stage != stageCleanUp }

// cleaning says whether the revision that is not wanted any more goes.
func (k *course) cleaning() bool { return k.step().Stage == stageCleanUp }

// scales says whether the primary deployment may have tasks yet.
func (k *course) scales() bool {
	return slices.ContainsFunc(k.Steps[:k.At+1], func(s step) bool { return s.Stage == stageScaleUp })
}

// keeps says whether a deployment that is not the primary one keeps its tasks.
func (k *course) keeps(d *deployment) bool {
	return k.rolling() || *d.Id == k.Other && !k.cleaning()
}

// chart gives the service deployment that was just recorded its course, if its
// strategy or its hooks ask for one.
func (c *ControlPlane) chart(s *service) {
	config := s.DeploymentConfiguration
	s.Course, s.Production, s.Test = nil, nil, nil
	if !native(config) && !slices.ContainsFunc(config.LifecycleHooks, func(h types.DeploymentLifecycleHook) bool { return hooked(h, stagePreScaleUp) }) {
		return
	}
	d := s.primary()
	s.Course = &course{Other: d.Source, HookDetails: s.HookDetails, Steps: stepsOf(plot{
		config: config, first: d.Source == "", several: len(s.Rollouts) > 2, shiftTime: s.shiftTime(d),
	})}
	if native(config) {
		s.Production, s.Test = s.share(0, production), s.share(0, test)
	}
}

// proceed takes the service deployment on along its course, and says whether it
// moved.
func (c *ControlPlane) proceed(s *service) bool {
	k, record := s.Course, s.record()
	if k == nil || s.primary().RolloutState != types.DeploymentRolloutStateInProgress || record.Status == types.ServiceDeploymentStatusPending {
		return false
	}
	if k.Since.IsZero() {
		c.enter(s)
		return true
	}
	c.tendHooks(s)
	switch v, reason := k.step().judge(c.look(s)); {
	case v == back && k.Back:
		// The traffic is where it was; nothing is left to go back to.
		record.finish(types.ServiceDeploymentStatusRollbackFailed, reason)
		k.Hooks = nil
		return true
	case v == back:
		c.fail(s, failure{
			event: reason, rollout: reason, status: reason, rollback: true,
			back: "ECS deployment lifecycle hook: rolling back to deploymentId ",
		})
		return true
	case v == onward && k.At+1 == len(k.Steps):
		record.LifecycleStage, s.Course = "", nil
		return true
	case v == onward:
		k.At++
		c.enter(s)
		return true
	default:
		return false
	}
}

// enter begins the step at hand: the traffic shifts and the hooks are called at
// the same time.
func (c *ControlPlane) enter(s *service) {
	k, record := s.Course, s.record()
	k.Since = time.Now()
	record.LifecycleStage = types.ServiceDeploymentLifecycleStage(k.step().Stage)
	record.UpdatedAt = aws.Time(k.Since)
	c.shift(s)
	c.beginHooks(s)
}

// look sees what decides about the step at hand.
func (c *ControlPlane) look(s *service) sight {
	k, p := s.Course, s.primary()
	v := sight{elapsed: c.since(k.Since)}
	for _, h := range k.Hooks {
		v.waiting = v.waiting || !h.Passed
		if v.refusal == "" {
			v.refusal = h.Refusal
		}
	}
	fit, wanted := int32(0), int32(0)
	for _, t := range c.state.Clusters[s.Cluster].tasksOf(s) {
		switch {
		case t.Deployment == *p.Id && t.wanted():
			wanted++
			fit += count(c.fitness(s, t) == healthy)
		case t.Deployment != *p.Id && t.Deployment != k.Other && !t.drained():
			v.strays = true
		}
	}
	v.ready = fit == s.DesiredCount && wanted == s.DesiredCount
	return v
}

// deploymentWaits are when time alone changes something about the service
// deployment: a bake time ends, a hook is due, the alarms are to be looked at.
func (c *ControlPlane) deploymentWaits(s *service) []time.Duration {
	if len(s.Records) == 0 {
		return nil
	}
	var waits []time.Duration
	if k := s.Course; k != nil && !k.Since.IsZero() {
		waits = append(waits, k.step().Least-c.since(k.Since))
		if k.step().Stage == stageScaleUp {
			waits = append(waits, stageMost-c.since(k.Since))
		}
		for _, h := range k.Hooks {
			if !h.Passed {
				waits = append(waits, -c.since(h.Next), -c.since(h.Expires))
			}
		}
	}
	waits = append(waits, s.bakeTime()-c.since(s.primary().Baking))
	if s.watched() {
		waits = append(waits, max(1, alarmPoll-c.since(s.primary().Heard)))
	}
	return slices.DeleteFunc(waits, func(d time.Duration) bool { return d <= 0 })
}

// source is the deployment that serves the traffic when another begins: the last
// one that was completed, or the newest if that has gone; nil if there is none.
func (s *service) source() *deployment {
	if len(s.Rollouts) == 0 {
		return nil
	}
	if s.LastCompleted != nil && s.deployment(*s.LastCompleted.Id) != nil {
		return s.LastCompleted
	}
	return s.Rollouts[0]
}

// networkListener is in the ARN of a Network Load Balancer's listener.
const networkListener = ":listener/net/"

// shiftTime is what a traffic shift takes beyond the change of a rule: Network
// Load Balancers need ten minutes more.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-implementation.html
func (s *service) shiftTime(green *deployment) time.Duration {
	for _, lb := range s.revision(green.Revision).LoadBalancers {
		if a := lb.AdvancedConfiguration; a != nil && strings.Contains(aws.ToString(a.ProductionListenerRule), networkListener) {
			return networkShift
		}
	}
	return 0
}
