package truth

import (
	"maps"
	"slices"
	"time"

	"github.com/slipway-cd/slipway"
)

// took is after how long each of some ways ends, in seconds.
type took map[Way]int

// alike are cells that differ in nothing but how long it takes.
func alike(cell Cell, after took) map[Way]Cell {
	all := map[Way]Cell{}
	for way, seconds := range after {
		cell.After = time.Duration(seconds) * time.Second
		all[way] = cell
	}
	return all
}

// not is a cell that there cannot be.
func not(way Way, why string) map[Way]Cell { return map[Way]Cell{way: {Not: why}} }

// cells puts the cells of a row together.
func cells(groups ...map[Way]Cell) map[Way]Cell {
	all := map[Way]Cell{}
	for _, group := range groups {
		maps.Copy(all, group)
	}
	return all
}

// What is written: to begin a deployment of each kind, to roll it back, and to try
// and to move a batch app.
var (
	update     = []string{"RegisterTaskDefinition", "UpdateService"}
	create     = []string{"RegisterTaskDefinition", "CreateDeployment"}
	updateBack = append(slices.Clone(update), "StopServiceDeployment")
	createBack = append(slices.Clone(create), "StopDeployment")
	try        = []string{"RegisterTaskDefinition", "RunTask"}
	move       = append(slices.Clone(try), "PutTargets", "UpdateSchedule")
)

// The task definitions that run in the end: what ran before, ours, and somebody
// else's.
const (
	oldWeb, newWeb, otherWeb = "webapp1:1", "webapp1:2", "webapp1:3"
	oldBatch, newBatch       = "batchapp1:1", "batchapp1:2"
)

// What is said more than once.
const (
	hopeless   = "4 of its tasks failed one after the other, and ECS would go on for ever: the service has neither the deployment circuit breaker nor alarms; "
	patient    = "4 of its tasks failed, and CodeDeploy would wait for an hour; "
	putBack    = "; " + oldWeb + " was put back"
	untouched  = "; no schedule was touched"
	byBreaker  = "rolled back by ECS to " + oldWeb + ": tasks failed to start; "
	tryFailed  = "the test run of " + newBatch + ", task …, failed: "
	batchMoved = "target 1 of rule nightly, schedule monthly run " + newBatch
)

// deployed is the cell of a service that ECS deploys, taken over well.
func deployed(says string) Cell {
	return Cell{Outcome: slipway.OutcomeDeployed, Says: says, Writes: update, Runs: newWeb}
}

// shifted is the same with CodeDeploy.
func shifted(says string) Cell {
	return Cell{Outcome: slipway.OutcomeDeployed, Says: says, Writes: create, Runs: newWeb}
}

// moved is that of a batch app.
func moved() Cell {
	return Cell{Outcome: slipway.OutcomeDeployed, Says: batchMoved, Writes: move, Runs: newBatch}
}

// tried is the cell of a batch app whose test run failed.
func tried(says string) Cell {
	return Cell{Outcome: slipway.OutcomeFailed, Says: says, Writes: try, Runs: oldBatch}
}

// undone is the cell of a service that ECS rolled back by itself.
func undone(cause slipway.Cause, says string) Cell {
	return Cell{Outcome: slipway.OutcomeRolledBack, By: slipway.ByECS, Cause: cause, Says: says, Writes: update, Runs: oldWeb}
}

// givenUp is the cell of a deployment that Slipway rolled back.
func givenUp(writes []string, says string) Cell {
	return Cell{Outcome: slipway.OutcomeRolledBack, By: slipway.BySlipway, Says: says, Writes: writes, Runs: oldWeb}
}
