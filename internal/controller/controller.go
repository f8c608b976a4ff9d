package controller

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/target"
	"github.com/slipway-cd/slipway/internal/trigger"
)

// Options are what a Controller is made of.
type Options struct {
	Repository *deployrepo.Repo
	Target     *target.AWS
	// AWS is the SDK's configuration for CodePipeline, of a region or of its own.
	AWS func(ctx context.Context, region string) (aws.Config, error)
	// Database is where executions are kept.
	Database store.Database
	// URL is where this process's API answers, for those who stand by.
	URL string
	// Waiting is told who conducts the database when somebody else does, and again
	// when that changes; the Controller then stands by. Nil makes that an error
	// instead.
	Waiting func(store.Holder)
	// Interval is the time between two polls of the repository.
	Interval time.Duration
	Version  string
	Logger   *slog.Logger
}

// Controller runs the executions of one deployment repository.
type Controller struct {
	lock    *store.Lock
	store   *store.Store
	engine  *engine.Engine
	watcher *trigger.Watcher
	backend *backend
	handler http.Handler

	stop    context.CancelFunc
	watches sync.WaitGroup
	letGo   context.CancelFunc // of what watches the lock
}

// Open takes the lock, goes on with what was running, and begins to watch the
// repository. It waits for the lock until ctx ends. Close the Controller.
func Open(ctx context.Context, o Options) (_ *Controller, err error) {
	c := &Controller{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.lock, err = o.Database.Acquire(ctx, store.Self(o.URL), o.Waiting); err != nil {
		return nil, err
	}
	held, letGo := context.WithCancel(context.WithoutCancel(ctx))
	c.letGo = letGo
	go func() {
		select {
		case <-c.lock.Lost():
			letGo()
		case <-held.Done():
		}
	}()
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	defer context.AfterFunc(held, interrupt)()
	if c.store, err = o.Database.Open(ctx); err != nil {
		return nil, err
	}
	context.AfterFunc(held, c.store.CutOff) // who conducts from now on is to be alone in the tables
	repository := &repository{Repo: o.Repository, log: o.Logger}
	c.engine, err = engine.Open(ctx, engine.Options{
		SQLite: c.store.SQLite(), Postgres: c.store.Postgres(), Store: c.store, Queue: c.store,
		Source: repository, Target: o.Target, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(held, c.engine.Halt)
	c.watcher = trigger.NewWatcher(trigger.Options{
		Repository: repository, Pipelines: c.store, Inspector: o.Target, Submitter: c.engine,
		NewID: engine.NewID, Interval: o.Interval, Logger: o.Logger,
	})
	c.backend = newBackend(repository, o)
	c.backend.builtin = &builtin{repository: repository, store: c.store, engine: c.engine, watcher: c.watcher}
	c.handler = api.Handler(c.backend, api.Options{Version: o.Version, Ready: func(context.Context) error { return c.watcher.Err() }})

	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.watches.Go(func() { c.watcher.Run(watching) })
	return c, nil
}

// Backend is what the API serves, for callers in this process.
func (c *Controller) Backend() api.Backend { return c.backend }

// Handler serves the API.
func (c *Controller) Handler() http.Handler { return c.handler }

// Notify says that the repository may have changed. It does not block.
func (c *Controller) Notify(kind slipway.TriggerKind) { c.watcher.Notify(kind) }

// Lost is closed when somebody else may conduct the database from now on: the
// Controller must be closed at once. It is nil where that cannot be.
func (c *Controller) Lost() <-chan struct{} { return c.lock.Lost() }

// Close stops watching and interrupts what runs; the next Open goes on with it.
func (c *Controller) Close() error {
	var failures []error
	if c.stop != nil {
		c.stop()
		c.watches.Wait()
	}
	if c.engine != nil {
		failures = append(failures, c.engine.Close())
	}
	if c.store != nil {
		failures = append(failures, c.store.Close())
	}
	if c.letGo != nil {
		c.letGo()
	}
	if c.lock != nil {
		failures = append(failures, c.lock.Release())
	}
	return errors.Join(failures...)
}
