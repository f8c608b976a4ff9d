package dataplane

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// Protocol is what a load balancer or a target group speaks.
type Protocol string

// The protocols.
const (
	HTTP Protocol = "HTTP"
	TCP  Protocol = "TCP"
)

// TargetGroup is a target group of target type ip. Zero values are ELB's
// defaults: API reference of Elastic Load Balancing v2, CreateTargetGroup.
type TargetGroup struct {
	ARN         string
	Protocol    Protocol // HTTP
	HealthCheck HealthCheck
	// DeregistrationDelay is how long a target drains; 300 s.
	DeregistrationDelay time.Duration
}

// HealthCheck says when a target is healthy. A check by HTTP wants the code 200.
type HealthCheck struct {
	Path               string        // "/"; not with TCP
	Interval           time.Duration // 30 s
	Timeout            time.Duration // 5 s for HTTP, 10 s for TCP
	HealthyThreshold   int           // passes in a row for an unhealthy target: 5
	UnhealthyThreshold int           // failures in a row: 2
}

// targetGroup is a TargetGroup with its targets.
type targetGroup struct {
	TargetGroup

	mu      sync.Mutex
	targets []*target
	turn    int // whose turn it is, by index
}

// complete fills in the defaults.
func (g TargetGroup) complete() TargetGroup {
	g.Protocol = cmp.Or(g.Protocol, HTTP)
	g.DeregistrationDelay = cmp.Or(g.DeregistrationDelay, 300*time.Second)
	timeout := 5 * time.Second
	if g.Protocol == TCP {
		timeout = 10 * time.Second
	}
	check := &g.HealthCheck
	check.Path = cmp.Or(check.Path, "/")
	check.Interval = cmp.Or(check.Interval, 30*time.Second)
	check.Timeout = cmp.Or(check.Timeout, timeout)
	check.HealthyThreshold = cmp.Or(check.HealthyThreshold, 5)
	check.UnhealthyThreshold = cmp.Or(check.UnhealthyThreshold, 2)
	return g
}

// AddTargetGroup makes a target group known. An error says that there is one
// with that ARN.
func (p *Plane) AddTargetGroup(group TargetGroup) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.groups[group.ARN] != nil {
		return fmt.Errorf("there is a target group %s already", group.ARN)
	}
	p.groups[group.ARN] = &targetGroup{TargetGroup: group.complete()}
	return nil
}

// register adds a target, and returns nil when it is there already.
func (g *targetGroup) register(ctx context.Context, spec controlplane.Target, sent *sync.WaitGroup, health func(controlplane.TargetHealth)) *target {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.find(spec) != nil {
		return nil
	}
	t := &target{
		Target: spec, group: g, sent: sent, health: health, checked: make(chan struct{}),
		record: record{state: controlplane.TargetInitial, check: g.HealthCheck},
	}
	t.registered, t.deregister = context.WithCancel(ctx)
	if g.Protocol == HTTP {
		t.transport = &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	}
	g.targets = append(g.targets, t)
	return t
}

// deregister takes a target out of service and has drained called when it has
// drained. It reports false when there is no such target.
func (g *targetGroup) deregister(spec controlplane.Target, drained func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.find(spec)
	if t == nil {
		return false
	}
	t.withdrawn = true
	t.drained = append(t.drained, drained)
	t.deregister()
	return true
}

// withdraw has no new request sent to a task.
func (g *targetGroup) withdraw(taskID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		if t.TaskID == taskID {
			t.withdrawn = true
		}
	}
}

// pick returns the next healthy target in turn that was not tried, or nil. The
// caller calls sent.Done when the target has answered. It was counted under the
// lock, so that nothing is sent unseen once a target was withdrawn.
func (g *targetGroup) pick(tried []*target) *target {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.targets {
		at := (g.turn + i) % len(g.targets)
		t := g.targets[at]
		if t.state == controlplane.TargetHealthy && !t.withdrawn && !slices.Contains(tried, t) {
			g.turn = at + 1
			t.sent.Add(1)
			return t
		}
	}
	return nil
}

// find returns a target; the caller holds the lock.
func (g *targetGroup) find(spec controlplane.Target) *target {
	for _, t := range g.targets {
		if t.TaskID == spec.TaskID && t.Container == spec.Container && t.Port == spec.Port {
			return t
		}
	}
	return nil
}

// remove forgets a target.
func (g *targetGroup) remove(gone *target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.targets = slices.DeleteFunc(g.targets, func(t *target) bool { return t == gone })
}
