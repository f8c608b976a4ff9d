package codedeploy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// applicationARN and groupARN are what tags are kept by.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-iam-access-control-identity-based.html
func (c *Service) applicationARN(name string) string {
	return "arn:aws:codedeploy:" + c.options.Region + ":" + c.options.Account + ":application:" + name
}

func (c *Service) groupARN(application, name string) string {
	return "arn:aws:codedeploy:" + c.options.Region + ":" + c.options.Account + ":deploymentgroup:" + application + "/" + name
}

// TagResource adds tags to an application or a deployment group.
func (a api) TagResource(_ context.Context, in *codedeploy.TagResourceInput) (*codedeploy.TagResourceOutput, error) {
	if err := a.resource(in.ResourceArn); err != nil {
		return nil, err
	}
	return &codedeploy.TagResourceOutput{}, a.tag(*in.ResourceArn, in.Tags)
}

// UntagResource removes tags.
func (a api) UntagResource(_ context.Context, in *codedeploy.UntagResourceInput) (*codedeploy.UntagResourceOutput, error) {
	if err := a.resource(in.ResourceArn); err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(a.state.Tags[*in.ResourceArn], key)
	}
	return &codedeploy.UntagResourceOutput{}, nil
}

// ListTagsForResource answers with the tags, sorted by their keys.
func (a api) ListTagsForResource(_ context.Context, in *codedeploy.ListTagsForResourceInput) (*codedeploy.ListTagsForResourceOutput, error) {
	if err := a.resource(in.ResourceArn); err != nil {
		return nil, err
	}
	tags := a.state.Tags[*in.ResourceArn]
	out := &codedeploy.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out, nil
}

// resource refuses an ARN of what is not there. The texts of the errors are ours.
func (c *Service) resource(arn *string) error {
	text := aws.ToString(arn)
	if text == "" {
		return errCoded("ResourceArnRequiredException", "The ARN of a resource is required")
	}
	if name, found := strings.CutPrefix(text, c.applicationARN("")); found {
		_, err := c.application(&name)
		return err
	}
	if name, found := strings.CutPrefix(text, strings.TrimSuffix(c.groupARN("", ""), "/")); found {
		application, group, _ := strings.Cut(name, "/")
		_, err := c.group(&application, &group)
		return err
	}
	return errCoded("InvalidArnException", "The specified ARN is not in a valid format: %s", text)
}

// tag adds tags to those that a resource has.
func (c *Service) tag(arn string, more []types.Tag) error {
	tags := maps.Clone(c.state.Tags[arn])
	if tags == nil {
		tags = map[string]string{}
	}
	for _, tag := range more {
		key := aws.ToString(tag.Key)
		if key == "" || strings.HasPrefix(key, "aws:") {
			return errCoded("InvalidTagsToAddException", "The specified tags are not valid: %q", key)
		}
		tags[key] = aws.ToString(tag.Value)
	}
	if len(tags) == 0 {
		return nil
	}
	if c.state.Tags == nil {
		c.state.Tags = map[string]map[string]string{}
	}
	c.state.Tags[arn] = tags
	return nil
}
