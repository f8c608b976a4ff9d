// Package codepipeline is the other conductor: where AWS CodePipeline runs the
// pipelines, it says in Slipway's words what they do and did, and starts, stops,
// retries and answers them. Terraform provisions them; a Lambda, or a person, starts
// them.
//
//	app, git's settings ─► name ─► GetPipeline ─► pipeline: is it this app's?
//	                                                 │
//	ListPipelineExecutions, ListActionExecutions ────┤
//	                                                 ▼
//	                          execution: status, stage, trigger, what CodePipeline says
//	                                                 │ and began to deploy?
//	                                                 ▼
//	      Deployments.Trace, Observe ───────► truth: outcome, by whom, reason
//
// CodePipeline does not know how a deployment ended: its ECS action waits for its
// time-out when ECS rolls back, and calls that a failure without a reason; what it
// calls a success may have been rolled back since. So what ECS recorded decides, and
// what CodePipeline says stands beside it.
//
// What has ended for good is kept in memory and never asked for again, what goes on
// for a moment (cache.go): CodePipeline has no call for many pipelines at once.
//
// What this package must not know: git (Source reads it), ECS (Deployments looks
// there), the other conductor.
package codepipeline
