package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite" // lets the library use SQLite

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps"
)

// Constants of the workflow library. A library that finds another version or
// executor in its tables silently leaves the work alone, so they never change:
// a rebuild goes on with what its predecessor began.
const (
	libraryApp      = "slipway"
	libraryVersion  = "1"
	libraryExecutor = "slipway"
	workflowName    = "execution"
)

// closeTimeout bounds how long Close waits for running steps to notice.
const closeTimeout = 10 * time.Second

// workflows runs executions as durable workflows.
type workflows struct {
	root  dbos.Context
	steps *steps.Steps

	// The library panics when something is started while it closes.
	mu       sync.Mutex
	closed   bool
	starting sync.WaitGroup
	halted   context.Context // ends when it begins to close
	halt     context.CancelFunc
}

// launch opens the library on the database and goes on with every workflow that was
// running when its predecessor ended.
func launch(ctx context.Context, o Options, taken *steps.Steps) (*workflows, error) {
	// The library takes the end of its parent context for a cancellation of
	// every workflow; ours are only ever interrupted by Close.
	root, err := dbos.NewContext(context.WithoutCancel(ctx), dbos.Config{
		AppName:            libraryApp,
		ApplicationVersion: libraryVersion,
		ExecutorID:         libraryExecutor,
		SQLiteSystemDB:     o.SQLite,
		SystemDBPool:       o.Postgres,
		Logger:             slog.New(quiet{o.Logger.Handler()}),
	})
	if err != nil {
		return nil, fmt.Errorf("open the workflow engine: %w", err)
	}
	halted, halt := context.WithCancel(context.WithoutCancel(ctx))
	w := &workflows{root: root, steps: taken, halted: halted, halt: halt}
	dbos.RegisterWorkflow(root, w.execute, dbos.WithWorkflowName(workflowName), dbos.WithMaxRecoveryAttempts(math.MaxInt32))
	if err := dbos.Launch(root); err != nil {
		return nil, fmt.Errorf("start the workflow engine: %w", err)
	}
	return w, nil
}

// resume starts what the tables call in progress and the library does not run
// by itself. A workflow that has ended in the library's books, though its
// execution has not, is begun anew: the row says how far it came.
func (w *workflows) resume(running []slipway.Execution) error {
	for some := range slices.Chunk(running, 500) {
		ids := make([]string, len(some))
		for i, execution := range some {
			ids[i] = execution.ID
		}
		known, err := dbos.ListWorkflows(w.root, dbos.WithFilterWorkflowIDs(ids...), dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false))
		if err != nil {
			return fmt.Errorf("read the workflow engine's books: %w", err)
		}
		for _, workflow := range known {
			switch workflow.Status {
			case dbos.WorkflowStatusPending, dbos.WorkflowStatusEnqueued, dbos.WorkflowStatusDelayed:
				some = slices.DeleteFunc(some, func(e slipway.Execution) bool { return e.ID == workflow.ID })
			default:
				if err := dbos.DeleteWorkflows(w.root, []string{workflow.ID}); err != nil {
					return fmt.Errorf("forget the ended workflow of execution %s: %w", workflow.ID, err)
				}
			}
		}
		for _, execution := range some {
			if err := w.start(execution); err != nil {
				return err
			}
		}
	}
	return nil
}

// start runs an execution. One that is known already is left to run; one that
// comes while the engine closes is for the next Open.
func (w *workflows) start(e slipway.Execution) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.starting.Add(1)
	w.mu.Unlock()
	defer w.starting.Done()
	if _, err := dbos.RunWorkflow(w.root, w.execute, e.ID, dbos.WithWorkflowID(e.ID)); err != nil {
		return fmt.Errorf("start execution %s: %w", e.ID, err)
	}
	return nil
}

// execute is the workflow: one durable step per action. The library remembers
// each step's answer, and asks no step again that has answered.
func (w *workflows) execute(ctx dbos.Context, id string) (string, error) {
	var pause steps.Backoff
	for action := pipeline.ActionSource; action != pipeline.ActionNone; {
		next, err := dbos.RunAsStep(ctx, func(ctx context.Context) (pipeline.Action, error) {
			return w.take(ctx, id, action)
		}, dbos.WithStepName(string(action)))
		switch {
		case err == nil:
			action, pause = next, steps.Backoff{}
		case ctx.Err() != nil, slipway.NextOf(err) == slipway.NextUsage,
			errors.Is(err, dbos.ErrConflictingWorkflowID), errors.Is(err, dbos.ErrWorkflowCancelled):
			return "", err // closed, or no longer ours to run
		default:
			// A bug, or a checkpoint that cannot be read or written. The row says how
			// far the execution came, so the action is taken again as another step.
			wait := pause.Next(err)
			w.steps.Log.ErrorContext(ctx, "a step is taken again", keyExecution, id, keyWait, wait, keyError, err)
			if err := steps.Wait(ctx, wait, nil); err != nil {
				return "", err
			}
		}
	}
	return id, nil
}

// take takes a step, until the engine begins to close: that has to interrupt what writes
// to AWS at once, while the library does so only after what is being started, for which
// the database may let it wait. To the library the step goes on until then, so that it
// does not remember the interruption as the step's answer.
func (w *workflows) take(ctx context.Context, id string, action pipeline.Action) (pipeline.Action, error) {
	if w.halted.Err() != nil {
		<-ctx.Done()
		return action, ctx.Err()
	}
	acting, interrupt := context.WithCancel(ctx)
	defer interrupt()
	defer context.AfterFunc(w.halted, interrupt)() //nolint:contextcheck // it is the engine's that ends the step's
	next, err := w.steps.Take(acting, id, action)
	if err != nil && acting.Err() != nil {
		<-ctx.Done()
	}
	return next, err
}

// close interrupts the running steps and waits for them; what they were doing
// goes on at the next launch. The library closes the database too.
func (w *workflows) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.starting.Wait()
	if err := dbos.Shutdown(w.root, closeTimeout); err != nil {
		return fmt.Errorf("stop the workflow engine: %w", err)
	}
	return nil
}

// quiet lets only warnings and errors of the library through, and not those
// that Close's interruption causes: some texts have lost the error's chain.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) Handle(ctx context.Context, record slog.Record) error {
	interrupted := false
	record.Attrs(func(attr slog.Attr) bool {
		interrupted = attr.Key == "error" && strings.Contains(attr.Value.String(), context.Canceled.Error())
		return !interrupted
	})
	if interrupted {
		return nil
	}
	return q.Handler.Handle(ctx, record)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
