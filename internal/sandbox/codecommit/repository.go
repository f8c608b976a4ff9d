package codecommit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// What CodeCommit takes.
// https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
const (
	nameMost        = 100  // characters
	descriptionMost = 1000 // characters
	pageMost        = 1000 // repositories and branches of an answer: ours
)

// CreateRepository makes an empty repository.
func (s *Service) CreateRepository(ctx context.Context, in *codecommit.CreateRepositoryInput) (*codecommit.CreateRepositoryOutput, error) {
	if err := checkName(in.RepositoryName); err != nil {
		return nil, err
	}
	if err := checkDescription(in.RepositoryDescription); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	name := *in.RepositoryName
	s.mu.Lock()
	if s.repositories[name] != nil {
		s.mu.Unlock()
		return nil, fail("RepositoryNameExistsException", "Repository named %s already exists", name)
	}
	r := s.newRepository(name, s.folder(name))
	r.Description, r.KMSKeyID = aws.ToString(in.RepositoryDescription), cmp.Or(aws.ToString(in.KmsKeyId), r.KMSKeyID)
	for key, value := range in.Tags {
		r.Tags[key] = value
	}
	s.repositories[name] = r
	s.mu.Unlock()
	git, err := s.git(ctx, r)
	if err != nil {
		s.mu.Lock()
		delete(s.repositories, name)
		s.mu.Unlock()
		return nil, err
	}
	s.options.Changed()
	metadata, err := s.metadata(ctx, r, git)
	return &codecommit.CreateRepositoryOutput{RepositoryMetadata: metadata}, err
}

// GetRepository answers with a repository's metadata.
func (s *Service) GetRepository(ctx context.Context, in *codecommit.GetRepositoryInput) (*codecommit.GetRepositoryOutput, error) {
	r, git, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	metadata, err := s.metadata(ctx, r, git)
	return &codecommit.GetRepositoryOutput{RepositoryMetadata: metadata}, err
}

// BatchGetRepositories answers with the metadata of those repositories that there
// are.
func (s *Service) BatchGetRepositories(ctx context.Context, in *codecommit.BatchGetRepositoriesInput) (*codecommit.BatchGetRepositoriesOutput, error) {
	if len(in.RepositoryNames) == 0 {
		return nil, fail("RepositoryNamesRequiredException", "At least one repository name object is required, but was not specified.")
	}
	out := &codecommit.BatchGetRepositoriesOutput{Repositories: []types.RepositoryMetadata{}, RepositoriesNotFound: []string{}}
	for _, name := range in.RepositoryNames {
		r, git, err := s.find(ctx, &name)
		if err != nil {
			out.RepositoriesNotFound = append(out.RepositoriesNotFound, name)
			continue
		}
		metadata, err := s.metadata(ctx, r, git)
		if err != nil {
			return nil, err
		}
		out.Repositories = append(out.Repositories, *metadata)
	}
	return out, nil
}

// ListRepositories answers with names and ids, by name unless in.SortBy says by
// time.
func (s *Service) ListRepositories(_ context.Context, in *codecommit.ListRepositoriesInput) (*codecommit.ListRepositoriesOutput, error) {
	s.mu.Lock()
	var all []repository
	for _, r := range s.repositories {
		all = append(all, *r)
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b repository) int {
		order := cmp.Compare(a.Name, b.Name)
		if in.SortBy == types.SortByEnumModifiedDate {
			order = cmp.Or(a.Modified.Compare(b.Modified), order)
		}
		if in.Order == types.OrderEnumDescending {
			return -order
		}
		return order
	})
	found, next, err := page(all, in.NextToken, pageMost)
	out := &codecommit.ListRepositoriesOutput{Repositories: []types.RepositoryNameIdPair{}, NextToken: next}
	for _, r := range found {
		out.Repositories = append(out.Repositories, types.RepositoryNameIdPair{RepositoryName: aws.String(r.Name), RepositoryId: aws.String(r.ID)})
	}
	return out, err
}

// DeleteRepository deletes a repository with its commits. One that does not exist
// is no error, and has no id.
// https://docs.aws.amazon.com/codecommit/latest/APIReference/API_DeleteRepository.html
func (s *Service) DeleteRepository(_ context.Context, in *codecommit.DeleteRepositoryInput) (*codecommit.DeleteRepositoryOutput, error) {
	if err := checkName(in.RepositoryName); err != nil {
		return nil, err
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	s.mu.Lock()
	r := s.repositories[*in.RepositoryName]
	delete(s.repositories, *in.RepositoryName)
	s.mu.Unlock()
	if r == nil {
		return &codecommit.DeleteRepositoryOutput{}, nil
	}
	if git := s.open[r.ID]; git != nil {
		git.Close()
		delete(s.open, r.ID)
	}
	s.options.Changed()
	return &codecommit.DeleteRepositoryOutput{RepositoryId: aws.String(r.ID)}, os.RemoveAll(filepath.Join(s.options.Dir, r.Folder))
}

// UpdateRepositoryDescription sets the description, or removes it.
func (s *Service) UpdateRepositoryDescription(_ context.Context, in *codecommit.UpdateRepositoryDescriptionInput) (*codecommit.UpdateRepositoryDescriptionOutput, error) {
	if err := checkDescription(in.RepositoryDescription); err != nil {
		return nil, err
	}
	return &codecommit.UpdateRepositoryDescriptionOutput{}, s.modify(in.RepositoryName, func(r *repository) error {
		r.Description = aws.ToString(in.RepositoryDescription)
		return nil
	})
}

// UpdateRepositoryName renames a repository, and with it the URL to clone.
func (s *Service) UpdateRepositoryName(_ context.Context, in *codecommit.UpdateRepositoryNameInput) (*codecommit.UpdateRepositoryNameOutput, error) {
	if err := checkName(in.NewName); err != nil {
		return nil, err
	}
	return &codecommit.UpdateRepositoryNameOutput{}, s.modify(in.OldName, func(r *repository) error {
		if s.repositories[*in.NewName] != nil {
			return fail("RepositoryNameExistsException", "Repository named %s already exists", *in.NewName)
		}
		delete(s.repositories, r.Name)
		r.Name = *in.NewName
		s.repositories[r.Name] = r
		return nil
	})
}

// UpdateRepositoryEncryptionKey sets the key that the repository is said to be
// encrypted with.
func (s *Service) UpdateRepositoryEncryptionKey(_ context.Context, in *codecommit.UpdateRepositoryEncryptionKeyInput) (*codecommit.UpdateRepositoryEncryptionKeyOutput, error) {
	if aws.ToString(in.KmsKeyId) == "" {
		return nil, fail("EncryptionKeyRequiredException", "A KMS encryption key ID is required but was not specified.")
	}
	out := &codecommit.UpdateRepositoryEncryptionKeyOutput{KmsKeyId: in.KmsKeyId}
	return out, s.modify(in.RepositoryName, func(r *repository) error {
		out.RepositoryId, out.OriginalKmsKeyId = aws.String(r.ID), aws.String(r.KMSKeyID)
		r.KMSKeyID = *in.KmsKeyId
		return nil
	})
}

// modify changes what is kept of a repository.
func (s *Service) modify(name *string, change func(*repository) error) error {
	if err := checkName(name); err != nil {
		return err
	}
	s.mu.Lock()
	r := s.repositories[*name]
	err := fail("RepositoryDoesNotExistException", "%s does not exist", *name)
	if r != nil {
		if err = change(r); err == nil {
			r.Modified = time.Now().UTC()
		}
	}
	s.mu.Unlock()
	s.options.Changed()
	return err
}

func (s *Service) metadata(ctx context.Context, r *repository, git *gitserver.Repository) (*types.RepositoryMetadata, error) {
	branch, err := defaultBranch(ctx, git)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &types.RepositoryMetadata{
		AccountId: aws.String(s.options.Account), RepositoryId: aws.String(r.ID), RepositoryName: aws.String(r.Name), Arn: aws.String(s.arn(r)),
		CloneUrlHttp: aws.String(s.cloneURLLocked(r)), CloneUrlSsh: aws.String("ssh://git-codecommit." + s.options.Region + ".amazonaws.com/v1/repos/" + r.Name),
		CreationDate: &r.Created, LastModifiedDate: &r.Modified, KmsKeyId: aws.String(r.KMSKeyID),
	}
	created, modified := r.Created, r.Modified
	m.CreationDate, m.LastModifiedDate = &created, &modified
	if r.Description != "" {
		m.RepositoryDescription = aws.String(r.Description)
	}
	if branch != "" {
		m.DefaultBranch = aws.String(branch)
	}
	return m, nil
}

// defaultKey is the id of the account's key aws/codecommit, which encrypts what no
// other key does. There is no KMS: the id is made up, and stays the same.
func (s *Service) defaultKey() string {
	sum := sha256.Sum256([]byte("aws/codecommit " + s.options.Region + s.options.Account))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// checkName says what is wrong with a repository's name.
func checkName(name *string) error {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	switch n := aws.ToString(name); {
	case n == "":
		return fail("RepositoryNameRequiredException", "A repository name is required, but was not specified.")
	case len(n) > nameMost || strings.Trim(n, allowed) != "" || strings.HasSuffix(n, ".git"):
		return fail("InvalidRepositoryNameException", "The repository name %s is not valid. Repository names can be any valid combination of letters, numbers, periods, underscores, and dashes "+
			"between 1 and 100 characters in length. Names are case-sensitive. Repository names cannot end in .git.", n)
	}
	return nil
}

func checkDescription(description *string) error {
	if len([]rune(aws.ToString(description))) > descriptionMost {
		return fail("InvalidRepositoryDescriptionException", "The specified repository description is not valid.")
	}
	return nil
}
