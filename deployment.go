package slipway

import "time"

// Phase is how far a Deployment has come. Each phase is persisted before the
// next call that writes to AWS, so that a restart goes on from it.
type Phase string

// The phases, in order. PhaseUnchanged ends a deployment that has nothing to
// do; PhaseRollingBack follows PhaseStarted where we put back what ran before.
const (
	PhaseNew         Phase = ""
	PhasePrepared    Phase = "prepared"
	PhaseRegistered  Phase = "registered"
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

	// RollbackFor is why we put Base back: the outcome that the execution will
	// end with. It is decided before the rollback begins; empty means that
	// nobody asked for one.
	RollbackFor Outcome `json:"rollbackFor,omitempty"`
	// RollbackReason says the same for a person.
	RollbackReason string `json:"rollbackReason,omitempty"`
	// RollbackID is the id of the deployment that puts Base back, and
	// RollbackStartedAt when that began; both are set with PhaseRollingBack.
	RollbackID        string    `json:"rollbackId,omitempty"`
	RollbackStartedAt time.Time `json:"rollbackStartedAt,omitzero"`
}

// State is what an Observation means for the Deployment that it was made for.
type State string

// The states. All but the first two are final for the phase that is observed.
const (
	// StateProgressing: AWS works on it.
	StateProgressing State = "progressing"
	// StateRollingBack: ECS itself has begun to roll it back.
	StateRollingBack State = "rolling-back"
	// StateDeployed: the new tasks are healthy and the old ones are gone.
	StateDeployed State = "deployed"
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
	// By is ByECS or BySlipway with StateRolledBack and StateRollingBack.
	By string `json:"by,omitempty"`
	// Reason says why, made of what AWS said; for a final state it is never
	// empty unless the state is StateDeployed.
	Reason string `json:"reason,omitempty"`
	// TaskDefinition is the ARN that the service's primary deployment runs.
	TaskDefinition string `json:"taskDefinition,omitempty"`
	// Tasks counts the tasks of the deployment that is observed.
	Tasks TaskCounts `json:"tasks"`
	// Draining counts the running tasks of older deployments.
	Draining int `json:"draining"`
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
