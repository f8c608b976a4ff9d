// Package api is the controller's HTTP JSON API: the server, the client and
// what lies between them, so that a route is written down twice in one place
// only. Both sides speak through Backend:
//
//	cli ─► Client ── HTTP ──► Handler ─► Backend (the controller)
//	          │                   │
//	          └─ is a Backend     └─ /openapi.json, /healthz, /readyz
//
// So whatever works with a Backend works on either side of the wire, and one
// test suite holds both to the same contract.
//
// An error keeps its meaning on the way: a slipway.Error becomes a problem
// (RFC 9457, application/problem+json) with the members next and hint added,
// and the client makes the same slipway.Error of it again. The status follows
// from Next in one switch; see problem.go.
//
// There is no long poll: a Backend has no news to wait for, and a client that
// asks for one execution every 300 ms costs one read of one row.
//
// The package does not authenticate. It refuses what a browser sends from
// another origin, so that a page cannot stop a deployment on localhost; for
// anything but localhost, put what authenticates in front of it.
package api
