// Package sandbox is AWS on this machine, as far as a deployment needs it: the
// world of two clusters in which Slipway can be tried and tested with no
// account, no Docker and no network.
//
//	                      World
//	      ┌─────────────────┼───────────────────┐
//	controlplane  ───►  dataplane           gitserver ◄── CodeCommit
//	the ECS API and     tasks, target       deployment.git    │
//	its scheduler       groups and load     over HTTP         │
//	      │             balancers   ▲            ▲            │
//	services                        │            │            │
//	EventBridge, SQS, Logs, ◄───────│────────────│── events ──┘
//	alarms, CodeDeploy, …           │            │
//	      ▲                         │            │
//	      └── one address ──────────│────────────┘
//	          /  /control/  /v1/repos/  /deployment.git/
//
// New opens the world in a folder. The first time it seeds it: the services are
// created through the ECS API and brought up in fast motion, and the deployment
// repository gets its first commit. After that the world goes on from where it
// was: what ECS has answered survives even a kill -9, and the addresses stay the
// same as long as nobody else takes them.
//
// It imports nothing of Slipway: it speaks AWS's and git's protocols, and any
// other program may use it.
package sandbox
