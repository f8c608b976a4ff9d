package deployrepo

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

//go:embed readme.md
var readme []byte

// Init writes a deployment repository: a README.md and a revision.json for
// each app, or for an example where there are none, and other files. What exists
// already stays as it is. A folder that is empty or does not exist becomes a repository first,
// with a work tree unless its name ends in ".git".
func Init(ctx context.Context, o Options, apps map[slipway.App][]slipway.Image, w WriteOptions, others ...FileChange) (Written, error) {
	if len(apps) == 0 {
		apps = exampleApps()
	}
	if err := makeRepository(ctx, o); err != nil {
		return Written{}, err
	}
	r, err := Open(ctx, o)
	if err != nil {
		return Written{}, err
	}
	return r.Write(ctx, w, func(ctx context.Context, at *View) (Draft, error) {
		draft := Draft{Message: "Begin the deployment repository"}
		add := func(path string, content []byte) error {
			_, file, err := at.Read(ctx, path)
			if err == nil && !file.Exists() {
				draft.Files = append(draft.Files, FileChange{Path: path, Content: content})
			}
			return err
		}
		if err := add("README.md", readme); err != nil {
			return Draft{}, err
		}
		for _, app := range slices.SortedFunc(maps.Keys(apps), slipway.App.Compare) {
			if err := app.Validate(); err != nil {
				return Draft{}, err
			}
			content, err := files.FormatRevision(app.RevisionPath(), apps[app])
			if err != nil {
				return Draft{}, fmt.Errorf("%s: %w", app, err)
			}
			if err := add(app.RevisionPath(), content); err != nil {
				return Draft{}, err
			}
		}
		for _, other := range others {
			if err := add(other.Path, other.Content); err != nil {
				return Draft{}, err
			}
		}
		return draft, nil
	})
}

func exampleApps() map[slipway.App][]slipway.Image {
	return map[slipway.App][]slipway.Image{
		{Cluster: "cluster1", Name: "webapp1"}: {
			{Container: "webapp1", URI: "111122223333.dkr.ecr.ca-central-1.amazonaws.com/webapp1:1.0.0"},
		},
	}
}

// makeRepository makes a git repository of a folder that is empty or does not
// exist; anything else it leaves to Open.
func makeRepository(ctx context.Context, o Options) error {
	location, err := git.ParseLocation(o.URL)
	if err != nil || !location.Folder() {
		return err
	}
	folder := location.Arg()
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		err = os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", location, err)
	}
	if len(entries) > 0 {
		return nil
	}
	args := []string{"init", "--quiet", "--initial-branch=" + cmp.Or(o.Branch, defaultBranch)}
	if strings.HasSuffix(folder, ".git") {
		args = append(args, "--bare")
	}
	dir := git.Dir{
		Binary: cmp.Or(o.Git, "git"), Folder: folder, Location: location,
		Logger: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
	}
	_, err = dir.Run(ctx, "", args...)
	return git.Explain(err, location)
}
