package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/controller"
)

// shutdownTimeout bounds how long requests that run may go on once the server
// stops.
const shutdownTimeout = 5 * time.Second

// service is a controller with its API on an address.
type service struct {
	controller *controller.Controller
	url        string
	server     *http.Server
	handler    atomic.Value // of http.HandlerFunc
	failed     chan error   // the server ended by itself
}

// openService serves the API on listen, host:port, and opens a controller. The
// address is taken first, so that a second process on it fails before it does
// anything, and one that waits for the database can be seen to be alive.
func openService(ctx context.Context, listen string, o controller.Options) (*service, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: "listen on " + listen, Err: err,
			Hint: "another slipway may run there; choose another address with --listen",
		}
	}
	s := &service{url: "http://" + listener.Addr().String(), failed: make(chan error, 1)}
	s.serve(controller.StandBy(o.Version))
	s.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.Load().(http.HandlerFunc)(w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { s.failed <- s.server.Serve(listener) }()
	if s.controller, err = controller.Open(ctx, o); err != nil {
		return nil, errors.Join(err, s.server.Close())
	}
	s.serve(s.controller.Handler())
	return s, nil
}

// serve changes what answers from now on.
func (s *service) serve(handler http.Handler) { s.handler.Store(http.HandlerFunc(handler.ServeHTTP)) }

// run waits until ctx ends or the server fails.
func (s *service) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return fmt.Errorf("serve the API: %w", err)
	}
}

// close lets requests end, stops the server and closes the controller.
func (s *service) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(s.server.Shutdown(ctx), s.controller.Close())
}
