// Package sandboxtest gives tests an ECS: the sandbox's control plane on a
// runtime that only lets time pass, reached by the real SDK client through an
// in-process transport. There is no socket in it, so it works in a
// testing/synctest bubble, where a deployment of many minutes takes no time:
//
//	synctest.Test(t, func(t *testing.T) {
//		world := sandboxtest.New(t)
//		service := world.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
//		client := ecs.NewFromConfig(world.Config())
//		…
//	})
//
// The services around ECS are there too: see [World.CloudWatch],
// [World.EventBridge], [World.Scheduler], [World.Logs], [World.CodeDeploy],
// [World.SQS] and [World.CodeCommit], which runs git.
//
// Outside a bubble give it [TimeScale], or it takes as long as AWS does.
package sandboxtest
