package gitserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// environment is the whole environment of every git process: nothing of the
// user's or the machine's configuration changes how the sandbox behaves, and a
// folder that belongs to somebody else (a mounted volume) is served all the
// same.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=safe.directory",
		"GIT_CONFIG_VALUE_0=*",
	}
}

// git runs git in the repository and returns its output without the last line
// end; its error carries what git said.
func (r *Repository) git(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	out, err := r.output(ctx, stdin, args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// output is as git, and leaves the output as it is.
func (r *Repository) output(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = r.path, environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// readRefs returns the object that each ref names.
func (r *Repository) readRefs(ctx context.Context) (map[string]string, error) {
	out, err := r.git(ctx, nil, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if name, id, _ := strings.Cut(strings.TrimSpace(line), " "); !strings.HasPrefix(name, drafts) {
			refs[name] = id
		}
	}
	return refs, nil
}

// Seed makes the first commit of the branch that HEAD names, with the files by
// path, and tells nobody. A branch that has a commit is left as it is. It
// returns the branch's head.
func (r *Repository) Seed(ctx context.Context, author Person, message string, files map[string][]byte) (string, error) {
	branch, err := r.Head()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if head, found := r.refs[branch]; found {
		return head, nil
	}
	commit := Commit{Ref: branch, Author: author, Message: message}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		commit.Changes = append(commit.Changes, Change{Path: path, Mode: ModeFile, Content: files[path]})
	}
	if _, err := r.importCommit(ctx, commit); err != nil {
		return "", err
	}
	if r.refs, err = r.readRefs(ctx); err != nil {
		return "", err
	}
	return r.refs[branch], nil
}
