// Package lambda is Slipway where AWS conducts: it composes a Lambda function that
// starts pipelines of CodePipeline and deploys as one of their actions. It keeps no
// state and waits for nothing longer than seconds.
//
//	CodeCommit ─ event ─► trigger: what differs ─► each changed app, validated
//	                                                   │ pinned, with a token
//	                                                   ▼
//	CodePipeline ◄────────────────────────── StartPipelineExecution
//	     │  job, with what was last written into its continuation token
//	     ▼
//	deploy: read token ─► steps.Take … ─► continue with a token | succeed | fail
//	                          │
//	                          └─► target ─► ECS, CodeDeploy, EventBridge
//
// The same code decides and acts as in the built-in engine (packages pipeline, steps
// and target); the continuation token stands in for its table. Since Lambda may call a
// function twice with the same job, or kill it at any moment, a job is claimed before
// the first call that writes to AWS (claim.go): the token that says so is handed to
// CodePipeline, which takes one answer for each job, and only then the call is made. A
// function that finds a claim waits until the one that made it can be at work no more,
// and looks before it acts.
//
// A token has 2048 characters (token.go): what can be read again is not in it. The
// app's files are read at the commit each time, a batch app's schedules where their
// names do not fit (schedules.go).
//
// A deployment's identity, the tag slipway:execution, is the id of the pipeline's
// execution.
//
// What this package must not know: git, databases, the workflow library, the sandbox.
package lambda
