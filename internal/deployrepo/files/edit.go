package files

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
)

// FormatRevision writes a new revision.json, one line for each image.
func FormatRevision(file string, images []slipway.Image) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("[\n")
	for i, image := range images {
		if err := checkContainer(image.Container); err != nil {
			return nil, slipway.Usagef("%v", err)
		}
		if _, err := checkImage(image.URI); err != nil {
			return nil, slipway.Usagef("%v", err)
		}
		if i > 0 {
			text.WriteString(",\n")
		}
		fmt.Fprintf(&text, `  {"name": %s, "imageUri": %s}`, quote(image.Container), quote(image.URI))
	}
	text.WriteString("\n]\n")
	_, problems := ParseRevision(file, text.Bytes())
	return text.Bytes(), problems.Err()
}

// EditRevision puts other images into a revision.json and leaves everything
// else as it is, byte for byte: order, spaces, unknown members, line ends. A
// container that the file does not name is an error that lists those it names.
// The empty container means the only one there is.
func EditRevision(file string, text []byte, images map[string]string) ([]byte, error) {
	r := readRevision(file, text)
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	replace := map[int]string{}
	for container, uri := range images {
		i, err := r.find(container)
		if err != nil {
			return nil, err
		}
		if _, twice := replace[i]; twice {
			return nil, slipway.Usagef("the container %q gets two images: name it once", r.entries[i].name.value)
		}
		if _, err := checkImage(uri); err != nil {
			return nil, slipway.Usagef("%v", err)
		}
		replace[i] = uri
	}

	mark := len(text) - len(r.text)
	edited := bytes.Clone(text[:mark])
	from := 0
	for i, e := range r.entries {
		if uri, found := replace[i]; found && uri != e.uri.value {
			edited = append(edited, r.text[from:e.uri.start]...)
			edited = append(edited, quote(uri)...)
			from = e.uri.end
		}
	}
	edited = append(edited, r.text[from:]...)
	_, problems := ParseRevision(file, edited)
	return edited, problems.Err()
}

// find returns the index of a container's entry.
func (r *revision) find(container string) (int, error) {
	if container == "" && len(r.entries) == 1 {
		return 0, nil
	}
	var names []string
	for i, e := range r.entries {
		if e.name.value == container {
			return i, nil
		}
		names = append(names, e.name.value)
	}
	slices.Sort(names)
	if container == "" {
		return 0, slipway.Usagef("%s has %d containers: say which one, as CONTAINER=IMAGE: %s", r.file, len(names), strings.Join(names, ", "))
	}
	return 0, &slipway.Error{
		Next: slipway.NextUsage,
		Message: fmt.Sprintf("%s names no container %q%s; it names: %s",
			r.file, container, didYouMean(container, names), strings.Join(names, ", ")),
		Hint: "to add a container, edit the file and commit it",
	}
}

// quote writes a JSON string without the escapes that are meant for HTML.
func quote(text string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil { // a string always encodes
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}
