// Package controlplane is an ECS that behaves like ECS while services are
// deployed: rolling updates with their bounds arithmetic, health and grace
// periods, draining, deployments and service deployments, blue/green, linear and
// canary deployments with their stages, hooks and traffic, the circuit breaker and
// alarms with their rollback, service events and errors in ECS's own words.
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
// A service deployment whose strategy is not rolling follows a course, which is
// worked out when it begins (stepsOf) and judged step by step, both purely; green
// is the revision that is deployed, blue the one that serves:
//
//	RECONCILE_SERVICE ─► PRE_SCALE_UP ─► SCALE_UP ─► POST_SCALE_UP ─► TEST_TRAFFIC_SHIFT
//	 if others are about                 green's                       test rule: green
//	                                     tasks start                         │
//	     ┌───────────────────────────────────────────── POST_TEST_TRAFFIC_SHIFT
//	     ▼          once for each increment
//	PRE_PRODUCTION_TRAFFIC_SHIFT ⇄ PRODUCTION_TRAFFIC_SHIFT ─► POST_PRODUCTION_TRAFFIC_SHIFT
//	                               production rule: green's             │
//	                               share, then a bake time              ▼
//	                                               CLEAN_UP ◄─ BAKE_TIME
//	                                               blue's tasks go
//
//	rollback:  SCALE_UP (blue) ─► PRODUCTION_TRAFFIC_SHIFT ─► TEST_TRAFFIC_SHIFT ─► CLEAN_UP (green)
//
// A service that CodeDeploy deploys has task sets in place of deployments, each
// with its own number of tasks; who makes them and which of them serves is
// CodeDeploy's affair.
//
// A hook runs while its stage lasts: a function of [Functions] is called and called
// again, or a person answers. What fails a deployment, whatever its strategy, is
// the breaker, one of [Alarms], a hook, or somebody's StopServiceDeployment.
//
// What a task does is chosen by its image's tag: see [Behaviour]. Everything that
// can be served over a network is the [Runtime]'s; [MemoryRuntime] is one that
// only lets time pass.
//
// Where AWS documents a rule or a text, the comment beside it says where; the
// rest is what real services were seen to do, and what is neither is marked as
// ours. What it does not do: Service Connect, VPC Lattice, capacity providers beyond
// remembering them, EC2, placement, IAM.
package controlplane
