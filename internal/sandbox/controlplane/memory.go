package controlplane

import (
	"maps"
	"sync"
	"time"
)

// The times of the memory runtime.
const (
	memoryStart = 1 * time.Second
	memoryStop  = 1 * time.Second
	// memoryCrash is how long a -crash task runs before it exits.
	memoryCrash = 5 * time.Second
	// memoryJob is how long a task runs that no service keeps running.
	memoryJob = 15 * time.Second
	// The defaults of an ELB target group's health check; one pass makes a new
	// target healthy.
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
	targetInterval           = 30 * time.Second
	targetUnhealthyThreshold = 2
	// deregistrationDelay is how long ELB lets connections end by default.
	deregistrationDelay = 300 * time.Second
)

// MemoryRuntime is a [Runtime] that runs nothing: it lets time pass as Fargate
// and Elastic Load Balancing would, with timers alone, so it works in a
// testing/synctest bubble.
type MemoryRuntime struct {
	options MemoryOptions

	mu     sync.Mutex
	tasks  map[string]*memoryTask
	rules  map[string]map[string]float64 // weights of target groups
	timers map[*time.Timer]struct{}
	closed bool
}

// MemoryOptions are how a memory runtime is made.
type MemoryOptions struct {
	TimeScale float64 // as in Options
	// DeregistrationDelay is that of every target group: 300 s, AWS's default,
	// if it is 0.
	DeregistrationDelay time.Duration
}

// memoryTask is a task that "runs".
type memoryTask struct {
	spec    TaskSpec
	events  TaskEvents
	codes   map[string]int32 // of the containers that have exited
	stopped bool
	targets map[Target]*memoryTarget
}

// memoryTarget is a registration.
type memoryTarget struct {
	health   func(TargetHealth)
	failures int
	state    TargetState
}

// NewMemoryRuntime makes a memory runtime.
func NewMemoryRuntime(options MemoryOptions) *MemoryRuntime {
	if options.TimeScale == 0 {
		options.TimeScale = 1
	}
	if options.DeregistrationDelay == 0 {
		options.DeregistrationDelay = deregistrationDelay
	}
	return &MemoryRuntime{options: options, tasks: map[string]*memoryTask{}, rules: map[string]map[string]float64{}, timers: map[*time.Timer]struct{}{}}
}

// Close stops all timers; nothing is called afterwards.
func (m *MemoryRuntime) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for t := range m.timers {
		t.Stop()
	}
}

// after calls f, and then what f returns without the lock, once d has passed.
func (m *MemoryRuntime) after(d time.Duration, f func() (report func())) {
	var t *time.Timer
	t = time.AfterFunc(time.Duration(float64(d)/m.options.TimeScale), func() {
		m.mu.Lock()
		delete(m.timers, t)
		var report func()
		if !m.closed {
			report = f()
		}
		m.mu.Unlock()
		if report != nil {
			report()
		}
	})
	m.timers[t] = struct{}{}
}

// StartTask implements [Runtime].
func (m *MemoryRuntime) StartTask(spec TaskSpec, events TaskEvents) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks[spec.ID] != nil {
		return
	}
	t := &memoryTask{spec: spec, events: events, codes: map[string]int32{}, targets: map[Target]*memoryTarget{}}
	m.tasks[spec.ID] = t
	m.after(memoryStart, func() func() {
		if t.stopped {
			return nil
		}
		address := map[string]string{}
		for _, container := range spec.Containers {
			if len(container.Ports) > 0 {
				address[container.Name] = "127.0.0.1:1"
			}
			switch b := BehaviourOf(container.Image); {
			case b == BehaviourCrash:
				m.after(memoryCrash, func() func() { return m.exit(t, container.Name, 1) })
			case spec.Standalone && b == BehaviourSlow:
				m.after(slowStart, func() func() { return m.exit(t, container.Name, 0) })
			case spec.Standalone:
				m.after(memoryJob, func() func() { return m.exit(t, container.Name, 0) })
			}
		}
		return func() { events.Running(address) }
	})
}

// exit ends a container, with the lock held; the report is to be called without.
func (m *MemoryRuntime) exit(t *memoryTask, container string, code int32) (report func()) {
	if _, over := t.codes[container]; over || t.stopped {
		return nil
	}
	t.codes[container] = code
	return func() { t.events.Exited(container, code, "") }
}

// Exit has a container of a running task end by itself, as if it had crashed.
// It does nothing if the task does not run.
func (m *MemoryRuntime) Exit(taskID, container string, code int32) {
	m.mu.Lock()
	var report func()
	if t := m.tasks[taskID]; t != nil {
		report = m.exit(t, container, code)
	}
	m.mu.Unlock()
	if report != nil {
		report()
	}
}

// StopTask implements [Runtime].
func (m *MemoryRuntime) StopTask(taskID string, _ time.Duration, exited func(map[string]int32)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tasks[taskID]
	if t == nil {
		t = &memoryTask{}
	}
	m.after(memoryStop, func() func() {
		t.stopped = true
		codes := map[string]int32{}
		for _, container := range t.spec.Containers {
			codes[container.Name] = t.codes[container.Name]
		}
		delete(m.tasks, taskID)
		return func() { exited(codes) }
	})
}

// Register implements [Runtime].
func (m *MemoryRuntime) Register(target Target, health func(TargetHealth)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tasks[target.TaskID]
	if t == nil || t.targets[target] != nil {
		return
	}
	registration := &memoryTarget{health: health, state: TargetInitial}
	t.targets[target] = registration
	began := time.Now()
	m.after(0, func() func() { return func() { health(TargetHealth{State: TargetInitial}) } })
	m.check(t, target, registration, began)
}

// check checks the target's health after an interval, and goes on doing so while
// the answer can change.
func (m *MemoryRuntime) check(t *memoryTask, target Target, r *memoryTarget, began time.Time) {
	m.after(targetInterval, func() func() {
		if t.stopped || t.targets[target] != r {
			return nil
		}
		pass, again := true, false
		switch m.behaviour(t, target) {
		case BehaviourUnhealthy:
			pass, again = false, r.state != TargetUnhealthy
		case BehaviourSlow:
			pass = float64(time.Since(began))*m.options.TimeScale >= float64(slowStart)
			again = !pass
		default: // healthy until it exits
		}
		if again {
			m.check(t, target, r, began)
		}
		if pass {
			return r.become(TargetHealth{State: TargetHealthy})
		}
		if r.failures++; r.failures >= targetUnhealthyThreshold {
			return r.become(TargetHealth{State: TargetUnhealthy, Description: "Health checks failed with these codes: [503]"})
		}
		return nil
	})
}

// behaviour is that of the target's container.
func (m *MemoryRuntime) behaviour(t *memoryTask, target Target) Behaviour {
	for _, container := range t.spec.Containers {
		if container.Name == target.Container {
			return BehaviourOf(container.Image)
		}
	}
	return BehaviourHealthy
}

// become reports a change of state.
func (r *memoryTarget) become(health TargetHealth) (report func()) {
	if r.state == health.State {
		return nil
	}
	r.state = health.State
	return func() { r.health(health) }
}

// Deregister implements [Runtime].
func (m *MemoryRuntime) Deregister(target Target, drained func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tasks[target.TaskID]; t != nil {
		delete(t.targets, target)
	}
	m.after(m.options.DeregistrationDelay, func() func() { return drained })
}

// Shift implements [Runtime]. Every rule is known.
func (m *MemoryRuntime) Shift(listenerRule string, weights map[string]float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules[listenerRule] = maps.Clone(weights)
}

// Weights are those that a listener's rule has, by target group; none if nobody
// has set them.
func (m *MemoryRuntime) Weights(listenerRule string) map[string]float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.rules[listenerRule])
}
