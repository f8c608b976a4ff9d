package lambda

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func (a api) TagResource(_ context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	return change(a.Service, func() (*lambda.TagResourceOutput, error) {
		f, _, err := a.find(in.Resource, nil)
		if err != nil {
			return nil, err
		}
		tags := maps.Clone(f.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, in.Tags)
		f.Tags = tags
		return &lambda.TagResourceOutput{}, nil
	})
}

func (a api) UntagResource(_ context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	return change(a.Service, func() (*lambda.UntagResourceOutput, error) {
		f, _, err := a.find(in.Resource, nil)
		if err != nil {
			return nil, err
		}
		f.Tags = maps.Clone(f.Tags)
		for _, key := range in.TagKeys {
			delete(f.Tags, key)
		}
		return &lambda.UntagResourceOutput{}, nil
	})
}

func (a api) ListTags(_ context.Context, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, _, err := a.find(in.Resource, nil)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListTagsOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, f.Tags)
	return out, nil
}
