package codecommit

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// Repository is one repository of CodeCommit. It may be used from many goroutines.
type Repository struct {
	name   string
	client *codecommit.Client
}

// New returns the repository of that name in the configuration's account and region.
// It has called nobody yet.
func New(configuration aws.Config, name string) *Repository {
	return &Repository{name: name, client: codecommit.NewFromConfig(configuration)}
}

// Name is the repository's name.
func (r *Repository) Name() string { return r.name }

// Head returns the commit that a branch is at; the default branch's, where none is
// named. A branch that does not exist is ErrNoBranch.
func (r *Repository) Head(ctx context.Context, branch string) (commit string, err error) {
	if branch == "" {
		if branch, err = r.DefaultBranch(ctx); err != nil {
			return "", err
		}
	}
	out, err := r.client.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &r.name, BranchName: &branch})
	if err != nil {
		return "", r.explain(err, "find branch "+branch, "codecommit:GetBranch")
	}
	return aws.ToString(out.Branch.CommitId), nil
}

// DefaultBranch returns the name of the repository's default branch. A repository
// with nothing in it has none, which is ErrNoBranch.
func (r *Repository) DefaultBranch(ctx context.Context) (string, error) {
	out, err := r.client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &r.name})
	if err != nil {
		return "", r.explain(err, "find the default branch", "codecommit:GetRepository")
	}
	if name := aws.ToString(out.RepositoryMetadata.DefaultBranch); name != "" {
		return name, nil
	}
	return "", &slipway.Error{Next: slipway.NextPerson, Kind: ErrNoBranch, Message: "the repository " + r.name + " in CodeCommit is empty", Hint: "push the deployment repository to it first"}
}

// Revision returns an app's revision.json at a commit, or on a branch; at the head of
// the default branch, where neither is named. An app without the file is an error
// with ErrNoFile, a broken file one with NextUsage that names line and column.
func (r *Repository) Revision(ctx context.Context, app slipway.App, commit string) (slipway.Revision, error) {
	revision := slipway.Revision{App: app, Commit: commit}
	if err := app.Validate(); err != nil {
		return revision, err
	}
	f, err := r.file(ctx, app.RevisionPath(), commit)
	if err != nil {
		return revision, err
	}
	revision.Commit, revision.Blob = f.commit, f.blob
	if f.problems != nil {
		return revision, f.problems.Err()
	}
	images, problems := files.ParseRevision(app.RevisionPath(), f.text)
	revision.Images = images
	return revision, problems.Err()
}

// Settings returns slipway.yaml at a commit; zero where there is none. A broken file is
// an error with NextUsage.
func (r *Repository) Settings(ctx context.Context, commit string) (files.Repository, error) {
	settings, problems, err := optional(ctx, r, files.RepositoryPath, commit, files.ParseRepository)
	if err == nil {
		err = problems.Err()
	}
	return settings, err
}

// Pipeline returns how an app is deployed at a commit: slipway.DefaultPipeline,
// changed by slipway.yaml and the app's pipeline.yaml. A broken file is an error with
// NextUsage.
func (r *Repository) Pipeline(ctx context.Context, app slipway.App, commit string) (slipway.Pipeline, error) {
	if err := app.Validate(); err != nil {
		return slipway.Pipeline{}, err
	}
	var all files.Problems
	settings, problems, err := optional(ctx, r, files.RepositoryPath, commit, files.ParseRepository)
	if err != nil {
		return slipway.Pipeline{}, err
	}
	all = append(all, problems...)
	own, problems, err := optional(ctx, r, app.PipelinePath(), commit, files.ParsePipeline)
	if err != nil {
		return slipway.Pipeline{}, err
	}
	if err := append(all, problems...).Err(); err != nil {
		return slipway.Pipeline{}, err
	}
	return files.Resolve(app, settings, own), nil
}

// optional reads a file that need not be there.
func optional[T any](ctx context.Context, r *Repository, path, commit string, parse func(string, []byte) (T, files.Problems)) (value T, problems files.Problems, err error) {
	f, err := r.file(ctx, path, commit)
	switch {
	case errors.Is(err, ErrNoFile):
		return value, nil, nil
	case err != nil:
		return value, nil, err
	case f.problems != nil:
		return value, f.problems, nil
	}
	value, problems = parse(path, f.text)
	return value, problems, nil
}

// file is one file at a commit, and what is wrong with it as a file.
type file struct {
	commit, blob string
	text         []byte
	problems     files.Problems
}

func (r *Repository) file(ctx context.Context, path, commit string) (file, error) {
	input := &codecommit.GetFileInput{RepositoryName: &r.name, FilePath: &path}
	if commit != "" {
		input.CommitSpecifier = &commit
	}
	out, err := r.client.GetFile(ctx, input)
	if _, large := errors.AsType[*types.FileTooLargeException](err); large {
		return file{commit: commit, problems: files.Problems{tooLarge(path, "has more than CodeCommit hands out")}}, nil
	}
	if err != nil {
		return file{}, r.explain(err, "read "+path, "codecommit:GetFile")
	}
	f := file{commit: aws.ToString(out.CommitId), blob: aws.ToString(out.BlobId), text: out.FileContent}
	switch {
	case out.FileMode == types.FileModeTypeEnumSymlink:
		f.problems = files.Problems{symlink(path)}
	case len(out.FileContent) > files.MaxSize:
		f.problems = files.Problems{tooLarge(path, "is too large")}
	}
	return f, nil
}

func symlink(path string) files.Problem {
	return files.Problem{File: path, Message: "is a symlink, which is not followed: commit the file itself"}
}

func tooLarge(path, what string) files.Problem {
	return files.Problem{File: path, Message: what + ": at most 100 KB are allowed"}
}
