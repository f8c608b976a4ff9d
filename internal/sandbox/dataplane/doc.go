// Package dataplane is what Fargate and Elastic Load Balancing are to ECS, on
// loopback: it implements controlplane.Runtime with real listeners, so that a
// client sees a deployment as real traffic.
//
//	client ──► load balancer ──► target group ──► target ──► task's app
//	           fixed listener    health checks,              listener on
//	           weights           draining                    127.0.0.1:0
//
// A task's container listens on loopback for each of its ports. Behind a target
// group of protocol TCP it speaks lines: a greeting, then an echo; everywhere
// else it speaks HTTP. It greets with its image's version, and its image's tag
// chooses what it does: see controlplane.Behaviour.
//
//	target: initial ─► healthy ⇄ unhealthy ─► draining ─► gone
//
// A load balancer sends new requests to healthy targets only. From the moment
// that Deregister or StopTask is called, before they return, a target gets none;
// what is open goes on, and a stopped task closes its listener only when it has
// answered what it was sent. When a connection to a target cannot be opened, the
// next target gets the request. So a deployment with healthy tasks fails no
// request.
//
// The plane decides nothing: it starts, stops, registers and deregisters what
// the control plane says, and reports what happens. It knows nothing of services
// and deployments.
//
// All times are those of AWS divided by the time scale; but what the machine
// itself must do (answer a health check, end an open request) gets a second or
// two at any scale, for the machine is not faster than it is.
package dataplane
