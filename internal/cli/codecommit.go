package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// codeCommitImages reads one app's revision.json with CodeCommit's GetFile, at
// --branch or else the repository's default branch. It needs neither git nor
// its credential helper, but the permission codecommit:GetFile.
func codeCommitImages(ctx context.Context, e *env, repository string, app slipway.App) ([]slipway.Image, error) {
	configured, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	input := &codecommit.GetFileInput{RepositoryName: &repository, FilePath: aws.String(app.RevisionPath())}
	if e.Branch != "" {
		input.CommitSpecifier = &e.Branch
	}
	file, err := codecommit.NewFromConfig(configured).GetFile(ctx, input)
	if err != nil {
		return nil, explainCodeCommit(err, repository, app)
	}
	images, problems := files.ParseRevision(app.RevisionPath(), file.FileContent)
	return images, problems.Err()
}

// explainCodeCommit says what to do about the errors that GetFile documents,
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFile.html.
func explainCodeCommit(err error, repository string, app slipway.App) error {
	e := &slipway.Error{Next: slipway.NextPerson, Message: "read " + app.RevisionPath() + " from CodeCommit", Err: err}
	switch {
	case is[*types.RepositoryDoesNotExistException](err):
		e.Hint = "check the name " + repository + ", the region and the account"
	case is[*types.FileDoesNotExistException](err):
		e.Hint = "commit " + app.RevisionPath() + " first: its content is what Terraform is to use"
	case is[*types.CommitDoesNotExistException](err):
		e.Hint = "check --branch; the article's repositories use master"
	default:
		e.Hint = "check the AWS credentials and region, and that they allow codecommit:GetFile"
	}
	return e
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
