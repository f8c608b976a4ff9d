package sandboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// transport is an http.RoundTripper that calls a handler in the same goroutine.
type transport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper. A handler that aborts is a connection
// that breaks.
func (t transport) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := []byte{}
	if r.Body != nil {
		read, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
		body = read
	}
	call := r.Clone(r.Context())
	call.Body = io.NopCloser(bytes.NewReader(body))
	defer func() {
		if v := recover(); v != nil {
			aborted, ok := v.(error)
			if !ok || !errors.Is(aborted, http.ErrAbortHandler) {
				panic(v)
			}
			response, err = nil, fmt.Errorf("%s %s: %w", r.Method, r.URL, io.ErrUnexpectedEOF)
		}
	}()
	recorded := httptest.NewRecorder()
	t.handler.ServeHTTP(recorded, call)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response = recorded.Result()
	response.Request = r
	return response, nil
}

// Call is one request that a client made.
type Call struct {
	Operation string
	Body      []byte // the JSON document as it was sent
	Refused   bool   // it was answered with an error
}

// Writes says whether the operation changes anything, judged by its name.
func (c Call) Writes() bool {
	return !awsjson.Reads(c.Operation)
}

// Calls are the requests of one or more clients, in order.
type Calls []Call

// Operations are the calls' operations, in order.
func (c Calls) Operations() []string {
	names := []string{}
	for _, call := range c {
		names = append(names, call.Operation)
	}
	return names
}

// Writes are the calls that change something.
func (c Calls) Writes() Calls {
	return slices.DeleteFunc(slices.Clone(c), func(call Call) bool { return !call.Writes() })
}

// Effective are the calls that were not refused: those whose answer was lost are
// among them.
func (c Calls) Effective() Calls {
	return slices.DeleteFunc(slices.Clone(c), func(call Call) bool { return call.Refused })
}

// Count is how many calls of an operation there are.
func (c Calls) Count(operation string) int {
	n := 0
	for _, call := range c {
		if call.Operation == operation {
			n++
		}
	}
	return n
}

// Bodies are the documents that were sent with an operation, in order.
func (c Calls) Bodies(operation string) [][]byte {
	var bodies [][]byte
	for _, call := range c {
		if call.Operation == operation {
			bodies = append(bodies, call.Body)
		}
	}
	return bodies
}

// recorder keeps what was called, attempts that failed included.
type recorder struct {
	mu    sync.Mutex
	calls Calls
	began int // how often it was begun anew
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// record notes each request before next serves it.
func (r *recorder) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			awsjson.WriteError(w, err)
			return
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		_, operation := awsjson.Target(request)
		r.mu.Lock()
		r.calls = append(r.calls, Call{Operation: operation, Body: body})
		i, began := len(r.calls)-1, r.began
		r.mu.Unlock()
		answered := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(answered, request)
		if answered.status >= http.StatusBadRequest {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.began == began {
				r.calls[i].Refused = true
			}
		}
	})
}

// Calls are all requests of the World's clients so far, each attempt of the
// SDK's retries as one. What the World does itself is not among them.
func (w *World) Calls() Calls {
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	return slices.Clone(w.recorder.calls)
}

// ForgetCalls begins the record anew.
func (w *World) ForgetCalls() {
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	w.recorder.calls, w.recorder.began = nil, w.recorder.began+1
}

// RawBodies are the documents that were sent with an operation, in order.
func (w *World) RawBodies(operation string) [][]byte { return w.Calls().Bodies(operation) }
