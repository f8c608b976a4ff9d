package cli

import (
	"errors"

	"github.com/alecthomas/kong"

	"github.com/slipway-cd/slipway"
)

// The exit codes; a promise to scripts.
const (
	exitDone = iota
	exitError
	exitUsage
	exitRolledBack
	exitReplaced
	exitTimedOut
	exitStopped
)

// exitMeanings says what each code means, in their order.
var exitMeanings = [...]string{
	exitDone:       "done: deployed, or nothing to change",
	exitError:      "error",
	exitUsage:      "wrong usage or invalid files",
	exitRolledBack: "the deployment failed and was rolled back",
	exitReplaced:   "replaced or superseded by a newer one",
	exitTimedOut:   "timed out",
	exitStopped:    "stopped by a person",
}

// ended is the error of a command that did not fail itself: the exit code says
// what became of what it started.
type ended struct {
	code int
	// err is what is left to tell; nil where everything was told.
	err error
}

func (e *ended) Unwrap() error { return e.err }

func (e *ended) Error() string {
	if e.err == nil {
		return "told already"
	}
	return e.err.Error()
}

// endedAs is nil for an execution that did what it was to do.
func endedAs(e slipway.Execution) error {
	if code := outcomeCode(e); code != exitDone {
		return &ended{code: code}
	}
	return nil
}

// exitCode is the code that an error ends the process with.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[*ended](err); ok {
		return e.code
	}
	if _, ok := errors.AsType[*kong.ParseError](err); ok {
		return exitUsage
	}
	switch slipway.NextOf(err) {
	case slipway.NextUsage:
		return exitUsage
	case slipway.NextPerson, slipway.NextRetry, slipway.NextNever:
	}
	return exitError
}

// outcomeCode is the code of an execution's end. One that ended before it
// deployed anything has no outcome, and its status speaks.
func outcomeCode(e slipway.Execution) int {
	switch e.Outcome {
	case slipway.OutcomeDeployed, slipway.OutcomeUnchanged:
		return exitDone
	case slipway.OutcomeRolledBack:
		return exitRolledBack
	case slipway.OutcomeReplaced:
		return exitReplaced
	case slipway.OutcomeTimedOut:
		return exitTimedOut
	case slipway.OutcomeStopped:
		return exitStopped
	case slipway.OutcomeFailed:
		return exitError
	case slipway.OutcomeNone:
	}
	switch e.Status {
	case slipway.StatusSucceeded:
		return exitDone
	case slipway.StatusSuperseded:
		return exitReplaced
	case slipway.StatusStopped:
		return exitStopped
	case slipway.StatusFailed, slipway.StatusQueued, slipway.StatusInProgress, slipway.StatusStopping:
	}
	return exitError
}

// hintOf says what to do about an error, or is empty.
func hintOf(err error) string {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		if parse.Context != nil && parse.Context.Selected() != nil {
			return "see `" + parse.Context.Selected().FullPath() + " --help`"
		}
		return "see `slipway --help`"
	}
	return slipway.HintOf(err)
}
