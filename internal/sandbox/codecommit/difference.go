package codecommit

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// GetDifferences answers with the files that two commits do not have alike; with
// all files of the after commit, if no before commit is named. A path limits them
// to what is at or below it, on its side; two different paths compare one folder
// with another. A file that moved is a deletion and an addition.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetDifferences.html
func (s *Service) GetDifferences(ctx context.Context, in *codecommit.GetDifferencesInput) (*codecommit.GetDifferencesOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.AfterCommitSpecifier) == "" {
		return nil, fail("CommitRequiredException", "A commit was not specified.")
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	after, err := resolve(ctx, git, *in.AfterCommitSpecifier)
	if err != nil {
		return nil, err
	}
	empty, err := git.EmptyTree(ctx)
	if err != nil {
		return nil, err
	}
	before := gitserver.Object{ID: empty}
	if aws.ToString(in.BeforeCommitSpecifier) != "" {
		if before, err = resolve(ctx, git, *in.BeforeCommitSpecifier); err != nil {
			return nil, err
		}
	}
	differences, err := compare(ctx, git, before.ID, after.ID, strings.Trim(aws.ToString(in.BeforePath), "/"), strings.Trim(aws.ToString(in.AfterPath), "/"))
	if err != nil {
		return nil, err
	}
	differences, next, err := page(differences, in.NextToken, size)
	return &codecommit.GetDifferencesOutput{Differences: differences, NextToken: next}, err
}

// compare lists the differences between two trees or commits, at and below two
// paths that may be empty.
func compare(ctx context.Context, git *gitserver.Repository, before, after, beforePath, afterPath string) ([]types.Difference, error) {
	if beforePath != "" && afterPath != "" && beforePath != afterPath {
		return comparePaths(ctx, git, before, after, beforePath, afterPath)
	}
	if beforePath == "" {
		beforePath = afterPath
	}
	if beforePath != "" {
		found, err := git.Objects(ctx, before+":"+beforePath, after+":"+beforePath)
		if err != nil {
			return nil, err
		}
		if found[0].ID == "" && found[1].ID == "" {
			return nil, noPath(beforePath)
		}
	}
	all, err := git.Differences(ctx, before, after)
	if err != nil {
		return nil, err
	}
	differences := []types.Difference{}
	for _, d := range all {
		if beforePath == "" || d.Path == beforePath || strings.HasPrefix(d.Path, beforePath+"/") {
			differences = append(differences, difference(d, d.Path, d.Path))
		}
	}
	return differences, nil
}

// comparePaths compares a file or folder with one of another name.
func comparePaths(ctx context.Context, git *gitserver.Repository, before, after, beforePath, afterPath string) ([]types.Difference, error) {
	old, err := lookUp(ctx, git, before, beforePath)
	if err != nil {
		return nil, err
	}
	now, err := lookUp(ctx, git, after, afterPath)
	if err != nil {
		return nil, err
	}
	switch {
	case old.object.ID == "":
		return nil, noPath(beforePath)
	case now.object.ID == "":
		return nil, noPath(afterPath)
	case old.object.Type != "tree" || now.object.Type != "tree":
		if old.object.ID == now.object.ID && old.mode == now.mode {
			return []types.Difference{}, nil
		}
		d := gitserver.Difference{Status: 'M', Before: gitserver.Entry{Mode: old.mode, ID: old.object.ID}, After: gitserver.Entry{Mode: now.mode, ID: now.object.ID}}
		return []types.Difference{difference(d, beforePath, afterPath)}, nil
	}
	all, err := git.Differences(ctx, old.object.ID, now.object.ID)
	if err != nil {
		return nil, err
	}
	differences := []types.Difference{}
	for _, d := range all {
		differences = append(differences, difference(d, beforePath+"/"+d.Path, afterPath+"/"+d.Path))
	}
	return differences, nil
}

func noPath(name string) error {
	return fail("PathDoesNotExistException", "The specified path does not exist: %s", name)
}

func difference(d gitserver.Difference, beforePath, afterPath string) types.Difference {
	return types.Difference{ChangeType: types.ChangeTypeEnum(d.Status), BeforeBlob: blob(d.Before, beforePath), AfterBlob: blob(d.After, afterPath)}
}

func blob(e gitserver.Entry, file string) *types.BlobMetadata {
	if e.ID == "" {
		return nil
	}
	return &types.BlobMetadata{BlobId: aws.String(e.ID), Mode: aws.String(e.Mode), Path: aws.String(file)}
}
