// Package events is as much of EventBridge as scheduled ECS tasks need: rules
// with a schedule on the default event bus, and their targets.
//
//	PutRule ─► rule {schedule, state} ── on time ─► each target ─► RunTask
//	PutTargets ─► targets by Id                          │
//	                                                     ▼
//	                                     Invocations: count, failed, last error
//
// What a client puts replaces what was there as a whole: a rule by PutRule, a
// target by PutTargets under the same Id. A target is kept as the document that
// it came as, so members that this version does not know come back as well.
//
// A target that fails is what it is on AWS: the API does not tell. AWS counts it
// in the metric FailedInvocations; here [Service.Invocations] does, and the log.
//
// What it does not do: event patterns (kept, never matched), PutEvents, other
// buses, retries and dead letters, targets other than ECS, roles.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
package events
