package deployrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
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

const (
	// maxAttempts bounds how often an edit is made again because somebody else
	// pushed first, and maxTrouble how often after an error of the network.
	maxAttempts = 100
	maxTrouble  = 3
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
