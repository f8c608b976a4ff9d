package controlplane

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// passTaskSets is [ControlPlane.pass] for a service that CodeDeploy deploys.
func (c *ControlPlane) passTaskSets(s *service) {
	cl := c.state.Clusters[s.Cluster]
	for _, t := range cl.tasksOf(s) {
		c.examine(s, t)
	}
	acted := false
	for _, ts := range s.TaskSets {
		acted = c.scaleTaskSet(s, ts, cl.tasksOf(s)) || acted
	}
	left := cl.tasksOf(s)
	s.TaskSets = slices.DeleteFunc(s.TaskSets, func(ts *taskSet) bool {
		return *ts.Status == taskSetDraining && !slices.ContainsFunc(left, func(t *task) bool { return t.Deployment == *ts.Id })
	})
	if *s.Status == statusDraining && len(left) == 0 {
		s.Status, s.TaskSets = aws.String(statusInactive), nil
		return
	}
	if acted {
		c.kick(s)
		return
	}
	if d, ok := c.nextLook(s); ok {
		c.wakeIn(s, d)
	}
	for _, ts := range s.TaskSets {
		if wait := time.Until(ts.Tasks.RetryAt); wait > 0 {
			c.wakeIn(s, time.Duration(float64(wait)*c.scale)+time.Millisecond)
		}
	}
}

// scaleTaskSet starts and stops a task set's tasks, and says whether it did
// either. A task set replaces its own failing tasks; nothing of it is bounded by
// the others.
func (c *ControlPlane) scaleTaskSet(s *service, ts *taskSet, tasks []*task) bool {
	own := crew{desired: ts.desired(s), held: time.Now().Before(ts.Tasks.RetryAt)}
	var members []*task
	fit := 0
	for _, t := range tasks {
		if t.Deployment == *ts.Id && t.wanted() {
			own.tasks = append(own.tasks, c.fitness(s, t))
			members = append(members, t)
			fit += int(count(own.tasks[len(own.tasks)-1] == healthy))
		}
	}
	c.noteStability(s, ts, fit == own.desired && len(members) == own.desired)
	p := decide(boundsOf(own.desired, 100, 200), []crew{own}, false)
	c.start(s, ts.Tasks, p.start[0], members)
	var stop []*task
	for _, index := range p.stop[0] {
		stop = append(stop, members[index])
	}
	c.scaleIn(s, stop)
	return !p.idle()
}

// noteStability notes whether the task set has all its tasks, healthy.
func (c *ControlPlane) noteStability(s *service, ts *taskSet, steady bool) {
	status := types.StabilityStatusStabilizing
	if steady {
		status = types.StabilityStatusSteadyState
	}
	if ts.StabilityStatus == status {
		return
	}
	ts.StabilityStatus, ts.StabilityStatusAt, ts.UpdatedAt = status, aws.Time(time.Now()), aws.Time(time.Now())
	if steady && *ts.Status != taskSetDraining {
		clear(s.Complaints)
		c.eventAbout(s, *ts.Id, "has reached a steady state.")
	}
}
