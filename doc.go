// Package slipway holds the words of Slipway: what an App, a Revision, an
// Execution and an Outcome are. It knows nothing of git, AWS or a database,
// does no I/O, and imports the standard library alone; every other package
// speaks in these words.
//
//	commit of <cluster>/<app>/revision.json
//	        │ Trigger
//	        ▼
//	Execution: Queued ─► InProgress ─► Succeeded | Failed | Stopped
//	        │                │
//	        └─► Superseded   └─ Source ─► Deploy ── Deployment ─► Observation…
//	                                        │
//	                                        └─► Outcome: deployed, unchanged, rolled-back,
//	                                            replaced, timed-out, stopped, failed
//
// Intent and observation are kept apart: a Deployment says what we mean to do
// and what we wrote down while doing it; an Observation is what AWS said at one
// moment. A Revision is always the content of a file in git, never an ECS
// task definition revision, which goes by its ARN.
package slipway
