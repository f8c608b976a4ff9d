// Package codepipeline is a CodePipeline as far as it deploys to ECS from
// CodeCommit: pipelines, their executions, and the actions that these run.
//
//	request ──► api (an operation is a method) ──┐
//	                                             ▼
//	        work: one goroutine for each      state ──► advance: who enters which
//	        action that runs                     ▲       stage, what runs next
//	           │                                 │
//	           │ step, every few seconds         │ outcome
//	           ▼                                 │
//	        provider ────────────────────────────┘
//	           │
//	           ▼
//	   CodeCommit, ECS, CodeDeploy, Lambda
//
// advance alone decides, with the lock held and without calling anybody:
//
//	waits ─► enters a stage ─► actions by runOrder ─► stage Succeeded ─► waits for the next
//	  │      (one at a time)           │                                      │ last one
//	  ▼                                ▼                                      ▼
//	Superseded (a newer one waits)   Failed, Stopped, Cancelled            Succeeded
//
// Providers alone call, with no lock held; what they have to know again after a
// restart is in the action execution's progress. So EventBridge, told of each
// change from a goroutine of its own, may start pipelines at any time.
//
// An artifact is a commit: what a source action's ZIP file would hold is read
// from the repository when an action wants it. Locations in S3 are those that AWS
// would give, and nothing is there.
//
// Texts and times are AWS's where they are known; a comment says where they are
// ours. What it does not do: sources other than CodeCommit, builds, tests, custom
// actions, PARALLEL mode, conditions of stages, triggers, webhooks, permissions.
//
// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
package codepipeline
