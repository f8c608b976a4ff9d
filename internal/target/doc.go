// Package target makes an ECS service run the images of a revision, and says what
// became of it. It knows services with the rolling update (deployment controller
// ECS, strategy ROLLING).
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
//
// A guest in the account: observations of services in one cluster that are made at
// about the same moment share calls of ten (batch.go), everybody wakes on the same
// grid of instants (pace.go), and every attempt of a call waits for its turn below
// ECS's published rates (budget.go).
//
// What this package must not know: git, pipelines, time-outs, the database. When a
// deployment has taken too long is the caller's decision.
package target
