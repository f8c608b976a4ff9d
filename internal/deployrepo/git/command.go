package git

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Dir is a git directory, and how git is run in it. It holds no state: its
// methods may be called concurrently.
type Dir struct {
	// Binary is git's name or path.
	Binary string
	// Path is the absolute git directory. Where it is empty, git runs in
	// Folder and looks for a repository nowhere but there.
	Path, Folder string
	// Location is whose secrets are hidden in errors and logs.
	Location Location
	// Logger is told each command at debug level.
	Logger *slog.Logger
}

// Failure is a git command that did not succeed.
type Failure struct {
	Command string // without options and secrets
	Stdout  string // without secrets
	Stderr  string // without secrets
	Err     error
}

// Error returns git's own first words, or why it could not be run.
func (f *Failure) Error() string {
	if said := f.said(); said != "" {
		return fmt.Sprintf("git %s: %s", f.Command, said)
	}
	return fmt.Sprintf("git %s: %v", f.Command, f.Err)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// said is the line of stderr that tells what happened.
func (f *Failure) said() string {
	for line := range strings.Lines(f.Stderr) {
		line = strings.TrimSpace(line)
		lower := strings.ToLower(line)
		if line == "" || strings.HasPrefix(lower, "warning:") || strings.HasPrefix(lower, "hint:") || strings.HasPrefix(lower, "remote:") {
			continue
		}
		return strings.TrimPrefix(strings.TrimPrefix(line, "fatal: "), "error: ")
	}
	return ""
}

// Run runs git and returns what it prints. stdin may be empty.
func (d Dir) Run(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	var stdout bytes.Buffer
	err := d.run(ctx, stdin, &stdout, args)
	return stdout.Bytes(), err
}

// errEnough is returned by a reader of Stream that needs no more.
var errEnough = errors.New("enough")

// Stream runs git and hands read what it prints while it prints it. errEnough
// from read stops git and is success.
func (d Dir) Stream(ctx context.Context, stdin string, read func(*bufio.Reader) error, args ...string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := d.run(ctx, stdin, in, args)
		in.CloseWithError(err) // a nil error reads as io.EOF
		ended <- err
	}()
	err := read(bufio.NewReaderSize(out, 64<<10))
	if err != nil {
		stop()
	}
	_, _ = io.Copy(io.Discard, out)
	failed := <-ended
	if errors.Is(err, errEnough) {
		return nil
	}
	// What git says of its end explains why reading stopped short.
	if failed != nil && ctx.Err() == nil {
		return failed
	}
	return err
}

func (d Dir) run(ctx context.Context, stdin string, stdout io.Writer, args []string) error {
	began := time.Now()
	command := d.Location.Redact(strings.Join(args, " "))
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, d.Binary, slices.Concat(d.global(), args)...)
	cmd.Dir, cmd.Env = cmp.Or(d.Path, d.Folder), d.env()
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin)
	}
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	// An interrupted git removes its lock files; a killed one leaves them.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	d.Logger.DebugContext(ctx, "git", "command", command, "took", time.Since(began), "error", err)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", args[0], context.Cause(ctx))
	}
	failure := &Failure{Command: args[0], Stderr: d.Location.Redact(stderr.String()), Err: err}
	if buffer, ok := stdout.(*bytes.Buffer); ok {
		failure.Stdout = d.Location.Redact(buffer.String())
	}
	return failure
}

// global are the options of every command: what a user's configuration must
// not change, because we read the output or because it is not our hook to run.
func (d Dir) global() []string {
	options := []string{
		"-c", "core.hooksPath=" + os.DevNull,
		"-c", "log.showSignature=false",
		"-c", "log.follow=false",
		"-c", "safe.bareRepository=all", // the repository was named by a person
		"--literal-pathspecs",
	}
	if d.Path != "" {
		options = append(options, "--git-dir=.")
	}
	return options
}

// env is the environment without what points git at another repository
// (git rev-parse --local-env-vars, except the configuration that continuous
// integration passes credentials in) and without prompts and translations.
func (d Dir) env() []string {
	foreign := []string{
		"GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
		"GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH",
		"GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS",
		"GIT_INTERNAL_SUPER_PREFIX", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
		"GIT_ICASE_PATHSPECS", "GIT_CEILING_DIRECTORIES", "GIT_TERMINAL_PROMPT", "LC_ALL", "LANGUAGE",
	}
	quarantined := d.quarantined()
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		if quarantined && (strings.HasSuffix(name, "OBJECT_DIRECTORY") || strings.HasSuffix(name, "OBJECT_DIRECTORIES")) {
			return false
		}
		return slices.Contains(foreign, name)
	})
	if d.Path == "" {
		env = append(env, "GIT_CEILING_DIRECTORIES="+filepath.Dir(d.Folder))
	}
	return append(env, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
}

// quarantined reports whether we run in a pre-receive hook of this very
// repository: what is being pushed is then in a folder of its own,
// https://git-scm.com/docs/git-receive-pack#_quarantine_environment.
func (d Dir) quarantined() bool {
	path := os.Getenv("GIT_QUARANTINE_PATH")
	return path != "" && d.Path != "" && filepath.Dir(path) == filepath.Join(d.Path, "objects")
}
