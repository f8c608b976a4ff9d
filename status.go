package slipway

import "time"

// AppStatus is one app as `slipway status` shows it: what git says, what runs,
// and the newest execution. Its JSON form is a promise to scripts.
type AppStatus struct {
	App App `json:"app"`
	// Revision is what git says at the branch's head; nil when the app was
	// removed from git or its file is broken.
	Revision *RevisionSummary `json:"revision"`
	// Running is what ECS runs; nil when it could not be read.
	Running *RunningSummary `json:"running"`
	// Drift reports that what runs is not what git says. It compares the
	// images that git names and nothing else, and is false where either side
	// is unknown.
	Drift bool `json:"drift"`
	// DriftSince is since when: when git began to say it, or when what runs was
	// deployed, whichever was later. It is zero where that is not known.
	DriftSince time.Time `json:"driftSince,omitzero"`
	// Execution is the newest, or the one in progress; nil when there was none.
	Execution *ExecutionSummary `json:"execution"`
	// Conductor is who runs the app's pipeline, as git says.
	Conductor Conductor `json:"conductor,omitempty"`
	// Removed reports that git no longer has the app; nothing is deleted in ECS.
	Removed bool `json:"removed,omitempty"`
	// Problem says why Revision or Running is missing.
	Problem string `json:"problem,omitempty"`
}

// RevisionSummary is a Revision for people and scripts.
type RevisionSummary struct {
	Commit string  `json:"commit"`
	Images []Image `json:"images"`
}

// RunningSummary is what a service runs, for people and scripts.
type RunningSummary struct {
	Images         []Image `json:"images"`
	TaskDefinition string  `json:"taskDefinition"`
	// Since is when AWS began to deploy it, by its clock; zero where that is not
	// known, as for a batch app.
	Since time.Time `json:"since,omitzero"`
}

// HistoryEntry is one commit of an app's revision.json, joined with what became
// of it. Its JSON form is a promise to scripts.
type HistoryEntry struct {
	Commit
	// Images are the revision's; nil when the commit removed the app or its
	// file is broken.
	Images []Image `json:"images"`
	// Execution is the newest that ran this commit; nil when there was none,
	// for example because the app was adopted with it.
	Execution *ExecutionSummary `json:"execution"`
	// Removed reports that this commit removed the app.
	Removed bool `json:"removed,omitempty"`
	// Problem says what is wrong with the file at this commit.
	Problem string `json:"problem,omitempty"`
}

// ExecutionSummary is an Execution for people and scripts.
type ExecutionSummary struct {
	ID      string  `json:"id"`
	Status  Status  `json:"status"`
	Outcome Outcome `json:"outcome,omitempty"`
	// RolledBackBy is ByECS, ByCodeDeploy or BySlipway when the outcome is
	// rolled-back.
	RolledBackBy string    `json:"rolledBackBy,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	StartedAt    time.Time `json:"startedAt,omitzero"`
	EndedAt      time.Time `json:"endedAt,omitzero"`
	// Progress is how far the deployment has come; nil before it has been observed,
	// and when the execution has ended.
	Progress *Progress `json:"progress,omitempty"`
}

// Progress is an Observation of a deployment that goes on, for people and scripts.
type Progress struct {
	Tasks TaskCounts `json:"tasks"`
	// Stage, Traffic, Waiting and Hooks are as in Observation. Hooks that were answered
	// are left out.
	Stage   string   `json:"stage,omitempty"`
	Traffic *float64 `json:"traffic,omitempty"`
	Waiting string   `json:"waiting,omitempty"`
	Hooks   []Hook   `json:"hooks,omitempty"`
}

// Summary returns what status and history show of an execution.
func (e Execution) Summary() *ExecutionSummary {
	summary := &ExecutionSummary{
		ID: e.ID, Status: e.Status, Outcome: e.Outcome, RolledBackBy: e.RolledBackBy, Reason: e.Reason,
		StartedAt: e.StartedAt, EndedAt: e.EndedAt,
	}
	if o := e.Observation; o != nil && !e.Status.Ended() {
		summary.Progress = &Progress{Tasks: o.Tasks, Stage: o.Stage, Traffic: o.Traffic, Waiting: o.Waiting, Hooks: e.Awaits()}
	}
	return summary
}
