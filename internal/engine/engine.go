package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps"
)

// The keys of the engine's log records.
const (
	keyExecution = "execution"
	keyWait      = "wait"
	keyError     = "error"
)

// Options are what an Engine works with.
type Options struct {
	// SQLite or Postgres, one of them, is where the workflow library's own tables
	// are; only one process may have an Engine on it, which the caller's lock
	// guarantees. Closing the Engine closes it.
	SQLite   *sql.DB
	Postgres *pgxpool.Pool

	Store  steps.Executions
	Queue  Queue
	Source steps.Source
	Target steps.Target
	Logger *slog.Logger
}

// Engine runs the executions of one database.
type Engine struct {
	queue     Queue
	store     steps.Executions
	target    steps.Target
	log       *slog.Logger
	workflows *workflows
	bells     bells

	stop     context.CancelFunc
	rechecks sync.WaitGroup
}

// recheck is how often the engine looks for what the tables call in progress and
// nobody runs: the answer to a transaction that was committed may have been lost on its
// way from the database.
const recheck = time.Minute

// Open goes on with everything that the tables call in progress, and returns
// an Engine that takes more. Close it to stop.
func Open(ctx context.Context, o Options) (*Engine, error) {
	e := &Engine{queue: o.Queue, store: o.Store, target: o.Target, log: o.Logger}
	taken := &steps.Steps{
		Source: o.Source, Target: o.Target, Store: o.Store, Log: o.Logger,
		Woken: e.bells.of,
	}
	// Steps that go on before launch returns may end and begin the next
	// execution: ready holds them back until workflows is set, or is not to be.
	ready := make(chan struct{})
	taken.Begin = func(next slipway.Execution) {
		if <-ready; e.workflows != nil {
			e.begin(next)
		}
	}
	var err error
	e.workflows, err = launch(ctx, o, taken)
	close(ready)
	if err != nil {
		return nil, err
	}
	checking, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	if err := e.resume(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.rechecks.Go(func() { e.recheck(checking) })
	return e, nil
}

// resume starts what the tables call in progress and nobody runs.
func (e *Engine) resume(ctx context.Context) error {
	running, err := e.queue.InProgress(ctx)
	if err != nil {
		return err
	}
	return e.workflows.resume(running)
}

// recheck resumes from time to time, until ctx ends.
func (e *Engine) recheck(ctx context.Context) {
	for steps.Wait(ctx, recheck, nil) == nil {
		if err := e.resume(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "what is in progress could not be looked over", keyError, err)
		}
	}
}

// Halt interrupts the steps at once, and takes no more, for whom nothing may be written
// any more: what Close waits for may take a while. Close the Engine nevertheless.
func (e *Engine) Halt() { e.workflows.halt() }

// Close interrupts what runs, without ending it: the next Open goes on. It
// closes the database.
func (e *Engine) Close() error {
	e.Halt()
	e.stop()
	e.rechecks.Wait()
	return e.workflows.close()
}

// Submit writes a submission down and starts what begins with it. An execution
// without an id or an app is an error: the library would take it, and never
// run it.
func (e *Engine) Submit(ctx context.Context, in pipeline.Submission) error {
	for _, execution := range in.Executions {
		if execution.ID == "" {
			return fmt.Errorf("submit an execution of %s: it has no id", execution.App())
		}
		if err := execution.App().Validate(); err != nil {
			return fmt.Errorf("submit execution %s: %w", execution.ID, err)
		}
	}
	begun, err := e.queue.Submit(ctx, in)
	if err != nil {
		return err
	}
	for _, execution := range begun {
		e.begin(execution)
	}
	for _, execution := range in.Executions {
		if pipeline.SupersedesBy(execution.Pipeline.Mode).Running {
			e.bells.ring(execution.App())
		}
	}
	return nil
}

// Stop asks for the stop of an execution and returns it as it is then.
func (e *Engine) Stop(ctx context.Context, id string, stop slipway.StopRequest) (slipway.Execution, error) {
	execution, err := e.queue.RequestStop(ctx, id, stop)
	if err != nil {
		return execution, err
	}
	e.bells.ring(execution.App())
	return execution, nil
}

func (e *Engine) begin(execution slipway.Execution) {
	if err := e.workflows.start(execution); err != nil {
		// The tables call it in progress, so a recheck takes it up, or the next Open.
		e.log.Error("an execution could not be started; it is in a minute", keyExecution, execution.ID, keyError, err)
	}
}

// NewID returns the id of a new execution: a UUID of version 7, so that the
// order of ids is the order of creation.
func NewID() string {
	id, err := uuid.NewV7()
	if err != nil { // the system has no randomness
		panic(fmt.Sprintf("make an execution id: %v", err))
	}
	return id.String()
}

// bells wake the running execution of an app.
type bells struct {
	mu   sync.Mutex
	byID map[slipway.App]chan struct{}
}

// of returns the app's bell. A ring that nobody waits for is kept: one.
func (b *bells) of(app slipway.App) <-chan struct{} { return b.bell(app) }

func (b *bells) ring(app slipway.App) {
	select {
	case b.bell(app) <- struct{}{}:
	default:
	}
}

func (b *bells) bell(app slipway.App) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID == nil {
		b.byID = make(map[slipway.App]chan struct{})
	}
	bell, has := b.byID[app]
	if !has {
		bell = make(chan struct{}, 1)
		b.byID[app] = bell
	}
	return bell
}
