package dataplane

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

const (
	// crashAfter is how long a -crash task runs before it exits: ECS takes the
	// task for RUNNING by then, but no health check can have passed.
	crashAfter = 10 * time.Second
	// slowStart is how long a -slow task is not ready: longer than two failed
	// health checks at AWS's default interval of 30 s.
	slowStart = 90 * time.Second
	// jobTime is how long a standalone task runs that is neither crashing nor slow.
	jobTime = 15 * time.Second
	// leastStopTimeout is real time for open requests to end in, at any scale.
	leastStopTimeout = 2 * time.Second
	// killed is the exit code of a process that SIGKILL ended: 128 + 9.
	killed = 137
)

// task is one running task. Its goroutine is the only one that reports on it.
type task struct {
	spec   controlplane.TaskSpec
	events controlplane.TaskEvents
	scaled func(time.Duration) time.Duration
	apps   []*app
	failed error // why an app could not listen
	// reported is closed once it was reported whether the containers run.
	reported chan struct{}

	stopOnce sync.Once
	stop     chan struct{} // closed by StopTask
	timeout  time.Duration // from SIGTERM to SIGKILL, set before stop is closed
	exited   []func(map[string]int32)
}

// newTask opens the listeners of all containers.
func newTask(spec controlplane.TaskSpec, events controlplane.TaskEvents, scaled func(time.Duration) time.Duration) *task {
	t := &task{spec: spec, events: events, scaled: scaled, reported: make(chan struct{}), stop: make(chan struct{})}
	for _, container := range spec.Containers {
		for _, port := range container.Ports {
			a, err := newApp(spec.ID, container, port, scaled(slowStart))
			if err != nil {
				t.failed = err
				return t
			}
			t.apps = append(t.apps, a)
		}
	}
	return t
}

// app returns what listens for a container's port, or nil.
func (t *task) app(container string, port int32) *app {
	for _, a := range t.apps {
		if a.container == container && a.port == port {
			return a
		}
	}
	return nil
}

// run runs the task until it is stopped or the plane is closed, and returns the
// exit code of each container.
func (t *task) run(ctx context.Context) map[string]int32 {
	var serving sync.WaitGroup
	defer serving.Wait()
	defer t.kill("")
	codes := map[string]int32{}
	if t.failed != nil {
		name := t.spec.Containers[0].Name
		codes[name] = 1
		t.events.Exited(name, 1, "CannotStartContainerError: "+t.failed.Error())
	} else {
		address := map[string]string{}
		for _, a := range t.apps {
			serving.Go(a.serve)
			if _, found := address[a.container]; !found {
				address[a.container] = a.address()
			}
		}
		t.events.Running(address)
	}
	close(t.reported)

	crash, done, slow := time.NewTimer(t.scaled(crashAfter)), time.NewTimer(t.scaled(jobTime)), time.NewTimer(t.scaled(slowStart))
	defer crash.Stop()
	defer done.Stop()
	defer slow.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-crash.C:
			t.exit(codes, 1, controlplane.BehaviourCrash)
		case <-done.C:
			if t.spec.Standalone {
				t.exit(codes, 0, controlplane.BehaviourHealthy, controlplane.BehaviourUnhealthy)
			}
		case <-slow.C:
			if t.spec.Standalone {
				t.exit(codes, 0, controlplane.BehaviourSlow)
			}
		case <-t.stop:
			t.terminate(ctx, codes)
			return codes
		}
	}
}

// exit ends each container that behaves in one of these ways.
func (t *task) exit(codes map[string]int32, code int32, behaviours ...controlplane.Behaviour) {
	for _, container := range t.spec.Containers {
		if _, ended := codes[container.Name]; !ended && slices.Contains(behaviours, controlplane.BehaviourOf(container.Image)) {
			t.kill(container.Name)
			codes[container.Name] = code
			t.events.Exited(container.Name, code, "")
		}
	}
}

// terminate ends what still runs: SIGTERM, on which an app ends its open
// requests and exits 0, and SIGKILL after the timeout.
func (t *task) terminate(ctx context.Context, codes map[string]int32) {
	ctx, cancel := context.WithTimeout(ctx, max(t.scaled(t.timeout), leastStopTimeout))
	defer cancel()
	var mu sync.Mutex
	ended := map[string]int32{}
	var ending sync.WaitGroup
	for _, a := range t.apps {
		ending.Go(func() {
			if !a.terminate(ctx) {
				mu.Lock()
				ended[a.container] = killed
				mu.Unlock()
			}
		})
	}
	ending.Wait()
	for _, container := range t.spec.Containers {
		if _, found := codes[container.Name]; !found {
			codes[container.Name] = ended[container.Name]
		}
	}
}

// kill ends the apps of a container, or of all when container is empty, with
// their connections.
func (t *task) kill(container string) {
	for _, a := range t.apps {
		if container == "" || a.container == container {
			a.kill()
		}
	}
}
