package controller

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/trigger"
)

// builtin is Slipway's own conductor: the engine and its database.
type builtin struct {
	repository *repository
	store      *store.Store
	engine     *engine.Engine
	watcher    *trigger.Watcher
}

// executions returns the executions that match, newest first.
func (b *builtin) executions(ctx context.Context, q api.ExecutionQuery) ([]slipway.Execution, error) {
	query := store.Query{Commit: q.Commit, ID: q.ID, Limit: q.Limit}
	if q.App != nil {
		query.App = *q.App
	}
	return b.store.Executions(ctx, query)
}

// start runs an app's pipeline on what git says now.
func (b *builtin) start(ctx context.Context, command api.Command) (slipway.Execution, error) {
	return b.between(ctx, func() (slipway.Execution, error) {
		now, err := b.repository.now(ctx, command.App)
		if err != nil {
			return slipway.Execution{}, err
		}
		return b.submit(ctx, now, slipway.TriggerManual, command.By)
	})
}

// command acts on an execution.
func (b *builtin) command(ctx context.Context, e slipway.Execution, command api.Command) (slipway.Execution, error) {
	switch command.Action {
	case api.ActionRetry:
		return b.between(ctx, func() (slipway.Execution, error) { return b.retry(ctx, e, command.By) })
	case api.ActionStop:
		return b.engine.Stop(ctx, e.ID, stopOf(command))
	case api.ActionApprove, api.ActionReject:
		return b.engine.Decide(ctx, e.ID, decisionOf(command))
	case api.ActionStart:
	}
	return e, slipway.Usagef("there is no command %q", command.Action)
}

// between does what no look at the repository may come between.
func (b *builtin) between(ctx context.Context, do func() (slipway.Execution, error)) (e slipway.Execution, err error) {
	looked := b.watcher.Between(ctx, func() error {
		e, err = do()
		return err
	})
	return e, looked
}

// retry runs an ended execution's revision again, unless git moved on: that
// would deploy an older content than git says, which only a commit may.
func (b *builtin) retry(ctx context.Context, e slipway.Execution, by string) (slipway.Execution, error) {
	if !e.Status.Ended() {
		return e, notEnded(e)
	}
	now, err := b.repository.now(ctx, e.App())
	if err != nil {
		return e, err
	}
	if now.Revision.Blob != e.Revision.Blob {
		return e, movedOn(now.Revision)
	}
	return b.submit(ctx, now, slipway.TriggerRetry, by)
}

func (b *builtin) submit(ctx context.Context, of trigger.Loaded, kind slipway.TriggerKind, by string) (slipway.Execution, error) {
	at := time.Now().UTC()
	e := trigger.NewExecution(engine.NewID(), of, slipway.Trigger{Kind: kind, By: by, At: at})
	if err := b.engine.Submit(ctx, pipeline.Submission{Executions: []slipway.Execution{e}, At: at}); err != nil {
		return e, err
	}
	return b.store.Execution(ctx, e.ID)
}

// notEnded is the error about a retry of an execution that goes on.
func notEnded(e slipway.Execution) error {
	return &slipway.Error{Next: slipway.NextPerson, Message: "execution " + e.ID + " has not ended: it is " + string(e.Status)}
}

// movedOn is the error about a retry of a revision that git does not say any more.
func movedOn(now slipway.Revision) error {
	return &slipway.Error{
		Next:    slipway.NextPerson,
		Message: "git has moved on: " + now.App.String() + " is at commit " + slipway.ShortCommit(now.Commit) + " now",
		Hint:    "`slipway start " + now.App.String() + "` runs what git says now; `slipway rollback` commits an earlier revision",
	}
}
