package truth

import (
	"maps"
	"slices"
)

// impeded are the deployments during which AWS is hard to reach.
func impeded() []Scenario {
	lost := maps.Clone(badly()[0].Cells) // crash at start
	again := lost[Schedule]
	again.Writes = append(slices.Clone(again.Writes), "RunTask")
	lost[Schedule] = again
	return []Scenario{
		{
			Name: "throttled throughout",
			What: "Others in the account use ECS so much that a fiftieth of its request rates is left, from the first call to the last. What ECS refuses is tried again; only what it accepts counts here.",
			Cells: cells(
				alike(deployed(""), took{Rolling: 415, Unguarded: 415, BlueGreen: 755, Linear: 880, Canary: 1060}),
				alike(shifted(""), took{CodeDeploy: 720}),
				alike(moved(), took{Schedule: 100}),
			),
		},
		{
			Name: "answers lost",
			What: "The connection breaks after the first call of every kind that writes, so that nobody knows whether it had an effect; and the new tasks crash. " +
				"Nothing is done twice: Slipway looks before it calls again, and a second RunTask with the same client token runs no second task.",
			Cells: lost,
		},
	}
}
