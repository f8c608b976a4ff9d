package lambda

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// latest is the version that changes.
const latest = "$LATEST"

// nameShape is what functions are called.
var nameShape = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// arn is a function's ARN.
func (s *Service) arn(name string) string {
	return "arn:aws:lambda:" + s.options.Region + ":" + s.options.Account + ":function:" + name
}

// split reads what names a function: a name, an ARN or a part of one, each with a
// qualifier or without. ok is false for a function of another account or region,
// and for what is none.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters
func (s *Service) split(function string) (name, qualifier string, ok bool) {
	rest := function
	if strings.HasPrefix(rest, "arn:") {
		if rest, ok = strings.CutPrefix(rest, s.arn("")); !ok {
			return "", "", false
		}
	} else {
		rest = strings.TrimPrefix(rest, s.options.Account+":")
		rest = strings.TrimPrefix(rest, "function:")
	}
	name, qualifier, _ = strings.Cut(rest, ":")
	return name, qualifier, nameShape.MatchString(name)
}

// find finds a function and the version that its name or the qualifier says:
// $LATEST if neither says one. The caller holds the lock.
func (s *Service) find(named, qualifier *string) (*function, *version, error) {
	given := ""
	if named != nil {
		given = *named
	}
	name, q, ok := s.split(given)
	if qualifier != nil && *qualifier != "" {
		q = *qualifier
	}
	wanted := s.arn(name)
	if !ok {
		wanted = given
	} else if q != "" {
		wanted += ":" + q
	}
	f := s.state.Functions[name]
	if !ok || f == nil {
		return nil, nil, errNotFound("Function not found: %s", wanted)
	}
	q = cmp.Or(q, latest)
	if q == latest {
		return f, f.Latest, nil
	}
	if i := slices.IndexFunc(f.Published, func(v *version) bool { return *v.Version == q }); i >= 0 {
		return f, f.Published[i], nil
	}
	return nil, nil, errNotFound("Function not found: %s", wanted)
}

// serviceOf is the service of an ARN.
func serviceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2]
}

// clip is the text, or as many bytes of it as there may be.
func clip(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
