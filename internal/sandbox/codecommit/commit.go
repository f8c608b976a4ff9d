package codecommit

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// commitsMost is how many commits BatchGetCommits answers with.
const commitsMost = 100

// GetCommit answers with a commit, by its full id.
func (s *Service) GetCommit(ctx context.Context, in *codecommit.GetCommitInput) (*codecommit.GetCommitOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.CommitId)
	switch {
	case id == "":
		return nil, fail("CommitIdRequiredException", "A commit ID was not specified.")
	case !fullID.MatchString(id):
		return nil, fail("InvalidCommitIdException", "The specified commit ID is not valid.")
	}
	found, err := git.Objects(ctx, id)
	if err != nil {
		return nil, err
	}
	if found[0].Type != "commit" {
		return nil, fail("CommitIdDoesNotExistException", "The specified commit ID does not exist: %s", id)
	}
	commit := readCommit(found[0])
	return &codecommit.GetCommitOutput{Commit: &commit}, nil
}

// BatchGetCommits answers with commits, and an error for each that there is not.
func (s *Service) BatchGetCommits(ctx context.Context, in *codecommit.BatchGetCommitsInput) (*codecommit.BatchGetCommitsOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	switch n := len(in.CommitIds); {
	case n == 0:
		return nil, fail("CommitIdsListRequiredException", "A list of commit IDs is required, but was either not specified or the list was empty.")
	case n > commitsMost:
		return nil, fail("CommitIdsLimitExceededException", "The maximum number of allowed commit IDs in a batch request is 100. Verify that your batch requests contains no more than 100 commit IDs, and then try again.")
	}
	out := &codecommit.BatchGetCommitsOutput{Commits: []types.Commit{}, Errors: []types.BatchGetCommitsError{}}
	var ids []string
	for _, id := range in.CommitIds {
		if fullID.MatchString(id) {
			ids = append(ids, id)
			continue
		}
		out.Errors = append(out.Errors, types.BatchGetCommitsError{CommitId: aws.String(id), ErrorCode: aws.String("InvalidCommitIdException"), ErrorMessage: aws.String("The specified commit ID is not valid.")})
	}
	found, err := git.Objects(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for i, object := range found {
		if object.Type != "commit" {
			out.Errors = append(out.Errors, types.BatchGetCommitsError{
				CommitId: aws.String(ids[i]), ErrorCode: aws.String("CommitIdDoesNotExistException"), ErrorMessage: aws.String("The specified commit ID does not exist: " + ids[i]),
			})
			continue
		}
		out.Commits = append(out.Commits, readCommit(object))
	}
	return out, nil
}

// readCommit reads a commit object.
func readCommit(o gitserver.Object) types.Commit {
	head, message, _ := strings.Cut(string(o.Content), "\n\n")
	commit := types.Commit{CommitId: aws.String(o.ID), Message: aws.String(message), Parents: []string{}, AdditionalData: aws.String("")}
	for line := range strings.SplitSeq(head, "\n") {
		switch field, value, _ := strings.Cut(line, " "); field {
		case "tree":
			commit.TreeId = aws.String(value)
		case "parent":
			commit.Parents = append(commit.Parents, value)
		case "author":
			commit.Author = readPerson(value)
		case "committer":
			commit.Committer = readPerson(value)
		}
	}
	return commit
}

// readPerson reads "Name <email> 1484167798 -0800".
func readPerson(value string) *types.UserInfo {
	name, rest, _ := strings.Cut(value, " <")
	email, date, _ := strings.Cut(rest, "> ")
	return &types.UserInfo{Name: aws.String(name), Email: aws.String(email), Date: aws.String(date)}
}

// resolve finds the commit that a specifier names: a full id, a branch, a tag, a
// ref in full, or HEAD. An empty one is the default branch.
func resolve(ctx context.Context, git *gitserver.Repository, specifier string) (gitserver.Object, error) {
	var names []string
	switch {
	case specifier == "" || specifier == "HEAD":
		names = []string{"HEAD^{commit}"}
	case fullID.MatchString(specifier):
		names = []string{specifier}
	case strings.HasPrefix(specifier, "refs/") && validRef(specifier):
		names = []string{specifier + "^{commit}"}
	case validRef(specifier):
		names = []string{heads + specifier + "^{commit}", "refs/tags/" + specifier + "^{commit}"}
	default:
		return gitserver.Object{}, fail("InvalidCommitException", "The specified commit is not valid.")
	}
	found, err := git.Objects(ctx, names...)
	if err != nil {
		return gitserver.Object{}, err
	}
	for _, object := range found {
		if object.Type == "commit" {
			return object, nil
		}
	}
	if specifier == "" {
		return gitserver.Object{}, fail("CommitDoesNotExistException", "The specified commit does not exist or no commit was specified, and the specified repository has no default branch.")
	}
	return gitserver.Object{}, fail("CommitDoesNotExistException", "Could not resolve commit specifier %s", specifier)
}
