package dataplane

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// target is a task in a target group. Its goroutine checks its health, drains
// it, and is the only one that reports on it.
type target struct {
	controlplane.Target
	group     *targetGroup
	health    func(controlplane.TargetHealth)
	transport *http.Transport // nil with TCP
	sent      *sync.WaitGroup // the app's: see pick

	registered context.Context // until deregister
	deregister context.CancelFunc
	// checked is closed once the first health check was reported, or never will be.
	checked chan struct{}

	// What follows is guarded by the group's lock.
	record
	withdrawn bool // gets nothing new, whatever its health
	drained   []func()
}

// run checks the target until it is deregistered, and then lets it drain.
func (t *target) run(p *Plane) {
	checked := sync.OnceFunc(func() { close(t.checked) })
	t.health(controlplane.TargetHealth{State: controlplane.TargetInitial, Description: "Target registration is in progress"})
	for t.registered.Err() == nil {
		failure := p.checks.check(t.registered, t.Address, t.group.TargetGroup, p.scaled(t.group.HealthCheck.Timeout))
		if t.registered.Err() != nil {
			break
		}
		t.group.mu.Lock()
		changed := t.observe(failure == "")
		health := controlplane.TargetHealth{State: t.state}
		t.group.mu.Unlock()
		if health.State == controlplane.TargetUnhealthy {
			health.Description = failure
		}
		if changed {
			t.health(health)
		}
		checked()
		wait(t.registered, p.scaled(t.group.HealthCheck.Interval))
	}
	checked()
	if p.ctx.Err() == nil {
		// The target counts as draining for the whole delay, even with nothing
		// open: Elastic Load Balancing user guide, "Deregistration delay".
		t.health(controlplane.TargetHealth{State: controlplane.TargetDraining, Description: "Target deregistration is in progress"})
		wait(p.ctx, p.scaled(t.group.DeregistrationDelay))
	}
	t.group.remove(t)
	if t.transport != nil {
		t.transport.CloseIdleConnections()
	}
	if p.ctx.Err() == nil {
		for _, drained := range t.drained {
			drained()
		}
	}
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// record is a target's state and what its latest health checks said.
type record struct {
	check    HealthCheck
	state    controlplane.TargetState
	passes   int // in a row
	failures int // in a row
}

// observe counts one health check and reports whether the state changed. A
// target that was just registered is healthy with its first pass: Elastic Load
// Balancing user guide, "Health checks for your target groups".
func (r *record) observe(passed bool) (changed bool) {
	before := r.state
	if passed {
		r.passes, r.failures = r.passes+1, 0
		if r.state == controlplane.TargetInitial || r.passes >= r.check.HealthyThreshold {
			r.state = controlplane.TargetHealthy
		}
	} else {
		r.passes, r.failures = 0, r.failures+1
		if r.failures >= r.check.UnhealthyThreshold {
			r.state = controlplane.TargetUnhealthy
		}
	}
	return r.state != before
}
