package events

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// condition says whether a value matches, which is no list; absent{} is none.
type condition func(value any) bool

// readConditions reads what a pattern lists for a member.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func readConditions(items []any) ([]condition, error) {
	if len(items) == 0 {
		return nil, reasonf("Empty arrays are not allowed")
	}
	var conditions []condition
	for _, item := range items {
		c, err := readCondition(item)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

func readCondition(item any) (condition, error) {
	switch item := item.(type) {
	case nil:
		return func(value any) bool { return value == any(null{}) }, nil
	case string, bool, json.Number:
		return func(value any) bool { return value == item }, nil
	case map[string]any:
		return readOperator(item)
	}
	return nil, reasonf("Match value must be String, number, true, false, or null")
}

// readOperator reads {"prefix": "a"} and the like.
func readOperator(object map[string]any) (condition, error) {
	if len(object) != 1 {
		return nil, reasonf("Only one key allowed in match expression")
	}
	for name, argument := range object {
		switch name {
		case "exists":
			want, ok := argument.(bool)
			if !ok {
				return nil, reasonf("exists match pattern must be either true or false")
			}
			return func(value any) bool {
				_, object := value.(map[string]any)
				return (value != any(absent{})) == want && !object
			}, nil
		case "anything-but":
			return readAnythingBut(argument)
		case "numeric":
			return readNumeric(argument)
		case "cidr":
			text, _ := argument.(string)
			prefix, err := netip.ParsePrefix(text)
			if err != nil {
				return nil, reasonf("Malformed CIDR, one '/' required: %v", argument)
			}
			return func(value any) bool {
				text, _ := value.(string)
				address, err := netip.ParseAddr(text)
				return err == nil && prefix.Contains(address)
			}, nil
		}
		return readText(name, argument)
	}
	return nil, nil // there is one
}

// readText reads an operator on strings.
func readText(name string, argument any) (condition, error) {
	lower := false
	if object, ok := argument.(map[string]any); ok && len(object) == 1 && (name == "prefix" || name == "suffix") {
		argument, lower = object["equals-ignore-case"], true
	}
	want, ok := argument.(string)
	if !ok {
		return nil, reasonf("%s match pattern must be a string", name)
	}
	if lower {
		want = strings.ToLower(want)
	}
	var test func(text string) bool
	switch name {
	case "prefix":
		test = func(text string) bool { return strings.HasPrefix(text, want) }
	case "suffix":
		test = func(text string) bool { return strings.HasSuffix(text, want) }
	case "equals-ignore-case":
		test = func(text string) bool { return strings.EqualFold(text, want) }
	case "wildcard":
		parts, err := readWildcard(want)
		if err != nil {
			return nil, err
		}
		test = func(text string) bool { return matchWildcard(parts, text) }
	default:
		return nil, reasonf("Unrecognized match type %s", name)
	}
	return func(value any) bool {
		text, ok := value.(string)
		if lower {
			text = strings.ToLower(text)
		}
		return ok && test(text)
	}, nil
}

// readAnythingBut reads what a value must exist and not be: values, or an operator
// on strings with one string or several.
func readAnythingBut(argument any) (condition, error) {
	var refused []condition
	add := func(c condition, err error) error {
		refused = append(refused, c)
		return err
	}
	var err error
	switch argument := argument.(type) {
	case map[string]any:
		if len(argument) != 1 {
			return nil, reasonf("Only one key allowed in match expression")
		}
		for name, value := range argument {
			for _, one := range listed(value) {
				if err == nil {
					err = add(readText(name, one))
				}
			}
		}
	default:
		for _, one := range listed(argument) {
			switch one.(type) {
			case string, json.Number:
				err = add(readCondition(one))
			default:
				err = reasonf("Inside anything-but list, either all values are numbers or strings, mixed type is not supported")
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if len(refused) == 0 {
		return nil, reasonf("Empty arrays are not allowed")
	}
	return func(value any) bool {
		if _, object := value.(map[string]any); object || value == any(absent{}) {
			return false
		}
		return !slices.ContainsFunc(refused, func(c condition) bool { return c(value) })
	}, nil
}

func listed(value any) []any {
	if items, ok := value.([]any); ok {
		return items
	}
	return []any{value}
}

// readNumeric reads [">", 0, "<=", 5].
func readNumeric(argument any) (condition, error) {
	items, ok := argument.([]any)
	if !ok || len(items) == 0 || len(items)%2 != 0 || len(items) > 4 {
		return nil, reasonf("Invalid member in numeric match: %v", argument)
	}
	var tests []func(float64) bool
	for i := 0; i < len(items); i += 2 {
		number, ok := items[i+1].(json.Number)
		if !ok {
			return nil, reasonf("Value of %v must be numeric", items[i])
		}
		want, err := number.Float64()
		if err != nil {
			return nil, err
		}
		switch items[i] {
		case "=":
			tests = append(tests, func(n float64) bool { return n == want })
		case "<":
			tests = append(tests, func(n float64) bool { return n < want })
		case "<=":
			tests = append(tests, func(n float64) bool { return n <= want })
		case ">":
			tests = append(tests, func(n float64) bool { return n > want })
		case ">=":
			tests = append(tests, func(n float64) bool { return n >= want })
		default:
			return nil, reasonf("Unrecognized numeric range operator: %v", items[i])
		}
	}
	return func(value any) bool {
		number, ok := value.(json.Number)
		if !ok {
			return false
		}
		n, err := strconv.ParseFloat(number.String(), 64)
		return err == nil && !slices.ContainsFunc(tests, func(test func(float64) bool) bool { return !test(n) })
	}, nil
}

// readWildcard splits at each *; \* and \\ stand for themselves.
func readWildcard(text string) ([]string, error) {
	parts := []string{""}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '*' && i+1 < len(text) && text[i+1] == '*':
			return nil, reasonf("Consecutive wildcard characters at pos %d", i)
		case c == '*':
			parts = append(parts, "")
		case c == '\\' && i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '\\'):
			i++
			parts[len(parts)-1] += text[i : i+1]
		case c == '\\':
			return nil, reasonf("Invalid escape character at pos %d", i)
		default:
			parts[len(parts)-1] += text[i : i+1]
		}
	}
	return parts, nil
}

func matchWildcard(parts []string, text string) bool {
	if len(parts) == 1 {
		return text == parts[0]
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
