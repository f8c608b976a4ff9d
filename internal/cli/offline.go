package cli

import (
	"context"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/history"
)

// offline reports whether the repository has to answer alone, because one is
// named and the controller does not answer; then it says so.
func (e *env) offline(err error) bool {
	if slipway.NextOf(err) != slipway.NextRetry || e.Repository == "" {
		return false
	}
	e.note("%v; what follows is what git says, without executions and what runs", err)
	return true
}

// gitStatus is the status as far as the repository knows it.
func (e *env) gitStatus(ctx context.Context) ([]slipway.AppStatus, error) {
	repository, err := e.openRepository(ctx)
	if err != nil {
		return nil, err
	}
	tree, err := repository.Tree(ctx, repository.Head())
	if err != nil {
		return nil, err
	}
	apps := tree.Sorted()
	loaded, err := repository.Load(ctx, tree, apps...)
	if err != nil {
		return nil, err
	}
	heads := make([]history.Head, len(apps))
	for i, app := range apps {
		heads[i].App = app
		if of := loaded[app]; of.Err != nil {
			heads[i].Problem = of.Err.Error()
		} else {
			heads[i].Revision = &of.Revision
		}
	}
	return history.Status(heads, nil, nil), nil
}

// gitHistory is an app's history as far as the repository knows it.
func (e *env) gitHistory(ctx context.Context, app slipway.App, limit int) ([]slipway.HistoryEntry, error) {
	repository, err := e.openRepository(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := repository.Log(ctx, app, limit)
	if err == nil && len(versions) == 0 {
		err = slipway.Usagef("%s has no %s, and never had", repository, app.RevisionPath())
	}
	entries := make([]slipway.HistoryEntry, len(versions))
	for i, version := range versions {
		entries[i] = version.HistoryEntry
	}
	return entries, err
}
