package slipway

import (
	"errors"
	"fmt"
	"time"
)

// Next says what happens after an Error.
type Next string

const (
	// NextUsage means that the input is wrong; a person must correct it.
	NextUsage Next = "usage"
	// NextPerson means that nothing is wrong with the input, but a person must act
	// (grant a permission, create a service) before a retry can succeed.
	NextPerson Next = "person"
	// NextRetry means that the same call may succeed after RetryAfter.
	NextRetry Next = "retry"
	// NextNever means that it failed and stays failed.
	NextNever Next = "never"
)

// ErrNoService is the Kind of an error about an ECS service, or its cluster,
// that does not exist or is no longer active.
var ErrNoService = errors.New("no such service")

// Error is an error that says what happens next. Rooms wrap their errors in
// it where they know; the edge (exit codes, HTTP statuses, hints) reads it in
// one place. An error that is no Error counts as NextNever.
type Error struct {
	Next Next
	// Message says what happened: lower case, no full stop.
	Message string
	// Hint says what to do, or is empty.
	Hint string
	// RetryAfter is the least time to wait with NextRetry; zero leaves it to
	// the caller.
	RetryAfter time.Duration
	// Kind is what errors.Is finds, beside the cause, without its being part of
	// the text: ErrNoService, or nil.
	Kind error
	// Err is the cause, or nil.
	Err error
}

// Error returns the message and, behind it, the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's Kind.
func (e *Error) Is(target error) bool { return e.Kind != nil && e.Kind == target }

// Usagef makes an Error about wrong input.
func Usagef(format string, args ...any) error {
	return &Error{Next: NextUsage, Message: fmt.Sprintf(format, args...)}
}

// NextOf returns what happens after err: NextNever unless an Error in its
// chain says otherwise, and the empty Next for nil.
func NextOf(err error) Next {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Next
	}
	return NextNever
}

// HintOf returns the first hint in err's chain, or the empty string.
func HintOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}
