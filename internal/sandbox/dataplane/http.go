package dataplane

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// serveHTTP serves a listener until ctx ends.
func (b *loadBalancer) serveHTTP(ctx context.Context, listener net.Listener) {
	logs := slog.NewLogLogger(b.plane.logger.Handler(), slog.LevelDebug)
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          logs,
		Handler: &httputil.ReverseProxy{
			Transport:    b,
			ErrorHandler: answerError,
			ErrorLog:     logs,
			Rewrite: func(r *httputil.ProxyRequest) {
				// As an Application Load Balancer does: the client's Host stays, and its
				// address is added to those of proxies before us.
				r.Out.URL.Scheme = "http"
				r.Out.URL.Host = r.In.Host
				r.Out.Host = r.In.Host
				r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
				r.SetXForwarded()
			},
		},
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	_ = server.Serve(listener) // always an error: it was closed
}

var errNoTarget = errors.New("no target is healthy")

// RoundTrip sends a request to a target, and to another one when a connection
// to it cannot be opened: then nothing of the request was sent. It implements
// http.RoundTripper for the ReverseProxy.
func (b *loadBalancer) RoundTrip(req *http.Request) (*http.Response, error) {
	for t := range b.targets() {
		attempt := req.WithContext(req.Context())
		url := *req.URL
		url.Host = t.Address
		attempt.URL = &url
		if req.Body != nil {
			attempt.Body = io.NopCloser(req.Body) // a failed attempt must not close it
		}
		res, err := t.transport.RoundTrip(attempt) //nolint:bodyclose // the ReverseProxy closes it
		if err == nil || req.Context().Err() != nil || !isDial(err) {
			return res, err
		}
	}
	return nil, errNoTarget
}

// isDial reports whether err says that no connection could be opened.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// answerError answers for a target that did not.
func answerError(w http.ResponseWriter, _ *http.Request, err error) {
	code := http.StatusBadGateway
	if errors.Is(err, errNoTarget) {
		code = http.StatusServiceUnavailable
	}
	// The rest of the request's body may never come: do not wait for it.
	w.Header().Set("Connection", "close")
	http.Error(w, http.StatusText(code)+": "+err.Error(), code)
}
