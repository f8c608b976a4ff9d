package controlplane

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// kick has the scheduler look at the service soon.
func (c *ControlPlane) kick(s *service) { c.wakeIn(s, schedulerPass) }

// wakeIn has the scheduler look at the service after d, or earlier if it already
// means to.
func (c *ControlPlane) wakeIn(s *service, d time.Duration) {
	at := time.Now().Add(time.Duration(float64(d) / c.scale))
	if s.wake != nil {
		if !at.Before(s.wakeAt) {
			return
		}
		s.wake.Stop()
		delete(c.timers, s.wake)
	}
	s.wakeAt = at
	s.wake = c.after(d, func() {
		s.wake = nil
		c.pass(s)
	})
}

// pass is one look of the scheduler at a service: see what changed, judge the
// deployment, start and stop tasks, and say when to look again.
func (c *ControlPlane) pass(s *service) {
	if *s.Status == statusInactive {
		return
	}
	if s.byCodeDeploy() {
		c.passTaskSets(s)
		return
	}
	c.recordDeployment(s)
	cl := c.state.Clusters[s.Cluster]
	for _, t := range cl.tasksOf(s) {
		c.examine(s, t)
	}
	c.judge(s)
	moved := c.proceed(s)
	acted := c.act(s, cl.tasksOf(s)) || moved
	c.dropReplaced(s)
	c.conclude(s)
	switch {
	case *s.Status == statusInactive:
	case acted || s.record().Status == types.ServiceDeploymentStatusPending:
		c.kick(s)
	default:
		if d, ok := c.nextLook(s); ok {
			c.wakeIn(s, d)
		}
	}
}

// examine takes note of a task's health.
func (c *ControlPlane) examine(s *service, t *task) {
	if !t.wanted() {
		return
	}
	switch c.fitness(s, t) {
	case healthy:
		t.Failing = false
		if !t.WasHealthy {
			t.WasHealthy = true
			if d := s.deployment(t.Deployment); d != nil && *s.DeploymentConfiguration.DeploymentCircuitBreaker.ResetOnHealthyTask {
				d.FailedTasks = 0
			}
		}
	case failing:
		if !t.Failing {
			t.Failing = true
			s.Steady = false
			for _, message := range t.ailments() {
				c.event(s, message)
			}
			c.countFailure(s, t)
		}
	default: // nothing to note
	}
}

// act starts and stops tasks as planned, and says whether it did either.
func (c *ControlPlane) act(s *service, tasks []*task) bool {
	crews := make([]crew, len(s.Rollouts))
	members := make([][]*task, len(s.Rollouts))
	for i, d := range s.Rollouts {
		crews[i].desired = int(d.DesiredCount)
		crews[i].held = d.RolloutState == types.DeploymentRolloutStateFailed || time.Now().Before(d.RetryAt)
		c.steer(s, d, &crews[i])
		for _, t := range tasks {
			if t.Deployment == *d.Id && t.wanted() {
				crews[i].tasks = append(crews[i].tasks, c.fitness(s, t))
				members[i] = append(members[i], t)
			}
		}
	}
	config := s.DeploymentConfiguration
	b := boundsOf(int(s.DesiredCount), int(*config.MinimumHealthyPercent), int(*config.MaximumPercent))
	for _, kept := range crews {
		if kept.kept && !s.Course.rolling() {
			b.upper += len(kept.tasks) // blue and green: each has room of its own
		}
	}
	p := decide(b, crews, s.primary().RolloutState == types.DeploymentRolloutStateFailed)
	if p.stalled {
		c.complain(s, "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
	for i, d := range slices.Clone(s.Rollouts) {
		if i > 0 {
			d.DesiredCount = int32(p.places[i])
		}
		c.start(s, d, p.start[i], members[i])
		var stop []*task
		for _, index := range p.stop[i] {
			stop = append(stop, members[i][index])
		}
		c.scaleIn(s, stop)
	}
	if p.idle() {
		return false
	}
	s.Steady = false
	return true
}

// steer has a crew do what the service deployment's course says.
func (c *ControlPlane) steer(s *service, d *deployment, crew *crew) {
	k := s.Course
	switch {
	case k == nil:
	case d == s.primary():
		crew.held = crew.held || !k.scales()
	case k.keeps(d):
		crew.kept = true
		if !k.Back && !k.rolling() {
			crew.desired = int(s.DesiredCount)
		}
	}
}

// start launches tasks of a deployment.
func (c *ControlPlane) start(s *service, d *deployment, count int, running []*task) {
	if count == 0 {
		return
	}
	if c.full {
		c.misplace(s, d, count)
		return
	}
	var started []*task
	for range count {
		started = append(started, c.launch(s, d))
	}
	message := fmt.Sprintf("has started %d tasks: %s.", count, mention(started))
	replaced := 0
	for _, t := range running {
		if t.Failing {
			replaced++
		}
	}
	if replaced = min(replaced, count); replaced > 0 {
		message += fmt.Sprintf(" Amazon ECS replaced %d tasks due to an unhealthy status.", replaced)
	}
	c.event(s, message)
}

// scaleIn stops tasks that are not wanted any more.
func (c *ControlPlane) scaleIn(s *service, tasks []*task) {
	var running []*task
	pending := 0
	for _, t := range tasks {
		if t.running() {
			running = append(running, t)
		} else {
			pending++
		}
	}
	// The events tell the decision; draining follows.
	if len(running) > 0 {
		c.event(s, fmt.Sprintf("has stopped %d running tasks: %s.", len(running), mention(running)))
	}
	if pending > 0 {
		c.event(s, fmt.Sprintf("stopped %d pending tasks.", pending))
	}
	for _, t := range tasks {
		c.stop(t, types.TaskStopCodeServiceSchedulerInitiated, t.dismissal())
	}
}

// dropReplaced takes replaced deployments whose tasks are gone out of the list.
func (c *ControlPlane) dropReplaced(s *service) {
	tasks := c.state.Clusters[s.Cluster].tasksOf(s)
	s.Rollouts = slices.DeleteFunc(s.Rollouts, func(d *deployment) bool {
		return d != s.primary() && d.DesiredCount == 0 &&
			!slices.ContainsFunc(tasks, func(t *task) bool { return t.Deployment == *d.Id })
	})
}

// conclude notes what has been reached: the service deployment's end, the
// deployment's, the steady state, the service's end.
func (c *ControlPlane) conclude(s *service) {
	tasks := c.state.Clusters[s.Cluster].tasksOf(s)
	if *s.Status == statusDraining {
		if len(tasks) == 0 {
			s.Status = aws.String(statusInactive)
			s.Rollouts = s.Rollouts[:0]
			c.stopRecord(s)
		}
		return
	}
	p := s.primary()
	fit, wanted, leaving := 0, 0, 0
	for _, t := range tasks {
		switch {
		case t.Deployment == *p.Id && t.wanted():
			wanted++
			if c.fitness(s, t) == healthy {
				fit++
			}
		case t.Deployment != *p.Id && !t.drained():
			leaving++
		}
	}
	if k := s.Course; k != nil && !k.cleaning() {
		return
	}
	c.succeedEarly(s, fit, leaving)
	if desired := int(s.DesiredCount); fit != desired || wanted != desired || p.RolloutState == types.DeploymentRolloutStateFailed {
		return
	}
	if leaving == 0 && c.baked(s) {
		// ECS ends the service deployment before the last old task is gone.
		s.record().succeed()
	}
	if len(s.Rollouts) > 1 || !c.baked(s) {
		return
	}
	if p.RolloutState == types.DeploymentRolloutStateInProgress {
		c.complete(s)
	}
	if !s.Steady {
		s.Steady = true
		clear(s.Complaints)
		c.event(s, "has reached a steady state.")
	}
}

// nextLook is when time alone will change something: a task will have run long
// enough, a grace period or a throttle will end.
func (c *ControlPlane) nextLook(s *service) (time.Duration, bool) {
	var waits []time.Duration
	for _, d := range s.Rollouts {
		if wait := time.Until(d.RetryAt); wait > 0 {
			waits = append(waits, time.Duration(float64(wait)*c.scale))
		}
	}
	for _, t := range c.state.Clusters[s.Cluster].tasksOf(s) {
		if !t.wanted() || t.StartedAt == nil {
			continue
		}
		for _, span := range []time.Duration{healthyAfter, s.grace()} {
			if wait := span - c.since(*t.StartedAt); wait > 0 {
				waits = append(waits, wait)
			}
		}
	}
	waits = append(waits, c.deploymentWaits(s)...)
	if len(waits) == 0 {
		return 0, false
	}
	// Not a moment too early, whatever the rounding.
	return slices.Min(waits) + time.Millisecond, true
}

// grace is how long after its start a task's failing checks are ignored.
func (s *service) grace() time.Duration {
	return time.Duration(aws.ToInt32(s.HealthCheckGracePeriodSeconds)) * time.Second
}
