// Package history joins what git says with what became of it. It is pure: plain
// data in, plain data out. It knows neither git, nor AWS, nor a database, nor
// the time of day; its callers read those and hand the answers in.
//
//	git log of one app ──┐
//	                     ├─ Join ───► []slipway.HistoryEntry   (slipway history)
//	executions of it ────┘
//
//	apps at the head ────┐
//	what ECS runs ───────┼─ Status ─► []slipway.AppStatus      (slipway status)
//	newest executions ───┘
//
// Git is the history: an entry is a commit, and an execution is something that
// happened to it. An execution never makes an entry of its own.
package history
