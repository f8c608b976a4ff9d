package controlplane

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// checkTags refuses what AWS refuses of tags.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html
func checkTags(tags []types.Tag) error {
	if len(tags) > tagsMost {
		return errParameter("The number of tags exceeds the limit of %d.", tagsMost)
	}
	seen := map[string]bool{}
	for _, tag := range tags {
		key := aws.ToString(tag.Key)
		switch {
		case key == "" || len(key) > 128:
			return errParameter("Tag keys must have 1 to 128 characters: %q", key)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return errParameter("Tag keys must not begin with aws: %q", key)
		case seen[key]:
			return errParameter("Duplicate tag keys found: %q", key)
		case len(aws.ToString(tag.Value)) > 256:
			return errParameter("Tag values must have at most 256 characters: %q", key)
		}
		seen[key] = true
	}
	return nil
}

func (a api) TagResource(_ context.Context, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	tags, err := a.tags(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	merged := slices.Clone(*tags)
	for _, tag := range in.Tags {
		same := func(t types.Tag) bool { return aws.ToString(t.Key) == aws.ToString(tag.Key) }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i] = tag
		} else {
			merged = append(merged, tag)
		}
	}
	if err := checkTags(merged); err != nil {
		return nil, err
	}
	*tags = merged
	return &ecs.TagResourceOutput{}, nil
}

func (a api) UntagResource(_ context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	tags, err := a.tags(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	*tags = slices.DeleteFunc(slices.Clone(*tags), func(t types.Tag) bool {
		return slices.Contains(in.TagKeys, aws.ToString(t.Key))
	})
	return &ecs.UntagResourceOutput{}, nil
}

func (a api) ListTagsForResource(_ context.Context, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	tags, err := a.tags(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: orEmpty(*tags)}, nil
}

// tags finds a resource's tags by its ARN.
func (c *ControlPlane) tags(arn string) (*[]types.Tag, error) {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return nil, errParameter("The specified ARN is not valid: %s", arn)
	}
	kind, rest, _ := strings.Cut(fields[5], "/")
	owner, name, _ := strings.Cut(rest, "/")
	switch kind {
	case "cluster":
		if cl := c.state.Clusters[owner]; cl != nil {
			return &cl.Tags, nil
		}
		return nil, errClusterNotFound()
	case "service":
		if cl := c.state.Clusters[owner]; cl != nil && cl.Services[name] != nil {
			return &cl.Services[name].Tags, nil
		}
		return nil, errServiceNotFound()
	case "task":
		if cl := c.state.Clusters[owner]; cl != nil && cl.Tasks[name] != nil {
			return &cl.Tasks[name].Tags, nil
		}
		return nil, errParameter("The specified task is not found: %s", arn)
	case "task-definition":
		td, err := c.lookUp(rest)
		if err != nil {
			return nil, err
		}
		if td != nil {
			return &td.Tags, nil
		}
		return nil, errParameter("The specified task definition is not found: %s", arn)
	default:
		return nil, errParameter("The specified ARN is not taggable here: %s", arn)
	}
}
