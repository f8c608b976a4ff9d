// Package codedeploy is what Slipway knows of CodeDeploy: which deployment group
// deploys an ECS service, how a deployment of one is begun, found again and
// stopped, and what its account of it means.
//
//	service ──► Group        looked for once, then remembered
//	              │ AppSpec of the running service, with another task definition
//	              ▼
//	         deployment d-…  ──► Facts ──► Judge ──► Verdict
//
//	Created, InProgress, Ready           ─► progressing, at a lifecycle event
//	Succeeded                            ─► deployed: also the original is gone
//	Failed, Stopped  with a rollback     ─► rolling-back, then rolled-back
//	                 without             ─► failed, unless somebody's next one took over
//
// CodeDeploy rolls a deployment back by another deployment, with an id of its
// own; the two name each other. So a deployment that shows Succeeded is a success
// only when it is the one that we began.
//
// Judge is a function of its arguments alone. What this package must not know:
// phases, task definitions, ECS itself.
package codedeploy
