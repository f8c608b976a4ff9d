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
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = r.path, environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}

// readRefs returns the object that each ref names.
func (r *Repository) readRefs(ctx context.Context) (map[string]string, error) {
	out, err := r.git(ctx, nil, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		name, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[name] = id
	}
	return refs, nil
}

// Seed makes the first commit of the branch that HEAD names, with the files by
// path, and tells nobody. A branch that has a commit is left as it is. It
// returns the branch's head.
func (r *Repository) Seed(ctx context.Context, author, message string, files map[string][]byte) (string, error) {
	branch, err := r.git(ctx, nil, "symbolic-ref", "HEAD")
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if head, found := r.refs[branch]; found {
		return head, nil
	}
	var stream bytes.Buffer
	fmt.Fprintf(&stream, "commit %s\ncommitter %s now\ndata %d\n%s\n", branch, author, len(message), message)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", path, len(files[path]), files[path])
	}
	if _, err := r.git(ctx, &stream, "fast-import", "--quiet", "--date-format=now"); err != nil {
		return "", err
	}
	if r.refs, err = r.readRefs(ctx); err != nil {
		return "", err
	}
	return r.refs[branch], nil
}
