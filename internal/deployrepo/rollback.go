package deployrepo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// Rollback commits an app's revision.json as it was at a commit, byte for
// byte; an empty commit means the newest one before now that had another
// content. What was broken then is not brought back.
//
// The previous content is decided upon once: if somebody changes the app
// before our push arrives, that is a conflict, for they may have done the same.
func (r *Repo) Rollback(ctx context.Context, app slipway.App, commit string, o WriteOptions) (Written, error) {
	if err := app.Validate(); err != nil {
		return Written{}, err
	}
	var target Version
	return r.Write(ctx, o, func(ctx context.Context, at *View) (Draft, error) {
		content, file, err := at.Read(ctx, app.RevisionPath())
		if err != nil && !file.Exists() {
			return Draft{}, err
		}
		if err := expect(app, o.Expect, file); err != nil {
			return Draft{}, err
		}
		if target.Blob == "" {
			target, err = r.rollbackTarget(ctx, app, commit, at.Commit, file.Blob)
			if err != nil {
				return Draft{}, err
			}
			if commit == "" {
				o.Expect = file.Blob
			}
		}
		blobs, err := r.git.Blobs(ctx, []string{target.Blob}, files.MaxSize)
		if err != nil {
			return Draft{}, err
		}
		now, _ := files.ParseRevision(app.RevisionPath(), content)
		return Draft{
			Message: rollbackMessage(app, now, target),
			Files:   []FileChange{{Path: app.RevisionPath(), Content: blobs[0].Content}},
		}, nil
	})
}

// rollbackTarget finds the version to go back to.
func (r *Repo) rollbackTarget(ctx context.Context, app slipway.App, commit, head, blob string) (Version, error) {
	if commit == "" {
		versions, err := r.versions(ctx, head, app, 0)
		if err != nil {
			return Version{}, err
		}
		if len(versions) == 0 {
			return Version{}, noApp(Tree{Commit: head}, app)
		}
		previous := slices.IndexFunc(versions, func(v Version) bool { return v.Images != nil && v.Blob != blob })
		if previous < 0 {
			return Version{}, r.noPrevious(ctx, app)
		}
		return versions[previous], nil
	}
	id, err := r.Commit(ctx, commit)
	if err != nil {
		return Version{}, err
	}
	tree, err := r.appTree(ctx, app, id)
	if err != nil {
		return Version{}, err
	}
	loaded, err := r.Load(ctx, tree, app)
	if err != nil {
		return Version{}, err
	}
	l := loaded[app]
	if l.Revision.Images == nil {
		return Version{}, fmt.Errorf("cannot roll back to commit %s: %w", slipway.ShortCommit(id), l.Err)
	}
	return Version{HistoryEntry: slipway.HistoryEntry{Commit: l.Commit, Images: l.Revision.Images}, Blob: l.Revision.Blob}, nil
}

func (r *Repo) noPrevious(ctx context.Context, app slipway.App) error {
	failure := &slipway.Error{
		Next: slipway.NextUsage, Message: fmt.Sprintf("%s has no earlier revision to roll back to", app),
		Hint: "slipway history " + app.String() + " lists its revisions",
	}
	shallow, err := r.git.Run(ctx, "", "rev-parse", "--is-shallow-repository")
	if err == nil && strings.TrimSpace(string(shallow)) == "true" {
		failure.Hint = "the clone is shallow; get its history with: git fetch --unshallow"
	}
	return failure
}

func rollbackMessage(app slipway.App, now []slipway.Image, target Version) string {
	from := "From a file that was removed or broken"
	if now != nil {
		from = "From " + slipway.FormatImages(now)
	}
	subject, _, _ := strings.Cut(target.Message, "\n")
	return fmt.Sprintf("Roll back %s to %s\n\n%s\nto %s\nas of commit %s: %s",
		app, slipway.ShortCommit(target.ID), from, slipway.FormatImages(target.Images), target.ID, subject)
}
