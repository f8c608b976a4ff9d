package controlplane

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// exited is told that a container ended by itself.
func (c *ControlPlane) exited(t *task, name string, exitCode int32, reason string) {
	container := t.container(name)
	if container == nil || container.ExitCode != nil {
		return
	}
	c.printEnd(t, container, exitCode, reason)
	container.ExitCode = aws.Int32(exitCode)
	container.LastStatus = aws.String(statusStopped)
	if reason != "" {
		container.Reason = aws.String(reason)
	}
	t.Version++
	definition := c.state.definition(*t.TaskDefinitionArn).container(name)
	if t.wanted() && essential(*definition) {
		c.stop(t, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
	}
}

// stop has a task stopped: out of its target groups first, when those have
// drained its containers are ended, then its network interface goes.
func (c *ControlPlane) stop(t *task, code types.TaskStopCode, reason string) {
	if !t.wanted() {
		return
	}
	was := *t.LastStatus
	t.DesiredStatus = aws.String(statusStopped)
	t.StoppingAt = aws.Time(time.Now())
	t.StopCode = code
	t.StoppedReason = aws.String(reason)
	t.Version++
	if s := c.serviceOf(t); s != nil {
		c.noteStop(s, t, was)
		c.kick(s)
	}
	switch was {
	case statusRunning:
		t.become(statusDeactivating)
		if len(t.Targets) == 0 {
			c.step(t, deactivatingTime, func() { c.endContainers(t) })
			return
		}
		c.deregister(t)
	default:
		if t.started {
			c.endContainers(t)
		} else {
			c.deprovision(t)
		}
	}
}

// noteStop counts a task that ended without being asked to.
func (c *ControlPlane) noteStop(s *service, t *task, was string) {
	switch t.StopCode {
	case types.TaskStopCodeTaskFailedToStart, types.TaskStopCodeEssentialContainerExited:
	default:
		return
	}
	s.Steady = false
	if !t.WasHealthy {
		c.countFailure(s, t)
	}
	if was != statusRunning {
		c.countStartFailure(s, t)
	}
}

// deregister takes the task out of its target groups.
func (c *ControlPlane) deregister(t *task) {
	s := c.serviceOf(t)
	waiting := len(t.Targets)
	for _, target := range t.Targets {
		target.Draining = true
		c.event(s, fmt.Sprintf("deregistered 1 targets in (target-group %s)", target.TargetGroupARN))
		c.options.Runtime.Deregister(target.Target, func() {
			c.do(func() {
				if waiting--; waiting == 0 && *t.LastStatus == statusDeactivating {
					c.endContainers(t)
				}
			})
		})
	}
	c.eventAbout(s, t.Deployment, "has begun draining connections on 1 tasks.")
}

// endContainers ends what still runs of the task.
func (c *ControlPlane) endContainers(t *task) {
	t.become(statusStopping)
	if s := c.serviceOf(t); s != nil {
		c.kick(s)
	}
	timeout := c.state.definition(*t.TaskDefinitionArn).stopTimeout()
	c.options.Runtime.StopTask(t.ID, timeout, func(exitCodes map[string]int32) {
		c.do(func() {
			if *t.LastStatus == statusStopping {
				c.ended(t, exitCodes)
			}
		})
	})
}

// ended is told that all containers have ended.
func (c *ControlPlane) ended(t *task, exitCodes map[string]int32) {
	for i := range t.Containers {
		container := &t.Containers[i]
		if code, found := exitCodes[*container.Name]; found && container.ExitCode == nil {
			container.ExitCode = aws.Int32(code)
		}
	}
	t.ExecutionStoppedAt = aws.Time(time.Now())
	c.deprovision(t)
}

// deprovision gives the network interface back; then the task has STOPPED.
func (c *ControlPlane) deprovision(t *task) {
	for i := range t.Containers {
		t.Containers[i].LastStatus = aws.String(statusStopped)
	}
	t.become(statusDeprovisioning)
	c.step(t, deprovisioningTime, func() {
		t.become(statusStopped)
		t.StoppedAt = aws.Time(time.Now())
		if s := c.serviceOf(t); s != nil {
			c.kick(s)
		}
		c.forget(t)
	})
}

// forget drops a stopped task once nobody can describe it any more.
func (c *ControlPlane) forget(t *task) {
	c.after(stoppedTaskKept-c.since(*t.StoppedAt), func() {
		delete(c.state.Clusters[t.Cluster].Tasks, t.ID)
	})
}

// serviceOf is the task's service, or nil for a task of RunTask.
func (c *ControlPlane) serviceOf(t *task) *service {
	return c.state.Clusters[t.Cluster].Services[t.Service]
}
