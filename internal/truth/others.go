package truth

import "github.com/slipway-cd/slipway"

// others are the deployments into which somebody else reaches.
func others() []Scenario {
	const theirs = "replaced by deployment … of webapp1:3, made at …; the task definition is from arn:aws:iam::111122223333:root"
	replaced := func(writes []string, says, runs string) Cell {
		return Cell{Outcome: slipway.OutcomeReplaced, Says: says, Writes: writes, Runs: runs}
	}
	inGroup := replaced(create, "replaced by deployment … of DgpECS-cluster1-webapp1, made at …: The deployment was stopped by a user. (MANUAL_STOP)", oldWeb)
	inGroupAgain := inGroup
	inGroupAgain.Runs = newWeb
	const since = "replaced by a deployment of webapp1:3, made at …, and that was replaced by deployment … of "
	base := badly()[0].Cells // crash at start
	return []Scenario{
		{
			Name: "stopped by a person",
			What: "Somebody stops the deployment in the console, which rolls it back, or stops the task of a batch app's test run.",
			Cells: cells(
				alike(undone(slipway.CausePerson, "rolled back by ECS to webapp1:1: Service deployment rolled back because of a stop request"),
					took{Rolling: 595, Unguarded: 595, BlueGreen: 520, Linear: 520, Canary: 520}),
				alike(Cell{
					Outcome: slipway.OutcomeRolledBack, By: slipway.ByCodeDeploy, Cause: slipway.CausePerson, Writes: create, Runs: oldWeb,
					Says: "rolled back by CodeDeploy, by deployment …: The deployment was stopped by a user. (MANUAL_STOP)",
				}, took{CodeDeploy: 185}),
				alike(tried(tryFailed+"Task stopped by user"+untouched), took{Schedule: 35}),
			),
		},
		{
			Name: "replaced",
			What: "Somebody deploys something else before ours is done; with CodeDeploy they have to stop ours first. Whoever moves a batch app's schedule does it right after Slipway did.",
			Cells: cells(
				alike(replaced(update, theirs, otherWeb), took{Rolling: 60, Unguarded: 60, BlueGreen: 60, Linear: 60, Canary: 60}),
				alike(inGroup, took{CodeDeploy: 70}),
				alike(replaced(move, "somebody else moved schedule monthly to batchapp1:3, which arn:aws:iam::111122223333:root registered; target 1 of rule nightly runs batchapp1:2",
					"batchapp1:2 batchapp1:3"), took{Schedule: 75}),
			),
		},
		{
			Name: "replaced, then what ran before",
			What: "Somebody deploys something else, and then puts back what ran before ours. Slipway could not reach AWS meanwhile, and looks twenty minutes later. That the old tasks run is not a rollback of ours.",
			Cells: cells(
				alike(replaced(update, since+"webapp1:1, made at …", oldWeb), took{Rolling: 1210, Unguarded: 1210, BlueGreen: 1210, Linear: 1210, Canary: 1210}),
				alike(inGroup, took{CodeDeploy: 1210}),
				alike(replaced(move, "schedule monthly, which had been moved, runs batchapp1:1 again: somebody else moved it back; target 1 of rule nightly runs batchapp1:2",
					"batchapp1:2 batchapp1:1"), took{Schedule: 135}),
			),
		},
		{
			Name: "replaced, then ours again",
			What: "Somebody deploys something else, and then our task definition again. Slipway could not reach AWS meanwhile. It is their deployment that runs ours now. " +
				"A schedule has no deployments: it runs ours, and nothing else is known.",
			Cells: cells(
				alike(replaced(update, since+"webapp1:2, made at …", newWeb), took{Rolling: 1515, Unguarded: 1515, BlueGreen: 1515, Linear: 1515, Canary: 1515}),
				alike(inGroupAgain, took{CodeDeploy: 1515}),
				alike(moved(), took{Schedule: 75}),
			),
		},
		{
			Name: "service deleted meanwhile",
			What: "Somebody deletes the service, or the rule's target and the schedule during a batch app's test run.",
			Cells: cells(
				alike(Cell{Outcome: slipway.OutcomeFailed, Says: "service webapp1 in cluster cluster1 was deleted: it is DRAINING", Writes: update},
					took{Rolling: 60, Unguarded: 60, BlueGreen: 60, Linear: 60, Canary: 60}),
				alike(Cell{Outcome: slipway.OutcomeFailed, Says: "there is no service webapp1 in cluster cluster1 any more", Writes: create}, took{CodeDeploy: 60}),
				alike(Cell{
					Outcome: slipway.OutcomeFailed, Writes: try,
					Says: "no rule of EventBridge and no schedule runs a task definition of family batchapp1 in cluster cluster1; create a schedule that runs it (Slipway moves schedules, it does not make them)",
				}, took{Schedule: 70}),
			),
		},
		{
			Name: "new task definition deregistered",
			What: "Somebody deregisters the new task definition. A service goes on with it; every run of a schedule would fail, so that it is not moved.",
			Cells: cells(
				well()[0].Cells,
				alike(tried("cannot move schedules to batchapp1:2: the task definition was deregistered (it is INACTIVE): TaskDefinition is inactive; "+
					"retry the execution: it registers the task definition anew; and find out what deregisters task definitions in use"), took{Schedule: 70}),
			),
		},
		{
			Name:  "old task definition deregistered",
			What:  "Somebody deregisters the task definition that ran before, and the new tasks crash. No service can be updated to it any more, but ECS and CodeDeploy can still return to it.",
			Cells: base,
		},
	}
}
