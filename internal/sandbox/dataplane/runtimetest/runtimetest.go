// Package runtimetest says in code what controlplane.Runtime says in prose, for
// every implementation to be held against: the data plane on real sockets, and
// the one in memory with which the control plane is tested in virtual time.
package runtimetest

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// Harness is a runtime under test.
type Harness struct {
	Runtime controlplane.Runtime
	// TargetGroupARN names an HTTP target group of the runtime's.
	TargetGroupARN string
	// OtherGroupARN names another, and ListenerRule a rule that forwards to them.
	OtherGroupARN, ListenerRule string
	// Share is the share of what the rule forwards that goes to the second of two
	// tasks, each alone in its target group, measured or looked up.
	Share func(t *testing.T) float64
	// Patience is how long a case waits for what must come, and Quiet for what
	// must not.
	Patience, Quiet time.Duration
}

// Case is one thing that a runtime must do.
type Case struct {
	Name string
	Run  func(t *testing.T, h Harness)
}

// Cases are all cases. Each wants a fresh runtime; none uses t.Run, so that it
// may run in a testing/synctest bubble.
func Cases() []Case {
	return []Case{
		{"a task runs and is stopped", runs},
		{"a task that does not run is stopped", stopsNothing},
		{"a crashing container exits with 1", crashes},
		{"a standalone task ends by itself", ends},
		{"a good target becomes healthy, and drains", drains},
		{"a bad target becomes unhealthy", becomesUnhealthy},
		{"a slow target becomes healthy in the end", becomesHealthySlowly},
		{"a target that is not registered has drained", drainsNothing},
		{"a rule forwards by weight", shifts},
	}
}

// The tasks; only one case needs the second.
const (
	taskID = "0123456789abcdef0123456789abcdef"
	// OtherTaskID is that of the task in the other target group.
	OtherTaskID = "fedcba9876543210fedcba9876543210"
)

// probe calls a runtime and collects what it reports. Its lock is held during
// each call and taken by each report, so that a report from inside a call hangs.
type probe struct {
	t *testing.T
	Harness
	mu      sync.Mutex
	running chan map[string]string
	crashed chan string
	health  chan controlplane.TargetHealth
}

func newProbe(t *testing.T, h Harness) *probe {
	return &probe{
		t: t, Harness: h,
		running: make(chan map[string]string, 10),
		crashed: make(chan string, 10),
		health:  make(chan controlplane.TargetHealth, 100),
	}
}

// report passes a report on.
func report[T any](p *probe, to chan T, value T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to <- value
}

func (p *probe) call(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// await returns the next report.
func await[T any](p *probe, what string, from chan T) (value T) {
	p.t.Helper()
	select {
	case value = <-from:
	case <-time.After(p.Patience):
		p.t.Fatalf("%s was not reported", what)
	}
	return value
}

// quiet fails when something is reported.
func quiet[T any](p *probe, what string, from chan T) {
	p.t.Helper()
	select {
	case value := <-from:
		p.t.Errorf("%s was reported: %v", what, value)
	case <-time.After(p.Quiet):
	}
}

// start starts a task with a container "app" of this image's tag that has a
// port, and a sidecar without one.
func (p *probe) start(tag string) { p.startAs(taskID, tag) }

func (p *probe) startAs(id, tag string) {
	p.call(func() {
		p.Runtime.StartTask(controlplane.TaskSpec{
			ID: id, ARN: "arn:aws:ecs:eu-west-1:111122223333:task/cluster1/" + id, Cluster: "cluster1", Group: "service:app",
			Containers: []controlplane.ContainerSpec{
				{Name: "app", Image: "registry.example.com/app:" + tag, Essential: true, Ports: []int32{8080}},
				{Name: "sidecar", Image: "registry.example.com/sidecar:1", Essential: false},
			},
		}, controlplane.TaskEvents{
			Running: func(address map[string]string) { report(p, p.running, address) },
			Exited: func(container string, code int32, _ string) {
				if code != 1 {
					p.t.Errorf("%s exited with %d, want 1", container, code)
				}
				report(p, p.crashed, container)
			},
		})
	})
}

// stop stops the task and returns the exit codes.
func (p *probe) stop() map[string]int32 { return p.stopAs(taskID) }

func (p *probe) stopAs(id string) map[string]int32 {
	p.t.Helper()
	exited := make(chan map[string]int32, 1)
	p.call(func() {
		p.Runtime.StopTask(id, 30*time.Second, func(codes map[string]int32) { report(p, exited, codes) })
	})
	return await(p, "the end of the task", exited)
}

// register starts a task, registers it and returns it as a target.
func (p *probe) register(tag string) controlplane.Target {
	p.t.Helper()
	return p.registerAs(taskID, tag, p.TargetGroupARN)
}

func (p *probe) registerAs(id, tag, group string) controlplane.Target {
	p.t.Helper()
	p.startAs(id, tag)
	address := await(p, "the running task", p.running)
	target := controlplane.Target{TargetGroupARN: group, TaskID: id, Container: "app", Port: 8080, Address: address["app"]}
	p.call(func() {
		p.Runtime.Register(target, func(health controlplane.TargetHealth) { report(p, p.health, health) })
	})
	return target
}

// becomes waits for a change of health.
func (p *probe) becomes(state controlplane.TargetState) controlplane.TargetHealth {
	p.t.Helper()
	health := await(p, "a change to "+string(state), p.health)
	if health.State != state {
		p.t.Fatalf("the target became %+v, want %s", health, state)
	}
	return health
}

func runs(t *testing.T, h Harness) {
	p := newProbe(t, h)
	p.start("1.0.0")
	address := await(p, "the running task", p.running)
	if address["app"] == "" {
		t.Errorf("addresses %v: none for the container with a port", address)
	}
	p.start("1.0.0")
	quiet(p, "the running task a second time", p.running)
	if diff := cmp.Diff(map[string]int32{"app": 0, "sidecar": 0}, p.stop()); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
	quiet(p, "the end of a container that was stopped", p.crashed)
}

func stopsNothing(t *testing.T, h Harness) {
	newProbe(t, h).stop()
}

func crashes(t *testing.T, h Harness) {
	p := newProbe(t, h)
	p.start("2.0.0-crash")
	if container := await(p, "the crash", p.crashed); container != "app" {
		t.Errorf("%s crashed, want app", container)
	}
	if diff := cmp.Diff(map[string]int32{"app": 1, "sidecar": 0}, p.stop()); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
	quiet(p, "a second crash", p.crashed)
}

func ends(t *testing.T, h Harness) {
	for tag, want := range map[string]int32{"1.0.0": 0, "1.0.0-slow": 0, "1.0.0-crash": 1} {
		p := newProbe(t, h)
		exited := make(chan int32, 10)
		id := tag + taskID
		p.call(func() {
			p.Runtime.StartTask(controlplane.TaskSpec{
				ID: id, Cluster: "cluster1", Group: "family:app", Standalone: true,
				Containers: []controlplane.ContainerSpec{{Name: "app", Image: "registry.example.com/app:" + tag, Essential: true}},
			}, controlplane.TaskEvents{
				Running: func(address map[string]string) { report(p, p.running, address) },
				Exited:  func(_ string, code int32, _ string) { report(p, exited, code) },
			})
		})
		await(p, "the running task", p.running)
		if code := await(p, "the end of "+tag, exited); code != want {
			t.Errorf("%s exited with %d, want %d", tag, code, want)
		}
		if diff := cmp.Diff(map[string]int32{"app": want}, p.stopAs(id)); diff != "" {
			t.Errorf("%s: exit codes (-want +got):\n%s", tag, diff)
		}
	}
}

func drains(t *testing.T, h Harness) {
	p := newProbe(t, h)
	target := p.register("1.0.0")
	p.becomes(controlplane.TargetInitial)
	p.becomes(controlplane.TargetHealthy)
	p.call(func() {
		p.Runtime.Register(target, func(health controlplane.TargetHealth) { t.Errorf("the second registration reported %+v", health) })
	})
	quiet(p, "a change of a healthy target", p.health)

	drained := make(chan bool, 1)
	p.call(func() { p.Runtime.Deregister(target, func() { report(p, drained, true) }) })
	await(p, "the end of draining", drained)
	if len(p.health) > 0 { // it may be told, or be taken for granted
		p.becomes(controlplane.TargetDraining)
	}
	quiet(p, "the health of a target that is gone", p.health)
	p.stop()
}

func becomesUnhealthy(t *testing.T, h Harness) {
	p := newProbe(t, h)
	p.register("1.0.0-unhealthy")
	p.becomes(controlplane.TargetInitial)
	health := p.becomes(controlplane.TargetUnhealthy)
	if want := "Health checks failed with these codes: [503]"; health.Description != want {
		t.Errorf("description %q, want %q", health.Description, want)
	}
	quiet(p, "a change of an unhealthy target", p.health)
	p.stop()
}

func becomesHealthySlowly(t *testing.T, h Harness) {
	p := newProbe(t, h)
	p.register("1.0.0-slow")
	var states []string
	for {
		health := await(p, "a change of a slow target", p.health)
		states = append(states, string(health.State))
		if health.State == controlplane.TargetHealthy {
			break
		}
	}
	if got := strings.Join(states, " "); got != "initial healthy" && got != "initial unhealthy healthy" {
		t.Errorf("the target became %s", got)
	}
	p.stop()
}

func drainsNothing(t *testing.T, h Harness) {
	p := newProbe(t, h)
	drained := make(chan bool, 1)
	target := controlplane.Target{TargetGroupARN: p.TargetGroupARN, TaskID: taskID, Container: "app", Port: 8080, Address: "127.0.0.1:1"}
	p.call(func() { p.Runtime.Deregister(target, func() { report(p, drained, true) }) })
	await(p, "the end of draining", drained)
}

func shifts(t *testing.T, h Harness) {
	p := newProbe(t, h)
	for id, group := range map[string]string{taskID: h.TargetGroupARN, OtherTaskID: h.OtherGroupARN} {
		p.registerAs(id, "1.0.0", group)
		p.becomes(controlplane.TargetInitial)
		p.becomes(controlplane.TargetHealthy)
	}
	for _, weight := range []float64{0, 2.5, 50, 100} {
		p.call(func() {
			p.Runtime.Shift(h.ListenerRule, map[string]float64{h.TargetGroupARN: 100 - weight, h.OtherGroupARN: weight})
			p.Runtime.Shift("arn:somebody-elses", map[string]float64{h.TargetGroupARN: 100})
		})
		if share := h.Share(t); math.Abs(share-weight/100) > 0.0001 {
			t.Errorf("weight %v: a share of %v", weight, share)
		}
	}
	p.stop()
	p.stopAs(OtherTaskID)
}
