package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codecommit"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// stateChange is the detail-type of CodeCommit's events,
// https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html.
const stateChange = "CodeCommit Repository State Change"

// change is the detail of such an event.
type change struct {
	Event          string `json:"event"`
	RepositoryName string `json:"repositoryName"`
	ReferenceType  string `json:"referenceType"`
	ReferenceName  string `json:"referenceName"`
	CommitID       string `json:"commitId"`
	OldCommitID    string `json:"oldCommitId"` // empty where the branch is new
}

// Result is what became of an event.
type Result struct {
	// Ignored says why the event is about nothing of ours; empty where it is.
	Ignored string `json:"ignored,omitempty"`
	// Started are the executions that run what the event's commit says, also where an
	// earlier delivery of the event started them.
	Started []Started `json:"started"`
	// Deleted are the apps that the commit deleted: nothing is started for them.
	Deleted []slipway.App `json:"deleted,omitempty"`
	// Overtaken are the apps that a newer commit changed again: its own event starts
	// them, and this one would deploy what is not wanted any more.
	Overtaken []slipway.App `json:"overtaken,omitempty"`
	// Builtin are the apps that slipway.yaml leaves to Slipway's own engine.
	Builtin []slipway.App `json:"builtin,omitempty"`
}

// Started is one execution of an app's pipeline.
type Started struct {
	App       slipway.App `json:"app"`
	Pipeline  string      `json:"pipeline"`
	Execution string      `json:"execution"`
}

// atOnce is how many apps are validated and started at a time.
const atOnce = 8

// trigger starts the pipeline of each app that a push changed. One app's broken file,
// or missing pipeline, is part of the error, and all others are started. Delivered
// again, the event starts what is missing.
func (f *Function) trigger(ctx context.Context, event json.RawMessage) (Result, error) {
	var in struct {
		ID     string `json:"id"`
		Detail change `json:"detail"`
	}
	if err := json.Unmarshal(event, &in); err != nil {
		return Result{}, slipway.Usagef("the event is not as CodeCommit's are: %v", err)
	}
	log := f.log.With("event", in.ID, keyCommit, in.Detail.CommitID)
	branch, ignored, err := f.ours(ctx, in.Detail)
	if err != nil {
		return Result{}, err
	}
	if ignored != "" {
		log.InfoContext(ctx, "ignored an event", keyReason, ignored)
		return Result{Ignored: ignored}, nil
	}
	repository := f.repository(in.Detail.RepositoryName)
	differences, err := repository.Differences(ctx, in.Detail.OldCommitID, in.Detail.CommitID)
	if err != nil {
		return Result{}, err
	}
	changes := codecommit.Changed(differences)
	log.InfoContext(ctx, "read a push", "branch", branch, "files", len(differences), "changed", len(changes.Changed), "deleted", len(changes.Deleted), "settings", changes.Settings)
	for _, app := range changes.Deleted {
		log.InfoContext(ctx, "an app was deleted from the repository; nothing is started, and what runs goes on", keyApp, app)
	}
	result := Result{Deleted: changes.Deleted}
	head, err := repository.Head(ctx, branch)
	if errors.Is(err, codecommit.ErrNoBranch) {
		result.Ignored = "the branch " + branch + " was deleted meanwhile"
		log.InfoContext(ctx, "ignored an event", keyReason, result.Ignored)
		return result, nil
	}
	if err != nil {
		return result, err
	}
	wanted, err := f.notOvertaken(ctx, repository, in.Detail.CommitID, head, changes.Changed)
	if err != nil {
		return result, err
	}
	result.Overtaken = without(changes.Changed, wanted)
	for _, app := range result.Overtaken {
		log.InfoContext(ctx, "a newer commit changes the app again; its own event starts it", keyApp, app)
	}
	ours, pushed := wanted, push{repository: repository, branch: branch, commit: in.Detail.CommitID, names: f.settings.PipelineName}
	if len(wanted) > 0 || slices.Contains(changes.Settings, files.RepositoryPath) {
		settings, err := repository.Settings(ctx, head)
		if err != nil {
			return result, errors.Join(fmt.Errorf("nothing is started: %w", err), changes.Broken.Err())
		}
		ours = conducted(settings, wanted)
		pushed.names = cmp.Or(string(settings.PipelineName), pushed.names)
	}
	result.Builtin = without(wanted, ours)
	for _, app := range result.Builtin {
		log.InfoContext(ctx, "slipway.yaml leaves the app to the builtin conductor; its pipeline is not started", keyApp, app)
	}
	result.Started, err = f.startAll(ctx, pushed, ours)
	for _, started := range result.Started {
		log.InfoContext(ctx, "started a pipeline", keyApp, started.App, keyPipeline, started.Pipeline, keyExecution, started.Execution)
	}
	return result, errors.Join(err, changes.Broken.Err())
}

// ours returns the branch that is deployed, or why the event is not about it.
func (f *Function) ours(ctx context.Context, c change) (branch, ignored string, err error) {
	switch {
	case f.settings.Repository != "" && c.RepositoryName != f.settings.Repository:
		return "", fmt.Sprintf("it is about the repository %s, not %s", c.RepositoryName, f.settings.Repository), nil
	case c.ReferenceType != "branch":
		return "", fmt.Sprintf("it is about the %s %s", c.ReferenceType, c.ReferenceName), nil
	case c.CommitID == "":
		return "", fmt.Sprintf("the branch %s was deleted", c.ReferenceName), nil
	}
	if branch = f.settings.Branch; branch == "" {
		if branch, err = f.repository(c.RepositoryName).DefaultBranch(ctx); err != nil {
			return "", "", err
		}
	}
	if c.ReferenceName != branch {
		return "", fmt.Sprintf("it is about the branch %s, not %s", c.ReferenceName, branch), nil
	}
	return branch, "", nil
}

// notOvertaken returns those of some apps that no newer commit up to the branch's head
// changes again. EventBridge delivers late and out of order at times: without this
// look, an old event would put an old revision over a new one.
func (f *Function) notOvertaken(ctx context.Context, repository *codecommit.Repository, commit, head string, apps []slipway.App) ([]slipway.App, error) {
	if len(apps) == 0 || head == commit {
		return apps, nil
	}
	since, err := repository.Differences(ctx, commit, head)
	if err != nil {
		return nil, err
	}
	again := map[string]bool{}
	for _, d := range since {
		again[d.Path] = d.Before.ID != d.After.ID
	}
	return slices.DeleteFunc(slices.Clone(apps), func(app slipway.App) bool { return again[app.RevisionPath()] }), nil
}

// conducted returns those of some apps that CodePipeline conducts, by the slipway.yaml
// that the branch has now: that is the one by which Slipway's own engine decides, so
// that each app has one conductor. Where the file does not say of any folder who
// conducts, or there is none, the function's being there says it: all are CodePipeline's.
func conducted(settings files.Repository, apps []slipway.App) []slipway.App {
	if !settings.NamesConductor() {
		return apps
	}
	return slices.DeleteFunc(slices.Clone(apps), func(app slipway.App) bool {
		return settings.ConductorOf(app.Cluster) != slipway.ConductorCodePipeline
	})
}

// without returns the apps that are not among some.
func without(apps, some []slipway.App) []slipway.App {
	return slices.DeleteFunc(slices.Clone(apps), func(app slipway.App) bool { return slices.Contains(some, app) })
}

// push is a commit that the branch had, and how its apps' pipelines are named.
type push struct {
	repository            *codecommit.Repository
	branch, commit, names string
}

// startAll validates some apps and starts their pipelines, each on its own: the error
// is about those that could not be.
func (f *Function) startAll(ctx context.Context, p push, apps []slipway.App) ([]Started, error) {
	started, failed := make([]Started, len(apps)), make([]error, len(apps))
	turn := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, app := range apps {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			if _, err := p.repository.Revision(ctx, app, p.commit); err != nil {
				failed[i] = fmt.Errorf("%s is not started: %w", app, err)
				return
			}
			started[i], failed[i] = f.start(ctx, p, app)
		})
	}
	all.Wait()
	for i, err := range failed {
		if err != nil {
			f.log.ErrorContext(ctx, "a pipeline was not started", keyApp, apps[i], keyError, reason(err))
		}
	}
	started = slices.DeleteFunc(started, func(s Started) bool { return s.Execution == "" })
	slices.SortFunc(started, func(a, b Started) int { return cmp.Compare(a.Pipeline, b.Pipeline) })
	return started, errors.Join(failed...)
}
