package deployrepo

import (
	"context"
	"errors"

	"github.com/slipway-cd/slipway"
)

// Snapshot is what a repository says at one commit, or a folder that is no
// repository at one moment. Its methods may be called concurrently.
type Snapshot struct {
	repo     *Repo // nil for a folder that is none
	tree     Tree  // of the folder
	contents contents
}

// Look opens a repository, at the head of its branch, or a folder that is none, as
// it is on disk.
func Look(ctx context.Context, o Options) (*Snapshot, error) {
	r, err := Open(ctx, o)
	if err == nil {
		return &Snapshot{repo: r}, nil
	}
	if !errors.Is(err, errNotRepository) {
		return nil, err
	}
	tree, contents, folderErr := readFolder(o.URL)
	if folderErr != nil {
		return nil, err // which says more
	}
	return &Snapshot{tree: tree, contents: contents}, nil
}

// Load reads one app at the head. In a folder that is no repository there is no
// commit: Loaded's are zero, and the blob.
func (s *Snapshot) Load(ctx context.Context, app slipway.App) (Loaded, error) {
	if s.repo != nil {
		return s.repo.loadOne(ctx, app, s.repo.Head())
	}
	if err := app.Validate(); err != nil {
		return Loaded{}, err
	}
	return readApps(s.tree, []slipway.App{app}, s.contents)[app], nil
}

// LoadAt reads one app at a commit that a person names by its id or its beginning.
// The commit is looked for among those of the branch.
func (s *Snapshot) LoadAt(ctx context.Context, app slipway.App, commit string) (Loaded, error) {
	if s.repo == nil {
		return Loaded{}, slipway.Usagef("the folder is not a git repository, so that it has no commit %q", commit)
	}
	id, err := s.repo.Commit(ctx, commit)
	if err != nil {
		return Loaded{}, err
	}
	return s.repo.loadOne(ctx, app, id)
}
