package controlplane

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// resume starts again what ran when the state was taken: the same tasks under
// the same ids, and every wait from its beginning.
func (c *ControlPlane) resume() {
	for _, cl := range c.state.Clusters {
		for _, s := range cl.Services {
			c.resumeService(s)
		}
		for _, t := range cl.Tasks {
			c.resumeTask(t)
		}
	}
}

func (c *ControlPlane) resumeService(s *service) {
	if *s.Status == statusInactive {
		return
	}
	if s.LastCompleted != nil { // one object again, if it is in the list
		if d := s.deployment(*s.LastCompleted.Id); d != nil {
			s.LastCompleted = d
		}
	}
	for _, r := range s.Records {
		if r.Status == types.ServiceDeploymentStatusStopRequested {
			c.after(schedulerPass, func() { (*record)(r).finish(types.ServiceDeploymentStatusStopped, "") })
		}
	}
	c.resumeTraffic(s)
	c.kick(s)
}

func (c *ControlPlane) resumeTask(t *task) {
	t.restored = true
	switch *t.LastStatus {
	case statusProvisioning:
		c.provision(t)
	case statusPending:
		c.pull(t)
	case statusActivating, statusRunning:
		c.run(t)
	case statusDeactivating, statusStopping, statusDeprovisioning:
		// Nothing of it runs any more, and no connection has outlived us.
		c.deprovision(t)
	case statusStopped:
		c.forget(t)
	}
	if slices.Contains([]string{statusProvisioning, statusPending, statusActivating}, *t.LastStatus) {
		t.restored = false // it will be registered for the first time
	}
}
