// Package raw keeps JSON as AWS wrote it. What Slipway puts back as a whole (a task
// definition, a rule's target, a schedule) goes from AWS's answer into the next
// request as text: a Go type would drop the members that our SDK does not know.
//
//	answer ──Capture──► JSON text ── Set one member ──► JSON text ──Replace──► request
//
// It knows JSON and the SDK's middleware, and nothing about any service.
package raw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// Members are a JSON object's, each with the very text that AWS sent.
type Members map[string]json.RawMessage

// Text is a JSON string's value; empty for anything else.
func Text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// Encode writes JSON and leaves raw parts as they are: json.Marshal would write <,
// > and & inside of them anew.
func Encode(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// At is the string at a path of member names, or the empty string.
func (m Members) At(path ...string) string {
	value, found := m[path[0]]
	if !found || len(path) == 1 {
		return Text(value)
	}
	var inner Members
	if json.Unmarshal(value, &inner) != nil {
		return ""
	}
	return inner.At(path[1:]...)
}

// With is m with the string at a path of member names set, and all else as it was.
// The error says that there is no object on the way.
func (m Members) With(value string, path ...string) (Members, error) {
	changed := maps.Clone(m)
	if len(path) == 1 {
		text, err := Encode(value)
		if err != nil {
			return nil, err
		}
		changed[path[0]] = text
		return changed, nil
	}
	var inner Members
	if err := json.Unmarshal(m[path[0]], &inner); err != nil || inner == nil {
		return nil, fmt.Errorf("there is no object %s in it", path[0])
	}
	inner, err := inner.With(value, path[1:]...)
	if err != nil {
		return nil, err
	}
	changed[path[0]], err = Encode(inner)
	return changed, err
}
