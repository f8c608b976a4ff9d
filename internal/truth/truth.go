package truth

import (
	"time"

	"github.com/slipway-cd/slipway"
)

// Way is a column of the table: a way in which AWS replaces what an app runs.
type Way int

// The ways.
const (
	Rolling Way = iota
	Unguarded
	BlueGreen
	Linear
	Canary
	CodeDeploy
	Schedule
)

// Ways are all of them, in the order of the table.
func Ways() []Way { return []Way{Rolling, Unguarded, BlueGreen, Linear, Canary, CodeDeploy, Schedule} }

// String is the way's name, for the head of a column.
func (w Way) String() string {
	return [...]string{"rolling with breaker", "rolling without", "blue/green", "linear", "canary", "CodeDeploy", "schedule"}[w]
}

// Setting says how an app of this way is set up in AWS.
func (w Way) Setting() string {
	return [...]string{
		"a service with the rolling update, and the deployment circuit breaker with rollback",
		"a service with the rolling update and no circuit breaker, as ECS has it by default",
		"a service with the strategy BLUE_GREEN, a bake time of 5 minutes and no circuit breaker",
		"a service with the strategy LINEAR, half of the traffic every 2 minutes, a bake time of 5 minutes and no circuit breaker",
		"a service with the strategy CANARY, 10 % of the traffic for 5 minutes, a bake time of 5 minutes and no circuit breaker",
		"a service that CodeDeploy deploys: 10 % of the traffic for 5 minutes, 5 minutes until the original tasks go, and a rollback on failures and alarms",
		"a batch app, which a rule of EventBridge and a schedule of EventBridge Scheduler run, with `testRun: true`",
	}[w]
}

// Cell is what becomes of a deployment of one way in one scenario.
type Cell struct {
	// Outcome is the execution's; its status follows from it.
	Outcome slipway.Outcome
	// By is who rolled the deployment back, and Cause what made AWS do so, where AWS
	// did and says why.
	By    string
	Cause slipway.Cause
	// Says is the reason, in full. What differs from one deployment to the next
	// (ids, times) is an ellipsis.
	Says string
	// Writes are the calls to AWS that changed something, in order.
	Writes []string
	// Runs is the task definition that runs in the end, as family:revision; the app
	// ran revision 1 before. It is empty where nothing is left to run one.
	Runs string
	// After is about how long the deployment takes, in AWS's time.
	After time.Duration
	// Not says why the scenario cannot happen to this way; all else is empty then.
	Not string
}

// Status is the execution's.
func (c Cell) Status() slipway.Status { return c.Outcome.Status() }

// Scenario is a row of the table.
type Scenario struct {
	Name string
	// What happens, in a sentence or two.
	What  string
	Cells map[Way]Cell
}

// Chapter is a group of rows.
type Chapter struct {
	Title     string
	Scenarios []Scenario
}

// Table is the truth table.
func Table() []Chapter {
	return []Chapter{
		{"It goes well", well()},
		{"The new tasks fail", badly()},
		{"Somebody else acts", others()},
		{"AWS stands in the way", impeded()},
	}
}
