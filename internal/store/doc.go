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
// microseconds for time, TEXT holding JSON for what is only read back whole. In both
// one transaction at a time writes: SQLite has it so, in PostgreSQL an advisory lock
// of the transaction sees to it. Readers wait for nobody.
//
// Who conducts a database holds its Lock: a lock on a file beside a file, a session's
// advisory lock in PostgreSQL. Those who stand by learn from it who that is.
//
// The package knows the words and the pure decisions, and nothing of AWS, git
// or the engine.
package store
