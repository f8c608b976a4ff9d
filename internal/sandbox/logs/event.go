package logs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// eventsMost is how many lines an answer has.
const eventsMost = 10000

// GetLogEvents answers with a stream's lines, oldest first: the newest that are
// within the limit, or the oldest with startFromHead. The tokens lead on in both
// directions; at the end a token is the same again.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
func (s *Service) GetLogEvents(_ context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, g, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	st := g.Streams[aws.ToString(in.LogStreamName)]
	if st == nil {
		return nil, errCoded("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	limit := int(cmp.Or(aws.ToInt32(in.Limit), eventsMost))
	if limit < 1 || limit > eventsMost {
		return nil, errParameter("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value from 1 to %d", limit, eventsMost)
	}
	var lines []event
	for _, e := range st.Events {
		if within(e, in.StartTime, in.EndTime) {
			lines = append(lines, e)
		}
	}
	// A token is a place between two lines, counted from the stream's beginning.
	first := st.Dropped
	from, to := max(len(lines)-limit, 0), len(lines)
	if aws.ToBool(in.StartFromHead) {
		from, to = 0, min(limit, len(lines))
	}
	if in.NextToken != nil {
		direction, at := "", 0
		if _, err := fmt.Sscanf(*in.NextToken, "%1s/%d", &direction, &at); err != nil || direction != "f" && direction != "b" {
			return nil, errParameter("The specified nextToken is invalid.")
		}
		at = min(max(at-first, 0), len(lines))
		from, to = at, min(at+limit, len(lines))
		if direction == "b" {
			from, to = max(at-limit, 0), at
		}
	}
	out := &cloudwatchlogs.GetLogEventsOutput{
		Events:            []types.OutputLogEvent{},
		NextForwardToken:  aws.String(fmt.Sprintf("f/%d", first+to)),
		NextBackwardToken: aws.String(fmt.Sprintf("b/%d", first+from)),
	}
	for _, e := range lines[from:to] {
		out.Events = append(out.Events, types.OutputLogEvent{Message: aws.String(e.Message), Timestamp: aws.Int64(e.At), IngestionTime: aws.Int64(e.At)})
	}
	return out, nil
}

// FilterLogEvents answers with the lines of a group's streams that match a
// pattern, oldest first.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func (s *Service) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	groupName, g, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, errParameter("logStreamNames and logStreamNamePrefix exclude each other.")
	}
	for _, name := range in.LogStreamNames {
		if g.Streams[name] == nil {
			return nil, errCoded("ResourceNotFoundException", "The specified log stream does not exist.")
		}
	}
	matches, err := pattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	var found []types.FilteredLogEvent
	for _, name := range slices.Sorted(maps.Keys(g.Streams)) {
		if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, name) || !strings.HasPrefix(name, aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		st := g.Streams[name]
		for i, e := range st.Events {
			if within(e, in.StartTime, in.EndTime) && matches(e.Message) {
				found = append(found, types.FilteredLogEvent{
					EventId: aws.String(fmt.Sprintf("%s/%s/%d", groupName, name, st.Dropped+i)), LogStreamName: aws.String(name),
					Message: aws.String(e.Message), Timestamp: aws.Int64(e.At), IngestionTime: aws.Int64(e.At),
				})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b types.FilteredLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) })
	found, next, err := awsjson.Page(found, in.NextToken, int(cmp.Or(aws.ToInt32(in.Limit), eventsMost)))
	if err != nil {
		return nil, errParameter("The specified nextToken is invalid.")
	}
	return &cloudwatchlogs.FilterLogEventsOutput{Events: found, NextToken: next}, nil
}

// within says whether a line is in a span of time, from its start on and before
// its end.
func within(e event, start, end *int64) bool {
	return (start == nil || e.At >= *start) && (end == nil || e.At < *end)
}

// pattern reads a filter pattern of terms: all of them, any of those with "?",
// none of those with "-". A term with blanks is quoted.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func pattern(text string) (func(line string) bool, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "%") {
		return nil, errParameter("Invalid filter pattern: the sandbox reads terms alone, not %s", text)
	}
	var all, some, none []string
	for text != "" {
		into := &all
		switch text[0] {
		case '?':
			into, text = &some, text[1:]
		case '-':
			into, text = &none, text[1:]
		}
		var term string
		if quoted, ok := strings.CutPrefix(text, `"`); ok {
			if term, text, ok = strings.Cut(quoted, `"`); !ok {
				return nil, errParameter("Invalid filter pattern: a quote is not closed")
			}
		} else {
			term, text, _ = strings.Cut(text, " ")
		}
		*into = append(*into, term)
		text = strings.TrimSpace(text)
	}
	return func(line string) bool {
		has := func(term string) bool { return strings.Contains(line, term) }
		lacks := func(term string) bool { return !has(term) }
		return !slices.ContainsFunc(all, lacks) && (len(some) == 0 || slices.ContainsFunc(some, has)) && !slices.ContainsFunc(none, has)
	}, nil
}
