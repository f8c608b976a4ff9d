package cli

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// demoAuthor commits in the demo, whatever the user's git is told.
const demoAuthor = "Dana Developer <dana@example.com>"

// clone makes the developer's clone of the deployment repository.
func (d *demo) clone(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	_, err := d.git(ctx, "clone", "--quiet", d.sandbox.endpoints.Repository, ".")
	return err
}

// push commits an edited revision.json and pushes it, as a developer would.
func (d *demo) push(ctx context.Context, app slipway.App, version string) (commit string, err error) {
	path := filepath.Join(d.dir, filepath.FromSlash(app.RevisionPath()))
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	images, problems := files.ParseRevision(path, text)
	if err := problems.Err(); err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(images[0].URI, ":")
	edited, err := files.EditRevision(path, text, map[string]string{"": name + ":" + version})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, edited, 0o600); err != nil {
		return "", err
	}
	if _, err := d.git(ctx, "commit", "--quiet", "--all", "--message", app.Name+" "+version); err != nil {
		return "", err
	}
	if _, err := d.git(ctx, "push", "--quiet"); err != nil {
		return "", err
	}
	return d.git(ctx, "rev-parse", "HEAD")
}

// rollback makes the commit that slipway rollback makes.
func (d *demo) rollback(ctx context.Context, app slipway.App, to string) (commit string, err error) {
	repository, err := deployrepo.Open(ctx, deployrepo.Options{URL: d.sandbox.endpoints.Repository, MirrorDir: d.dir + ".mirror", Logger: d.env.logFrom(slog.LevelError)})
	if err != nil {
		return "", err
	}
	written, err := repository.Rollback(ctx, app, to, deployrepo.WriteOptions{Author: demoAuthor})
	if err != nil {
		return "", err
	}
	_, err = d.git(ctx, "pull", "--quiet", "--ff-only") // the developer's clone learns of it
	return written.Commit, err
}

// git runs git in the developer's clone, apart from the user's own settings.
func (d *demo) git(ctx context.Context, args ...string) (string, error) {
	name, address, _ := strings.Cut(strings.TrimSuffix(demoAuthor, ">"), " <")
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = d.dir
	command.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME="+name, "GIT_AUTHOR_EMAIL="+address, "GIT_COMMITTER_NAME="+name, "GIT_COMMITTER_EMAIL="+address)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", &slipway.Error{Next: slipway.NextPerson, Message: "git " + args[0] + ": " + strings.TrimSpace(stderr.String()), Err: err}
	}
	return strings.TrimSpace(string(out)), nil
}
