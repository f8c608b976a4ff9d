package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codecommit"
)

// codeCommitImages reads one app's revision.json from CodeCommit, at --branch or
// else the repository's default branch. It needs neither git nor its credential
// helper, but the permission codecommit:GetFile.
func codeCommitImages(ctx context.Context, e *env, repository string, app slipway.App) ([]slipway.Image, error) {
	configured, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	revision, err := codecommit.New(configured, repository).Revision(ctx, app, e.Branch)
	known, ok := errors.AsType[*slipway.Error](err)
	switch {
	case !ok:
	case errors.Is(err, codecommit.ErrNoFile):
		known.Hint = "commit " + app.RevisionPath() + " first: its content is what Terraform is to use"
	case errors.Is(err, codecommit.ErrNoCommit):
		known.Hint = "check --branch; the article's repositories use master"
	}
	return revision.Images, err
}
