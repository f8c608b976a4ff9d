package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// Backend is what the API serves, and what its Client is. Every method may be
// called from many goroutines, and blocks no longer than its reads and writes
// take: none waits for a deployment. An error that is no slipway.Error is a
// fault of the controller.
type Backend interface {
	// Apps returns the state of every app, ordered by app.
	Apps(ctx context.Context) ([]slipway.AppStatus, error)

	// History returns the commits of one app's revision.json with what became
	// of them, newest first, at most limit. An app that never was is an error
	// that is ErrNotFound.
	History(ctx context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error)

	// Executions returns the executions that match, newest first. No match is
	// an empty list and no error.
	Executions(ctx context.Context, query ExecutionQuery) ([]slipway.Execution, error)

	// Command does what a person asked for by name, and returns the execution
	// that this made or changed as it is then: its end is for the caller to
	// wait for. Calling it twice starts twice, but stops once. An app or
	// execution that does not exist is an error that is ErrNotFound; one that
	// cannot be started, stopped, retried, approved or rejected as it is now is a
	// slipway.NextPerson that says why.
	Command(ctx context.Context, command Command) (slipway.Execution, error)

	// Refresh looks at the repository now instead of at the next poll, and
	// returns once the executions that follow from what it saw exist. It may
	// be called at any time.
	Refresh(ctx context.Context) error
}

// Limits of how much is returned at once.
const (
	// DefaultLimit is used for a limit of 0.
	DefaultLimit = 50
	// MaxLimit is the most that may be asked for.
	MaxLimit = 1000
)

// ExecutionQuery selects executions; the zero value selects all.
type ExecutionQuery struct {
	App *slipway.App
	// Commit is a whole commit id: that of the executed revision.
	Commit string
	// ID is a whole id, or the beginning of one.
	ID string
	// Limit is the most that is returned; see DefaultLimit and MaxLimit.
	Limit int
}

// Action is what a Command does.
type Action string

// The actions.
const (
	// ActionStart runs an app's pipeline on what git says now.
	ActionStart Action = "start"
	// ActionStop ends an execution early.
	ActionStop Action = "stop"
	// ActionRetry runs an app's pipeline again on an ended execution's revision.
	ActionRetry Action = "retry"
	// ActionApprove lets a deployment go on that pauses for a person.
	ActionApprove Action = "approve"
	// ActionReject has such a deployment rolled back.
	ActionReject Action = "reject"
)

// Command is a person's request.
type Command struct {
	Action Action
	// App is whose pipeline ActionStart runs.
	App slipway.App
	// Execution is the id of the one that all but ActionStart act on.
	Execution string
	// By says who asks, for the record.
	By string
	// Reason says why, with ActionStop, ActionApprove and ActionReject; it may be
	// empty.
	Reason string
	// Hook is the id of the pause that ActionApprove and ActionReject answer. It may
	// be empty where there is one alone; with it, asking again changes nothing.
	Hook string
	// Abandon leaves the service as it is instead of putting back what ran
	// before, with ActionStop.
	Abandon bool
}

// ErrNotFound is in the chain of an error about something that does not exist.
var ErrNotFound = errors.New("not found")

// NotFoundf makes an error that is ErrNotFound and a slipway.Error about wrong
// input at once. Hint says where to look for the right name, or is empty.
func NotFoundf(hint, format string, args ...any) error {
	return &notFound{slipway.Error{Next: slipway.NextUsage, Message: fmt.Sprintf(format, args...), Hint: hint}}
}

// notFound is apart from slipway.Error so that its text is the message alone.
type notFound struct{ problem slipway.Error }

func (e *notFound) Error() string        { return e.problem.Error() }
func (e *notFound) Unwrap() error        { return &e.problem }
func (e *notFound) Is(target error) bool { return target == ErrNotFound }
