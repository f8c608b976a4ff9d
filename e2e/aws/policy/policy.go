//go:build e2e

package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Document is a policy.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement allows actions on resources under conditions.
type Statement struct {
	Sid       string
	Effect    string
	Action    texts
	Resource  texts
	Condition map[string]map[string]texts // operator, key, values
}

// texts are one or more, as policies write them.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(document []byte) error {
	if bytes.HasPrefix(document, []byte("[")) {
		return json.Unmarshal(document, (*[]string)(t))
	}
	*t = texts{""}
	return json.Unmarshal(document, &(*t)[0])
}

// Parse reads a policy. The error says what of it is not known here.
func Parse(document []byte) (Document, error) {
	var d Document
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return d, fmt.Errorf("read the policy %s: %w", document, err)
	}
	for _, s := range d.Statement {
		if s.Effect != "Allow" {
			return d, fmt.Errorf("statement %q: the effect %s is not known here", s.Sid, s.Effect)
		}
		for operator := range s.Condition {
			if _, known := operators[operator]; !known {
				return d, fmt.Errorf("statement %q: the condition operator %s is not known here", s.Sid, operator)
			}
		}
		for _, text := range append(s.Action, s.Resource...) {
			if strings.Contains(text, "${") {
				return d, fmt.Errorf("statement %q: %s has a variable, which is not known here", s.Sid, text)
			}
		}
	}
	return d, nil
}

// Request is what a caller must be allowed: an action on a resource, "*" where the
// action has none, with the values of the condition keys that the action has.
type Request struct {
	Action, Resource string
	Context          map[string]string
}

// String tells it for a person.
func (r Request) String() string { return fmt.Sprintf("%s on %s %v", r.Action, r.Resource, r.Context) }

// Allows returns the index of the first statement that allows a request, and of the
// action in it; false if none does.
func (d Document) Allows(r Request) (statement, action int, ok bool) {
	for i, s := range d.Statement {
		if !s.Resource.match(r.Resource) || !s.holds(r.Context) {
			continue
		}
		for j, pattern := range s.Action {
			// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
			if matches(strings.ToLower(pattern), strings.ToLower(r.Action)) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// holds says whether all conditions are met.
func (s Statement) holds(context map[string]string) bool {
	for operator, keys := range s.Condition {
		for key, values := range keys {
			value, given := context[key]
			if !given || !values.any(func(pattern string) bool { return operators[operator](pattern, value) }) {
				return false
			}
		}
	}
	return true
}

func (t texts) match(text string) bool {
	return t.any(func(pattern string) bool { return matches(pattern, text) })
}

func (t texts) any(is func(pattern string) bool) bool {
	for _, pattern := range t {
		if is(pattern) {
			return true
		}
	}
	return false
}

// operators are those of conditions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]func(pattern, value string) bool{
	"StringEquals": func(pattern, value string) bool { return pattern == value },
	"StringLike":   matches,
	"ArnEquals":    matchesARN,
	"ArnLike":      matchesARN,
}

// matchesARN compares the six parts of ARNs each by itself.
func matchesARN(pattern, value string) bool {
	patterns, values := strings.SplitN(pattern, ":", 6), strings.SplitN(value, ":", 6)
	if len(patterns) != len(values) {
		return false
	}
	for i := range patterns {
		if !matches(patterns[i], values[i]) {
			return false
		}
	}
	return true
}

// matches compares a text with a pattern, where * is any text and ? any character.
func matches(pattern, text string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if len(text) < len(before) {
		return false
	}
	for i := range len(before) {
		if before[i] != text[i] && before[i] != '?' {
			return false
		}
	}
	text = text[len(before):]
	if !wild {
		return text == ""
	}
	for i := range len(text) + 1 {
		if matches(after, text[i:]) {
			return true
		}
	}
	return false
}
