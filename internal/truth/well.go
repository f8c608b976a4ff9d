package truth

import "github.com/slipway-cd/slipway"

// well are the deployments that succeed.
func well() []Scenario {
	const zero = "deployed, but nothing has run it yet: the service's desired count is 0"
	return []Scenario{
		{
			Name: "healthy",
			What: "The new tasks start and become healthy.",
			Cells: cells(
				alike(deployed(""), took{Rolling: 400, Unguarded: 400, BlueGreen: 740, Linear: 860, Canary: 1040}),
				alike(shifted(""), took{CodeDeploy: 690}),
				alike(moved(), took{Schedule: 70}),
			),
		},
		{
			Name: "nothing to change",
			What: "The commit says what runs already.",
			Cells: cells(
				alike(Cell{Outcome: slipway.OutcomeUnchanged, Says: "the service already runs registry.example.com/webapp1:1.0.0", Runs: oldWeb},
					took{Rolling: 0, Unguarded: 0, BlueGreen: 0, Linear: 0, Canary: 0, CodeDeploy: 0}),
				alike(Cell{Outcome: slipway.OutcomeUnchanged, Says: "all schedules already run registry.example.com/batchapp1:1.0.0", Runs: oldBatch}, took{Schedule: 0}),
			),
		},
		{
			Name: "slow but fine",
			What: "The new tasks need a minute and a half to become healthy, within the service's health check grace period. A batch app's task takes as long to end.",
			Cells: cells(
				alike(deployed(""), took{Rolling: 460, Unguarded: 460, BlueGreen: 800, Linear: 920, Canary: 1100}),
				alike(shifted(""), took{CodeDeploy: 750}),
				alike(moved(), took{Schedule: 145}),
			),
		},
		{
			Name: "desired count zero",
			What: "The service has a desired count of 0, so that there are no tasks to look at.",
			Cells: cells(
				alike(deployed(zero), took{Rolling: 20, Unguarded: 20, BlueGreen: 355, Linear: 475, Canary: 655}),
				alike(shifted(zero), took{CodeDeploy: 610}),
				not(Schedule, "a batch app has no desired count"),
			),
		},
		{
			Name: "autoscaling meanwhile",
			What: "The desired count doubles while the deployment goes on.",
			Cells: cells(
				alike(deployed(""), took{Rolling: 460, Unguarded: 460, BlueGreen: 790, Linear: 915, Canary: 1095}),
				alike(shifted(""), took{CodeDeploy: 740}),
				not(Schedule, "nothing scales a batch app: its schedule says how many tasks to run"),
			),
		},
	}
}
