package codepipeline

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// tagsMost is how many tags a pipeline has at most.
const tagsMost = 50

func (a api) TagResource(_ context.Context, in *codepipeline.TagResourceInput) (*codepipeline.TagResourceOutput, error) {
	p, err := a.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := tagged(p.Tags, in.Tags)
	if err != nil {
		return nil, err
	}
	p.Tags = tags
	return &codepipeline.TagResourceOutput{}, nil
}

func (a api) UntagResource(_ context.Context, in *codepipeline.UntagResourceInput) (*codepipeline.UntagResourceOutput, error) {
	p, err := a.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(p.Tags, key)
	}
	return &codepipeline.UntagResourceOutput{}, nil
}

func (a api) ListTagsForResource(_ context.Context, in *codepipeline.ListTagsForResourceInput) (*codepipeline.ListTagsForResourceOutput, error) {
	p, err := a.resource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &codepipeline.ListTagsForResourceOutput{Tags: p.tagList()}, nil
}

// resource finds the pipeline of an ARN. The texts of the errors are ours.
func (s *Service) resource(arn *string) (*pipeline, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.arn(""))
	if !ok {
		return nil, errCoded("InvalidArnException", "Invalid ARN: %s", aws.ToString(arn))
	}
	p := s.state.Pipelines[name]
	if p == nil {
		return nil, errCoded("ResourceNotFoundException", "The account with id '%s' does not include a pipeline with the name '%s'", s.options.Account, name)
	}
	return p, nil
}

// tagged adds tags to those that there are.
func tagged(tags map[string]string, more []types.Tag) (map[string]string, error) {
	tags = maps.Clone(tags)
	if tags == nil {
		tags = map[string]string{}
	}
	for _, tag := range more {
		key := aws.ToString(tag.Key)
		if key == "" || strings.HasPrefix(key, "aws:") {
			return nil, errCoded("InvalidTagsException", "Not allowed to modify system tags. System tags start with 'aws:'. msg: [%s]", key)
		}
		tags[key] = aws.ToString(tag.Value)
	}
	if len(tags) > tagsMost {
		return nil, errCoded("TooManyTagsException", "The tag limit for a resource has been exceeded")
	}
	return tags, nil
}
