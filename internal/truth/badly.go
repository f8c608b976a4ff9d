package truth

import (
	"strings"

	"github.com/slipway-cd/slipway"
)

// badly are the deployments whose tasks fail.
func badly() []Scenario {
	const (
		exited    = "4 tasks: Essential container in task exited (container webapp1 exit code 1)"
		tryExited = tryFailed + "Essential container in task exited (container batchapp1 exit code 1)" + untouched
		crashLog  = "\n" + `the last lines of container webapp1 in task …:
    webapp1:2.0.0-crash started
    listening on port 8080
    error: webapp1:2.0.0-crash cannot go on: its tag says crash
    exiting with status 1`
		laterLog = "\n" + `the last lines of container webapp1 in task …:
    webapp1:2.0.0 started
    listening on port 8080
    error: cannot go on
    exiting with status 1`
		sickLog = "\n" + `the last lines of container webapp1 in task …:
    webapp1:2.0.0-unhealthy started
    listening on port 8080
    error: not ready: health checks are answered with 503`
		sick    = "Task failed ELB health checks in (target-group …): Health checks failed with these codes: [503]"
		noImage = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref registry.example.com/"
		noWeb   = "4 tasks: " + noImage + "webapp1:2.0.0-missing: registry.example.com/webapp1:2.0.0-missing: not found"
		noBatch = noImage + "batchapp1:2.0.0-missing: registry.example.com/batchapp1:2.0.0-missing: not found"
		noKey   = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: " +
			"service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:ca-central-1:111122223333:secret:database-AbCdEf from secrets manager: " +
			"ResourceNotFoundException: Secrets Manager can't find the specified secret"
		noRoom = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
		waited = "not done after 30m0s: 0 of 2 tasks running, 0 pending, "
		alarm  = "Service deployment rolled back because of one or more active alarms; in alarm: web-5xx"
	)
	late := func(writes []string, failed string) Cell {
		return Cell{Outcome: slipway.OutcomeTimedOut, Says: waited + failed + " failed; was unable to place a task. Reason: " + noRoom + putBack, Writes: writes, Runs: oldWeb}
	}
	return []Scenario{
		{
			Name: "crash at start",
			What: "The new tasks exit with code 1 soon after they have started.",
			Cells: cells(
				alike(undone(slipway.CauseBreaker, byBreaker+exited+crashLog), took{Rolling: 415}),
				alike(givenUp(updateBack, hopeless+exited+putBack+crashLog), took{Unguarded: 410, BlueGreen: 420, Linear: 420, Canary: 420}),
				alike(givenUp(createBack, patient+exited+putBack+crashLog), took{CodeDeploy: 95}),
				alike(tried(tryExited+`
the last lines of container batchapp1 in task …:
    batchapp1:2.0.0-crash started
    error: batchapp1:2.0.0-crash cannot go on: its tag says crash
    exiting with status 1`), took{Schedule: 60}),
			),
		},
		{
			Name: "crash after healthy",
			What: "Each new task becomes healthy, and exits with code 1 a minute later. The circuit breaker does not count that, so that ECS completes the deployment; where there is none, " +
				"Slipway gives it up as soon as it has lost each of its tasks twice. A batch app's task exits in the middle of its work.",
			Cells: cells(
				alike(deployed("deployed, but not every task stayed up; "+exited+laterLog), took{Rolling: 400}),
				alike(givenUp(updateBack, hopeless+exited+putBack+laterLog), took{Unguarded: 690, BlueGreen: 615, Linear: 615, Canary: 615}),
				alike(givenUp(createBack, "4 of its tasks failed, and CodeDeploy would go on all the same; "+exited+putBack+laterLog), took{CodeDeploy: 300}),
				alike(tried(tryExited+`
the last lines of container batchapp1 in task …:
    batchapp1:2.0.0 started
    error: cannot go on
    exiting with status 1`), took{Schedule: 65}),
			),
		},
		{
			Name: "unhealthy",
			What: "The new tasks run, and answer the load balancer's health checks with 503. Nobody asks a batch app's task whether it is healthy: its exit code counts.",
			Cells: cells(
				alike(undone(slipway.CauseBreaker, byBreaker+"… tasks: "+sick+sickLog), took{Rolling: 535}),
				alike(givenUp(updateBack, strings.Replace(hopeless, "4", "…", 1)+"… tasks: "+sick+putBack+sickLog), took{Unguarded: 560}),
				alike(givenUp(updateBack, strings.Replace(hopeless, "4", "…", 1)+"…: "+sick+putBack+sickLog), took{BlueGreen: 560, Linear: 560, Canary: 560}),
				alike(givenUp(createBack, "… of its tasks failed, and CodeDeploy would wait for an hour; … tasks: "+sick+putBack+sickLog), took{CodeDeploy: 330}),
				alike(moved(), took{Schedule: 70}),
			),
		},
		{
			Name: "missing image",
			What: "The registry has no such image.",
			Cells: cells(
				alike(undone(slipway.CauseBreaker, byBreaker+noWeb), took{Rolling: 290}),
				alike(givenUp(updateBack, hopeless+noWeb+putBack), took{Unguarded: 290, BlueGreen: 300, Linear: 300, Canary: 300}),
				alike(givenUp(createBack, patient+noWeb+putBack), took{CodeDeploy: 285}),
				alike(tried(tryFailed+noBatch+untouched), took{Schedule: 145}),
			),
		},
		{
			Name: "missing secret",
			What: "A secret that the task definition names was deleted since the running tasks have started. They go on.",
			Cells: cells(
				alike(undone(slipway.CauseBreaker, byBreaker+"4 tasks: "+noKey), took{Rolling: 70}),
				alike(givenUp(updateBack, hopeless+"4 tasks: "+noKey+putBack), took{Unguarded: 70, BlueGreen: 80, Linear: 80, Canary: 80}),
				alike(givenUp(createBack, patient+"4 tasks: "+noKey+putBack), took{CodeDeploy: 60}),
				alike(tried(tryFailed+noKey+untouched), took{Schedule: 35}),
			),
		},
		{
			Name: "placement failure",
			What: "Fargate has no room for another task. ECS goes on trying, and there may be room in a minute: Slipway waits for that until the timeout, which does not count the time that the deployment " +
				"bakes. The circuit breaker does not wait. A batch app's test run is refused at once.",
			Cells: cells(
				alike(undone(slipway.CauseBreaker, byBreaker+"was unable to place a task. Reason: "+noRoom), took{Rolling: 70}),
				alike(late(updateBack, "10"), took{Unguarded: 1810, BlueGreen: 2120, Linear: 2240, Canary: 2420}),
				alike(late(createBack, "0"), took{CodeDeploy: 2410}),
				alike(tried("cannot make a test run of batchapp1:2 as target 1 of rule nightly does: "+noRoom+untouched+"; retry once ECS has room for the task"), took{Schedule: 0}),
			),
		},
		{
			Name: "alarm",
			What: "Three minutes into the deployment, a CloudWatch alarm rings that it is to be rolled back for.",
			Cells: cells(
				alike(undone(slipway.CauseAlarm, "rolled back by ECS to webapp1:1: alarm detected (web-5xx)"), took{Rolling: 580, Unguarded: 580}),
				alike(undone(slipway.CauseAlarm, "rolled back by ECS to webapp1:1: "+alarm), took{BlueGreen: 510, Linear: 510, Canary: 510}),
				alike(Cell{
					Outcome: slipway.OutcomeRolledBack, By: slipway.ByCodeDeploy, Cause: slipway.CauseAlarm, Writes: create, Runs: oldWeb,
					Says: "rolled back by CodeDeploy, by deployment …: One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, " +
						"and the affected deployments have been stopped. Activated alarms: <web-5xx> (ALARM_ACTIVE)",
				}, took{CodeDeploy: 185}),
				not(Schedule, "neither EventBridge nor its Scheduler watches an alarm while a schedule is moved"),
			),
		},
	}
}
