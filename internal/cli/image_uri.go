package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// imageURICmd answers Terraform's external data source.
type imageURICmd struct {
	CodeCommit string `name:"codecommit" env:"SLIPWAY_CODECOMMIT" placeholder:"REPOSITORY" help:"Read this CodeCommit repository through AWS's API, without git."`
}

func (*imageURICmd) Help() string {
	return `Terraform's external data source writes a query on stdin and reads the answer from stdout, so that a configuration need not name an image:

    data "external" "image" {
      program = ["slipway", "image-uri", "--repository", var.repository]
      query   = { cluster_name = var.cluster_name, app_name = var.app_name }
    }

The image is data.external.image.result.imageUri. Of an app with several containers it is that of the container named like the app, or of the one that the query names as container.

Examples:

    echo '{"cluster_name": "cluster1", "app_name": "webapp1"}' | slipway image-uri --repository deployment
    echo '{"cluster_name": "cluster1", "app_name": "webapp1"}' | slipway image-uri --codecommit deployment --branch master`
}

// imageQuery is what Terraform asks.
type imageQuery struct {
	AppName     string `json:"app_name"`
	ClusterName string `json:"cluster_name"`
	Container   string `json:"container"`
}

// imageAnswer is what Terraform reads: an object whose members are strings.
type imageAnswer struct {
	ImageURI string `json:"imageUri"`
}

// Run answers on stdout in JSON whatever --output says. Every error ends with
// 1: the protocol has no other.
func (c *imageURICmd) Run(ctx context.Context, e *env) error {
	uri, err := c.imageURI(ctx, e)
	if err != nil {
		return &slipway.Error{Next: slipway.NextNever, Hint: slipway.HintOf(err), Err: err}
	}
	return json.NewEncoder(e.Out).Encode(imageAnswer{uri})
}

func (c *imageURICmd) imageURI(ctx context.Context, e *env) (string, error) {
	query, app, err := readImageQuery(e.In)
	if err != nil {
		return "", err
	}
	images, err := c.images(ctx, e, app)
	if err != nil {
		return "", err
	}
	image, err := chooseImage(app, images, query.Container)
	return image.URI, err
}

func (c *imageURICmd) images(ctx context.Context, e *env, app slipway.App) ([]slipway.Image, error) {
	if c.CodeCommit != "" {
		return codeCommitImages(ctx, e, c.CodeCommit, app)
	}
	if e.Repository == "" {
		return nil, &slipway.Error{
			Next: slipway.NextUsage, Message: "no deployment repository is named",
			Hint: "pass --repository URL or DIR, or --codecommit REPOSITORY",
		}
	}
	revision, err := deployrepo.Lookup(ctx, e.repositoryOptions(), app)
	return revision.Images, err
}

func readImageQuery(in io.Reader) (imageQuery, slipway.App, error) {
	var query imageQuery
	if err := json.NewDecoder(in).Decode(&query); err != nil {
		return query, slipway.App{}, &slipway.Error{
			Next: slipway.NextUsage, Message: "stdin is no query", Err: err,
			Hint: `write {"cluster_name": "cluster1", "app_name": "webapp1"} to stdin`,
		}
	}
	app := slipway.App{Cluster: query.ClusterName, Name: query.AppName}
	if err := app.Validate(); err != nil {
		return query, app, fmt.Errorf("the query's cluster_name and app_name: %w", err)
	}
	return query, app, nil
}

// chooseImage picks one container's image: the one asked for, or else the one
// named like the app, or else the only one.
func chooseImage(app slipway.App, images []slipway.Image, container string) (slipway.Image, error) {
	wanted := container
	if wanted == "" {
		wanted = app.Name
	}
	at := slices.IndexFunc(images, func(image slipway.Image) bool { return image.Container == wanted })
	switch {
	case at >= 0:
		return images[at], nil
	case container == "" && len(images) == 1:
		return images[0], nil
	}
	var names []string
	for _, image := range images {
		names = append(names, image.Container)
	}
	return slipway.Image{}, &slipway.Error{
		Next:    slipway.NextUsage,
		Message: fmt.Sprintf("%s names no container %q; it names %s", app.RevisionPath(), wanted, strings.Join(names, ", ")),
		Hint:    "name one of them as container in the query",
	}
}
