package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

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
	image, err := slipway.ChooseImage(app, images, query.Container)
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
	snapshot, err := deployrepo.Look(ctx, e.repositoryOptions())
	if err != nil {
		return nil, err
	}
	loaded, err := snapshot.Load(ctx, app)
	if err != nil {
		return nil, err
	}
	return loaded.Revision.Images, loaded.Err
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
