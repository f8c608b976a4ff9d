package deployrepo

import (
	"context"
	"fmt"
	"slices"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// Loaded is what git says of one app.
type Loaded struct {
	Revision slipway.Revision
	// Commit is the one that Revision.Commit names.
	Commit slipway.Commit
	// Pipeline is how the app is deployed.
	Pipeline slipway.Pipeline
	Warnings Problems
	// Err says why the app cannot be deployed: its files are broken, or
	// slipway.yaml is, or there is no such app. Revision is then as complete as
	// it can be: App, Commit and Blob; and Pipeline is what the files that are well
	// say, zero where slipway.yaml is broken.
	Err error
}

// Load reads the files of apps of a tree, and who touched them last, in two
// git processes however many apps there are. What is wrong with one app is its
// Err; the error is about the repository.
func (r *Repo) Load(ctx context.Context, tree Tree, apps ...slipway.App) (map[slipway.App]Loaded, error) {
	commits, err := r.Attribute(ctx, tree.Commit, apps)
	if err != nil {
		return nil, err
	}
	loaded, err := r.read(ctx, tree, apps)
	if err != nil {
		return nil, err
	}
	for app, l := range loaded {
		l.Commit = commits[app]
		l.Revision.Commit = l.Commit.ID
		loaded[app] = l
	}
	return loaded, nil
}

// Revision reads one app's revision at a commit.
func (r *Repo) Revision(ctx context.Context, app slipway.App, commit string) (slipway.Revision, error) {
	loaded, err := r.loadOne(ctx, app, commit)
	if err != nil {
		return slipway.Revision{}, err
	}
	return loaded.Revision, loaded.Err
}

// loadOne is Load for one app at a commit.
func (r *Repo) loadOne(ctx context.Context, app slipway.App, commit string) (Loaded, error) {
	tree, err := r.appTree(ctx, app, commit)
	if err != nil {
		return Loaded{}, err
	}
	loaded, err := r.Load(ctx, tree, app)
	return loaded[app], err
}

// Pipeline reads how one app is deployed at a commit: slipway.DefaultPipeline,
// changed by slipway.yaml and the app's pipeline.yaml.
func (r *Repo) Pipeline(ctx context.Context, app slipway.App, commit string) (slipway.Pipeline, error) {
	tree, err := r.appTree(ctx, app, commit)
	if err != nil {
		return slipway.Pipeline{}, err
	}
	loaded, err := r.read(ctx, tree, []slipway.App{app})
	if err != nil {
		return slipway.Pipeline{}, err
	}
	return loaded[app].Pipeline, loaded[app].Err
}

// Config reads slipway.yaml at a commit; it is zero where there is none.
func (r *Repo) Config(ctx context.Context, commit string) (files.Repository, error) {
	tree, err := r.tree(ctx, commit, files.RepositoryPath)
	if err != nil {
		return files.Repository{}, err
	}
	contents, err := r.contents(ctx, tree, nil)
	if err != nil {
		return files.Repository{}, err
	}
	config, problems := readConfig(tree, contents)
	return config, problems.Err()
}

// read reads apps without asking who touched them.
func (r *Repo) read(ctx context.Context, tree Tree, apps []slipway.App) (map[slipway.App]Loaded, error) {
	contents, err := r.contents(ctx, tree, apps)
	if err != nil {
		return nil, err
	}
	return readApps(tree, apps, contents), nil
}

// contents reads the files of apps, and slipway.yaml, with one git process.
func (r *Repo) contents(ctx context.Context, tree Tree, apps []slipway.App) (contents, error) {
	var ids []string
	want := func(path string, f File) {
		if f.Exists() && f.problem(path) == nil {
			ids = append(ids, f.Blob)
		}
	}
	want(files.RepositoryPath, tree.Config)
	for _, app := range apps {
		want(app.RevisionPath(), tree.Apps[app].Revision)
		want(app.PipelinePath(), tree.Apps[app].Pipeline)
	}
	blobs, err := r.git.Blobs(ctx, ids, files.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	byID := make(map[string][]byte, len(blobs))
	for i, blob := range blobs {
		byID[ids[i]] = blob.Content
	}
	return func(_ string, f File) ([]byte, error) { return byID[f.Blob], nil }, nil
}

// contents returns a file's text.
type contents func(path string, f File) ([]byte, error)

// text returns a file's text, and what is wrong with it as a file.
func (c contents) text(path string, f File) ([]byte, Problems) {
	if problem := f.problem(path); problem != nil {
		return nil, Problems{*problem}
	}
	text, err := c(path, f)
	if err != nil {
		return nil, Problems{{File: path, Message: err.Error()}}
	}
	return text, nil
}

// readApps is the pure part of Load.
func readApps(tree Tree, apps []slipway.App, contents contents) map[slipway.App]Loaded {
	config, configProblems := readConfig(tree, contents)
	loaded := make(map[slipway.App]Loaded, len(apps))
	for _, app := range apps {
		of, found := tree.Apps[app]
		if !found {
			l := Loaded{Revision: slipway.Revision{App: app}, Err: noApp(tree, app)}
			if configProblems.Err() == nil {
				l.Pipeline = files.Resolve(app, config, files.Pipeline{})
			}
			loaded[app] = l
			continue
		}
		images, pipeline, problems := readApp(app, of, contents)
		problems = slices.Concat(configProblems, problems)
		l := Loaded{
			Revision: slipway.Revision{App: app, Blob: of.Revision.Blob, Images: images},
			Warnings: problems.Warnings(), Err: problems.Err(),
		}
		if configProblems.Err() == nil {
			l.Pipeline = files.Resolve(app, config, pipeline)
		}
		loaded[app] = l
	}
	return loaded
}

func readApp(app slipway.App, of AppFiles, contents contents) ([]slipway.Image, files.Pipeline, Problems) {
	var images []slipway.Image
	var pipeline files.Pipeline
	text, problems := contents.text(app.RevisionPath(), of.Revision)
	if problems == nil {
		images, problems = files.ParseRevision(app.RevisionPath(), text)
	}
	if of.Pipeline.Exists() {
		text, found := contents.text(app.PipelinePath(), of.Pipeline)
		if found == nil {
			pipeline, found = files.ParsePipeline(app.PipelinePath(), text)
		}
		problems = append(problems, found...)
	}
	return images, pipeline, problems
}

func readConfig(tree Tree, contents contents) (files.Repository, Problems) {
	if !tree.Config.Exists() {
		return files.Repository{}, nil
	}
	text, problems := contents.text(files.RepositoryPath, tree.Config)
	if problems != nil {
		return files.Repository{}, problems
	}
	return files.ParseRepository(files.RepositoryPath, text)
}

// noApp is the error for an app that the tree does not have.
func noApp(tree Tree, app slipway.App) error {
	at := ""
	if tree.Commit != "" {
		at = " at commit " + slipway.ShortCommit(tree.Commit)
	}
	return &slipway.Error{
		Next:    slipway.NextUsage,
		Message: fmt.Sprintf("there is no app %s%s: no file %s", app, at, app.RevisionPath()),
		Hint:    "slipway status lists the apps; slipway deploy " + app.String() + " --image URI --create adds it",
	}
}
