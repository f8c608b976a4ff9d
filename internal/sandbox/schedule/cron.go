package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The years that a cron expression may name.
const firstYear, lastYear = 1970, 2199

// cron is a cron expression of AWS's six fields: minutes, hours, day of month,
// month, day of week, year. Of the two days, one is given and the other is "?".
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
type cron struct {
	minutes, hours, months, years []int
	// day says whether a day is one: of the month or of the week.
	day func(time.Time) bool
}

func parseCron(text string) (*cron, error) {
	fields := strings.Fields(text)
	if len(fields) != 6 {
		return nil, fmt.Errorf("want six fields, got cron(%s)", text)
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, fmt.Errorf("one of day of month and day of week is to be ?, and only one, in cron(%s)", text)
	}
	c := &cron{}
	var err error
	for _, f := range []struct {
		to          *[]int
		text        string
		least, most int
		names       string
	}{
		{&c.minutes, fields[0], 0, 59, ""},
		{&c.hours, fields[1], 0, 23, ""},
		{&c.months, fields[3], 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
		{&c.years, fields[5], firstYear, lastYear, ""},
	} {
		if *f.to, err = parseField(f.text, f.least, f.most, strings.Fields(f.names)); err != nil {
			return nil, fmt.Errorf("%w in cron(%s)", err, text)
		}
	}
	if fields[4] == "?" {
		c.day, err = dayOfMonth(fields[2])
	} else {
		c.day, err = dayOfWeek(fields[4])
	}
	if err != nil {
		return nil, fmt.Errorf("%w in cron(%s)", err, text)
	}
	return c, nil
}

// parseField reads a list of values, ranges and steps, with names for the values
// from least on, and returns the values in order.
func parseField(text string, least, most int, names []string) ([]int, error) {
	value := func(s string) (int, error) {
		if i := slices.Index(names, strings.ToUpper(s)); i >= 0 {
			return least + i, nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%q is not from %d to %d", s, least, most)
		}
		return n, nil
	}
	var values []int
	for _, part := range strings.Split(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		from, to, step := least, most, 1
		var err error
		if first, last, isRange := strings.Cut(span, "-"); isRange {
			if from, err = value(first); err != nil {
				return nil, err
			}
			if to, err = value(last); err != nil {
				return nil, err
			}
		} else if span != "*" {
			if from, err = value(span); err != nil {
				return nil, err
			}
			if !stepped {
				to = from
			}
		}
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, fmt.Errorf("%q is not a step", stepText)
			}
		}
		if to < from { // FRI-MON
			to += most - least + 1
		}
		for n := from; n <= to; n += step {
			values = append(values, least+(n-least)%(most-least+1))
		}
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

// dayOfMonth reads days, L for the last one, 15W for the weekday nearest to the
// 15th.
func dayOfMonth(text string) (func(time.Time) bool, error) {
	if text == "L" {
		return func(t time.Time) bool { return t.Day() == lastDay(t) }, nil
	}
	if near, ok := strings.CutSuffix(text, "W"); ok {
		day, err := strconv.Atoi(near)
		if near == "L" {
			day, err = 31, nil
		}
		if err != nil || day < 1 || day > 31 {
			return nil, fmt.Errorf("%q is not a day of the month", text)
		}
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, min(day, lastDay(t))) }, nil
	}
	days, err := parseField(text, 1, 31, nil)
	return func(t time.Time) bool { return slices.Contains(days, t.Day()) }, err
}

// dayOfWeek reads days, 1 for Sunday, 5L for the last Thursday of the month,
// 3#2 for its second Tuesday, L for Saturday.
func dayOfWeek(text string) (func(time.Time) bool, error) {
	names := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	which := func(list string) (func(time.Time) bool, error) {
		days, err := parseField(list, 1, 7, names)
		return func(t time.Time) bool { return slices.Contains(days, int(t.Weekday())+1) }, err
	}
	if text == "L" {
		return which("7")
	}
	if day, nth, ok := strings.Cut(text, "#"); ok {
		is, err := which(day)
		n, nErr := strconv.Atoi(nth)
		if err == nil && (nErr != nil || n < 1 || n > 5) {
			err = fmt.Errorf("%q is not from 1 to 5", nth)
		}
		return func(t time.Time) bool { return is(t) && (t.Day()-1)/7+1 == n }, err
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		is, err := which(day)
		return func(t time.Time) bool { return is(t) && t.Day()+7 > lastDay(t) }, err
	}
	return which(text)
}

// lastDay is the last day of t's month.
func lastDay(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

// nearestWeekday is the weekday nearest to a day of t's month, within it.
func nearestWeekday(t time.Time, day int) int {
	switch time.Date(t.Year(), t.Month(), day, 12, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(t) {
			return day - 2
		}
		return day + 1
	default:
		return day
	}
}

// next is the first minute after now that matches, in now's zone, and false if
// there is none.
func (c *cron) next(now time.Time) (time.Time, bool) {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	// No date is more than eight years from the next of its kind: 29 February.
	for range 366 * (lastYear - firstYear) {
		if day.Year() > c.years[len(c.years)-1] {
			break
		}
		if slices.Contains(c.years, day.Year()) && slices.Contains(c.months, int(day.Month())) && c.day(day) {
			for _, hour := range c.hours {
				for _, minute := range c.minutes {
					at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
					if at.After(now) && at.Hour() == hour { // else the clocks went forward over it
						return at, true
					}
				}
			}
		}
		day = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, day.Location())
	}
	return time.Time{}, false
}
