package deployrepo

import (
	"bytes"
	"context"
	"io/fs"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

// Draft is what an Edit wants to have committed.
type Draft struct {
	Message string
	Files   []FileChange
}

// FileChange is the new content of one file.
type FileChange struct {
	// Path is relative to the repository's root, with slashes.
	Path string
	// Content is nil where the file is to be removed.
	Content []byte
}

// Edit decides what to write, given what there is. It is called again with
// what there is then, each time that somebody else has pushed first.
type Edit func(ctx context.Context, at *View) (Draft, error)

// View is the repository at the commit that an Edit builds on.
type View struct {
	Commit string
	repo   *Repo
	seen   map[string]viewed
}

type viewed struct {
	File
	content []byte
}

// Read returns a file's content and its File; the zero File when there is none.
// A symlink and a file above 100 KB are errors.
func (v *View) Read(ctx context.Context, path string) ([]byte, File, error) {
	seen, err := v.look(ctx, path)
	if err != nil {
		return nil, File{}, err
	}
	if problem := seen.problem(path); problem != nil {
		return nil, seen.File, Problems{*problem}.Err()
	}
	return seen.content, seen.File, nil
}

// look reads a file once. What has a problem has no content.
func (v *View) look(ctx context.Context, path string) (viewed, error) {
	seen, found := v.seen[path]
	if found || v.Commit == "" {
		return seen, nil
	}
	entries, err := v.repo.git.Tree(ctx, v.Commit, path)
	if err != nil {
		return viewed{}, err
	}
	for _, e := range entries {
		if e.Path == path {
			seen.File = File{Blob: e.ID, Mode: e.Mode, Size: e.Size}
		}
	}
	if seen.Exists() && seen.problem(path) == nil {
		blobs, err := v.repo.git.Blobs(ctx, []string{seen.Blob}, files.MaxSize)
		if err != nil {
			return viewed{}, err
		}
		seen.content = blobs[0].Content
	}
	v.seen[path] = seen
	return seen, nil
}

// changes leaves out what is there already.
func (v *View) changes(ctx context.Context, wanted []FileChange) ([]git.NewFile, error) {
	var changes []git.NewFile
	for _, change := range wanted {
		if !fs.ValidPath(change.Path) {
			return nil, slipway.Usagef("%q is no path inside the repository", change.Path)
		}
		now, err := v.look(ctx, change.Path)
		if err != nil {
			return nil, err
		}
		// A file that is not there has no content, like one to be removed.
		absent, remove := !now.Exists(), change.Content == nil
		if absent && remove || !absent && !remove && now.content != nil && bytes.Equal(now.content, change.Content) {
			continue
		}
		mode := git.ModeFile
		if now.Mode == git.ModeExecutable {
			mode = now.Mode
		}
		changes = append(changes, git.NewFile{Path: change.Path, Mode: mode, Content: change.Content})
	}
	return changes, nil
}
