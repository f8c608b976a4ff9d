// Package steps takes the steps of executions, one action of package pipeline at a
// time. What an execution does next is decided there; what a deployment does in AWS
// is the Target's affair; that a step is taken again after a crash, and by whom, is
// the caller's: the durable engine, Run in the foreground, a Lambda.
//
//	caller ── Take(id, action) ──► Store: load ─► Source, Target: act ─► Store: save
//	   ▲                                                                     │
//	   └────────────────────── the next action ──────────────────────────────┘
//
// The Store's row is the truth. A step loads it and, when the row is already
// past the step's action, does nothing: so a step that dies between its effect
// and its caller's books may be taken again. Before an action that writes to AWS,
// the number of the attempt is saved; a Target that sees an attempt above the first
// looks before it acts.
//
// Steps hardly ever return errors: what may pass is tried again inside the step for as
// long as the pipeline's timeout, and what will not pass becomes the execution's
// outcome.
//
// What this package must not know: how its caller survives a restart, databases, git,
// AWS.
package steps
