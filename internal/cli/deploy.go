package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// deployCmd commits another image.
type deployCmd struct {
	App     appArg   `arg:"" name:"cluster/app" help:"Which app."`
	Image   []string `required:"" placeholder:"[CONTAINER=]URI" sep:"none" help:"The image to run; CONTAINER may be left out where there is one. May be given several times."`
	Message string   `short:"m" placeholder:"TEXT" help:"The commit's message; by default one that names the image."`
	Create  bool     `help:"Add the app if git does not have it."`
	waiting
}

func (*deployCmd) Help() string {
	return `Commits the image to the app's revision.json and pushes the commit, which approves it; the controller deploys it. Nothing but the image changes in the file.

Examples:

    slipway deploy cluster1/webapp1 --image 111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.3 --wait
    slipway deploy cluster1/webapp1 --image app=example.com/app:7 --image proxy=example.com/proxy:2`
}

// Run needs the repository, and the controller only with --wait.
func (c *deployCmd) Run(ctx context.Context, e *env) error {
	images, err := parseImages(c.Image)
	if err != nil {
		return err
	}
	return c.commit(ctx, e, c.App.App, func(repository *deployrepo.Repo) (deployrepo.Written, error) {
		return repository.SetImages(ctx, c.App.App, images, deployrepo.WriteOptions{Message: c.Message, Create: c.Create})
	})
}

// parseImages reads [CONTAINER=]URI; the empty container is the only one. An
// image reference has no "=".
func parseImages(texts []string) (map[string]string, error) {
	images := make(map[string]string, len(texts))
	for _, text := range texts {
		container, uri, found := strings.Cut(text, "=")
		if !found {
			container, uri = "", text
		} else if container == "" {
			return nil, &slipway.Error{
				Next: slipway.NextUsage, Message: fmt.Sprintf("--image %q names no container before the \"=\"", text),
				Hint: "write CONTAINER=URI, or the URI alone where there is one container",
			}
		}
		if _, twice := images[container]; twice {
			return nil, slipway.Usagef("--image names the container %q twice", container)
		}
		images[container] = uri
	}
	return images, nil
}
