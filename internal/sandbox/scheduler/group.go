package scheduler

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

func (s *Service) newGroup(name string) *group {
	now := aws.Time(time.Now())
	return &group{ScheduleGroupSummary: types.ScheduleGroupSummary{
		Arn: aws.String(s.arn("schedule-group/" + name)), Name: aws.String(name), State: types.ScheduleGroupStateActive,
		CreationDate: now, LastModificationDate: now,
	}}
}

// CreateScheduleGroup makes a group.
func (s *Service) CreateScheduleGroup(_ context.Context, in *scheduler.CreateScheduleGroupInput) (*scheduler.CreateScheduleGroupOutput, error) {
	return change(s, func() (*scheduler.CreateScheduleGroupOutput, error) {
		name := aws.ToString(in.Name)
		if s.state.Groups[name] != nil {
			return nil, errConflict("Schedule group %s already exists.", name)
		}
		g := s.newGroup(name)
		g.Tags = in.Tags
		s.state.Groups[name] = g
		return &scheduler.CreateScheduleGroupOutput{ScheduleGroupArn: g.Arn}, nil
	})
}

// GetScheduleGroup answers with a group.
func (s *Service) GetScheduleGroup(_ context.Context, in *scheduler.GetScheduleGroupInput) (*scheduler.GetScheduleGroupOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.group(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	return &scheduler.GetScheduleGroupOutput{
		Arn: g.Arn, Name: g.Name, State: g.State, CreationDate: g.CreationDate, LastModificationDate: g.LastModificationDate,
	}, nil
}

// DeleteScheduleGroup deletes a group and its schedules; here at once.
func (s *Service) DeleteScheduleGroup(_ context.Context, in *scheduler.DeleteScheduleGroupInput) (*scheduler.DeleteScheduleGroupOutput, error) {
	return change(s, func() (*scheduler.DeleteScheduleGroupOutput, error) {
		g, err := s.group(aws.ToString(in.Name))
		if err != nil {
			return nil, err
		}
		if *g.Name == defaultGroup {
			return nil, errValidation("The default schedule group cannot be deleted.")
		}
		for key, e := range s.state.Schedules {
			if *e.GroupName == *g.Name {
				delete(s.state.Schedules, key)
				s.timetable.Remove(key)
			}
		}
		delete(s.state.Groups, *g.Name)
		return &scheduler.DeleteScheduleGroupOutput{}, nil
	})
}

// ListScheduleGroups answers with all groups.
func (s *Service) ListScheduleGroups(_ context.Context, in *scheduler.ListScheduleGroupsInput) (*scheduler.ListScheduleGroupsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []types.ScheduleGroupSummary
	for _, name := range slices.Sorted(maps.Keys(s.state.Groups)) {
		if strings.HasPrefix(name, aws.ToString(in.NamePrefix)) {
			found = append(found, s.state.Groups[name].ScheduleGroupSummary)
		}
	}
	found, next, err := page(found, in.NextToken, in.MaxResults)
	return &scheduler.ListScheduleGroupsOutput{ScheduleGroups: found, NextToken: next}, err
}

// group finds a group. The caller holds the lock.
func (s *Service) group(name string) (*group, error) {
	if g := s.state.Groups[name]; g != nil {
		return g, nil
	}
	return nil, errNotFound("Schedule group %s does not exist.", name)
}

// TagResource adds tags to a group, or gives them other values: schedules have
// none.
func (s *Service) TagResource(_ context.Context, in *scheduler.TagResourceInput) (*scheduler.TagResourceOutput, error) {
	return change(s, func() (*scheduler.TagResourceOutput, error) {
		g, err := s.tagged(in.ResourceArn)
		if err != nil {
			return nil, err
		}
		tags := slices.DeleteFunc(slices.Clone(g.Tags), func(t types.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(other types.Tag) bool { return *other.Key == *t.Key })
		})
		g.Tags = append(tags, in.Tags...)
		return &scheduler.TagResourceOutput{}, nil
	})
}

// UntagResource removes tags of a group.
func (s *Service) UntagResource(_ context.Context, in *scheduler.UntagResourceInput) (*scheduler.UntagResourceOutput, error) {
	return change(s, func() (*scheduler.UntagResourceOutput, error) {
		g, err := s.tagged(in.ResourceArn)
		if err != nil {
			return nil, err
		}
		g.Tags = slices.DeleteFunc(slices.Clone(g.Tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return &scheduler.UntagResourceOutput{}, nil
	})
}

// ListTagsForResource answers with the tags of a group.
func (s *Service) ListTagsForResource(_ context.Context, in *scheduler.ListTagsForResourceInput) (*scheduler.ListTagsForResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &scheduler.ListTagsForResourceOutput{Tags: append([]types.Tag{}, g.Tags...)}, nil
}

// tagged finds a group by its ARN. The caller holds the lock.
func (s *Service) tagged(arn *string) (*group, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.arn("schedule-group/"))
	if !ok {
		return nil, errValidation("The ARN %s is not a schedule group's.", aws.ToString(arn))
	}
	return s.group(name)
}

// page is the page that token names, at most limit items or a hundred.
func page[T any](items []T, token *string, limit *int32) ([]T, *string, error) {
	found, next, err := awsjson.Page(items, token, int(cmp.Or(aws.ToInt32(limit), 100)))
	if err != nil {
		return nil, nil, errValidation("Invalid NextToken.")
	}
	return found, next, nil
}
