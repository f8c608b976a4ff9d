package controlplane

import (
	"strings"
	"time"
)

// Runtime runs tasks and routes traffic to them: what Fargate and Elastic Load
// Balancing are to the real ECS. The control plane decides; the runtime does.
//
// No method blocks. Methods may be called from any goroutine, and more than
// once with the same task or target, which then does nothing new. A runtime
// reports back by calling the functions that it was given, from any goroutine
// of its own, never from inside the call.
type Runtime interface {
	// StartTask starts a task's containers. It calls events.Running once they
	// run, and events.Exited when a container ends by itself; Exited may come
	// without Running. Nothing is called after StopTask's exited was.
	StartTask(task TaskSpec, events TaskEvents)
	// StopTask sends SIGTERM to the containers and SIGKILL after timeout, and
	// calls exited with each container's exit code once all have ended.
	StopTask(taskID string, timeout time.Duration, exited func(exitCodes map[string]int32))
	// Register adds a running task to a target group. health is called with
	// each change of the target's health, first with TargetInitial.
	Register(target Target, health func(TargetHealth))
	// Deregister takes a task out of a target group: it gets no new
	// connections, those that are open may end within the target group's
	// deregistration delay. drained is called when that is over.
	Deregister(target Target, drained func())
	// Shift has a listener's rule forward new requests and connections to target
	// groups, by ARN, each with its weight by the sum of all; what is open stays
	// where it is. A rule that the runtime does not have is left alone: it is
	// somebody else's.
	Shift(listenerRule string, weights map[string]float64)
}

// TaskSpec is a task to start.
type TaskSpec struct {
	ID      string // the last part of the task's ARN
	ARN     string
	Cluster string // name
	Group   string // "service:NAME", or as RunTask was told
	// Standalone tasks are no service's: what they run has an end. Their
	// containers exit by themselves, with 1 for -crash, and after some seconds,
	// or more for -slow, with 0 for all others.
	Standalone bool
	Containers []ContainerSpec
}

// ContainerSpec is a container of a TaskSpec.
type ContainerSpec struct {
	Name        string
	Image       string
	Essential   bool
	Ports       []int32
	Environment map[string]string
}

// TaskEvents are a runtime's ways to report on a task.
type TaskEvents struct {
	// Running: all containers run; address is the host:port under which the
	// first port of each container is reached, by container name.
	Running func(address map[string]string)
	// Exited: a container ended by itself. reason is ECS's container reason
	// text, or empty.
	Exited func(container string, exitCode int32, reason string)
}

// Target is one task in one target group.
type Target struct {
	TargetGroupARN string
	TaskID         string
	Container      string
	Port           int32
	Address        string // host:port, as TaskEvents.Running gave it
}

// TargetState is a target's health state, in Elastic Load Balancing's words.
type TargetState string

// The target states.
const (
	TargetInitial   TargetState = "initial"
	TargetHealthy   TargetState = "healthy"
	TargetUnhealthy TargetState = "unhealthy"
	TargetDraining  TargetState = "draining"
)

// TargetHealth is a target's state and, when unhealthy, the load balancer's
// description, for example "Health checks failed with these codes: [503]".
type TargetHealth struct {
	State       TargetState
	Description string
}

// Behaviour is what a task does, chosen by the tag of its image.
type Behaviour string

// The behaviours. Any other tag runs well.
const (
	BehaviourHealthy   Behaviour = "healthy"
	BehaviourCrash     Behaviour = "crash"     // …-crash: exits 1 soon after start
	BehaviourUnhealthy Behaviour = "unhealthy" // …-unhealthy: answers 503 to health checks
	BehaviourMissing   Behaviour = "missing"   // …-missing: cannot be pulled
	BehaviourSlow      Behaviour = "slow"      // …-slow: needs long to become healthy
)

// BehaviourOf is what a container of this image does. A missing image is the
// control plane's business: a runtime is never asked to start one.
func BehaviourOf(image string) Behaviour {
	name, _, _ := strings.Cut(image, "@")
	tag := name[strings.LastIndex(name, "/")+1:]
	if _, after, tagged := strings.Cut(tag, ":"); tagged {
		for _, b := range []Behaviour{BehaviourCrash, BehaviourUnhealthy, BehaviourMissing, BehaviourSlow} {
			if after == string(b) || strings.HasSuffix(after, "-"+string(b)) {
				return b
			}
		}
	}
	return BehaviourHealthy
}
