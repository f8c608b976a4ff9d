// Package target makes an app run the images of a revision, and says what became
// of it. AWS (target.go) finds out what kind of app it is and hands it to the way
// to deploy that kind; ECS, described here, deploys to services with the deployment
// controller ECS and any strategy.
//
// A target never blocks for long: each call takes one step and returns, so that the
// durable engine, a run in the foreground and a Lambda drive the same code. It keeps
// nothing between calls that a restart would miss: all that is known stands in the
// slipway.Deployment, which the caller persists, and in AWS.
//
//	       Advance             Advance               Advance
//	new ────────────► prepared ────────► registered ──────────► started ──► Observe
//	 │ ▲  reads what            writes the  │       writes the     │
//	 │ │  runs                  copy        │       service        │ Rollback
//	 │ └────── the service was changed ─────┘                      ▼
//	 ├──► unchanged  nothing to do                             rolling-back ──► Observe
//	 └──► started    somebody's deployment of it is in progress
//
// Each write is looked for before it is made again: a task definition by the tag
// slipway:execution, a deployment by the task definition that it runs. The SDK
// therefore may not repeat a write by itself.
//
// What is copied is the raw JSON that ECS described, less what only a response has
// (clone.go, wire.go): a member that our SDK does not know survives.
//
// How facts are got (observe.go, record.go) is apart from what they mean (judge.go,
// reason.go: functions of their arguments alone):
//
//	watched deployment is PRIMARY   COMPLETED, alone ─► deployed
//	                                FAILED ───────────► failed, unless ECS rolls back
//	an older one is PRIMARY again   ─► rolling-back, then rolled-back, by ECS
//	a newer one is PRIMARY          ─► replaced, unless ECS's record says how ours ended
//	no service, or not ACTIVE       ─► gone
//	tasks fail, and ECS would go on ─► failed, by the breaker's formula (hopeless.go)
//
// That is the rolling update. Where ECS shifts traffic (blue/green, linear, canary),
// the service deployment, ECS's lasting record, is asked for at each look, and its
// status decides (shift.go, cause.go; course.go has what it shows on the way):
//
//	PENDING, IN_PROGRESS            ─► progressing: stage, traffic, pauses
//	SUCCESSFUL                      ─► deployed, once the old tasks are gone
//	ROLLBACK_*                      ─► rolling-back, rolled-back or failed; by ECS, because
//	                                   of the breaker, an alarm, a hook or a person
//	STOP_REQUESTED, STOPPED         ─► replaced, if something newer came; otherwise failed
//
// Right after an update, ECS's list still ends with the deployment before: that one
// runs another task definition or is older, and is never judged. Rolling back by us
// is StopServiceDeployment while the deployment goes on, with the rolling update too,
// and an update afterwards (rollback.go). A pause is answered through Decide (decide.go).
//
// A verdict comes with what explains it, asked for once and only then: stopped tasks
// of this deployment by cause, and the last lines of a container's log (reason.go,
// logs.go). None of that changes the verdict, and neither does its absence.
//
// A service whose deployment controller is CODE_DEPLOY goes through the same phases
// (codedeploy.go, with what CodeDeploy itself says and does in a package of its
// own): a deployment is found again by its description, which names the execution.
//
// A batch app has no service: rules of EventBridge and schedules run its tasks. They
// are moved one after the other (scheduled*.go, with the reading and writing of them
// in package schedule), each found again by what it runs; an optional test run comes
// before the first (testrun.go).
//
// A guest in the account: observations of services in one cluster that are made at
// about the same moment share calls of ten, and service deployments calls of twenty
// (batch.go), everybody wakes on the same
// grid of instants (pace.go), and every attempt of a call waits for its turn below
// ECS's published rates (budget.go).
//
// What this package must not know: git, pipelines, time-outs, the database. When a
// deployment has taken too long is the caller's decision.
package target
