// Package gitserver serves one bare git repository over smart HTTP, so that the
// sandbox has a deployment repository that anybody on this machine can clone
// and push to with an unmodified git.
//
//	git push ──► Repository.ServeHTTP ──► git http-backend ──► refs
//	                    │                                       │
//	                    └─ refs before ≠ refs after ◄───────────┘
//	                            ├─► OnPush functions, before git push returns
//	                            └─► webhooks, behind its back
//
// Programs read it and write to it as well, with no clone: [Repository.Objects],
// [Repository.Differences], [Repository.Commit]. What they change is told like a
// push.
//
// The work is git's own: net/http/cgi runs git http-backend for each request.
// Pushes are noticed by comparing the refs once the backend has answered, not
// by a hook script, so that nothing executable lies in the repository and a
// rejected push is no news.
//
// There is no authentication: whoever reaches the listener may push. It belongs
// on loopback.
package gitserver
