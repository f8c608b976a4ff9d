package codecommit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

// ListFileCommitHistory answers with the versions of a file from a commit back: of the
// default branch, if none is named. The file keeps its history where it is renamed. A
// file that the commit does not have has no versions: AWS documents no error for it.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_ListFileCommitHistory.html
func (s *Service) ListFileCommitHistory(ctx context.Context, in *codecommit.ListFileCommitHistoryInput) (*codecommit.ListFileCommitHistoryOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	file, err := checkPath(in.FilePath)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	commit, err := resolve(ctx, git, aws.ToString(in.CommitSpecifier))
	if err != nil {
		return nil, err
	}
	dag := []types.FileVersion{}
	there, err := lookUp(ctx, git, commit.ID, file)
	if err != nil {
		return nil, err
	}
	if there.object.ID != "" && there.object.Type != "tree" {
		versions, err := git.History(ctx, commit.ID, file)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			commit := readCommit(v.Commit)
			version := types.FileVersion{Commit: &commit, Path: aws.String(v.Path), RevisionChildren: append([]string{}, v.Children...)}
			if v.Blob != "" {
				version.BlobId = aws.String(v.Blob)
			}
			dag = append(dag, version)
		}
	}
	dag, next, err := page(dag, in.NextToken, size)
	return &codecommit.ListFileCommitHistoryOutput{RevisionDag: dag, NextToken: next}, err
}
