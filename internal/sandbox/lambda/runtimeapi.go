package lambda

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// runtimeAPI is what a runtime talks to.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (e *environment) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", e.serveNext)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		e.serveAnswer(w, r, "")
	})
	mux.HandleFunc("POST "+base+"invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		e.serveAnswer(w, r, unhandled)
	})
	mux.HandleFunc("POST "+base+"init/error", func(w http.ResponseWriter, r *http.Request) {
		e.serveAnswer(w, r, unhandled)
	})
	return mux
}

// serveNext gives the runtime its next event, once there is one.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case next := <-e.offers:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", next.ID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(next.timeout).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", next.ARN)
		if next.ClientContext != nil {
			h.Set("Lambda-Runtime-Client-Context", string(next.ClientContext))
		}
		_, _ = w.Write(next.Payload) // the process may be gone, which is noticed
	case <-r.Context().Done():
	case <-e.dead:
	}
}

// serveAnswer takes the answer to the invocation at hand: the function's, or an
// error document.
func (e *environment) serveAnswer(w http.ResponseWriter, r *http.Request, failed string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, answerMost))
	got := result{Payload: body, Failed: failed}
	status, said := http.StatusAccepted, `{"status":"OK"}`
	if over, ok := errors.AsType[*http.MaxBytesError](err); ok {
		size := max(r.ContentLength, over.Limit+1)
		got = tooLarge(int(size))
		status, said = http.StatusRequestEntityTooLarge, string(got.Payload)
	} else if err != nil {
		return
	}
	e.mu.Lock()
	current := e.current
	e.mu.Unlock()
	if id := r.PathValue("id"); current == nil || id != "" && id != current.ID {
		status, said = http.StatusBadRequest, `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`
	} else {
		select {
		case current.done <- got:
		default: // it has an answer
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, said) // the process may be gone, which is noticed
}
