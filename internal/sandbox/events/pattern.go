package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// patternMost is how many characters an event pattern has.
const patternMost = 4096

// pattern is an event pattern: all fields and, of each list of alternatives, one
// must match.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
type pattern struct {
	fields       []field
	alternatives [][]*pattern
}

// field is what a pattern says of one member: either of its value or of what is
// below it.
type field struct {
	name       string
	conditions []condition // one must match
	below      *pattern
}

// readPattern reads an event pattern. The error is InvalidEventPatternException.
func readPattern(text string) (*pattern, error) {
	if len(text) > patternMost {
		return nil, errPattern("it must have at most %d characters", patternMost)
	}
	value, err := readJSON([]byte(text))
	if err != nil {
		return nil, errPattern("Invalid JSON")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errPattern("Filter is not an object")
	}
	p, err := compile(object)
	if err != nil {
		return nil, errPattern("%s", err)
	}
	return p, nil
}

func errPattern(format string, args ...any) error {
	return &awsjson.Error{Code: "InvalidEventPatternException", Message: "Event pattern is not valid. Reason: " + fmt.Sprintf(format, args...)}
}

// readJSON reads one value, with numbers as they are written: EventBridge compares
// those.
func readJSON(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, reasonf("more than one JSON value")
	}
	return value, nil
}

// reasonf is a reason in AWS's words.
func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

type reason string

func (r reason) Error() string { return string(r) }

func compile(object map[string]any) (*pattern, error) {
	if len(object) == 0 {
		return nil, reasonf("Empty objects are not allowed")
	}
	p := &pattern{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		alternatives, err := readAlternatives(name, object[name])
		if err != nil {
			return nil, err
		}
		if alternatives != nil {
			p.alternatives = append(p.alternatives, alternatives)
			continue
		}
		f := field{name: name}
		switch value := object[name].(type) {
		case map[string]any:
			f.below, err = compile(value)
		case []any:
			f.conditions, err = readConditions(value)
		default:
			err = reasonf("%q must be an object or an array", name)
		}
		if err != nil {
			return nil, err
		}
		p.fields = append(p.fields, f)
	}
	return p, nil
}

// readAlternatives reads the value of "$or"; nil if it is an ordinary member.
func readAlternatives(name string, value any) ([]*pattern, error) {
	items, ok := value.([]any)
	if name != "$or" || !ok || len(items) < 2 {
		return nil, nil
	}
	var alternatives []*pattern
	for _, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, nil
		}
		p, err := compile(object)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, p)
	}
	return alternatives, nil
}

// matches says whether an object matches.
func (p *pattern) matches(object map[string]any) bool {
	for _, f := range p.fields {
		if !f.matches(object[f.name]) {
			return false
		}
	}
	for _, alternatives := range p.alternatives {
		if !slices.ContainsFunc(alternatives, func(p *pattern) bool { return p.matches(object) }) {
			return false
		}
	}
	return true
}

// matches says whether a member's value matches; absent is what there is not.
func (f field) matches(value any) bool {
	items := elements(value)
	if f.below != nil {
		if len(items) == 0 {
			return f.below.matches(nil) // it may ask for what does not exist
		}
		return slices.ContainsFunc(items, func(item any) bool {
			object, ok := item.(map[string]any)
			return ok && f.below.matches(object)
		})
	}
	for _, c := range f.conditions {
		if len(items) == 0 {
			if c(absent{}) {
				return true
			}
			continue
		}
		if slices.ContainsFunc(items, c) {
			return true
		}
	}
	return false
}

// absent is the value of what does not exist.
type absent struct{}

// null is JSON's, which an absent member's nil must not be taken for.
type null struct{}

// elements are a value, or those of a list: an event's list matches if one of its
// elements does.
func elements(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		var all []any
		for _, item := range value {
			all = append(all, elements(item)...)
		}
		return all
	default:
		return []any{value}
	}
}

// marked is a value with null where JSON has null.
func marked(value any) any {
	switch value := value.(type) {
	case nil:
		return null{}
	case []any:
		for i := range value {
			value[i] = marked(value[i])
		}
	case map[string]any:
		for name := range value {
			value[name] = marked(value[name])
		}
	}
	return value
}

// matchesEvent says whether an event, a JSON object, matches.
func (p *pattern) matchesEvent(event []byte) bool {
	value, err := readJSON(event)
	if err != nil {
		return false
	}
	object, ok := marked(value).(map[string]any)
	return ok && p.matches(object)
}
