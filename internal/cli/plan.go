package cli

import (
	"context"
	"fmt"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// planCmd shows what a deployment would change.
type planCmd struct {
	App   appArg   `arg:"" name:"cluster/app" help:"Which app."`
	Image []string `placeholder:"[CONTAINER=]URI" sep:"none" help:"Plan this image instead of the one in git; CONTAINER may be left out where there is one."`
}

func (*planCmd) Help() string {
	return `Compares the task definition that the service runs with what git says, and writes nothing, neither to git nor to AWS.

Examples:

    slipway plan cluster1/webapp1 --repository deployment
    slipway plan cluster1/webapp1 --repository deployment --image 111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.3`
}

// planAnswer is the answer; its JSON form is a promise to scripts.
type planAnswer struct {
	App    slipway.App     `json:"app"`
	Commit string          `json:"commit"`
	Images []slipway.Image `json:"images"`
	// TaskDefinition is the ARN of the one that runs, which would be copied.
	TaskDefinition string                `json:"taskDefinition"`
	Changes        []slipway.FieldChange `json:"changes"`
}

// Run needs the repository and AWS, and no server.
func (c *planCmd) Run(ctx context.Context, e *env) error {
	deployment, err := c.deployment(ctx, e)
	if err != nil {
		return err
	}
	prepared, changes, err := e.target(e.warnings()).Plan(ctx, deployment)
	if err != nil {
		return err
	}
	if changes == nil {
		changes = []slipway.FieldChange{}
	}
	answer := planAnswer{deployment.App, deployment.Commit, deployment.Images, prepared.Base, changes}
	return e.answer(answer, func(t *table) {
		if len(changes) == 0 {
			t.row(fmt.Sprintf("%s: nothing to change, it runs %s", answer.App, shortImages(answer.Images)))
			return
		}
		t.row(fmt.Sprintf("%s: a copy of %s with %s changed:", answer.App, answer.TaskDefinition, counted(len(changes), "field")))
		for _, change := range changes {
			t.row("  " + change.Path)
			t.row("    " + t.paint(red, "- "+change.From))
			t.row("    " + t.paint(green, "+ "+change.To))
		}
	})
}

// deployment is what would be done, as git says it, with --image applied.
func (c *planCmd) deployment(ctx context.Context, e *env) (slipway.Deployment, error) {
	images, err := parseImages(c.Image)
	if err != nil {
		return slipway.Deployment{}, err
	}
	repository, err := e.openRepository(ctx)
	if err != nil {
		return slipway.Deployment{}, err
	}
	revision, err := repository.Revision(ctx, c.App.App, repository.Head())
	if err != nil {
		return slipway.Deployment{}, err
	}
	pipeline, err := repository.Pipeline(ctx, c.App.App, repository.Head())
	if err != nil {
		return slipway.Deployment{}, err
	}
	if len(images) > 0 {
		if revision.Images, err = withImages(revision, images); err != nil {
			return slipway.Deployment{}, err
		}
	}
	return slipway.Deployment{
		App: revision.App, Commit: revision.Commit, Images: revision.Images, Place: pipeline.Place, TestRun: pipeline.TestRun,
	}, nil
}

// withImages is the revision's images after `slipway deploy` with the same
// --image: it goes through the same code, for the same errors.
func withImages(revision slipway.Revision, images map[string]string) ([]slipway.Image, error) {
	path := revision.App.RevisionPath()
	text, err := files.FormatRevision(path, revision.Images)
	if err != nil {
		return nil, err
	}
	if text, err = files.EditRevision(path, text, images); err != nil {
		return nil, err
	}
	edited, problems := files.ParseRevision(path, text)
	return edited, problems.Err()
}
