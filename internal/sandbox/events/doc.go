// Package events is as much of EventBridge as deployments need: event buses, rules
// with an event pattern or a schedule, and their targets.
//
//	PutEvents, Emit ─► rules of the bus ── pattern matches ─┐
//	PutRule ─► rule {schedule, state} ── on time ───────────┤
//	                                                        ▼
//	PutTargets ─► targets by Id ─► deliveries ─► call ─► ECS, Lambda, SQS, CodePipeline
//	                                  ▲            │ failed
//	                                  └── retry ───┤
//	                                               ▼
//	               Invocations: count, failed, last error; dead letter queue
//
// What a client puts replaces what was there as a whole: a rule by PutRule, a
// target by PutTargets under the same Id. A target is kept as the document that
// it came as, so members that this version does not know come back as well.
//
// An event that was accepted is delivered at least once: a delivery is state until
// it is over, and goes on after a restart. [Service.SetDeliveries] has each be made
// twice, which AWS may do as well. The order is not guaranteed.
//
// The package knows the services that it calls by its own interfaces: [Targets]. A
// target that fails is what it is on AWS: the API does not tell. AWS counts it in the
// metric FailedInvocations; here [Service.Invocations] does, and the log.
//
// What it does not do: archives, replays, connections, API destinations, pipes,
// buses of partners and of other accounts, targets of other services, roles and
// permissions. Ours: how the pauses between calls grow, and what a template makes
// of a variable that the event does not have (nothing, or an empty string).
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
package events
