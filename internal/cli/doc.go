// Package cli is the command line, and where everything is wired: it alone
// knows all leaves, and hands each what it needs as arguments.
//
//	cmd/slipway ─► Main ─► kong ─► one command per file: xyzCmd.Run(ctx, env)
//	                 │                    │
//	                 └─ exit.go           ├─ env: flags, streams, clock, HTTP
//	                    error ─► code     ├─ output.go: table or JSON on stdout
//	                                      └─ watch.go: progress on stderr
//
// Answers go to stdout, talk goes to stderr. A command returns an error and
// never ends the process; exit.go turns the error into the exit code, in one
// place. A command needs no terminal: colour and lines that move are for a
// terminal alone. Whoever interrupts a command that waits stops watching; the
// deployment goes on, for it is the controller's and not ours.
package cli
