package deployrepo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

// few is up to how many apps are looked for by their paths. Git compares each
// path with each entry of a folder, so many are found faster by looking at
// every commit.
const few = 32

// Attribute returns, for each app, the newest commit up to head that touched
// its folder, in one git process that ends with the last app found. An app that
// no commit touched is missing in the result.
func (r *Repo) Attribute(ctx context.Context, head string, apps []slipway.App) (map[slipway.App]slipway.Commit, error) {
	found := make(map[slipway.App]slipway.Commit, len(apps))
	wanted := make(map[slipway.App]bool, len(apps))
	for _, app := range apps {
		wanted[app] = true
	}
	if head == "" || len(wanted) == 0 {
		return found, nil
	}
	var paths []string
	if len(wanted) <= few {
		for app := range wanted {
			paths = append(paths, app.String())
		}
	}
	err := r.git.Log(ctx, head, 0, paths, func(commit git.Logged) bool {
		for _, touched := range commit.Touched {
			cluster, rest, _ := strings.Cut(touched.Path, "/")
			name, _, _ := strings.Cut(rest, "/")
			app := slipway.App{Cluster: cluster, Name: name}
			if wanted[app] {
				found[app] = commit.Commit
				delete(wanted, app)
			}
		}
		return len(wanted) > 0
	})
	return found, err
}

// Log returns the commits that touched an app's folder, from the last
// Refresh's head back, newest first and with the images at each; with limit
// above 0 at most so many. Their Execution is nil. An app is its path: a
// renamed folder is the removal of one app and the beginning of another. An app
// that never was has no commits.
func (r *Repo) Log(ctx context.Context, app slipway.App, limit int) ([]Version, error) {
	return r.versions(ctx, r.Head(), app, limit)
}

// Version is an app's revision.json at a commit that touched its folder.
type Version struct {
	slipway.HistoryEntry
	// Blob is git's object id of the file; empty when the commit removed it.
	Blob string
}

func (r *Repo) versions(ctx context.Context, head string, app slipway.App, limit int) ([]Version, error) {
	if err := app.Validate(); err != nil {
		return nil, err
	}
	if head == "" {
		return nil, nil
	}
	// Commits that do not count are rare: ask for as many as are wanted, and
	// for more only if that was too few.
	for ask := limit; ; ask *= 2 {
		var commits []git.Logged
		err := r.git.Log(ctx, head, ask, []string{app.String()}, func(commit git.Logged) bool {
			commits = append(commits, commit)
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r, err)
		}
		versions, err := r.versionsAt(ctx, app, commits)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", r, err)
		case limit <= 0, len(commits) < ask:
			return versions, nil
		case len(versions) >= limit:
			return versions[:limit], nil
		}
	}
}

func (r *Repo) versionsAt(ctx context.Context, app slipway.App, commits []git.Logged) ([]Version, error) {
	names := make([]string, len(commits))
	for i, commit := range commits {
		names[i] = commit.ID + ":" + app.RevisionPath()
	}
	blobs, err := r.git.Blobs(ctx, names, files.MaxSize)
	if err != nil {
		return nil, err
	}
	var versions []Version
	for i, commit := range commits {
		if v, counts := newVersion(app, commit, blobs[i]); counts {
			versions = append(versions, v)
		}
	}
	return versions, nil
}

// newVersion reports whether the commit belongs to the app's history: what
// touched the folder before the app began or after it was removed does not.
func newVersion(app slipway.App, commit git.Logged, blob git.Blob) (Version, bool) {
	v := Version{HistoryEntry: slipway.HistoryEntry{Commit: commit.Commit}, Blob: blob.ID}
	at := slices.IndexFunc(commit.Touched, func(t git.Touch) bool { return t.Path == app.RevisionPath() })
	if blob.ID == "" {
		v.Removed = true
		return v, at >= 0
	}
	file := File{Blob: blob.ID, Mode: git.ModeFile, Size: blob.Size}
	if at >= 0 {
		file.Mode = commit.Touched[at].Mode
	}
	if problem := file.problem(app.RevisionPath()); problem != nil {
		v.Problem = problem.String()
		return v, true
	}
	images, problems := files.ParseRevision(app.RevisionPath(), blob.Content)
	v.Images = images
	if err := problems.Err(); err != nil {
		v.Problem = err.Error()
	}
	return v, true
}
