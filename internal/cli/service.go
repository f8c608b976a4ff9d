package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/store"
)

// shutdownTimeout bounds how long requests that run may go on once the server
// stops.
const shutdownTimeout = 5 * time.Second

// service is a controller with its API on an address.
type service struct {
	options    controller.Options
	controller *controller.Controller // nil while it stands by
	standby    *controller.Standby
	url        string
	server     *http.Server
	handler    atomic.Value // of http.HandlerFunc
	failed     chan error   // the server ended by itself
}

// openService serves the API on listen, host:port, and opens a controller. The
// address is taken first, so that a second process on it fails before it does
// anything, and one that waits for the database can be seen to be alive, and hands
// requests on to the one that has it.
func openService(ctx context.Context, listen string, o controller.Options) (*service, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: "listen on " + listen, Err: err,
			Hint: "another slipway may run there; choose another address with --listen",
		}
	}
	s := &service{
		options: o, standby: controller.NewStandby(o.Version),
		url: "http://" + listener.Addr().String(), failed: make(chan error, 1),
	}
	if o.URL == "" {
		s.options.URL = reachable(ctx, listener.Addr(), o.Database)
	}
	if o.Waiting != nil {
		s.options.Waiting = func(by store.Holder) {
			o.Waiting(by)
			if by.URL != s.options.URL { // what it signed before it was started anew
				s.standby.Follow(by.URL)
			}
		}
	}
	s.serve(s.standby)
	s.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.Load().(http.HandlerFunc)(w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { s.failed <- s.server.Serve(listener) }()
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.server.Close())
	}
	return s, nil
}

// open waits for the database, conducts it, and answers itself from now on.
func (s *service) open(ctx context.Context) (err error) {
	if s.controller, err = controller.Open(ctx, s.options); err != nil {
		return err
	}
	s.serve(s.controller.Handler())
	return nil
}

// serve changes what answers from now on.
func (s *service) serve(handler http.Handler) { s.handler.Store(http.HandlerFunc(handler.ServeHTTP)) }

// run waits until ctx ends or the server fails. When the database is lost to another
// process, it stands by.
func (s *service) run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case err := <-s.failed:
			return fmt.Errorf("serve the API: %w", err)
		case <-s.controller.Lost():
			if err := s.reopen(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// reopenPause is how long a database that cannot be opened any more is left alone.
const reopenPause = time.Second

// reopen stops conducting, and begins to again once the database can be had: a server
// that fails over takes its time.
func (s *service) reopen(ctx context.Context) error {
	log := s.options.Logger
	log.WarnContext(ctx, "the database's lock was lost; standing by")
	s.standby.Follow("")
	s.serve(s.standby)
	if err := s.controller.Close(); err != nil {
		log.WarnContext(ctx, "stop conducting", slog.Any("error", err))
	}
	s.controller = nil
	if s.options.Waiting == nil {
		return &slipway.Error{Next: slipway.NextPerson, Message: "the database's lock was lost", Hint: "start it again, or leave out --no-wait to stand by"}
	}
	for told := ""; ; {
		err := s.open(ctx)
		switch {
		case err == nil:
			log.InfoContext(ctx, "conducting again")
			return nil
		case ctx.Err() != nil:
			return nil // asked to end while it stood by
		}
		if text := err.Error(); text != told {
			log.WarnContext(ctx, "the database cannot be opened; trying again", slog.Any("error", err))
			told = text
		}
		select {
		case <-time.After(reopenPause):
		case <-ctx.Done():
			return nil
		}
	}
}

// close lets requests end, stops the server and closes the controller.
func (s *service) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if s.controller != nil {
		err = errors.Join(err, s.controller.Close())
	}
	return err
}
