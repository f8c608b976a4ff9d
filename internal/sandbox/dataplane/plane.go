package dataplane

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// Options are how a Plane works. The zero value is real time, in silence.
type Options struct {
	// TimeScale divides all times: 10 makes a minute last six seconds. Zero is 1.
	TimeScale float64
	// Logger is told of what no callback reports; nil for silence.
	Logger *slog.Logger
}

// Plane runs tasks and load balancers on this machine.
type Plane struct {
	scale  float64
	logger *slog.Logger
	checks *checker

	// ctx ends with the plane; work is every goroutine that it started.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu        sync.Mutex
	tasks     map[string]*task         // by id, until they have ended
	groups    map[string]*targetGroup  // by ARN
	balancers map[string]*loadBalancer // by name
}

var _ controlplane.Runtime = (*Plane)(nil)

// New returns a plane with no tasks, target groups or load balancers.
func New(options Options) *Plane {
	p := &Plane{
		scale: options.TimeScale, logger: options.Logger, checks: newChecker(),
		tasks: map[string]*task{}, groups: map[string]*targetGroup{}, balancers: map[string]*loadBalancer{},
	}
	if p.scale == 0 {
		p.scale = 1
	}
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// scaled is how long d of AWS's time takes here.
func (p *Plane) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.scale)
}

// Close ends all tasks and load balancers at once, with their connections, and
// returns when nothing of the plane runs any more. No callback is called after.
func (p *Plane) Close() {
	p.mu.Lock()
	p.cancel()
	p.mu.Unlock()
	p.work.Wait()
}

// Settle returns when every task that was started has been reported as running,
// or not, and every target that was registered by then has been checked once: so
// that load balancers answer for what the control plane has set up. It returns
// ctx's error when that ends first.
func (p *Plane) Settle(ctx context.Context) error {
	var awaited []<-chan struct{}
	settle := func() error {
		for _, done := range awaited {
			select {
			case <-done:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	p.mu.Lock()
	for _, t := range p.tasks {
		awaited = append(awaited, t.reported)
	}
	p.mu.Unlock()
	if err := settle(); err != nil {
		return err
	}
	p.mu.Lock()
	for _, group := range p.groups {
		group.mu.Lock()
		for _, t := range group.targets {
			awaited = append(awaited, t.checked)
		}
		group.mu.Unlock()
	}
	p.mu.Unlock()
	return settle()
}

// start runs f in a goroutine, unless the plane is closed. The caller holds the
// lock.
func (p *Plane) start(f func()) {
	if p.ctx.Err() == nil {
		p.work.Go(f)
	}
}

// StartTask implements controlplane.Runtime.
func (p *Plane) StartTask(spec controlplane.TaskSpec, events controlplane.TaskEvents) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tasks[spec.ID] != nil || p.ctx.Err() != nil {
		return
	}
	t := newTask(spec, events, p.scaled)
	p.tasks[spec.ID] = t
	p.start(func() {
		codes := t.run(p.ctx)
		p.mu.Lock()
		delete(p.tasks, spec.ID)
		p.mu.Unlock()
		if p.ctx.Err() == nil {
			for _, exited := range t.exited {
				exited(codes)
			}
		}
	})
}

// StopTask implements controlplane.Runtime. Load balancers leave the task alone
// from now on, whether it was deregistered or not. For a task that does not run
// exited is called with no codes.
func (p *Plane) StopTask(taskID string, timeout time.Duration, exited func(exitCodes map[string]int32)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tasks[taskID]
	if t == nil {
		p.start(func() { exited(map[string]int32{}) })
		return
	}
	for _, group := range p.groups {
		group.withdraw(taskID)
	}
	t.exited = append(t.exited, exited)
	t.stopOnce.Do(func() {
		t.timeout = timeout
		close(t.stop)
	})
}

// Register implements controlplane.Runtime. A target group that nobody added is
// taken for one with ELB's defaults: the sandbox does not speak ELB's API, but a
// service may name target groups that were made elsewhere.
func (p *Plane) Register(spec controlplane.Target, health func(controlplane.TargetHealth)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	group := p.groups[spec.TargetGroupARN]
	if group == nil {
		group = &targetGroup{TargetGroup: TargetGroup{ARN: spec.TargetGroupARN}.complete()}
		p.groups[group.ARN] = group
	}
	var served *app
	// A task that is stopped already awaits what it was sent, and nothing more.
	if t := p.tasks[spec.TaskID]; t != nil && t.exited == nil {
		served = t.app(spec.Container, spec.Port)
	}
	sent := &sync.WaitGroup{}
	if served != nil {
		spec.Address, sent = served.address(), &served.sent
		served.lines.Store(group.Protocol == TCP)
	}
	if t := group.register(p.ctx, spec, sent, health); t != nil {
		p.start(func() { t.run(p) })
	}
}

// Deregister implements controlplane.Runtime. A target that is not registered
// has drained.
func (p *Plane) Deregister(spec controlplane.Target, drained func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if group := p.groups[spec.TargetGroupARN]; group == nil || !group.deregister(spec, drained) {
		p.start(drained)
	}
}
