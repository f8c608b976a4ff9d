package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/slipway-cd/slipway"
)

// problemType is the media type of an error (RFC 9457).
const problemType = "application/problem+json"

// problem is how an error travels. Next and Hint are ours; Errors is filled by
// huma where a request does not match the schema.
type problem struct {
	Title  string              `json:"title,omitempty" doc:"The HTTP status in words"`
	Status int                 `json:"status,omitempty" doc:"The HTTP status"`
	Detail string              `json:"detail,omitempty" doc:"What happened"`
	Next   slipway.Next        `json:"next,omitempty" enum:"usage,person,retry,never" doc:"What happens next: correct the input; a person must act; the same call may succeed later; it failed and stays failed"`
	Hint   string              `json:"hint,omitempty" doc:"What to do"`
	Errors []*huma.ErrorDetail `json:"errors,omitempty" doc:"Where the request does not match the schema"`

	retryAfter time.Duration
}

// Error, GetStatus, GetHeaders and ContentType let huma send it.

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return problemType }
func (p *problem) GetHeaders() http.Header {
	if p.Status != http.StatusServiceUnavailable {
		return nil
	}
	seconds := max(1, math.Ceil(p.retryAfter.Seconds()))
	return http.Header{"Retry-After": {strconv.FormatFloat(seconds, 'f', 0, 64)}}
}

// asProblem is the one place that turns an error into a status; nil stays nil.
func asProblem(err error) error {
	if err == nil {
		return nil
	}
	next := slipway.NextOf(err)
	if errors.Is(err, context.DeadlineExceeded) {
		next = slipway.NextRetry
	}
	p := &problem{Detail: err.Error(), Next: next, Hint: slipway.HintOf(err), Status: http.StatusInternalServerError}
	switch next {
	case slipway.NextUsage:
		p.Status = http.StatusUnprocessableEntity
	case slipway.NextPerson:
		p.Status = http.StatusConflict
	case slipway.NextRetry:
		p.Status = http.StatusServiceUnavailable
	case slipway.NextNever:
	}
	if errors.Is(err, ErrNotFound) {
		p.Status = http.StatusNotFound
	}
	if e, ok := errors.AsType[*slipway.Error](err); ok {
		p.retryAfter = e.RetryAfter
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// WriteError answers a request with an error, as the operations of the API do.
func WriteError(w http.ResponseWriter, err error) {
	p := &problem{}
	if !errors.As(asProblem(err), &p) {
		return // there is no error
	}
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who asked has gone
}

// asError is what the client makes of a problem: the error that it was.
func (p *problem) asError(header http.Header) error {
	e := slipway.Error{Next: p.Next, Message: p.Detail, Hint: p.Hint}
	for _, detail := range p.Errors {
		e.Message += "; " + detail.Error()
	}
	if e.Next == "" { // huma's own: the request did not fit
		e.Next = slipway.NextUsage
	}
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	if p.Status == http.StatusNotFound {
		return &notFound{e}
	}
	return &e
}
