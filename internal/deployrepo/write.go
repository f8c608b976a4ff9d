package deployrepo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

// WriteOptions are what every write may be told.
type WriteOptions struct {
	// Message is the commit's; empty means one that says what was done.
	Message string
	// Author is "Name <address>"; empty means who git's configuration says.
	Author string
	// Expect is the blob that the app's revision.json must still have; another
	// one there is a conflict. Empty means that the later writer wins.
	Expect string
	// Create lets SetImages add an app that does not exist.
	Create bool
}

// Written is what became of a write.
type Written struct {
	// Commit is the new commit, or the head where there was nothing to change.
	Commit string
	// Changed is false where there was nothing to change: no commit was made.
	Changed bool
}

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

const (
	// maxAttempts bounds how often an edit is made again because somebody else
	// pushed first, and maxTrouble how often after an error of the network.
	maxAttempts = 100
	maxTrouble  = 3
	// maxPause bounds the time between two attempts.
	maxPause = 10 * time.Second
)

// Write commits an edit on top of the branch and pushes it, again and again
// while somebody else pushes first. Nothing but the branch changes: there is no
// work tree. Where the repository is a folder whose work tree has the branch
// checked out, the work tree follows if it is clean, and the write is refused
// if it is not.
//
// Processes that write through the same folder or mirror take turns; others
// meet at the push, which git does atomically.
func (r *Repo) Write(ctx context.Context, o WriteOptions, edit Edit) (Written, error) {
	w, err := r.newWriter(ctx, o)
	if err != nil {
		return Written{}, git.Explain(err, r.git.Location)
	}
	unlock, err := r.lock(ctx)
	if err != nil {
		return Written{}, fmt.Errorf("%s: %w", r, err)
	}
	defer unlock()
	known := *r.at.Load()
	var trouble int
	began := time.Now()
	for attempt := range maxAttempts {
		if err := pause(ctx, attempt, time.Since(began)); err != nil {
			return Written{}, err
		}
		began = time.Now()
		// Refresh would hide the news from whoever watches the head.
		if known, err = r.latest(ctx, known); err != nil {
			return Written{}, err
		}
		if r.arrived(ctx, w.pending, known.head) {
			return Written{Commit: w.pending, Changed: true}, nil
		}
		written, err := w.attempt(ctx, known, edit)
		if err == nil {
			return written, nil
		}
		if errors.Is(err, errMoved) {
			continue
		}
		if trouble++; w.pending == "" || slipway.NextOf(err) != slipway.NextRetry || trouble == maxTrouble {
			return Written{}, err
		}
	}
	return Written{}, &slipway.Error{
		Next: slipway.NextRetry, Message: fmt.Sprintf("%s: others pushed first %d times", r, maxAttempts), Hint: "try again",
	}
}

// errMoved is the attempt's error where somebody else pushed first.
var errMoved = errors.New("somebody else pushed first")

// writer is one Write.
type writer struct {
	*Repo
	message           string
	author, committer string
	receivePack       string
	// pending is a commit whose push ended in an error: it may have arrived.
	pending string
}

func (r *Repo) newWriter(ctx context.Context, o WriteOptions) (*writer, error) {
	if !r.local {
		if err := r.ensureMirror(ctx, len(r.Head())); err != nil {
			return nil, err
		}
	}
	w := &writer{Repo: r, message: o.Message}
	var err error
	if w.committer, err = r.git.Identity(ctx, "COMMITTER"); err != nil {
		return nil, err
	}
	if o.Author != "" {
		w.author, err = git.SignedNow(o.Author)
	} else {
		w.author, err = r.git.Identity(ctx, "AUTHOR")
	}
	if err != nil {
		return nil, err
	}
	if r.local && !r.bare {
		w.receivePack, err = r.git.UpdateInstead(ctx)
	}
	return w, err
}

// attempt makes the edit on one commit, and pushes it.
func (w *writer) attempt(ctx context.Context, on position, edit Edit) (Written, error) {
	view := &View{Commit: on.head, repo: w.Repo, seen: map[string]viewed{}}
	draft, err := edit(ctx, view)
	if err != nil {
		return Written{}, err
	}
	changes, err := view.changes(ctx, draft.Files)
	if err != nil {
		return Written{}, err
	}
	if len(changes) == 0 {
		return Written{Commit: on.head}, nil
	}
	id, err := w.git.Commit(ctx, git.NewCommit{
		Parent: on.head, Author: w.author, Committer: w.committer, Files: changes,
		Message: strings.TrimRight(cmp.Or(w.message, draft.Message), "\n") + "\n",
	})
	if err != nil {
		return Written{}, fmt.Errorf("%s: %w", w.Repo, err)
	}
	pushed, err := w.git.Push(ctx, on.branch, on.head, id, w.receivePack)
	switch {
	case err != nil:
		w.pending = id
		return Written{}, git.Explain(err, w.git.Location)
	case pushed.Moved:
		return Written{}, errMoved
	case pushed.Refused != "":
		return Written{}, w.refused(ctx, on, pushed.Refused)
	}
	return Written{Commit: id, Changed: true}, nil
}

// refused says why the repository did not take the commit. A work tree that
// somebody else's push is changing looks like one that is not clean.
func (w *writer) refused(ctx context.Context, on position, why string) error {
	if now, err := w.locate(ctx, on.branch); err == nil && now.head != on.head {
		return errMoved
	}
	hint := "see what the repository's rules and hooks ask for"
	if w.local && !w.bare {
		hint = "commit or stash what is changed in the folder's work tree, or use a bare repository"
	}
	return &slipway.Error{
		Next: slipway.NextPerson, Message: fmt.Sprintf("%s refused the commit on branch %s: %s", w.Repo, on.branch, why), Hint: hint,
	}
}

// arrived reports whether a push that ended in an error has had its effect.
func (r *Repo) arrived(ctx context.Context, pending, head string) bool {
	if pending == "" || head == "" {
		return false
	}
	_, err := r.git.Run(ctx, "", "merge-base", "--is-ancestor", pending, head)
	return err == nil
}

// lock waits for the turn to write through this folder or mirror. The lock is
// the kernel's, so that it ends with the process that holds it.
func (r *Repo) lock(ctx context.Context) (unlock func(), err error) {
	type turn struct {
		unlock func()
		err    error
	}
	turns := make(chan turn, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(filepath.Join(r.git.Path, "slipway.lock")).Lock()
		turns <- turn{unlock, err}
	}()
	select {
	case got := <-turns:
		return got.unlock, got.err
	case <-ctx.Done():
		go func() {
			if got := <-turns; got.err == nil {
				got.unlock()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// pause waits before an attempt: not at all before the first, then up to
// twice as long each time, at random so that those who met do not meet again.
// It begins with how long the last attempt took, which is what the others need
// too, and more the more they are.
func pause(ctx context.Context, attempt int, took time.Duration) error {
	if attempt == 0 {
		return ctx.Err()
	}
	most := min(max(took, time.Millisecond)<<min(attempt, 10), maxPause)
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
