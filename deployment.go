package slipway

import (
	"strings"
	"time"
)

// Phase is how far a Deployment has come. Each phase is persisted before the
// next call that writes to AWS, so that a restart goes on from it.
type Phase string

// The phases, in order. PhaseTesting is that of a batch app whose new task
// definition is run once before anything is switched. PhaseUnchanged ends a
// deployment that has nothing to do; PhaseRollingBack follows PhaseStarted where we
// put back what ran before.
const (
	PhaseNew         Phase = ""
	PhasePrepared    Phase = "prepared"
	PhaseRegistered  Phase = "registered"
	PhaseTesting     Phase = "testing"
	PhaseStarted     Phase = "started"
	PhaseUnchanged   Phase = "unchanged"
	PhaseRollingBack Phase = "rolling-back"
)

// Deployment is one attempt to make one Place run one Revision: what is meant,
// and what was written down while doing it.
type Deployment struct {
	Execution string  `json:"execution"`
	App       App     `json:"app"`
	Commit    string  `json:"commit"`
	Images    []Image `json:"images"`
	Place     Place   `json:"place"`
	Phase     Phase   `json:"phase,omitempty"`
	// Attempt counts how often the step out of Phase was begun; it is
	// persisted before the step. Above 1 an earlier attempt may have had its
	// effect without our seeing the answer: look before acting.
	Attempt int `json:"attempt,omitempty"`

	// PreparedAt is when the service was read.
	PreparedAt time.Time `json:"preparedAt,omitzero"`
	// Base is the ARN of the task definition that the service's primary
	// deployment ran when it was read; the new one is its copy.
	Base string `json:"base,omitempty"`
	// BaseDeployment is the id (ecs-svc/…) of that primary deployment.
	BaseDeployment string `json:"baseDeployment,omitempty"`
	// BaseImages are the images that Base runs in the containers that Images
	// names.
	BaseImages []Image `json:"baseImages,omitempty"`
	// Strategy is how the service replaces tasks, as it is configured in ECS when
	// it is updated; empty where that was not written down.
	Strategy Strategy `json:"strategy,omitempty"`

	// Targets are what runs a batch app's tasks, as it was when it was read.
	Targets []ScheduledTarget `json:"targets,omitempty"`
	// TestRun asks for one run of a batch app's new task definition before its
	// targets are moved, and TestTask is the ARN of the task that does it.
	TestRun  bool   `json:"testRun,omitempty"`
	TestTask string `json:"testTask,omitempty"`

	// Reusable are ARNs of task definitions that this app registered before
	// with the same images, newest first: one of them is used again if it is
	// still active and equals what would be registered.
	Reusable []string `json:"reusable,omitempty"`
	// TaskDefinition is the ARN that was registered, or reused.
	TaskDefinition string `json:"taskDefinition,omitempty"`
	Reused         bool   `json:"reused,omitempty"`

	// FirstWriteAt is when the first call that writes to AWS was made.
	FirstWriteAt time.Time `json:"firstWriteAt,omitzero"`
	// StartedAt is when the service was updated, by AWS's clock.
	StartedAt time.Time `json:"startedAt,omitzero"`
	// ID is the id (ecs-svc/…) of the deployment that UpdateService made; where
	// its answer was lost and the deployment was over when we looked, the ARN of
	// the service deployment.
	ID string `json:"id,omitempty"`
	// Restarts counts how often the deployment began anew, because somebody
	// changed the service between our reading it and our updating it.
	Restarts int `json:"restarts,omitempty"`
	// ResumedAt is when it was last seen to go on after it had waited for a
	// person; the time that it may take counts from then.
	ResumedAt time.Time `json:"resumedAt,omitzero"`

	// RollbackFor is why we put Base back: the outcome that the execution will
	// end with. It is decided before the rollback begins; empty means that
	// nobody asked for one.
	RollbackFor Outcome `json:"rollbackFor,omitempty"`
	// RollbackReason says the same for a person.
	RollbackReason string `json:"rollbackReason,omitempty"`
	// RollbackID is the id of the deployment that puts Base back, or the ARN of the
	// service deployment that ECS was told to roll back; RollbackStartedAt is when
	// that began. Both are set with PhaseRollingBack.
	RollbackID        string    `json:"rollbackId,omitempty"`
	RollbackStartedAt time.Time `json:"rollbackStartedAt,omitzero"`
}

// ScheduledTarget is a target of an EventBridge rule, or a schedule of EventBridge
// Scheduler, that runs a batch app's tasks.
type ScheduledTarget struct {
	// Name is "rule/RULE/TARGET-ID" or "schedule/GROUP/NAME".
	Name string `json:"name"`
	// Before is the ARN of the task definition that it ran when it was read, which a
	// rollback puts back. One without a revision means the family's newest.
	Before string `json:"before"`
	// Problem says why it could not be moved while others were.
	Problem string `json:"problem,omitempty"`
}

// Newest reports whether the target runs the family's newest task definition,
// whichever that is: registering one is all that it takes to move it.
func (t ScheduledTarget) Newest() bool {
	return !strings.Contains(t.Before[strings.LastIndex(t.Before, "/")+1:], ":")
}

// Strategy is how an ECS service replaces the tasks of one service revision by
// those of the next: its deploymentConfiguration.strategy.
type Strategy string

// The strategies. With all but StrategyRolling, the new tasks stand beside the
// old ones, and production traffic is shifted: at once, in equal steps, or a
// small part first.
const (
	StrategyRolling   Strategy = "rolling"
	StrategyBlueGreen Strategy = "blue-green"
	StrategyLinear    Strategy = "linear"
	StrategyCanary    Strategy = "canary"
)

// State is what an Observation means for the Deployment that it was made for.
type State string

// The states. All but the first two are final for the phase that is observed.
const (
	// StateProgressing: AWS works on it.
	StateProgressing State = "progressing"
	// StateRollingBack: ECS or CodeDeploy itself has begun to roll it back.
	StateRollingBack State = "rolling-back"
	// StateDeployed: the new tasks are healthy and the old ones are gone.
	StateDeployed State = "deployed"
	// StateTested: the test run ended well; the deployment goes on from there.
	StateTested State = "tested"
	// StateRolledBack: what ran before runs again; Observation.By says by whom.
	StateRolledBack State = "rolled-back"
	// StateReplaced: somebody else's deployment took its place.
	StateReplaced State = "replaced"
	// StateFailed: it cannot succeed and AWS will not roll it back by itself.
	StateFailed State = "failed"
	// StateGone: the service no longer exists or is not active.
	StateGone State = "gone"
)

// Observation is what AWS said about a Deployment at one moment.
type Observation struct {
	At    time.Time `json:"at"`
	State State     `json:"state"`
	// By is ByECS, ByCodeDeploy or BySlipway with StateRolledBack and
	// StateRollingBack.
	By string `json:"by,omitempty"`
	// Cause is what made ECS or CodeDeploy roll it back, as far as AWS says; empty otherwise.
	Cause Cause `json:"cause,omitempty"`
	// Reason says why, made of what AWS said: one line, which may be followed by
	// details. For a final state it is never empty unless the state is
	// StateDeployed.
	Reason string `json:"reason,omitempty"`
	// TaskDefinition is the ARN that the service's primary deployment runs.
	TaskDefinition string `json:"taskDefinition,omitempty"`
	// Tasks counts the tasks of the deployment that is observed.
	Tasks TaskCounts `json:"tasks"`
	// Draining counts the running tasks of older deployments.
	Draining int `json:"draining"`
	// Stage is how far it has come, as AWS spells it (PRE_SCALE_UP, BAKE_TIME…);
	// empty with the rolling update.
	Stage string `json:"stage,omitempty"`
	// Traffic is the percentage of the production traffic that the new tasks are
	// to get; nil where AWS shifts none.
	Traffic *float64 `json:"traffic,omitempty"`
	// Waiting says what it waits for at the moment, for a person; empty when that
	// is not known.
	Waiting string `json:"waiting,omitempty"`
	// Hooks are those that await a person's Decision. While there are any, the
	// deployment is not out of time: what happens when nobody decides is the
	// hook's own affair.
	Hooks []Hook `json:"hooks,omitempty"`
	// BakeMinutes is how long AWS was told to wait on purpose while everything is
	// well: it may take that much longer.
	BakeMinutes int `json:"bakeMinutes,omitempty"`
	// Events are the service's events since the deployment began, oldest
	// first, at most 20.
	Events []Event `json:"events,omitempty"`
	// Next is when it is worth looking again; zero with a final state.
	Next time.Time `json:"next,omitzero"`
}

// Final reports whether looking again would tell nothing new.
func (o Observation) Final() bool {
	return o.State != StateProgressing && o.State != StateRollingBack
}

// Cause is what made ECS or CodeDeploy roll a deployment back.
type Cause string

// The causes.
const (
	// CauseBreaker: the deployment circuit breaker, because tasks failed.
	CauseBreaker Cause = "circuit-breaker"
	// CauseAlarm: a CloudWatch alarm of the service's.
	CauseAlarm Cause = "alarm"
	// CauseHook: a lifecycle hook failed, was refused, or ran out of time.
	CauseHook Cause = "hook"
	// CausePerson: somebody stopped the deployment, in the console or by API.
	CausePerson Cause = "person"
)

// Hook is a pause in a deployment that lasts until somebody decides: a lifecycle
// hook of the type PAUSE, or a wait of CodeDeploy's.
type Hook struct {
	ID string `json:"id"`
	// Stage is where the deployment pauses, as AWS spells it: a lifecycle stage, or
	// CodeDeploy's READY_WAIT and TERMINATION_WAIT.
	Stage string `json:"stage,omitempty"`
	// Expires is when AWS decides by itself, as far as it is known, and OnExpiry what:
	// CONTINUE or ROLLBACK, or STOP_DEPLOYMENT with CodeDeploy.
	Expires  time.Time `json:"expires,omitzero"`
	OnExpiry string    `json:"onExpiry,omitempty"`
}

// GoesOn reports whether the deployment goes on if nobody decides: a decision is
// welcome, but not needed.
func (h Hook) GoesOn() bool { return h.OnExpiry == "CONTINUE" }

// Decision is a person's answer to a Hook.
type Decision struct {
	// Hook is the hook's id. Where it is empty, the only one that waits is meant.
	Hook string `json:"hook"`
	// Stage is where the deployment paused.
	Stage string `json:"stage,omitempty"`
	// Approve lets the deployment go on; otherwise it is rolled back.
	Approve bool      `json:"approve"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
}

// TaskCounts are an ECS deployment's numbers of tasks.
type TaskCounts struct {
	Desired int `json:"desired"`
	Pending int `json:"pending"`
	Running int `json:"running"`
	// Failed is ECS's failedTasks: consecutive failures, which returns to 0.
	Failed int `json:"failed"`
}

// Event is a message of an ECS service, in ECS's own words.
type Event struct {
	At      time.Time `json:"at"`
	Message string    `json:"message"`
}

// Running is what an App's service runs at one moment.
type Running struct {
	Place Place `json:"place"`
	// TaskDefinition is the ARN that the primary deployment runs.
	TaskDefinition string `json:"taskDefinition,omitempty"`
	// Images are those of all containers of TaskDefinition.
	Images []Image `json:"images"`
	// Since is when AWS began to deploy what runs, by its clock; zero where that
	// is not known, as for schedules.
	Since time.Time `json:"since,omitzero"`
	// Steady reports that there is one deployment, completed, with all tasks
	// running.
	Steady bool `json:"steady"`
	// Err says why the rest is empty, for example that there is no such
	// service; nil when it is filled.
	Err error `json:"-"`
}

// FieldChange is one difference that a deployment would make to a task
// definition. Path is like "containerDefinitions[webapp1].image".
type FieldChange struct {
	Path string `json:"path"`
	From string `json:"from"`
	To   string `json:"to"`
}
