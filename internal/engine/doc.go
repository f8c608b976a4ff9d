// Package engine runs executions durably. What an execution does next is decided by
// package pipeline, and package steps does it; this package makes sure that each step
// is taken, once, whatever dies in between.
//
//	Submit ─► Store (Queued → InProgress) ─► workflow, id = the execution's id
//	             ▲                              │  one durable step per action:
//	             └── Finish begins the next ────┘  load, act, save, say what is next
//
// The Store's row is the truth. Package steps loads it, acts and saves it, and does
// nothing where the row is already past the step's action: so a step that dies
// between its effect and its checkpoint may be run again.
//
// Steps do not return errors to the workflow library, which would write them
// down for ever. A bug, or a checkpoint that cannot be used, has the action taken
// again as another step; a workflow that is over in the library's books while its
// execution is not is begun anew at the next Open. Either way the row says how far
// it came. Requests to stop come through the Store and a wake-up, never through the
// library's cancellation, which neither interrupts a step nor waits for one.
//
// Only workflow.go knows the library (DBOS Transact), so that it can be replaced.
package engine
