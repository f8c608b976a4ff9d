package controller

import (
	"context"
	"maps"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/history"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/trigger"
)

// backend answers the API.
type backend struct {
	repository *repository
	store      *store.Store
	engine     *engine.Engine
	watcher    *trigger.Watcher
	running    *running
}

var _ api.Backend = (*backend)(nil)

// Apps is api.Backend's.
func (b *backend) Apps(ctx context.Context) ([]slipway.AppStatus, error) {
	git, err := b.repository.all(ctx)
	if err != nil {
		return nil, err
	}
	newest, err := b.store.Latest(ctx)
	if err != nil {
		return nil, err
	}
	places := maps.Clone(git.place)
	for app, execution := range newest {
		if _, has := places[app]; !has && execution.Pipeline.Place != (slipway.Place{}) {
			places[app] = execution.Pipeline.Place // removed from git, maybe not from ECS
		}
	}
	return history.Status(git.heads, b.running.of(ctx, places, newest), newest), nil
}

// History is api.Backend's.
func (b *backend) History(ctx context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error) {
	if limit <= 0 {
		limit = api.DefaultLimit
	}
	log, err := b.repository.history(ctx, app, limit)
	if err != nil {
		return nil, err
	}
	if len(log) == 0 {
		return nil, unknownApp(app)
	}
	executions, err := b.store.Executions(ctx, store.Query{App: app, Limit: api.MaxLimit})
	if err != nil {
		return nil, err
	}
	return history.Join(log, executions), nil
}

// Executions is api.Backend's.
func (b *backend) Executions(ctx context.Context, q api.ExecutionQuery) ([]slipway.Execution, error) {
	query := store.Query{Commit: q.Commit, ID: q.ID, Limit: q.Limit}
	if query.Limit <= 0 {
		query.Limit = api.DefaultLimit
	}
	if q.App != nil {
		query.App = *q.App
	}
	return b.store.Executions(ctx, query)
}

// Refresh is api.Backend's.
func (b *backend) Refresh(ctx context.Context) error {
	return b.watcher.Look(ctx, slipway.TriggerWebhook)
}

// Command is api.Backend's.
func (b *backend) Command(ctx context.Context, command api.Command) (slipway.Execution, error) {
	switch command.Action {
	case api.ActionStart, api.ActionRetry:
		run := b.start
		if command.Action == api.ActionRetry {
			run = b.retry
		}
		var execution slipway.Execution
		err := b.watcher.Between(ctx, func() (err error) {
			execution, err = run(ctx, command)
			return err
		})
		return execution, err
	case api.ActionStop:
		e, err := b.execution(ctx, command.Execution)
		if err != nil {
			return e, err
		}
		return b.engine.Stop(ctx, e.ID, slipway.StopRequest{
			By: command.By, Reason: command.Reason, Abandon: command.Abandon, At: time.Now().UTC(),
		})
	case api.ActionApprove, api.ActionReject:
		e, err := b.execution(ctx, command.Execution)
		if err != nil {
			return e, err
		}
		return b.engine.Decide(ctx, e.ID, slipway.Decision{
			Hook: command.Hook, Approve: command.Action == api.ActionApprove,
			By: command.By, Reason: command.Reason, At: time.Now().UTC(),
		})
	}
	return slipway.Execution{}, slipway.Usagef("there is no command %q", command.Action)
}

// start runs an app's pipeline on what git says now.
func (b *backend) start(ctx context.Context, command api.Command) (slipway.Execution, error) {
	now, err := b.repository.now(ctx, command.App)
	if err != nil {
		return slipway.Execution{}, err
	}
	return b.submit(ctx, now, slipway.TriggerManual, command.By)
}

// retry runs an ended execution's revision again, unless git moved on: that
// would deploy an older content than git says, which only a commit may.
func (b *backend) retry(ctx context.Context, command api.Command) (slipway.Execution, error) {
	e, err := b.execution(ctx, command.Execution)
	if err != nil {
		return e, err
	}
	if !e.Status.Ended() {
		return e, &slipway.Error{Next: slipway.NextPerson, Message: "execution " + e.ID + " has not ended: it is " + string(e.Status)}
	}
	now, err := b.repository.now(ctx, e.App())
	if err != nil {
		return e, err
	}
	if now.Revision.Blob != e.Revision.Blob {
		return e, &slipway.Error{
			Next:    slipway.NextPerson,
			Message: "git has moved on: " + e.App().String() + " is at commit " + slipway.ShortCommit(now.Revision.Commit) + " now",
			Hint:    "`slipway start " + e.App().String() + "` runs what git says now; `slipway rollback` commits an earlier revision",
		}
	}
	return b.submit(ctx, now, slipway.TriggerRetry, command.By)
}

func (b *backend) submit(ctx context.Context, of trigger.Loaded, kind slipway.TriggerKind, by string) (slipway.Execution, error) {
	at := time.Now().UTC()
	e := trigger.NewExecution(engine.NewID(), of, slipway.Trigger{Kind: kind, By: by, At: at})
	if err := b.engine.Submit(ctx, pipeline.Submission{Executions: []slipway.Execution{e}, At: at}); err != nil {
		return e, err
	}
	return b.store.Execution(ctx, e.ID)
}

// execution finds the one execution whose id is, or begins with, id.
func (b *backend) execution(ctx context.Context, id string) (slipway.Execution, error) {
	found, err := b.store.Executions(ctx, store.Query{ID: id, Limit: 2})
	switch {
	case err != nil:
		return slipway.Execution{}, err
	case len(found) == 0 || id == "":
		return slipway.Execution{}, api.NotFoundf("`slipway history CLUSTER/APP` shows executions", "there is no execution %s", id)
	case len(found) > 1:
		return slipway.Execution{}, slipway.Usagef("more than one execution begins with %s: write more of its id", id)
	}
	return found[0], nil
}

func unknownApp(app slipway.App) error {
	return api.NotFoundf("`slipway status` lists the apps there are", "the deployment repository has no %s", app.RevisionPath())
}
