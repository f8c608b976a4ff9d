// Package codedeploy is a CodeDeploy as far as it deploys to ECS services: blue
// and green task sets, traffic that is shifted between two target groups, hooks,
// alarms and rollbacks.
//
//	request ──► api (an action is a method) ──► state
//	                                             ▲
//	        every few seconds, per deployment: step
//	             │               │               │
//	             ▼               ▼               ▼
//	            ECS           Traffic    Alarms, Functions
//	      task sets, as the  listeners'   CloudWatch and
//	      service role may    weights        Lambda
//
// It is a client of ECS like any other: it calls the four actions that the
// service role of a deployment group must allow, and learns what became of its
// task sets by asking.
//
// A deployment goes through its lifecycle events in order; each is a state that
// step works on until it has succeeded or failed:
//
//	BeforeInstall ► Install ► AfterInstall ► AllowTestTraffic ► AfterAllowTestTraffic
//	    hook      new task set    hook        test listener            hook
//	                                                                     │
//	Succeeded ◄ termination wait ◄ AfterAllowTraffic ◄ AllowTraffic ◄ BeforeAllowTraffic
//	             old task set          hook         production weights       hook
//
//	anywhere: an event fails ─► Failed    alarm, person ─► Stopped
//	                  └──────────┬─────────────────────────┘
//	                             ▼ if so configured
//	          a new deployment (codeDeployRollback) moves the traffic back
//
// Texts, the order of things and the times between them are those of real
// deployments where they are known; a comment says where they are ours. What it
// does not do: deployments to EC2, on-premises instances and Lambda, revisions
// in S3, deployment configurations of one's own, triggers.
package codedeploy
