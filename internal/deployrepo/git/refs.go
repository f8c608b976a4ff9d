package git

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Refs are the branches of a repository.
type Refs struct {
	// Head is the branch that HEAD names, which need not exist; empty where
	// that cannot be known.
	Head string
	// Branches maps a branch's name to the commit that it is at.
	Branches map[string]string
}

const heads = "refs/heads/"

// RemoteRefs lists the branches of the repository at Location.
func (d Dir) RemoteRefs(ctx context.Context) (Refs, error) {
	return d.lsRemote(ctx, "HEAD", heads+"*")
}

// RemoteBranch returns the commit that a branch of the repository at Location
// is at, or the empty string when there is no such branch.
func (d Dir) RemoteBranch(ctx context.Context, branch string) (string, error) {
	refs, err := d.lsRemote(ctx, heads+branch)
	return refs.Branches[branch], err
}

// lsRemote reads lines of "ID TAB REF" and "ref: REF TAB HEAD". It runs in
// Folder, for Path may not exist yet.
func (d Dir) lsRemote(ctx context.Context, patterns ...string) (Refs, error) {
	refs := Refs{Branches: map[string]string{}}
	d.Path = ""
	out, err := d.Run(ctx, "", append([]string{"ls-remote", "--symref", "--", d.Location.Arg()}, patterns...)...)
	for line := range strings.Lines(string(out)) {
		value, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if target, isHead := strings.CutPrefix(value, "ref: "+heads); isHead && name == "HEAD" {
			refs.Head = target
		} else if branch, found := strings.CutPrefix(name, heads); found {
			refs.Branches[branch] = value
		}
	}
	return refs, err
}

// LocalRefs lists the branches of this repository.
func (d Dir) LocalRefs(ctx context.Context) (Refs, error) {
	refs := Refs{Branches: map[string]string{}}
	out, err := d.Run(ctx, "", "for-each-ref", "--format=%(objectname) %(refname)", heads)
	if err != nil {
		return refs, err
	}
	for line := range strings.Lines(string(out)) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs.Branches[strings.TrimPrefix(name, heads)] = id
	}
	head, err := d.Run(ctx, "", "symbolic-ref", "--quiet", "HEAD")
	if err != nil && !refused(err) { // refused: HEAD names a commit, not a branch
		return refs, err
	}
	refs.Head = strings.TrimPrefix(strings.TrimSpace(string(head)), heads)
	return refs, nil
}

// Lookup returns the id of the commit that a name means in this repository,
// or the empty string when there is none.
func (d Dir) Lookup(ctx context.Context, name string) (string, error) {
	out, err := d.Run(ctx, "", "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil && refused(err) {
		return "", nil
	}
	return strings.TrimSpace(string(out)), err
}

// refused reports that git ran, and answered "no" by its exit code.
func refused(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == 1
}

// Discover finds out what the folder is: the absolute git directory and
// whether it has no work tree.
func (d Dir) Discover(ctx context.Context) (path string, bare bool, err error) {
	out, err := d.Run(ctx, "", "rev-parse", "--absolute-git-dir", "--is-bare-repository")
	if err != nil {
		return "", false, err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2 {
		return "", false, fmt.Errorf("git rev-parse printed %q, which is not understood", out)
	}
	return lines[0], lines[1] == "true", nil
}
