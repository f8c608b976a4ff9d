package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// initCmd begins a deployment repository.
type initCmd struct {
	Dir         string `arg:"" optional:"" name:"dir" help:"A folder, which may exist, or a repository's URL; by default --repository, or else the current folder."`
	FromCluster string `placeholder:"NAME" help:"Write a revision.json for each service that runs in this ECS cluster."`
}

func (*initCmd) Help() string {
	return `Commits a README.md and a revision.json for each app, or for an example. What exists already stays as it is, and nothing is deployed: an app that already runs what git says is adopted.

Examples:

    slipway init deployment
    slipway init deployment --from-cluster production`
}

// initAnswer is the answer; its JSON form is a promise to scripts.
type initAnswer struct {
	Repository string `json:"repository"`
	// Commit is the new one, or the head where there was nothing to add.
	Commit  string        `json:"commit"`
	Changed bool          `json:"changed"`
	Apps    []slipway.App `json:"apps"`
}

// Run needs no server, and AWS only for --from-cluster.
func (c *initCmd) Run(ctx context.Context, e *env) error {
	if c.Dir != "" {
		e.Repository = c.Dir
	} else if e.Repository == "" {
		e.Repository = "."
	}
	var apps map[slipway.App][]slipway.Image
	if c.FromCluster != "" {
		var err error
		if apps, err = c.fromCluster(ctx, e); err != nil {
			return err
		}
	}
	written, err := deployrepo.Init(ctx, e.repositoryOptions(), apps, deployrepo.WriteOptions{})
	if err != nil {
		return err
	}
	repository, err := e.openRepository(ctx)
	if err != nil {
		return err
	}
	tree, err := repository.Tree(ctx, written.Commit)
	if err != nil {
		return err
	}
	answer := initAnswer{repository.String(), written.Commit, written.Changed, tree.Sorted()}
	return e.answer(answer, func(t *table) {
		what := "nothing to add"
		if answer.Changed {
			what = "commit " + slipway.ShortCommit(answer.Commit)
		}
		t.row(fmt.Sprintf("%s: %s, branch %s", answer.Repository, what, repository.Branch()))
		if !answer.Changed {
			return
		}
		for _, app := range answer.Apps {
			t.row("  " + app.RevisionPath())
		}
	})
}

// fromCluster asks ECS what runs. A service that Slipway cannot deploy to is
// left out, with a note that says why.
func (c *initCmd) fromCluster(ctx context.Context, e *env) (map[slipway.App][]slipway.Image, error) {
	services, err := e.target(e.warnings()).Services(ctx, slipway.Place{Cluster: c.FromCluster})
	if err != nil {
		return nil, err
	}
	apps := make(map[slipway.App][]slipway.Image)
	for _, service := range services {
		app := slipway.App{Cluster: service.Place.Cluster, Name: service.Place.Service}
		if service.Err != nil {
			e.note("left out %s: %v", app, service.Err)
			continue
		}
		apps[app] = ownImages(app, service.Images)
		if named := len(apps[app]); named < len(service.Images) {
			e.note("%s: only the container %s is named; what else runs beside it stays as it is", app, app.Name)
		}
	}
	if len(apps) == 0 {
		return nil, &slipway.Error{
			Next: slipway.NextUsage, Message: "cluster " + c.FromCluster + " has no service that Slipway can deploy to",
			Hint: "check the name, the region and the account; `aws ecs list-services` lists what there is",
		}
	}
	var names []string
	for _, app := range slices.SortedFunc(maps.Keys(apps), slipway.App.Compare) {
		names = append(names, app.String())
	}
	e.note("found %s: %s", counted(len(names), "service"), strings.Join(names, ", "))
	return apps, nil
}

// ownImages are those of an app's images that its revision.json should name:
// that of the container named like the app, because the others are sidecars that
// belong to whoever provisions the task definition; all, where none is so named.
func ownImages(app slipway.App, images []slipway.Image) []slipway.Image {
	own := slices.IndexFunc(images, func(image slipway.Image) bool { return image.Container == app.Name })
	if own < 0 {
		return images
	}
	return images[own : own+1]
}
