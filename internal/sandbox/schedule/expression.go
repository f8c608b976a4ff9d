package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Schedule says when something is due.
type Schedule struct {
	// Every is the period of a rate, 0 for cron and at.
	Every time.Duration
	once  time.Time // of at
	cron  *cron
	zone  *time.Location
}

// Parse reads an expression: rate(5 minutes), cron(0 12 * * ? *), or
// at(2026-11-01T12:00:00); the last two are in zone. The error says what is wrong
// with it.
func Parse(expression string, zone *time.Location) (Schedule, error) {
	kind, rest, ok := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return Schedule{}, fmt.Errorf("want rate(…), cron(…) or at(…), got %q", expression)
	}
	s := Schedule{zone: zone}
	var err error
	switch kind {
	case "rate":
		s.Every, err = parseRate(inner)
	case "cron":
		s.cron, err = parseCron(inner)
	case "at":
		s.once, err = time.ParseInLocation("2006-01-02T15:04:05", inner, zone)
	default:
		err = fmt.Errorf("want rate(…), cron(…) or at(…), got %q", expression)
	}
	return s, err
}

// Once says whether the expression is an at(…).
func (s Schedule) Once() bool { return !s.once.IsZero() }

// parseRate reads a value and its unit, in the singular for 1 as AWS wants it.
func parseRate(text string) (time.Duration, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0, fmt.Errorf("want a value and a unit, got rate(%s)", text)
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("want a whole number from 1, got rate(%s)", text)
	}
	unit, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(fields[1], "s")]
	if !ok || (n == 1) == strings.HasSuffix(fields[1], "s") {
		return 0, fmt.Errorf("want minute, hour or day, with an s unless it is one, got rate(%s)", text)
	}
	return time.Duration(n) * unit, nil
}

// Next is when it is due after now, and false if it never is again. A rate is
// due each time that its period has passed since its anchor.
func (s Schedule) Next(anchor, now time.Time) (time.Time, bool) {
	switch {
	case s.Every > 0:
		if now.Before(anchor) {
			return anchor, true
		}
		periods := now.Sub(anchor)/s.Every + 1
		return anchor.Add(periods * s.Every), true
	case s.cron != nil:
		return s.cron.next(now.In(s.zone))
	default:
		return s.once, s.once.After(now)
	}
}
