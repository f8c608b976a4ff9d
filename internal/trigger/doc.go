// Package trigger turns news into executions. Whatever brings the news (a push
// to a git server of ours, a webhook, a timer, a person) it is only a reason to
// look: what changed is found by comparing the content that git has with the
// content last executed. So news that is lost, doubled or out of order does no
// harm.
//
//	Notify ──┐
//	timer  ──┴─► Watcher: Refresh ─► Apps ─► pipeline.Compare ─► Submit
//	                                              │
//	                              new apps: does the service run it already?
//	                                              └─► adopted, or executed
//
// The package knows no git and no AWS; it sees both through what it declares in
// ports.go.
package trigger
