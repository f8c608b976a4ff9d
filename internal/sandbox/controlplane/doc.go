// Package controlplane is an ECS that behaves like ECS while services are
// deployed: rolling updates with their bounds arithmetic, health and grace
// periods, draining, deployments and service deployments, the circuit breaker
// with its rollback, service events and errors in ECS's own words.
//
//	request ──► api (an action is a method) ──► state ◄── scheduler pass
//	                                              │           │ every service, soon
//	                                              │           │ after something changed
//	                                           Snapshot       ▼
//	                                                   launch, stop a task
//	                                                          │
//	   PROVISIONING ─► PENDING ─► ACTIVATING ─► RUNNING ─► DEACTIVATING ─► STOPPING ─► DEPROVISIONING ─► STOPPED
//	                       │                      │             │             │
//	                       ▼                      ▼             ▼             ▼
//	            Runtime: StartTask            Register     Deregister     StopTask
//
// One lock guards the whole state; actions, timers and the runtime's reports all
// take it, and none of them waits while it has it. Every wait is a timer, and
// every time goes through one helper that divides it by the time
// scale, so that all of it also works in a testing/synctest bubble.
//
// A pass of the scheduler is a pure decision (decide: from the bounds and what
// each deployment has running, which tasks to start and to stop) between seeing
// and acting. The deployments that a service shows:
//
//	PRIMARY/IN_PROGRESS ─► PRIMARY/COMPLETED ─► ACTIVE (replaced) ─► gone
//	        │                      ▲
//	        │ circuit breaker      │ rollback: the old one, under its old id,
//	        ▼                      │ is PRIMARY/IN_PROGRESS again
//	  ACTIVE/FAILED ─► gone ───────┘       (or stays PRIMARY/FAILED without rollback)
//
// What a task does is chosen by its image's tag: see [Behaviour]. Everything that
// can be served over a network is the [Runtime]'s; [MemoryRuntime] is one that
// only lets time pass.
//
// Where AWS documents a rule or a text, the comment beside it says where; the
// rest is what real services were seen to do. What it does not do: deployment
// strategies other than rolling, alarms, hooks, capacity providers beyond
// remembering them, EC2, placement, IAM, quotas by rate.
package controlplane
