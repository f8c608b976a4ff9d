package gitserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Why a change was not made.
var (
	ErrMoved = errors.New("the ref has moved") // it is not what the change was made for
	ErrSame  = errors.New("the commit would change nothing")
)

// drafts is where commits are that no branch has yet. A kill may leave one there,
// which the next replaces.
const drafts = "refs/drafts/"

// Commit is a commit to make on a branch.
type Commit struct {
	Ref     string // in full: refs/heads/main
	Parent  string // what Ref must be; empty makes the ref, with a first commit
	Author  Person
	Message string
	Changes []Change // in order
}

// Person is who made a commit, and when.
type Person struct {
	Name, Email string
	At          time.Time
}

// Change is one file of a commit.
type Change struct {
	Path    string
	Delete  bool
	Mode    string // if it is not deleted
	Content []byte
}

// Commit makes a commit and moves its branch, and tells of it as of a push to url.
// The error is ErrMoved if the branch is not at the commit's parent, and ErrSame
// if the commit has its parent's tree.
func (r *Repository) Commit(ctx context.Context, url string, c Commit) (id string, err error) {
	err = r.change(ctx, url, c.Ref, c.Parent, func() error {
		// Made beside its branch first: it may turn out to change nothing.
		draft := c
		draft.Ref = drafts + c.Ref
		if id, err = r.importCommit(ctx, draft); err != nil {
			return err
		}
		defer func() { _, _ = r.git(context.WithoutCancel(ctx), nil, "update-ref", "-d", draft.Ref) }()
		if c.Parent != "" {
			trees, err := r.Objects(ctx, id+"^{tree}", c.Parent+"^{tree}")
			if err != nil {
				return err
			}
			if trees[0].ID == trees[1].ID {
				return ErrSame
			}
		}
		return r.updateRef(ctx, c.Ref, c.Parent, id)
	})
	return id, err
}

// SetRef moves a ref from one object to another, and tells of it as of a push to
// url. An empty id is no ref: it is made, or deleted. The error is ErrMoved if the
// ref is not what it should have been.
func (r *Repository) SetRef(ctx context.Context, url, ref, before, after string) error {
	return r.change(ctx, url, ref, before, func() error { return r.updateRef(ctx, ref, before, after) })
}

// updateRef moves a ref if it is what it should be; a push may have come between.
func (r *Repository) updateRef(ctx context.Context, ref, before, after string) error {
	command := fmt.Sprintf("update %s %s %s\n", ref, after, cmp.Or(before, strings.Repeat("0", len(after))))
	if after == "" {
		command = fmt.Sprintf("delete %s %s\n", ref, before)
	}
	_, err := r.git(ctx, strings.NewReader(command), "update-ref", "--stdin")
	if err == nil {
		return nil
	}
	if refs, failed := r.readRefs(ctx); failed == nil && refs[ref] != before {
		return ErrMoved
	}
	return err
}

// change makes a change of a ref while nobody else makes one through this server,
// pushes excepted.
func (r *Repository) change(ctx context.Context, url, ref, before string, make func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	refs, err := r.readRefs(ctx)
	if err != nil {
		return err
	}
	if refs[ref] != before {
		return ErrMoved
	}
	if err := make(); err != nil {
		return err
	}
	return r.tell(context.WithoutCancel(ctx), url)
}

// importCommit makes a commit, and its ref, with fast-import.
func (r *Repository) importCommit(ctx context.Context, c Commit) (string, error) {
	var stream bytes.Buffer
	person := fmt.Sprintf("%s <%s> %d +0000", clean(c.Author.Name), clean(c.Author.Email), c.Author.At.Unix())
	fmt.Fprintf(&stream, "commit %s\nmark :1\nauthor %s\ncommitter %s\ndata %d\n%s\n", c.Ref, person, person, len(c.Message), c.Message)
	if c.Parent != "" {
		fmt.Fprintf(&stream, "from %s\n", c.Parent)
	}
	for _, change := range c.Changes {
		if change.Delete {
			fmt.Fprintf(&stream, "D %s\n", quote(change.Path))
			continue
		}
		fmt.Fprintf(&stream, "M %s inline %s\ndata %d\n%s\n", change.Mode, quote(change.Path), len(change.Content), change.Content)
	}
	stream.WriteString("get-mark :1\n")
	return r.git(ctx, &stream, "fast-import", "--quiet", "--force", "--date-format=raw")
}

// clean takes out of a name what would end it.
func clean(name string) string {
	return strings.TrimSpace(strings.NewReplacer("<", "", ">", "", "\n", " ", "\r", " ", "\x00", "").Replace(name))
}

// quote writes a path as fast-import reads it.
func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

// Refs are the refs as they are now: object ids by full name. A tag with a message
// is the id of the tag.
func (r *Repository) Refs(ctx context.Context) (map[string]string, error) { return r.readRefs(ctx) }

// Head is the branch that HEAD names, in full, whether or not it exists.
func (r *Repository) Head() (string, error) {
	content, err := os.ReadFile(filepath.Join(r.path, "HEAD"))
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.TrimPrefix(string(content), "ref:")), nil
}

// SetHead has HEAD name a branch.
func (r *Repository) SetHead(ctx context.Context, ref string) error {
	_, err := r.git(ctx, nil, "symbolic-ref", "HEAD", ref)
	return err
}

// settleHead has HEAD name a branch that there is, as soon as there is one: the
// first branch that is pushed becomes the default one, whatever its name. The caller holds
// the lock.
func (r *Repository) settleHead(ctx context.Context) error {
	head, err := r.Head()
	if err != nil {
		return err
	}
	var branches []string
	for ref := range r.refs {
		if ref == head {
			return nil
		}
		if strings.HasPrefix(ref, "refs/heads/") {
			branches = append(branches, ref)
		}
	}
	if len(branches) == 0 {
		return nil
	}
	return r.SetHead(ctx, slices.Min(branches))
}
