// Package controller composes what serves: it takes the database's lock, opens
// store, engine and repository, watches git, and answers the API. It decides
// nothing itself; `serve`, `sandbox` and `demo` are its callers.
//
//	          ┌────────── Controller ───────────┐
//	git ─────►│ trigger.Watcher ─► engine.Engine │─► target ─► ECS
//	          │        │               │        │
//	API ◄────►│ backend ──► history ◄─ store     │
//	          └─────────────────────────────────┘
package controller
