package schedule_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
)

func TestNext(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 30, 15, 0, time.UTC) // a Sunday
	toronto, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Skipf("no time zones here: %v", err)
	}
	for _, c := range []struct {
		expression string
		zone       *time.Location
		want       []string // the next ones; fewer than three are all
	}{
		{"rate(5 minutes)", time.UTC, []string{"2026-11-01T12:35:00Z", "2026-11-01T12:40:00Z", "2026-11-01T12:45:00Z"}},
		{"rate(1 day)", time.UTC, []string{"2026-11-02T12:30:00Z", "2026-11-03T12:30:00Z", "2026-11-04T12:30:00Z"}},
		{"at(2026-11-01T13:00:00)", time.UTC, []string{"2026-11-01T13:00:00Z"}},
		{"at(2026-11-01T12:00:00)", time.UTC, nil},
		{"at(2026-11-01T12:00:00)", toronto, []string{"2026-11-01T17:00:00Z"}},
		{"cron(0/15 * * * ? *)", time.UTC, []string{"2026-11-01T12:45:00Z", "2026-11-01T13:00:00Z", "2026-11-01T13:15:00Z"}},
		{"cron(30 12 * * ? *)", time.UTC, []string{"2026-11-02T12:30:00Z", "2026-11-03T12:30:00Z", "2026-11-04T12:30:00Z"}},
		{"cron(15 10 ? * MON-WED *)", time.UTC, []string{"2026-11-02T10:15:00Z", "2026-11-03T10:15:00Z", "2026-11-04T10:15:00Z"}},
		{"cron(15 10 ? * SAT-SUN *)", time.UTC, []string{"2026-11-07T10:15:00Z", "2026-11-08T10:15:00Z", "2026-11-14T10:15:00Z"}},
		{"cron(0 8 1,15 * ? *)", time.UTC, []string{"2026-11-15T08:00:00Z", "2026-12-01T08:00:00Z", "2026-12-15T08:00:00Z"}},
		{"cron(0 8 L * ? *)", time.UTC, []string{"2026-11-30T08:00:00Z", "2026-12-31T08:00:00Z", "2027-01-31T08:00:00Z"}},
		{"cron(0 8 1W * ? *)", time.UTC, []string{"2026-11-02T08:00:00Z", "2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z"}},
		{"cron(0 8 LW * ? *)", time.UTC, []string{"2026-11-30T08:00:00Z", "2026-12-31T08:00:00Z", "2027-01-29T08:00:00Z"}},
		{"cron(0 8 ? * 2#1 *)", time.UTC, []string{"2026-11-02T08:00:00Z", "2026-12-07T08:00:00Z", "2027-01-04T08:00:00Z"}},
		{"cron(0 8 ? * 5L *)", time.UTC, []string{"2026-11-26T08:00:00Z", "2026-12-31T08:00:00Z", "2027-01-28T08:00:00Z"}},
		{"cron(0 0 29 FEB ? 2027-2033)", time.UTC, []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"cron(0 0 31 FEB ? *)", time.UTC, nil},
		{"cron(0 12 * * ? 2026)", toronto, []string{"2026-11-01T17:00:00Z", "2026-11-02T17:00:00Z", "2026-11-03T17:00:00Z"}},
		// 02:30 does not exist on the day on which the clocks go forward.
		{"cron(30 2 13-15 3 ? 2027)", toronto, []string{"2027-03-13T07:30:00Z", "2027-03-15T06:30:00Z"}},
	} {
		s, err := schedule.Parse(c.expression, c.zone)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		var got []string
		at := now
		for range 3 {
			next, ok := s.Next(now.Add(-15*time.Second), at)
			if !ok {
				break
			}
			got = append(got, next.UTC().Format(time.RFC3339))
			at = next
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.expression, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, expression := range []string{
		"", "5 minutes", "rate 5 minutes", "every(5 minutes)", "rate(5)", "rate(0 minutes)", "rate(-1 minutes)", "rate(1 minutes)", "rate(5 minute)",
		"rate(5 weeks)", "at(tomorrow)", "cron(0 12 * * *)", "cron(0 12 * * * *)", "cron(0 12 ? * ? *)", "cron(60 12 * * ? *)", "cron(0 24 * * ? *)",
		"cron(0 12 0 * ? *)", "cron(0 12 32W * ? *)", "cron(0 12 * 13 ? *)", "cron(0 12 ? * FOO *)", "cron(0 12 ? * 2#6 *)", "cron(0 12 * * ? 1969)", "cron(0/0 12 * * ? *)",
	} {
		if _, err := schedule.Parse(expression, time.UTC); err == nil {
			t.Errorf("%q was taken", expression)
		}
	}
}

func TestTimetable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		clock := schedule.NewClock(10)
		table := schedule.NewTimetable(clock)
		calls := make(chan string, 100)
		set := func(key, expression string) {
			s, err := schedule.Parse(expression, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			anchor := clock.Now()
			table.Set(key, func(now time.Time) (time.Time, bool) { return s.Next(anchor, now) }, func(context.Context) {
				calls <- key + " " + time.Since(began).String()
			})
		}
		seen := func() []string {
			got := []string{}
			for len(calls) > 0 {
				got = append(got, <-calls)
			}
			slices.Sort(got)
			return got
		}
		set("a", "rate(1 minute)")
		set("b", "rate(2 minutes)")
		set("once", "at("+began.Add(time.Minute).UTC().Format("2006-01-02T15:04:05")+")")
		wait(20 * time.Second)
		if diff := cmp.Diff([]string{"a 12s", "a 18s", "a 6s", "b 12s", "once 6s"}, seen()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		table.Remove("a")
		set("b", "rate(1 hour)")
		wait(20 * time.Second)
		if got := seen(); len(got) > 0 {
			t.Errorf("called after all: %v", got)
		}
		set("a", "rate(1 minute)")
		table.Close()
		set("c", "rate(1 minute)")
		wait(20 * time.Second)
		if got := seen(); len(got) > 0 {
			t.Errorf("called after Close: %v", got)
		}
	})
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}
