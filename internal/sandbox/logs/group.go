package logs

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// describeMost is how many groups or streams an answer has.
const describeMost = 50

// CreateLogGroup makes an empty group.
func (s *Service) CreateLogGroup(_ context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name := aws.ToString(in.LogGroupName)
	if name == "" || len(name) > 512 {
		return nil, errParameter("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must have length between 1 and 512", name)
	}
	s.mu.Lock()
	existed := s.groups[name] != nil
	if !existed {
		s.groups[name] = &group{CreatedAt: time.Now().UnixMilli(), Streams: map[string]*stream{}}
	}
	s.mu.Unlock()
	if existed {
		return nil, errCoded("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	s.options.Changed()
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

// DeleteLogGroup deletes a group with its streams.
func (s *Service) DeleteLogGroup(_ context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	s.mu.Lock()
	name, _, err := s.group(in.LogGroupName, nil)
	delete(s.groups, name)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s.options.Changed()
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

// DescribeLogGroups answers with the groups whose names begin with a prefix.
func (s *Service) DescribeLogGroups(_ context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []types.LogGroup
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		if !strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) || !strings.Contains(name, aws.ToString(in.LogGroupNamePattern)) {
			continue
		}
		g := s.groups[name]
		stored := int64(0)
		for _, st := range g.Streams {
			stored += st.bytes()
		}
		found = append(found, types.LogGroup{
			Arn: aws.String(s.arn(name) + ":*"), LogGroupArn: aws.String(s.arn(name)), LogGroupName: aws.String(name),
			LogGroupClass: types.LogGroupClassStandard, CreationTime: aws.Int64(g.CreatedAt), MetricFilterCount: aws.Int32(0), StoredBytes: aws.Int64(stored),
		})
	}
	found, next, err := awsjson.Page(found, in.NextToken, int(cmp.Or(aws.ToInt32(in.Limit), describeMost)))
	if err != nil {
		return nil, errParameter("The specified nextToken is invalid.")
	}
	return &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: found, NextToken: next}, nil
}

// DescribeLogStreams answers with a group's streams, by name or by the time of
// their newest line.
func (s *Service) DescribeLogStreams(_ context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	groupName, g, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, errParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	names := slices.Sorted(maps.Keys(g.Streams))
	if byTime {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(g.Streams[a].last(), g.Streams[b].last()) })
	}
	if aws.ToBool(in.Descending) {
		slices.Reverse(names)
	}
	var found []types.LogStream
	for _, name := range names {
		if !strings.HasPrefix(name, aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		st := g.Streams[name]
		described := types.LogStream{
			Arn: aws.String(s.arn(groupName) + ":log-stream:" + name), LogStreamName: aws.String(name),
			CreationTime: aws.Int64(st.CreatedAt),
		}
		if len(st.Events) > 0 {
			described.FirstEventTimestamp = aws.Int64(st.Events[0].At)
			described.LastEventTimestamp, described.LastIngestionTime = aws.Int64(st.last()), aws.Int64(st.last())
		}
		found = append(found, described)
	}
	found, next, err := awsjson.Page(found, in.NextToken, int(cmp.Or(aws.ToInt32(in.Limit), describeMost)))
	if err != nil {
		return nil, errParameter("The specified nextToken is invalid.")
	}
	return &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: found, NextToken: next}, nil
}

// bytes is how much a stream holds.
func (st *stream) bytes() int64 {
	n := 0
	for _, e := range st.Events {
		n += len(e.Message)
	}
	return int64(n)
}
