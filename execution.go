package slipway

import (
	"slices"
	"time"
)

// Status is where an Execution stands, in CodePipeline's words.
type Status string

// The statuses. An execution is Queued, then InProgress (Stopping once a
// person asked for its stop), then ends as one of the other four.
const (
	StatusQueued     Status = "Queued"
	StatusInProgress Status = "InProgress"
	StatusStopping   Status = "Stopping"
	StatusStopped    Status = "Stopped"
	StatusSucceeded  Status = "Succeeded"
	StatusFailed     Status = "Failed"
	StatusSuperseded Status = "Superseded"
)

// Ended reports whether an execution with this status is over.
func (s Status) Ended() bool {
	switch s {
	case StatusStopped, StatusSucceeded, StatusFailed, StatusSuperseded:
		return true
	case StatusQueued, StatusInProgress, StatusStopping:
		return false
	}
	return false
}

// Outcome is what the Deploy stage really did. It is empty until an execution
// has ended, and for one that was superseded or stopped before it began.
type Outcome string

// The outcomes. OutcomeNone is an outcome that is not known yet, and that of
// an execution which never came to deploy.
const (
	OutcomeNone       Outcome = ""
	OutcomeDeployed   Outcome = "deployed"
	OutcomeUnchanged  Outcome = "unchanged"
	OutcomeRolledBack Outcome = "rolled-back"
	OutcomeReplaced   Outcome = "replaced"
	OutcomeTimedOut   Outcome = "timed-out"
	OutcomeStopped    Outcome = "stopped"
	OutcomeFailed     Outcome = "failed"
)

// Status is the status in which an execution with this outcome ends.
func (o Outcome) Status() Status {
	switch o {
	case OutcomeDeployed, OutcomeUnchanged:
		return StatusSucceeded
	case OutcomeReplaced:
		return StatusSuperseded
	case OutcomeStopped:
		return StatusStopped
	case OutcomeRolledBack, OutcomeTimedOut, OutcomeFailed, OutcomeNone:
		return StatusFailed
	}
	return StatusFailed
}

// Who rolled a deployment back.
const (
	ByECS        = "ecs"
	ByCodeDeploy = "codedeploy"
	BySlipway    = "slipway"
)

// Stage is a part of a Pipeline.
type Stage string

// The stages of every pipeline.
const (
	StageSource Stage = "Source"
	StageDeploy Stage = "Deploy"
)

// Execution is one run of an App's Pipeline for one Change.
type Execution struct {
	// ID is a UUID of version 7: ordering by it is ordering by creation.
	ID       string   `json:"id"`
	Revision Revision `json:"revision"`
	Trigger  Trigger  `json:"trigger"`

	Status  Status  `json:"status"`
	Stage   Stage   `json:"stage,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"`
	// RolledBackBy is ByECS, ByCodeDeploy or BySlipway when the outcome is rolled-back.
	RolledBackBy string `json:"rolledBackBy,omitempty"`
	// Reason says why, for a person: one line that may be followed by details.
	Reason string `json:"reason,omitempty"`

	CreatedAt time.Time `json:"createdAt"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`

	// Pipeline is how the app is deployed, as Source read it at the commit; it is
	// the zero Pipeline before.
	Pipeline Pipeline `json:"pipeline,omitzero"`
	// Deployment is what Deploy intends and has written down so far.
	Deployment Deployment `json:"deployment,omitzero"`
	// Observation is the latest, nil before the first.
	Observation *Observation `json:"observation,omitempty"`
	// Stop is a request to stop that waits to be honoured, or was.
	Stop *StopRequest `json:"stop,omitempty"`
	// Decisions are those that people took on its pauses, oldest first.
	Decisions []Decision `json:"decisions,omitempty"`
}

// App is the app whose pipeline this execution runs.
func (e Execution) App() App { return e.Revision.App }

// Awaits returns the pauses of a running execution that nobody has answered yet.
func (e Execution) Awaits() []Hook {
	if e.Observation == nil || e.Status.Ended() {
		return nil
	}
	var hooks []Hook
	for _, hook := range e.Observation.Hooks {
		if !slices.ContainsFunc(e.Decisions, func(d Decision) bool { return d.Hook == hook.ID }) {
			hooks = append(hooks, hook)
		}
	}
	return hooks
}

// StopRequest asks a running execution to end early.
type StopRequest struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// Abandon leaves the service as it is instead of putting back what ran
	// before (CodePipeline's "stop and abandon").
	Abandon bool `json:"abandon,omitempty"`
	// Superseded marks the stop of an execution that a newer commit takes over
	// from, in mode replace.
	Superseded bool `json:"superseded,omitempty"`
}
