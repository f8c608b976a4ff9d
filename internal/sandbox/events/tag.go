package events

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// TagResource adds tags to a rule or a bus, or gives them other values.
func (s *Service) TagResource(_ context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	return change(s, func() (*eventbridge.TagResourceOutput, error) {
		tags, err := s.tags(in.ResourceARN)
		if err != nil {
			return nil, err
		}
		kept := slices.DeleteFunc(slices.Clone(*tags), func(t types.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(other types.Tag) bool { return *other.Key == *t.Key })
		})
		*tags = append(kept, in.Tags...)
		return &eventbridge.TagResourceOutput{}, nil
	})
}

// UntagResource removes tags of a rule or a bus.
func (s *Service) UntagResource(_ context.Context, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	return change(s, func() (*eventbridge.UntagResourceOutput, error) {
		tags, err := s.tags(in.ResourceARN)
		if err != nil {
			return nil, err
		}
		*tags = slices.DeleteFunc(slices.Clone(*tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return &eventbridge.UntagResourceOutput{}, nil
	})
}

// ListTagsForResource answers with the tags of a rule or a bus.
func (s *Service) ListTagsForResource(_ context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, err := s.tags(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &eventbridge.ListTagsForResourceOutput{Tags: append([]types.Tag{}, *tags...)}, nil
}

// tags finds the tags of an ARN, but the default bus's. The caller holds the lock.
func (s *Service) tags(arn *string) (*[]types.Tag, error) {
	if name, ok := strings.CutPrefix(aws.ToString(arn), s.arn("event-bus/")); ok {
		if b := s.state.Buses[name]; b != nil {
			return &b.Tags, nil
		}
		return nil, errNotFound("Event bus %s does not exist.", name)
	}
	name, ok := strings.CutPrefix(aws.ToString(arn), s.arn("rule/"))
	if !ok {
		return nil, errValidation("Parameter ResourceARN is not valid. Reason: Provided Arn is not a rule's or an event bus's.")
	}
	bus := defaultBus
	if before, after, found := strings.Cut(name, "/"); found {
		bus, name = before, after
	}
	r, err := s.rule(&bus, &name)
	if err != nil {
		return nil, err
	}
	return &r.Tags, nil
}
