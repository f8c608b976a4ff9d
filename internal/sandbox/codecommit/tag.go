package codecommit

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
)

// tagsMost is how many tags a repository has.
const tagsMost = 50

// TagResource adds tags to a repository, or gives them other values.
func (s *Service) TagResource(_ context.Context, in *codecommit.TagResourceInput) (*codecommit.TagResourceOutput, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return &codecommit.TagResourceOutput{}, s.tagged(in.ResourceArn, func(r *repository) error {
		tags := maps.Clone(r.Tags)
		maps.Copy(tags, in.Tags)
		if err := checkTags(tags); err != nil {
			return err
		}
		r.Tags = tags
		return nil
	})
}

// UntagResource removes tags of a repository.
func (s *Service) UntagResource(_ context.Context, in *codecommit.UntagResourceInput) (*codecommit.UntagResourceOutput, error) {
	return &codecommit.UntagResourceOutput{}, s.tagged(in.ResourceArn, func(r *repository) error {
		for _, key := range in.TagKeys {
			delete(r.Tags, key)
		}
		return nil
	})
}

// ListTagsForResource answers with the tags of a repository.
func (s *Service) ListTagsForResource(_ context.Context, in *codecommit.ListTagsForResourceInput) (*codecommit.ListTagsForResourceOutput, error) {
	out := &codecommit.ListTagsForResourceOutput{Tags: map[string]string{}}
	return out, s.tagged(in.ResourceArn, func(r *repository) error {
		maps.Copy(out.Tags, r.Tags)
		return nil
	})
}

// tagged calls f with the repository of an ARN.
func (s *Service) tagged(arn *string, f func(*repository) error) error {
	if aws.ToString(arn) == "" {
		return fail("ResourceArnRequiredException", "A valid Amazon Resource Name (ARN) for an AWS CodeCommit resource is required.")
	}
	name, ok := strings.CutPrefix(*arn, s.arn(&repository{}))
	if !ok {
		return fail("InvalidResourceArnException", "The value for the resource ARN is not valid.")
	}
	s.mu.Lock()
	r := s.repositories[name]
	err := fail("RepositoryDoesNotExistException", "%s does not exist", name)
	if r != nil {
		err = f(r)
	}
	s.mu.Unlock()
	s.options.Changed()
	return err
}

func checkTags(tags map[string]string) error {
	if len(tags) > tagsMost {
		return fail("TooManyTagsException", "The maximum number of tags for an AWS CodeCommit resource has been exceeded.")
	}
	for key := range tags {
		if strings.HasPrefix(key, "aws:") {
			return fail("InvalidSystemTagUsageException", "The specified tag is not valid. Key names cannot be prefixed with aws:.")
		}
	}
	return nil
}
