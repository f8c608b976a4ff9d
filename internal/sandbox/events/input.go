package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// input is what a target gets for an event: constant text, a part of the event, a
// template that is filled in, or the event itself. Made says that it is not the
// event itself. The error says that the template does not become JSON.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
func input(t *types.Target, r rule, event []byte) (text []byte, made bool, err error) {
	switch {
	case aws.ToString(t.Input) != "":
		return []byte(*t.Input), true, nil
	case t.InputTransformer != nil:
		text, err := transform(t.InputTransformer, r, event)
		return text, true, err
	case t.InputPath != nil:
		value, _ := lookUp(event, *t.InputPath)
		text, err := json.Marshal(value)
		return text, true, err
	}
	return event, false, nil
}

// transform fills in a template.
func transform(t *types.InputTransformer, r rule, event []byte) ([]byte, error) {
	template := aws.ToString(t.InputTemplate)
	values := map[string]any{
		"aws.events.rule-arn":             aws.ToString(r.Arn),
		"aws.events.rule-name":            aws.ToString(r.Name),
		"aws.events.event.ingestion-time": time.Now().UTC().Format("2006-01-02T15:04:05Z"),
		"aws.events.event.json":           json.RawMessage(event),
		"aws.events.event":                withoutDetail(event),
	}
	for name, path := range t.InputPathsMap {
		if value, found := lookUp(event, path); found {
			values[name] = value
		}
	}
	var out strings.Builder
	quoted := false
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c == '<' {
			if end := strings.IndexByte(template[i:], '>'); end > 0 {
				if name := template[i+1 : i+end]; isVariable(name, t.InputPathsMap, values) {
					text, err := fill(values, name, quoted)
					if err != nil {
						return nil, err
					}
					out.WriteString(text)
					i += end
					continue
				}
			}
		}
		if c == '\\' && quoted && i+1 < len(template) {
			out.WriteString(template[i : i+2])
			i++
			continue
		}
		if c == '"' {
			quoted = !quoted
		}
		out.WriteByte(c)
	}
	return []byte(out.String()), nil
}

func isVariable(name string, paths map[string]string, values map[string]any) bool {
	_, declared := paths[name]
	_, known := values[name]
	return declared || known
}

// fill is a variable's text: within a JSON string without quotes of its own,
// elsewhere as JSON. What the event does not have is empty.
func fill(values map[string]any, name string, quoted bool) (string, error) {
	value, found := values[name]
	if !found {
		value = ""
	}
	document, err := json.Marshal(value)
	if err != nil || !quoted {
		return string(document), err
	}
	if _, ok := value.(string); !ok {
		if document, err = json.Marshal(string(document)); err != nil {
			return "", err
		}
	}
	return string(document[1 : len(document)-1]), nil
}

// withoutDetail is the event without its detail.
func withoutDetail(event []byte) any {
	members := map[string]json.RawMessage{}
	if json.Unmarshal(event, &members) != nil {
		return nil
	}
	delete(members, "detail")
	return members
}

// lookUp follows a JSON path: $.detail.name, $.resources[0], $["detail-type"].
func lookUp(event []byte, path string) (value any, found bool) {
	steps, err := readPath(path)
	if err != nil {
		return nil, false
	}
	if value, err = readJSON(event); err != nil {
		return nil, false
	}
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			if value, found = object[step]; !found {
				return nil, false
			}
		case int:
			items, _ := value.([]any)
			if step >= len(items) {
				return nil, false
			}
			value = items[step]
		}
	}
	return value, true
}

// readPath reads a JSON path into names and indices.
func readPath(path string) (steps []any, err error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, fmt.Errorf("the path %s does not begin with $", path)
	}
	for rest != "" {
		switch rest[0] {
		case '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, fmt.Errorf("the path %s has an empty name", path)
			}
			steps, rest = append(steps, rest[1:1+end]), rest[1+end:]
		case '[':
			inner, after, found := strings.Cut(rest[1:], "]")
			if !found {
				return nil, fmt.Errorf("the path %s has an open bracket", path)
			}
			rest = after
			if n, err := strconv.Atoi(inner); err == nil && n >= 0 {
				steps = append(steps, n)
			} else if name := strings.Trim(inner, `'"`); len(name) == len(inner)-2 && name != "" {
				steps = append(steps, name)
			} else {
				return nil, fmt.Errorf("the path %s has neither a name nor an index in its brackets", path)
			}
		default:
			return nil, fmt.Errorf("the path %s has %s after a step", path, rest)
		}
	}
	return steps, nil
}

// checkInput says what is wrong with a target's input.
func checkInput(t *types.Target) error {
	id := aws.ToString(t.Id)
	ways := 0
	for _, has := range []bool{aws.ToString(t.Input) != "", t.InputPath != nil, t.InputTransformer != nil} {
		if has {
			ways++
		}
	}
	text := aws.ToString(t.Input)
	switch {
	case ways > 1:
		return errValidation("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", id)
	case len(text) > inputMostCharacter:
		return errValidation("Parameter Input is not valid. Reason: it must have at most %d characters.", inputMostCharacter)
	case text != "" && !json.Valid([]byte(text)):
		return errValidation("JSON syntax error in input for target %s.", id)
	case t.InputPath != nil:
		if _, err := readPath(*t.InputPath); err != nil {
			return errValidation("InputPath for target %s is invalid.", id)
		}
	case t.InputTransformer != nil:
		if aws.ToString(t.InputTransformer.InputTemplate) == "" {
			return errValidation("Parameter InputTemplate is not valid. Reason: it must not be empty.")
		}
		for name, path := range t.InputTransformer.InputPathsMap {
			if _, err := readPath(path); err != nil || strings.HasPrefix(name, "AWS") {
				return errValidation("InputTransformer for target %s is invalid: %s.", id, name)
			}
		}
	}
	return nil
}

// withInput is a target's document with constant input.
func withInput(document json.RawMessage, text string) (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	delete(members, "InputPath")
	delete(members, "InputTransformer")
	delete(members, "Input")
	if text != "" {
		input, err := json.Marshal(text)
		if err != nil {
			return nil, err
		}
		members["Input"] = input
	}
	return json.Marshal(members)
}

// readTargetDocument reads a target as it was put.
func readTargetDocument(document json.RawMessage) (*types.Target, error) {
	var t types.Target
	return &t, awsjson.Unmarshal(document, &t)
}
