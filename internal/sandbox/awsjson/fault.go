package awsjson

import (
	"net/http"
	"time"
)

// Fault is something that goes wrong with one request.
type Fault struct {
	// Err is answered instead of the operation's own answer: an [Error] for a
	// certain code and status. Nil answers as usual.
	Err error
	// Drop closes the connection without an answer.
	Drop bool
	// AfterEffect lets the operation do its work before Err or Drop: the
	// client does not learn that it was done.
	AfterEffect bool
	// Delay passes before anything else.
	Delay time.Duration
}

// Throttled is the fault of a request over AWS's rate.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
func Throttled() *Fault {
	return &Fault{Err: &Error{Code: "ThrottlingException", Message: "Rate exceeded"}}
}

// Unavailable is the fault of a service that is out of order, 503.
func Unavailable() *Fault {
	return &Fault{Err: &Error{Code: "ServiceUnavailableException", Message: "Service is unable to handle request.", Status: http.StatusServiceUnavailable}}
}

// Dropped is the fault of a connection that breaks; afterEffect says whether the
// operation is done nevertheless.
func Dropped(afterEffect bool) *Fault { return &Fault{Drop: true, AfterEffect: afterEffect} }

// Faults serves next with faults: ask is called with each request's operation,
// and may answer nil.
func Faults(next http.Handler, ask func(operation string) *Fault) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation := Target(r)
		fault := ask(operation)
		if fault == nil {
			next.ServeHTTP(w, r)
			return
		}
		if !fault.wait(r) || !fault.AfterEffect && fault.strike(w) {
			return
		}
		answer := NewAnswer()
		next.ServeHTTP(answer, r)
		if !fault.strike(w) {
			answer.Send(w)
		}
	})
}

// wait lets the delay pass, and says whether the client is still there.
func (f *Fault) wait(r *http.Request) bool {
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// strike drops the connection or answers with the error, and says whether the
// fault does either.
func (f *Fault) strike(w http.ResponseWriter) bool {
	if f.Drop {
		panic(http.ErrAbortHandler) // net/http's way to drop a connection
	}
	if f.Err != nil {
		WriteError(w, f.Err)
		return true
	}
	return false
}
