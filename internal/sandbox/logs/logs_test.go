package logs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// world has a group of two streams, with a line a second in turn: a0 b1 a2 b3….
func world(t *testing.T, lines int) *sandboxtest.World {
	t.Helper()
	w := sandboxtest.New(t)
	for i := range lines {
		name := []string{"a", "b"}[i%2]
		w.Around().Logs.Put("/ecs/app", name, fmt.Sprint(name, i))
		timer := time.NewTimer(time.Second)
		<-timer.C
	}
	return w
}

func get(t *testing.T, w *sandboxtest.World, change func(*cloudwatchlogs.GetLogEventsInput)) (string, *cloudwatchlogs.GetLogEventsOutput) {
	t.Helper()
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/ecs/app"), LogStreamName: aws.String("a")}
	if change != nil {
		change(in)
	}
	out, err := w.Logs().GetLogEvents(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, event := range out.Events {
		lines = append(lines, *event.Message)
	}
	return strings.Join(lines, " "), out
}

func TestGetLogEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := world(t, 10)
		w.Restart()
		if got, out := get(t, w, nil); got != "a0 a2 a4 a6 a8" || *out.Events[1].Timestamp != began.Add(2*time.Second).UnixMilli() {
			t.Errorf("all: %s", got)
		}
		newest, out := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) { in.Limit = aws.Int32(2) })
		if newest != "a6 a8" {
			t.Errorf("the newest: %s", newest)
		}
		if got, _ := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) {
			in.Limit, in.NextToken = aws.Int32(2), out.NextBackwardToken
		}); got != "a2 a4" {
			t.Errorf("those before: %s", got)
		}
		got, end := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) { in.NextToken = out.NextForwardToken })
		if got != "" || *end.NextForwardToken != *out.NextForwardToken {
			t.Errorf("after the end: %s %s", got, *end.NextForwardToken)
		}
		w.Around().Logs.Put("/ecs/app", "a", "more")
		if got, _ := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) { in.NextToken = end.NextForwardToken }); got != "more" {
			t.Errorf("what came since: %s", got)
		}
		head, out := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) { in.StartFromHead, in.Limit = aws.Bool(true), aws.Int32(2) })
		next, _ := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) {
			in.NextToken, in.Limit = out.NextForwardToken, aws.Int32(2)
		})
		if head != "a0 a2" || next != "a4 a6" {
			t.Errorf("from the head: %s, then %s", head, next)
		}
		if got, _ := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) {
			in.StartTime, in.EndTime = aws.Int64(began.Add(2*time.Second).UnixMilli()), aws.Int64(began.Add(6*time.Second).UnixMilli())
		}); got != "a2 a4" {
			t.Errorf("a span: %s", got)
		}
	})
}

// TestOldestAreDropped: a stream keeps its newest lines, and tokens still lead on.
func TestOldestAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		for i := range 1500 {
			w.Around().Logs.Put("/ecs/app", "a", fmt.Sprint(i))
		}
		_, out := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) { in.Limit = aws.Int32(1) })
		w.Around().Logs.Put("/ecs/app", "a", "last")
		if got, _ := get(t, w, func(in *cloudwatchlogs.GetLogEventsInput) { in.NextToken = out.NextForwardToken }); got != "last" {
			t.Errorf("what came since: %s", got)
		}
		if _, all := get(t, w, nil); len(all.Events) != 1000 {
			t.Errorf("%d lines", len(all.Events))
		}
		for i := range 600 {
			w.Around().Logs.Put("/ecs/many", fmt.Sprintf("s%03d", i), "x")
		}
		n := 0
		pages := cloudwatchlogs.NewDescribeLogStreamsPaginator(w.Logs(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/ecs/many")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.LogStreams)
		}
		if n != 500 {
			t.Errorf("%d streams", n)
		}
	})
}

func TestFilterLogEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, 6)
		for _, line := range []string{"error: it broke", "warning: it may break", "error: it is gone"} {
			w.Around().Logs.Put("/ecs/app", "b", line)
		}
		for _, c := range []struct {
			pattern string
			streams []string
			want    string
		}{
			{"", nil, "a0 b1 a2 b3 a4 b5 error: it broke|warning: it may break|error: it is gone"},
			{"", []string{"a"}, "a0 a2 a4"},
			{"error", nil, "error: it broke|error: it is gone"},
			{"error -gone", nil, "error: it broke"},
			{"?gone ?may", nil, "warning: it may break|error: it is gone"},
			{`"it is"`, nil, "error: it is gone"},
		} {
			in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/ecs/app"), LogStreamNames: c.streams, Limit: aws.Int32(4)}
			if c.pattern != "" {
				in.FilterPattern = &c.pattern
			}
			var got []string
			pages := cloudwatchlogs.NewFilterLogEventsPaginator(w.Logs(), in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, event := range page.Events {
					got = append(got, *event.Message)
				}
			}
			flat := strings.NewReplacer("|", " ")
			if flat.Replace(strings.Join(got, " ")) != flat.Replace(c.want) {
				t.Errorf("%q of %v: %v, want %s", c.pattern, c.streams, got, c.want)
			}
		}
	})
}

func TestGroupsAndStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, 3)
		client, ctx := w.Logs(), t.Context()
		if _, err := client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/ecs/empty")}); err != nil {
			t.Fatal(err)
		}
		out, err := client.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/ecs/")})
		if err != nil || len(out.LogGroups) != 2 || *out.LogGroups[0].LogGroupName != "/ecs/app" || *out.LogGroups[0].StoredBytes != 6 {
			t.Error(out, err)
		}
		streams, err := client.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/ecs/app"), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range streams.LogStreams {
			names = append(names, *s.LogStreamName)
		}
		if !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("streams %v", names)
		}
		_, exists := client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/ecs/app")})
		_, noGroup := client.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("x")})
		_, noStream := client.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/ecs/app"), LogStreamName: aws.String("x")})
		_, badToken := client.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/ecs/app"), LogStreamName: aws.String("a"), NextToken: aws.String("x")})
		_, json := client.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/ecs/app"), FilterPattern: aws.String("{ $.a = 1 }")})
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"exists":    {exists, "ResourceAlreadyExistsException"},
			"no group":  {noGroup, "ResourceNotFoundException"},
			"no stream": {noStream, "ResourceNotFoundException"},
			"bad token": {badToken, "InvalidParameterException"},
			"JSON":      {json, "InvalidParameterException"},
		} {
			if api, ok := errors.AsType[smithy.APIError](c.err); !ok || api.ErrorCode() != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
		if _, err := client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("/ecs/app")}); err != nil {
			t.Error(err)
		}
	})
}
