package controller

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/history"
)

// backend answers the API, for the apps of both conductors.
type backend struct {
	repository *repository
	running    *running
	pipelines  *codepipeline.Conductor
	// builtin is nil where there is no server: then CodePipeline conducts alone, and
	// nobody looks at the repository but who asks.
	builtin *builtin
	looked  atomic.Int64 // when, in Unix nanoseconds; without builtin
}

// lookInterval is how soon a repository is not looked at again for another question.
const lookInterval = 2 * time.Second

// fresh looks at the repository, if nobody else does.
func (b *backend) fresh(ctx context.Context) error {
	if b.builtin != nil || time.Since(time.Unix(0, b.looked.Load())) < lookInterval {
		return nil
	}
	return b.Refresh(ctx)
}

var _ api.Backend = (*backend)(nil)

// newBackend is one without the built-in conductor.
func newBackend(repository *repository, o Options) *backend {
	return &backend{
		repository: repository, running: &running{target: o.Target},
		pipelines: codepipeline.New(codepipeline.Options{
			Config: o.AWS, Repository: codepipeline.RepositoryName(repository.String()), Branch: repository.Branch(),
			Source: repository, Deployments: o.Target, Logger: o.Logger,
		}),
	}
}

// Direct answers without a server, a database or a lock, for the apps whose pipelines
// AWS CodePipeline runs. Options' Repository, Target, AWS and Logger are used.
func Direct(o Options) api.Backend {
	return newBackend(&repository{Repo: o.Repository, log: o.Logger}, o)
}

// Apps is api.Backend's.
func (b *backend) Apps(ctx context.Context) ([]slipway.AppStatus, error) {
	if err := b.fresh(ctx); err != nil {
		return nil, err
	}
	git, err := b.repository.all(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[slipway.App]slipway.Execution{}
	if b.builtin != nil {
		if newest, err = b.builtin.store.Latest(ctx); err != nil {
			return nil, err
		}
	}
	conducted := git.conducted(slipway.ConductorCodePipeline)
	elsewhere, failures := b.pipelines.Latest(ctx, conducted)
	for app, execution := range elsewhere {
		if execution.CreatedAt.After(newest[app].CreatedAt) {
			newest[app] = execution
		}
	}
	places := make(map[slipway.App]slipway.Place, len(git.heads))
	for _, head := range git.heads {
		if head.Revision != nil {
			places[head.App] = git.pipelines[head.App].Place
		}
	}
	for app, execution := range newest {
		if _, has := places[app]; !has && execution.Pipeline.Place != (slipway.Place{}) {
			places[app] = execution.Pipeline.Place // removed from git or broken there, maybe not in ECS
		}
	}
	statuses := history.Status(git.heads, b.running.of(ctx, places, newest), newest)
	for i, status := range statuses {
		statuses[i].Conductor = conducted[status.App].Conductor
		if err := failures[status.App]; err != nil && status.Problem == "" {
			statuses[i].Problem = err.Error()
		}
	}
	return statuses, nil
}

// History is api.Backend's.
func (b *backend) History(ctx context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error) {
	if limit <= 0 {
		limit = api.DefaultLimit
	}
	if err := b.fresh(ctx); err != nil {
		return nil, err
	}
	log, err := b.repository.history(ctx, app, limit)
	if err != nil {
		return nil, err
	}
	if len(log) == 0 {
		return nil, unknownApp(app)
	}
	executions, err := b.Executions(ctx, api.ExecutionQuery{App: &app, Limit: b.reach(ctx, app, limit)})
	if err != nil {
		return nil, err
	}
	return history.Join(log, executions), nil
}

// reach is how many executions are read for so many commits: all that there may be of
// ours, and of CodePipeline's, of which each costs calls, a few for each commit.
func (b *backend) reach(ctx context.Context, app slipway.App, limit int) int {
	if apps, err := b.conducted(ctx); err == nil {
		if _, has := apps[app]; has {
			return min(2*limit, api.MaxLimit)
		}
	}
	return api.MaxLimit
}

// Executions is api.Backend's. With neither an app nor an id, only the newest of each
// app that CodePipeline conducts is among them.
func (b *backend) Executions(ctx context.Context, q api.ExecutionQuery) ([]slipway.Execution, error) {
	q.Limit = cmp.Or(max(q.Limit, 0), api.DefaultLimit)
	var found []slipway.Execution
	if b.builtin != nil {
		var err error
		if found, err = b.builtin.executions(ctx, q); err != nil {
			return nil, err
		}
	}
	if q.ID != "" && slices.ContainsFunc(found, func(e slipway.Execution) bool { return e.ID == q.ID }) {
		return found, nil
	}
	elsewhere, err := b.executionsOf(ctx, q)
	if err != nil && len(found) == 0 {
		return nil, err
	}
	if len(elsewhere) > 0 {
		found = append(found, elsewhere...)
		slices.SortStableFunc(found, func(a, b slipway.Execution) int { return b.CreatedAt.Compare(a.CreatedAt) })
	}
	return found[:min(len(found), q.Limit)], nil
}

// Refresh is api.Backend's.
func (b *backend) Refresh(ctx context.Context) error {
	if b.builtin != nil {
		return b.builtin.watcher.Look(ctx, slipway.TriggerWebhook)
	}
	_, err := b.repository.Refresh(ctx)
	if err == nil {
		b.looked.Store(time.Now().UnixNano())
	}
	return err
}

// Command is api.Backend's.
func (b *backend) Command(ctx context.Context, command api.Command) (slipway.Execution, error) {
	if err := b.fresh(ctx); err != nil {
		return slipway.Execution{}, err
	}
	apps, err := b.conducted(ctx)
	if err != nil {
		return slipway.Execution{}, err
	}
	if command.Action == api.ActionStart {
		switch settings, has := apps[command.App]; {
		case has:
			return b.startInCodePipeline(ctx, command.App, settings)
		case b.builtin == nil:
			_, err := b.repository.now(ctx, command.App)
			return slipway.Execution{}, cmp.Or(err, noServer(command.App))
		}
		return b.builtin.start(ctx, command)
	}
	e, err := b.execution(ctx, api.ExecutionQuery{ID: command.Execution})
	switch {
	case err != nil:
		return e, err
	case e.Pipeline.Conductor == slipway.ConductorCodePipeline:
		return b.commandInCodePipeline(ctx, e, command)
	}
	return b.builtin.command(ctx, e, command)
}

// execution finds the one execution whose id is, or begins with, the one asked for.
func (b *backend) execution(ctx context.Context, q api.ExecutionQuery) (slipway.Execution, error) {
	var found []slipway.Execution
	if q.ID != "" {
		var err error
		q.Limit = 2
		if found, err = b.Executions(ctx, q); err != nil {
			return slipway.Execution{}, err
		}
	}
	switch len(found) {
	case 0:
		return slipway.Execution{}, api.NotFoundf("`slipway history CLUSTER/APP` shows executions", "there is no execution %s", q.ID)
	case 1:
		return found[0], nil
	}
	return slipway.Execution{}, slipway.Usagef("more than one execution begins with %s: write more of its id", q.ID)
}

func stopOf(command api.Command) slipway.StopRequest {
	return slipway.StopRequest{By: command.By, Reason: command.Reason, Abandon: command.Abandon, At: time.Now().UTC()}
}

func decisionOf(command api.Command) slipway.Decision {
	return slipway.Decision{
		Hook: command.Hook, Approve: command.Action == api.ActionApprove, By: command.By, Reason: command.Reason, At: time.Now().UTC(),
	}
}

func unknownApp(app slipway.App) error {
	return api.NotFoundf("`slipway status` lists the apps there are", "the deployment repository has no %s", app.RevisionPath())
}

// noServer is the error about an app that CodePipeline does not conduct.
func noServer(app slipway.App) error {
	return &slipway.Error{
		Next: slipway.NextPerson, Message: app.String() + " is conducted by a Slipway server, and none was asked",
		Hint: "name it with --server, or say conductor: codepipeline in slipway.yaml",
	}
}
