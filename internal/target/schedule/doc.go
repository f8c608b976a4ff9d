// Package schedule finds and moves what starts an ECS cluster's tasks on time, or
// on an event: the targets of EventBridge's rules (on the default bus), and the
// schedules of EventBridge Scheduler (in all groups).
//
//	rule ───── ListTargetsByRule ─► target ────┐  task definition's  ┌─► PutTargets
//	                                           ├──── ARN, no other ──┤
//	schedule ─ GetSchedule ───────► schedule ──┘  member             └─► UpdateSchedule
//
// Both writes replace the whole, and what they leave out is lost. So a Target is
// the JSON that AWS described, in which one string changes.
//
// A thousand apps of a cluster ask what its schedules run at about the same moment:
// Find looks once for all of them. Read and Move look again at what they are told,
// because what is written back must be what is there now.
//
// What this package must not know: deployments, phases, task definitions beyond
// their ARNs. Which of the targets are an app's is its caller's affair.
package schedule
