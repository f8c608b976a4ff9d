// Package store keeps what Slipway knows in a database: one row per app's
// pipeline and one per execution. These tables are the truth about pipelines;
// the engine's checkpoints beside them only say how far a step came.
//
//	pipelines   app, the blob last executed or adopted, removed
//	executions  one row each; at most one per app is InProgress or Stopping,
//	            which a unique index guarantees, whatever the code does
//
// Every method is one transaction. Deciding what runs next happens inside it:
// Submit queues, supersedes and begins; Finish ends and begins the next. So no
// crash can leave an app with work that waits and nothing that runs, and two
// callers cannot begin the same pipeline twice.
//
// The SQL is one text for SQLite and PostgreSQL: $1 placeholders, BIGINT
// microseconds for time, TEXT holding JSON for what is only read back whole.
// The package knows the words and the pure decisions, and nothing of AWS, git
// or the engine.
package store
