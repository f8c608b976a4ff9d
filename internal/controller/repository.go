package controller

import (
	"context"
	"log/slog"
	"maps"
	"sync"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
	"github.com/slipway-cd/slipway/internal/history"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/trigger"
)

// repository is the deployment repository as the leaves ask for it.
type repository struct {
	*deployrepo.Repo
	log *slog.Logger

	mu     sync.Mutex
	listed deployrepo.Tree // of the head that was last asked for
	read   overview        // of the head at which somebody last asked for all apps
	// settings are slipway.yaml's as it was last well, with that blob.
	settings     files.Repository
	settingsBlob string
}

// overview is what git says of every app at one head.
type overview struct {
	head  string
	heads []history.Head
	// pipelines are how the apps are deployed; of those whose revision.json is broken
	// too: what they did and do can still be told and stopped.
	pipelines map[slipway.App]slipway.Pipeline
}

// conducted are those of the apps whose pipelines a conductor runs.
func (o overview) conducted(by slipway.Conductor) map[slipway.App]slipway.Pipeline {
	apps := maps.Clone(o.pipelines)
	maps.DeleteFunc(apps, func(_ slipway.App, p slipway.Pipeline) bool { return p.Conductor != by })
	return apps
}

// Refresh is trigger.Repository's.
func (r *repository) Refresh(ctx context.Context) (string, error) {
	head, _, err := r.Repo.Refresh(ctx)
	return head, err
}

// tree lists what a commit holds; the same commit is listed once.
func (r *repository) tree(ctx context.Context, commit string) (deployrepo.Tree, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listed.Apps != nil && r.listed.Commit == commit {
		return r.listed, nil
	}
	tree, err := r.Tree(ctx, commit)
	if err != nil {
		return tree, err
	}
	r.listed = tree
	for _, problem := range tree.Problems {
		r.log.WarnContext(ctx, "the deployment repository has a problem", "problem", problem)
	}
	return tree, nil
}

// Apps is trigger.Repository's. Apps that another conductor runs are none of the
// engine's: they are not among them.
func (r *repository) Apps(ctx context.Context, commit string) (map[slipway.App]pipeline.Content, error) {
	tree, err := r.tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	settings, err := r.configured(ctx, tree)
	if err != nil {
		return nil, err
	}
	apps := make(map[slipway.App]pipeline.Content, len(tree.Apps))
	for app := range tree.Apps {
		if settings.ConductorOf(app.Cluster) == slipway.ConductorBuiltin {
			apps[app] = content(tree, app)
		}
	}
	return apps, nil
}

// configured is slipway.yaml at a commit: read when its content has changed, since this
// stands between a push and its deployment. While it is broken, it is taken for what it
// was.
func (r *repository) configured(ctx context.Context, tree deployrepo.Tree) (files.Repository, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if tree.Config.Blob == r.settingsBlob {
		return r.settings, nil
	}
	settings, err := r.Config(ctx, tree.Commit)
	switch {
	case err == nil:
		r.settings, r.settingsBlob = settings, tree.Config.Blob
	case slipway.NextOf(err) == slipway.NextRetry || ctx.Err() != nil:
		return r.settings, err
	}
	return r.settings, nil
}

func content(tree deployrepo.Tree, app slipway.App) pipeline.Content {
	of := tree.Apps[app]
	return pipeline.Content{Blob: of.Revision.Blob, Files: of.Revision.Blob + of.Pipeline.Blob + tree.Config.Blob}
}

// Load is trigger.Repository's.
func (r *repository) Load(ctx context.Context, head string, apps []slipway.App) (map[slipway.App]trigger.Loaded, error) {
	tree, err := r.tree(ctx, head)
	if err != nil {
		return nil, err
	}
	files, err := r.Repo.Load(ctx, tree, apps...)
	if err != nil {
		return nil, err
	}
	loaded := make(map[slipway.App]trigger.Loaded, len(files))
	for app, of := range files {
		if of.Err != nil && of.Revision.Blob != "" {
			of.Revision.Blob = content(tree, app).Broken()
		}
		loaded[app] = trigger.Loaded{Revision: of.Revision, Author: of.Commit.Author, Pipeline: of.Pipeline, Err: of.Err}
	}
	return loaded, nil
}

// now is what git says of one app at the head of the last look.
func (r *repository) now(ctx context.Context, app slipway.App) (trigger.Loaded, error) {
	loaded, err := r.Load(ctx, r.Head(), []slipway.App{app})
	if err != nil {
		return trigger.Loaded{}, err
	}
	if loaded[app].Revision.Blob == "" {
		return trigger.Loaded{}, unknownApp(app)
	}
	return loaded[app], nil
}

// all is what git says of every app at the head of the last look. Until the
// head moves, it is read once.
func (r *repository) all(ctx context.Context) (overview, error) {
	head := r.Head()
	tree, err := r.tree(ctx, head)
	if err != nil {
		return overview{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read.head == head && r.read.pipelines != nil {
		return r.read, nil
	}
	apps := tree.Sorted()
	loaded, err := r.Repo.Load(ctx, tree, apps...)
	if err != nil {
		return overview{}, err
	}
	read := overview{head: head, pipelines: make(map[slipway.App]slipway.Pipeline, len(apps))}
	for _, app := range apps {
		of := loaded[app]
		if of.Pipeline != (slipway.Pipeline{}) {
			read.pipelines[app] = of.Pipeline
		}
		if of.Err != nil {
			read.heads = append(read.heads, history.Head{App: app, Problem: of.Err.Error()})
			continue
		}
		read.heads = append(read.heads, history.Head{App: app, Revision: &of.Revision})
	}
	r.read = read
	return read, nil
}

// history is one app's history without executions.
func (r *repository) history(ctx context.Context, app slipway.App, limit int) ([]history.Logged, error) {
	versions, err := r.Log(ctx, app, limit)
	if err != nil {
		return nil, err
	}
	log := make([]history.Logged, len(versions))
	for i, version := range versions {
		log[i] = history.Logged{Entry: version.HistoryEntry, Blob: version.Blob}
	}
	return log, nil
}
