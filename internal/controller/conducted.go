package controller

import (
	"context"
	"errors"
	"slices"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/codepipeline"
)

// conducted is the apps whose pipelines AWS CodePipeline runs, as git says at the
// head of the last look.
func (b *backend) conducted(ctx context.Context) (map[slipway.App]slipway.Pipeline, error) {
	git, err := b.repository.all(ctx)
	if err != nil {
		return nil, err
	}
	return git.conducted(slipway.ConductorCodePipeline), nil
}

// executionsOf returns the executions in CodePipeline that match. A query without an
// app asks for the newest of each, one with an id for those that begin with it.
func (b *backend) executionsOf(ctx context.Context, q api.ExecutionQuery) (found []slipway.Execution, err error) {
	git, err := b.repository.all(ctx)
	if err != nil {
		return nil, err
	}
	apps, removed := git.conducted(slipway.ConductorCodePipeline), false
	if q.App != nil {
		apps, removed, err = b.conductedApp(ctx, git, *q.App)
	}
	if err != nil || len(apps) == 0 {
		return nil, err
	}
	switch {
	case q.ID != "":
		found, err = b.pipelines.Find(ctx, apps, q.ID)
	case q.App != nil:
		found, err = b.pipelines.Executions(ctx, *q.App, apps[*q.App], q.Limit)
	default:
		newest, _ := b.pipelines.Latest(ctx, apps) // what fails is told by Apps
		for _, e := range newest {
			found = append(found, e)
		}
	}
	if removed && errors.Is(err, codepipeline.ErrNoPipeline) {
		err = nil
	}
	found = slices.DeleteFunc(slices.Clone(found), func(e slipway.Execution) bool { return q.Commit != "" && e.Revision.Commit != q.Commit })
	return found, err
}

// conductedApp is an app alone, if it is one of those that CodePipeline conducts, or was
// one before it was removed from git: its pipeline may still be there.
func (b *backend) conductedApp(ctx context.Context, git overview, app slipway.App) (_ map[slipway.App]slipway.Pipeline, removed bool, err error) {
	settings, has := git.pipelines[app]
	if !has {
		loaded, err := b.repository.Load(ctx, git.head, []slipway.App{app})
		if err != nil {
			return nil, false, err
		}
		settings = loaded[app].Pipeline // zero where slipway.yaml is broken
	}
	if settings.Conductor != slipway.ConductorCodePipeline {
		return nil, false, nil
	}
	return map[slipway.App]slipway.Pipeline{app: settings}, !has, nil
}

// startInCodePipeline runs an app's pipeline on what git says now.
func (b *backend) startInCodePipeline(ctx context.Context, app slipway.App, settings slipway.Pipeline) (slipway.Execution, error) {
	now, err := b.repository.now(ctx, app)
	if err == nil {
		err = now.Err
	}
	if err != nil {
		return slipway.Execution{}, err
	}
	id, err := b.pipelines.Start(ctx, app, settings, b.repository.Head())
	if err != nil {
		return slipway.Execution{}, err
	}
	return b.execution(ctx, api.ExecutionQuery{App: &app, ID: id})
}

// commandInCodePipeline acts on an execution in CodePipeline and returns it as it is
// then.
func (b *backend) commandInCodePipeline(ctx context.Context, e slipway.Execution, command api.Command) (_ slipway.Execution, err error) {
	switch command.Action {
	case api.ActionStop:
		err = b.pipelines.Stop(ctx, e, stopOf(command))
	case api.ActionRetry:
		return b.retryInCodePipeline(ctx, e)
	case api.ActionApprove, api.ActionReject:
		err = b.pipelines.Decide(ctx, e, decisionOf(command))
	case api.ActionStart:
		err = slipway.Usagef("there is no command %q", command.Action)
	}
	if err != nil {
		return e, err
	}
	return b.again(ctx, e)
}

// again is an execution as it is now: its app is known, so that no other pipeline is
// asked.
func (b *backend) again(ctx context.Context, e slipway.Execution) (slipway.Execution, error) {
	app := e.App()
	return b.execution(ctx, api.ExecutionQuery{App: &app, ID: e.ID})
}

// retryInCodePipeline runs the failed stage again where there is one. What ended
// otherwise is started anew, at its own commit, unless git moved on.
func (b *backend) retryInCodePipeline(ctx context.Context, e slipway.Execution) (slipway.Execution, error) {
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
	retried, err := b.pipelines.Retry(ctx, e)
	if err != nil {
		return e, err
	}
	if retried {
		return b.again(ctx, e)
	}
	return b.startInCodePipeline(ctx, e.App(), e.Pipeline)
}
