package deployrepo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

// Problem is something wrong, or odd, in a file of the repository.
type Problem = files.Problem

// Problems are those of one file or of many.
type Problems = files.Problems

// Tree is what a commit, or a folder, says without any file being read: the
// apps and the ids of their files.
type Tree struct {
	// Commit is empty for a folder.
	Commit string
	// Apps are all that have a revision.json, broken or not.
	Apps map[slipway.App]AppFiles
	// Config is slipway.yaml.
	Config File
	// Problems are those that show without reading a file: names that are
	// none, links, odd modes, sizes. Those of an app come again when it is read.
	Problems Problems
}

// AppFiles are the files of one app.
type AppFiles struct {
	Revision File
	Pipeline File
}

// File is one file of a Tree; the zero File is one that does not exist.
type File struct {
	// Blob is git's object id, by which a change is seen; empty in a folder.
	Blob string
	// Mode is git's: 100644, 100755, 120000 for a symlink, 160000 for a submodule.
	Mode string
	// Size is in bytes.
	Size int64
}

// Exists reports whether there is such a file.
func (f File) Exists() bool { return f.Mode != "" }

// problem says why the file is not read, or returns nil.
func (f File) problem(path string) *Problem {
	switch {
	case f.Mode == git.ModeSymlink:
		return &Problem{File: path, Message: "is a symlink, which is not followed: commit the file itself"}
	case f.Mode == git.ModeSubmodule:
		return &Problem{File: path, Message: "is a submodule: commit the file itself"}
	case f.Exists() && f.Mode != git.ModeFile && f.Mode != git.ModeExecutable:
		return &Problem{File: path, Message: fmt.Sprintf("has the mode %s and is no plain file: commit a plain file", f.Mode)}
	case f.Size > files.MaxSize:
		return &Problem{File: path, Message: fmt.Sprintf("has %d bytes; at most %d (100 KB) are allowed", f.Size, files.MaxSize)}
	}
	return nil
}

// Sorted returns the apps by cluster, then by name.
func (t Tree) Sorted() []slipway.App {
	return slices.SortedFunc(maps.Keys(t.Apps), slipway.App.Compare)
}

// Tree lists what a commit holds, with one git process. An empty commit is
// that of a repository without any: the empty tree.
func (r *Repo) Tree(ctx context.Context, commit string) (Tree, error) { return r.tree(ctx, commit) }

// tree lists only the paths, where there are any.
func (r *Repo) tree(ctx context.Context, commit string, paths ...string) (Tree, error) {
	if commit == "" {
		return newTree("", nil), nil
	}
	entries, err := r.git.Tree(ctx, commit, paths...)
	if err != nil {
		return Tree{}, err
	}
	return newTree(commit, entries), nil
}

// appTree lists what concerns one app.
func (r *Repo) appTree(ctx context.Context, app slipway.App, commit string) (Tree, error) {
	if err := app.Validate(); err != nil {
		return Tree{}, err
	}
	return r.tree(ctx, commit, files.RepositoryPath, app.RevisionPath(), app.PipelinePath())
}

// newTree sorts a list of files into apps.
func newTree(commit string, entries []git.TreeEntry) Tree {
	t := Tree{Commit: commit, Apps: make(map[slipway.App]AppFiles, len(entries))}
	for _, entry := range entries {
		t.add(entry)
	}
	for app, files := range t.Apps {
		if !files.Revision.Exists() {
			delete(t.Apps, app)
			t.warn(app.PipelinePath(), "has no effect: there is no %s beside it", app.RevisionPath())
		}
	}
	slices.SortStableFunc(t.Problems, func(a, b Problem) int { return strings.Compare(a.File, b.File) })
	return t
}

// add puts one file where it belongs. Anything that is none of our three files
// is somebody else's business, unless it looks as if it was meant to be one.
func (t *Tree) add(entry git.TreeEntry) {
	file := File{Blob: entry.ID, Mode: entry.Mode, Size: entry.Size}
	parts := strings.Split(entry.Path, "/")
	name := parts[len(parts)-1]
	if hidden(parts) {
		return
	}
	switch {
	case entry.Path == files.RepositoryPath:
		t.Config = file
	case entry.Path == "slipway.yml":
		t.warn(entry.Path, "has no effect: its name must be slipway.yaml")
		return
	case len(parts) < 3:
		t.folder(entry, parts)
		return
	case len(parts) > 3:
		return
	case name == "pipeline.yml":
		t.warn(entry.Path, "has no effect: its name must be pipeline.yaml")
		return
	case name == files.RevisionName, name == files.PipelineName:
		app := slipway.App{Cluster: parts[0], Name: parts[1]}
		if err := app.Validate(); err != nil {
			if name == files.RevisionName {
				t.Problems = append(t.Problems, Problem{File: entry.Path, Message: err.Error() + "; rename the folder"})
			}
			return
		}
		of := t.Apps[app]
		if name == files.RevisionName {
			of.Revision = file
		} else {
			of.Pipeline = file
		}
		t.Apps[app] = of
	default:
		return
	}
	if problem := file.problem(entry.Path); problem != nil {
		t.Problems = append(t.Problems, *problem)
	}
}

// folder warns of a cluster's or an app's folder that is a link.
func (t *Tree) folder(entry git.TreeEntry, parts []string) {
	if entry.Mode != git.ModeSymlink && entry.Mode != git.ModeSubmodule {
		return
	}
	app := slipway.App{Cluster: parts[0], Name: parts[len(parts)-1]}
	if app.Validate() == nil {
		t.warn(entry.Path, "is a symlink or a submodule, which is not followed: apps in it are not seen")
	}
}

func (t *Tree) warn(path, format string, args ...any) {
	t.Problems = append(t.Problems, Problem{File: path, Message: fmt.Sprintf(format, args...), Warning: true})
}

func hidden(parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, ".") })
}
