package controller

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// Standby serves the API of a process that does not conduct yet: it is alive, and
// hands every other request on to the process that conducts, so that one place
// decides. While there is none that it knows of, it is not ready, and answers "try
// again".
type Standby struct {
	alone     http.Handler
	conductor atomic.Pointer[url.URL]
}

// NewStandby returns one that knows of no conductor.
func NewStandby(version string) *Standby {
	return &Standby{alone: api.Handler(standby{}, api.Options{Version: version, Ready: func(context.Context) error { return notYet() }})}
}

// Follow hands requests on to the API at a URL; an empty one, or none, to nobody.
func (s *Standby) Follow(conductor string) {
	to, err := url.Parse(conductor)
	if err != nil || to.Host == "" {
		to = nil
	}
	s.conductor.Store(to)
}

// forwarded marks a request that was handed on: it is not again, to whoever that
// process takes for the conductor.
const forwarded = "Slipway-Forwarded"

// ServeHTTP hands a request on, or answers it.
func (s *Standby) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := s.conductor.Load()
	if to == nil || r.Header.Get(forwarded) != "" || r.URL.Path == api.HealthPath {
		s.alone.ServeHTTP(w, r)
		return
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host // by which a browser's foreign origin is told
			p.Out.Header.Set(forwarded, "1")
		},
		FlushInterval: -1, // at once: answers may go on for long
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			failed, is := errors.AsType[*net.OpError](err)
			if reached := !is || failed.Op != "dial"; reached && r.Method != http.MethodGet {
				api.WriteError(w, errUnanswered)
				return
			}
			api.WriteError(w, notYet()) // it has gone, and nobody has taken over yet
		},
	}
	proxy.ServeHTTP(w, r)
}

// errUnanswered is about a request that may have been carried out.
var errUnanswered = &slipway.Error{
	Next: slipway.NextPerson, Message: "the process that conducts went away before it answered",
	Hint: "`slipway status` tells whether it did what was asked; if not, ask again",
}

// standby is a Backend that has nothing to tell.
type standby struct{}

func notYet() error {
	return &slipway.Error{
		Next: slipway.NextRetry, RetryAfter: time.Second,
		Message: "this controller does not conduct yet: it is starting, or another process has the database",
	}
}

func (standby) Apps(context.Context) ([]slipway.AppStatus, error) { return nil, notYet() }

func (standby) History(context.Context, slipway.App, int) ([]slipway.HistoryEntry, error) {
	return nil, notYet()
}

func (standby) Executions(context.Context, api.ExecutionQuery) ([]slipway.Execution, error) {
	return nil, notYet()
}

func (standby) Command(context.Context, api.Command) (slipway.Execution, error) {
	return slipway.Execution{}, notYet()
}

func (standby) Refresh(context.Context) error { return notYet() }
