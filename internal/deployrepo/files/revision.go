package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/slipway-cd/slipway"
)

const (
	// maxImages bounds the entries of one file: a task definition has at most
	// 10 containers,
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html.
	maxImages = 10
	// maxImageURI bounds an image reference in characters, and maxContainer a
	// container's name: API reference, ContainerDefinition image and name.
	maxImageURI  = 255
	maxContainer = 255
)

// example is what messages show of the format.
const example = `[{"name": "webapp1", "imageUri": "REPOSITORY:TAG"}]`

// ParseRevision reads a revision.json, which is exactly CodePipeline's image
// definitions file,
// https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#pipelines-create-image-definitions.
// The images are in the file's order, and nil unless problems has only
// warnings. A byte order mark and CRLF are tolerated; unknown members are
// warned about.
func ParseRevision(file string, text []byte) (images []slipway.Image, problems Problems) {
	r := readRevision(file, text)
	if r.problems.Err() != nil {
		return nil, r.problems
	}
	for _, e := range r.entries {
		images = append(images, slipway.Image{Container: e.name.value, URI: e.uri.value})
	}
	return images, r.problems
}

// revision is a revision.json with the places of its values.
type revision struct {
	*source
	dec     *json.Decoder
	entries []entry
}

// entry is one element of the list.
type entry struct{ name, uri member }

// member is a string value and where its text, with the quotes, stands.
type member struct {
	value      string
	start, end int
}

func readRevision(file string, text []byte) *revision {
	r := &revision{source: newSource(file, text)}
	if len(r.problems) == 0 {
		r.read()
	}
	return r
}

func (r *revision) read() {
	if len(bytes.TrimSpace(r.text)) == 0 {
		r.whole("is empty: write %s", example)
		return
	}
	if !r.syntax() {
		return
	}
	r.dec = json.NewDecoder(bytes.NewReader(r.text))
	if start := r.next(); r.text[start] != '[' {
		r.at(start, "must be a list: write %s", example)
		return
	}
	r.token()
	for r.dec.More() {
		start := r.next()
		if len(r.entries) == maxImages {
			r.at(start, "has more than %d entries; a task definition has at most %d containers", maxImages, maxImages)
			return
		}
		if r.text[start] != '{' {
			r.at(start, "entry %d is no object: write %s", len(r.entries)+1, example)
			r.value()
			r.entries = append(r.entries, entry{})
			continue
		}
		r.entry(start)
	}
	if len(r.entries) == 0 {
		r.at(r.next(), "the list is empty: write %s", example)
	}
}

// syntax reports whether the text is one JSON value and nothing else.
func (r *revision) syntax() bool {
	var raw json.RawMessage
	err := json.Unmarshal(r.text, &raw)
	if err == nil {
		return true
	}
	offset, hint := len(r.text), ""
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && !strings.HasPrefix(syntax.Error(), "unexpected end") {
		// The decoder has consumed the character that it stumbled over.
		offset = max(int(syntax.Offset)-1, 0)
		before := bytes.TrimRight(r.text[:offset], " \t\r\n")
		if offset < len(r.text) && strings.IndexByte("]}", r.text[offset]) >= 0 && bytes.HasSuffix(before, []byte(",")) {
			hint = "; remove the comma before it"
		}
	}
	r.at(offset, "is not JSON: %v%s", err, hint)
	return false
}

// entry reads one object of the list.
func (r *revision) entry(start int) {
	var e entry
	seen := map[string]bool{}
	r.token()
	for r.dec.More() {
		at := r.next()
		key, _ := r.token().(string)
		if seen[key] {
			r.at(at, "the member %q is there twice: remove one", key)
		}
		seen[key] = true
		value := r.value()
		switch key {
		case "name":
			e.name = r.stringMember(key, value)
		case "imageUri":
			e.uri = r.stringMember(key, value)
		default:
			r.warn(at, "unknown member %q is kept and has no effect%s", key, didYouMean(key, []string{"name", "imageUri"}))
		}
	}
	r.token()
	for _, key := range []string{"name", "imageUri"} {
		if !seen[key] {
			r.at(start, "the entry has no %q: write %s", key, example)
		}
	}
	r.check(e)
	r.entries = append(r.entries, e)
}

// check looks at the values of an entry; what is missing was told already.
func (r *revision) check(e entry) {
	if e.name.end > 0 {
		if err := checkContainer(e.name.value); err != nil {
			r.at(e.name.start, "%v", err)
		}
		for _, other := range r.entries {
			if other.name.end > 0 && other.name.value == e.name.value {
				r.at(e.name.start, "the container %q is named twice: one entry for each container", e.name.value)
				break
			}
		}
	}
	if e.uri.end > 0 {
		untagged, err := checkImage(e.uri.value)
		switch {
		case err != nil:
			r.at(e.uri.start, "%v", err)
		case untagged:
			r.warn(e.uri.start, "%q has neither tag nor digest, so it means whatever :latest is at the time", e.uri.value)
		}
	}
}

func checkContainer(name string) error {
	if name == "" || len(name) > maxContainer || strings.Trim(name, nameCharacters) != "" {
		return fmt.Errorf("%.60q is no container's name: write 1 to %d letters, digits, '-' and '_'", name, maxContainer)
	}
	return nil
}

// checkImage says why text is no image reference, or whether it is one that
// names neither tag nor digest.
func checkImage(text string) (untagged bool, err error) {
	if len(text) > maxImageURI {
		return false, fmt.Errorf("the image reference %.60q… has %d characters; at most %d are allowed", text, len(text), maxImageURI)
	}
	if _, rest, found := strings.Cut(text, "://"); found {
		return false, fmt.Errorf("%q is a URL and no image reference: write %q", text, rest)
	}
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return false, fmt.Errorf("%q is no image reference (%w): write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST", text, err)
	}
	return reference.IsNameOnly(named), nil
}

// span is where a value's text stands.
type span struct {
	raw        json.RawMessage
	start, end int
}

// stringMember takes a value that must be a string.
func (r *revision) stringMember(key string, value span) member {
	m := member{start: value.start, end: value.end}
	if json.Unmarshal(value.raw, &m.value) != nil || value.raw[0] != '"' {
		r.at(value.start, "%q must be a string in quotes", key)
		return member{}
	}
	return m
}

// next returns the offset of the next token.
func (r *revision) next() int {
	offset := int(r.dec.InputOffset())
	for offset < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[offset]) >= 0 {
		offset++
	}
	return offset
}

// token and value read on. They cannot fail: syntax has passed.
func (r *revision) token() json.Token {
	token, _ := r.dec.Token()
	return token
}

func (r *revision) value() span {
	var v span
	_ = r.dec.Decode(&v.raw)
	v.end = int(r.dec.InputOffset())
	v.start = v.end - len(v.raw)
	return v
}
