package controller

import (
	"context"
	"slices"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
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
	apps, err := b.conducted(ctx)
	if err != nil || len(apps) == 0 {
		return nil, err
	}
	switch settings, has := apps[appOf(q)]; {
	case q.App != nil && !has:
		return nil, nil
	case q.ID != "":
		if q.App != nil {
			apps = map[slipway.App]slipway.Pipeline{*q.App: settings}
		}
		found, err = b.pipelines.Find(ctx, apps, q.ID)
	case q.App != nil:
		found, err = b.pipelines.Executions(ctx, *q.App, settings, q.Limit)
	default:
		newest, _ := b.pipelines.Latest(ctx, apps) // what fails is told by Apps
		for _, e := range newest {
			found = append(found, e)
		}
	}
	found = slices.DeleteFunc(slices.Clone(found), func(e slipway.Execution) bool { return q.Commit != "" && e.Revision.Commit != q.Commit })
	return found, err
}

func appOf(q api.ExecutionQuery) slipway.App {
	if q.App == nil {
		return slipway.App{}
	}
	return *q.App
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
	return b.execution(ctx, id)
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
	return b.execution(ctx, e.ID)
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
		return b.execution(ctx, e.ID)
	}
	return b.startInCodePipeline(ctx, e.App(), e.Pipeline)
}
