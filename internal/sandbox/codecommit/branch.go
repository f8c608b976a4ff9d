package codecommit

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// heads is where git keeps branches.
const heads = "refs/heads/"

// branchMost is how many characters a branch's name has.
const branchMost = 256

// GetBranch answers with a branch's name and its last commit.
func (s *Service) GetBranch(ctx context.Context, in *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkBranch(in.BranchName); err != nil {
		return nil, err
	}
	refs, err := git.Refs(ctx)
	if err != nil {
		return nil, err
	}
	id := refs[heads+*in.BranchName]
	if id == "" {
		return nil, noBranch(*in.BranchName)
	}
	return &codecommit.GetBranchOutput{Branch: &types.BranchInfo{BranchName: in.BranchName, CommitId: aws.String(id)}}, nil
}

// ListBranches answers with the branches' names, in order.
func (s *Service) ListBranches(ctx context.Context, in *codecommit.ListBranchesInput) (*codecommit.ListBranchesOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	refs, err := git.Refs(ctx)
	if err != nil {
		return nil, err
	}
	branches := []string{}
	for ref := range refs {
		if name, ok := strings.CutPrefix(ref, heads); ok {
			branches = append(branches, name)
		}
	}
	slices.Sort(branches)
	branches, next, err := page(branches, in.NextToken, pageMost)
	return &codecommit.ListBranchesOutput{Branches: branches, NextToken: next}, err
}

// CreateBranch makes a branch of a commit.
func (s *Service) CreateBranch(ctx context.Context, in *codecommit.CreateBranchInput) (*codecommit.CreateBranchOutput, error) {
	r, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkBranch(in.BranchName); err != nil {
		return nil, err
	}
	if aws.ToString(in.CommitId) == "" {
		return nil, fail("CommitIdRequiredException", "A commit ID was not specified.")
	}
	if !fullID.MatchString(*in.CommitId) {
		return nil, fail("InvalidCommitIdException", "The specified commit ID is not valid.")
	}
	found, err := git.Objects(ctx, *in.CommitId)
	if err != nil {
		return nil, err
	}
	if found[0].Type != "commit" {
		return nil, fail("CommitDoesNotExistException", "Commit %s does not exist", *in.CommitId)
	}
	err = git.SetRef(ctx, s.cloneURL(r), heads+*in.BranchName, "", found[0].ID)
	if errors.Is(err, gitserver.ErrMoved) {
		return nil, fail("BranchNameExistsException", "Branch %s already exists", *in.BranchName)
	}
	return &codecommit.CreateBranchOutput{}, err
}

// DeleteBranch deletes a branch. One that does not exist is no error, and nothing
// is said to be deleted.
func (s *Service) DeleteBranch(ctx context.Context, in *codecommit.DeleteBranchInput) (*codecommit.DeleteBranchOutput, error) {
	r, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkBranch(in.BranchName); err != nil {
		return nil, err
	}
	if head, err := defaultBranch(ctx, git); err != nil {
		return nil, err
	} else if head == *in.BranchName {
		return nil, fail("DefaultBranchCannotBeDeletedException", "The specified branch is the default branch for the repository, and cannot be deleted. To delete this branch, you must first set another branch as the default branch.")
	}
	refs, err := git.Refs(ctx)
	if err != nil {
		return nil, err
	}
	id := refs[heads+*in.BranchName]
	if id == "" {
		return &codecommit.DeleteBranchOutput{}, nil
	}
	err = git.SetRef(ctx, s.cloneURL(r), heads+*in.BranchName, id, "")
	if errors.Is(err, gitserver.ErrMoved) {
		return nil, fail("ConcurrentReferenceUpdateException", "The branch %s has been modified. Wait a few minutes, and then try again.", *in.BranchName)
	}
	return &codecommit.DeleteBranchOutput{DeletedBranch: &types.BranchInfo{BranchName: in.BranchName, CommitId: aws.String(id)}}, err
}

// UpdateDefaultBranch has another branch be the default one.
func (s *Service) UpdateDefaultBranch(ctx context.Context, in *codecommit.UpdateDefaultBranchInput) (*codecommit.UpdateDefaultBranchOutput, error) {
	_, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkBranch(in.DefaultBranchName); err != nil {
		return nil, err
	}
	refs, err := git.Refs(ctx)
	if err != nil {
		return nil, err
	}
	if refs[heads+*in.DefaultBranchName] == "" {
		return nil, noBranch(*in.DefaultBranchName)
	}
	if err := git.SetHead(ctx, heads+*in.DefaultBranchName); err != nil {
		return nil, err
	}
	return &codecommit.UpdateDefaultBranchOutput{}, s.modify(in.RepositoryName, func(*repository) error { return nil })
}

// defaultBranch is the repository's, empty while there is no branch.
func defaultBranch(ctx context.Context, git *gitserver.Repository) (string, error) {
	head, err := git.Head()
	if err != nil {
		return "", err
	}
	found, err := git.Objects(ctx, head)
	if err != nil || found[0].ID == "" {
		return "", err
	}
	return strings.TrimPrefix(head, heads), nil
}

func noBranch(name string) error {
	return fail("BranchDoesNotExistException", "The specified branch does not exist: %s", name)
}

// fullID is an object's id in full; a branch cannot be named so.
var fullID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// checkBranch says what is wrong with a branch's name.
// https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
func checkBranch(name *string) error {
	n := aws.ToString(name)
	if n == "" {
		return fail("BranchNameRequiredException", "A branch name is required, but was not specified.")
	}
	if !validRef(n) {
		return fail("InvalidBranchNameException", "The specified reference name is not valid.")
	}
	return nil
}

// validRef says whether a name, without refs/heads/ or refs/tags/, can be a ref's.
func validRef(n string) bool {
	bad := len(n) > branchMost || fullID.MatchString(n) || n == "@" || strings.ContainsAny(n, " ?^*[\\~:\x7f") ||
		strings.Contains(n, "..") || strings.Contains(n, "@{") || strings.ContainsFunc(n, func(r rune) bool { return r < ' ' })
	for part := range strings.SplitSeq(n, "/") {
		bad = bad || part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") || strings.HasSuffix(part, ".")
	}
	return !bad
}
