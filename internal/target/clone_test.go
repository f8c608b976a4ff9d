package target

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway"
)

// jsonText draws the text of any JSON value, numbers that no Go type holds
// included.
func jsonText(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kinds := []string{"string", "number", "literal"}
		if depth > 0 {
			kinds = append(kinds, "object", "list")
		}
		switch rapid.SampledFrom(kinds).Draw(t, "kind") {
		case "string":
			return quote(rapid.String().Draw(t, "string"))
		case "number":
			return rapid.SampledFrom([]string{
				"0", "-1", "256", "0.1", "1.50", "1e400", "12345678901234567890", "9007199254740993", "-0", "1E+2",
			}).Draw(t, "number")
		case "object":
			var parts []string
			for _, name := range rapid.SliceOfNDistinct(memberName(), 0, 3, rapid.ID).Draw(t, "names") {
				parts = append(parts, quote(name)+": "+jsonText(depth-1).Draw(t, "member"))
			}
			return "{" + strings.Join(parts, " , ") + "}"
		case "list":
			return "[" + strings.Join(rapid.SliceOfN(jsonText(depth-1), 0, 3).Draw(t, "list"), ",\n") + "]"
		}
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "literal")
	})
}

func memberName() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[a-z][a-zA-Z]{2,9}`), rapid.String())
}

// quote is s as a JSON string, written as AWS does: <, > and & as they are.
func quote(s string) string {
	raw, err := encode(s)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// object is JSON text with its members apart.
type object map[string]string

func (o object) text() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, quote(name)+":"+o[name])
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func drawObject(t *rapid.T, label string, reserved ...string) object {
	o := object{}
	names := memberName().Filter(func(s string) bool { return !slices.Contains(reserved, s) })
	for _, name := range rapid.SliceOfNDistinct(names, 0, 6, rapid.ID).Draw(t, label) {
		o[name] = jsonText(3).Draw(t, label+" value")
	}
	return o
}

func compact(t interface{ Fatalf(string, ...any) }, raw string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(raw)); err != nil {
		t.Fatalf("compact %s: %v", raw, err)
	}
	return b.String()
}

// TestCloneIsLossless: whatever a task definition has, known to the SDK or not,
// at whatever depth, is registered as it was read, but for the images that are
// named; what only a response has is not.
func TestCloneIsLossless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		special := append(responseOnly(), "containerDefinitions", "tags")
		fields := drawObject(t, "task", special...)
		fields["family"] = quote("webapp1")
		var containers []object
		var texts []string
		var wanted []slipway.Image
		for i := range rapid.IntRange(1, 4).Draw(t, "containers") {
			container := drawObject(t, "container", "name", "image")
			name := "c" + strconv.Itoa(i)
			container["name"] = quote(name)
			container["image"] = quote(rapid.StringMatching(`[a-z<&]{1,8}:[0-9]`).Draw(t, "image"))
			containers = append(containers, container)
			texts = append(texts, container.text())
			if rapid.Bool().Draw(t, "named") {
				wanted = append(wanted, slipway.Image{Container: name, URI: rapid.StringMatching(`new/[a-z]{1,3}:[0-9]`).Draw(t, "wanted")})
			}
		}
		answer := maps.Clone(fields)
		answer["containerDefinitions"] = "[" + strings.Join(texts, ",") + "]"
		for _, name := range responseOnly() {
			if rapid.Bool().Draw(t, name) {
				answer[name] = jsonText(2).Draw(t, "value of "+name)
			}
		}
		tags := drawTags(t)
		body := object{"taskDefinition": answer.text(), "tags": encodeTags(tags)}.text()

		first := clone(t, []byte(body), wanted)
		var got members
		if err := json.Unmarshal(first, &got); err != nil {
			t.Fatal(err)
		}
		for name, raw := range fields {
			if string(got[name]) != compact(t, raw) {
				t.Fatalf("member %q was %s and became %s", name, raw, got[name])
			}
		}
		if want := len(fields) + 2; len(got) != want { // and containerDefinitions, tags
			t.Fatalf("%d members were registered, want %d: %s", len(got), want, first)
		}
		checkContainers(t, got["containerDefinitions"], containers, wanted)
		checkTags(t, got["tags"], tags)

		// ECS describes what was registered, and the copy of the copy is the copy.
		described := maps.Clone(got)
		delete(described, "tags")
		described["revision"], described["status"] = []byte("7"), []byte(`"ACTIVE"`)
		definition, err := encode(described)
		if err != nil {
			t.Fatal(err)
		}
		again := clone(t, []byte(object{"taskDefinition": string(definition), "tags": string(got["tags"])}.text()), wanted)
		if !bytes.Equal(again, first) {
			t.Fatalf("the copy of a copy differs:\n%s\n%s", first, again)
		}
	})
}

func clone(t *rapid.T, body []byte, images []slipway.Image) []byte {
	parsed, err := parseDefinition(body)
	if err != nil {
		t.Fatal(err)
	}
	changed, _, err := parsed.withImages(images)
	if err != nil {
		t.Fatal(err)
	}
	if !same(parsed, parsed) || same(parsed, changed) != slices.Equal(parsed.images(), changed.images()) {
		t.Fatalf("same does not tell %v from %v", parsed.images(), changed.images())
	}
	input, err := changed.withoutOurTags().withTags(tag{tagExecution, "e1"}, tag{tagCommit, "c1"}).input()
	if err != nil {
		t.Fatal(err)
	}
	return input
}

func checkContainers(t *rapid.T, raw json.RawMessage, before []object, wanted []slipway.Image) {
	var after []members
	if err := json.Unmarshal(raw, &after); err != nil || len(after) != len(before) {
		t.Fatalf("%d containers became %s (%v)", len(before), raw, err)
	}
	for i, container := range before {
		want := maps.Clone(container)
		for _, image := range wanted {
			if quote(image.Container) == container["name"] {
				want["image"] = quote(image.URI)
			}
		}
		if len(after[i]) != len(want) {
			t.Fatalf("container %s became %s", container.text(), raw)
		}
		for name, text := range want {
			if name == "image" {
				var a, b string
				if json.Unmarshal(after[i][name], &a) != nil || json.Unmarshal([]byte(text), &b) != nil || a != b {
					t.Fatalf("the image is %s, want %s", after[i][name], text)
				}
			} else if string(after[i][name]) != compact(t, text) {
				t.Fatalf("container member %q was %s and became %s", name, text, after[i][name])
			}
		}
	}
}

func drawTags(t *rapid.T) []tag {
	keys := rapid.OneOf(rapid.StringMatching(`[a-zA-Z]{1,6}`), rapid.SampledFrom([]string{"aws:cloudformation:stack-name", tagExecution, tagCommit}))
	var tags []tag
	for _, key := range rapid.SliceOfNDistinct(keys, 0, 49, rapid.ID).Draw(t, "tags") {
		tags = append(tags, tag{key, rapid.StringN(0, 5, 20).Draw(t, "tag value")})
	}
	return tags
}

func encodeTags(tags []tag) string {
	if tags == nil {
		return "[]"
	}
	raw, err := encode(tags)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func checkTags(t *rapid.T, raw json.RawMessage, before []tag) {
	var after []tag
	if err := json.Unmarshal(raw, &after); err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(slices.Clone(before), func(t tag) bool {
		return strings.HasPrefix(t.Key, "aws:") || strings.HasPrefix(t.Key, tagPrefix)
	})
	room := maxTags - len(want)
	want = append(want, []tag{{tagExecution, "e1"}, {tagCommit, "c1"}}[:min(2, room)]...)
	if diff := cmp.Diff(want, after); diff != "" {
		t.Fatalf("tags (-want +got):\n%s", diff)
	}
}

func TestWithTagsKeepsTheirs(t *testing.T) {
	full := definition{}
	for i := range maxTags {
		full.tags = append(full.tags, tag{fmt.Sprintf("team%d", i), "x"})
	}
	got := full.withTags(tag{tagExecution, "e1"})
	if diff := cmp.Diff(full.tags, got.tags); diff != "" {
		t.Errorf("a full list of tags changed (-want +got):\n%s", diff)
	}
	full.tags = full.tags[:maxTags-1]
	got = full.withTags(tag{tagExecution, "e1"}, tag{tagCommit, "c1"})
	if len(got.tags) != maxTags || !got.taggedFor("e1") {
		t.Errorf("with room for one tag, got %v", got.tags[maxTags-1:])
	}
}

func TestInputHasNoEmptyTags(t *testing.T) {
	d, err := parseDefinition([]byte(`{"taskDefinition": {"family": "f", "containerDefinitions": []}, "tags": [{"key": "aws:x", "value": "y"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := d.input()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"containerDefinitions":[],"family":"f"}`; string(body) != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

func TestInputKeepsTheText(t *testing.T) {
	const text = `{"containerDefinitions":[{"image":"a<b","name":"web","x":"<&>\u003c"}],"cpu":"1","family":"f"}`
	d, err := parseDefinition([]byte(`{"taskDefinition":` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := d.input()
	if err != nil || string(body) != text {
		t.Errorf("%s became %s (%v)", text, body, err)
	}
}

func TestWithImagesUnknownContainer(t *testing.T) {
	d, err := parseDefinition([]byte(`{"taskDefinition": {"family": "f", "containerDefinitions": [{"name": "web"}, {"name": "log"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = d.withImages([]slipway.Image{{Container: "wbe", URI: "x:1"}})
	if slipway.NextOf(err) != slipway.NextUsage || slipway.HintOf(err) == "" {
		t.Errorf("got %v (next %s, hint %q)", err, slipway.NextOf(err), slipway.HintOf(err))
	}
	if want := `the task definition f has no container "wbe"; it has web, log`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestParseDefinitionRefusesOtherAnswers(t *testing.T) {
	for _, body := range []string{``, `[]`, `{}`, `{"taskDefinition": 1}`, `{"taskDefinition": {}}`, `{"taskDefinition": {"containerDefinitions": {}}}`,
		`{"taskDefinition": {"containerDefinitions": []}, "tags": {}}`} {
		if _, err := parseDefinition([]byte(body)); err == nil {
			t.Errorf("%s was taken for a task definition", body)
		}
	}
}
