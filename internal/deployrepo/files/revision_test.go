package files

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway"
)

const path = "cluster1/webapp1/revision.json"

// lines are problems as a person sees them, without the file's name and with
// warnings marked.
func lines(problems Problems) []string {
	var out []string
	for _, p := range problems {
		line := strings.TrimPrefix(p.String(), p.File+":")
		if p.Warning {
			line = "warning: " + line
		}
		out = append(out, line)
	}
	return out
}

func TestParseRevision(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("ab", 32)
	entries := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"name":"c%d","imageUri":"x:%d"}`, i, i))
		}
		return "[" + strings.Join(list, ",\n") + "]"
	}
	for name, tc := range map[string]struct {
		text string
		want []string // problems; without errors there are images
	}{
		"plain":              {text: `[{"name":"webapp1","imageUri":"123456789012.dkr.ecr.ca-central-1.amazonaws.com/webapp1:1.4.2"}]`},
		"digest":             {text: `[{"name":"a","imageUri":"host.example.com:5000/team/web` + digest + `"}]`},
		"tag and digest":     {text: `[{"name":"a","imageUri":"web:1` + digest + `"}]`},
		"BOM and CRLF":       {text: "\ufeff[\r\n{\"name\":\"a\",\r\n\"imageUri\":\"web:1\"}]\r\n"},
		"escapes":            {text: `[{"n\u0061me":"\u0061","imageUri":"web\u003a1"}]`},
		"ten":                {text: entries(10)},
		"255 characters":     {text: `[{"name":"a","imageUri":"example.com/` + strings.Repeat("x", 241) + `:1"}]`},
		"untagged":           {text: `[{"name":"a","imageUri":"web"}]`, want: []string{`warning: 1:25: "web" has neither tag nor digest, so it means whatever :latest is at the time`}},
		"unknown members":    {text: "[{\"name\":\"a\",\n \"imageURI\":{\"x\":[1,{}]},\"imageUri\":\"web:1\"}]", want: []string{`warning: 2:2: unknown member "imageURI" is kept and has no effect; did you mean "imageUri"?`}},
		"256 characters":     {text: `[{"name":"a","imageUri":"` + strings.Repeat("x", 254) + `:1"}]`, want: []string{`1:25: the image reference "` + strings.Repeat("x", 60) + `"… has 256 characters; at most 255 are allowed`}},
		"eleven":             {text: entries(11), want: []string{"11:1: has more than 10 entries; a task definition has at most 10 containers"}},
		"empty":              {text: " \n", want: []string{" is empty: write " + example}},
		"empty list":         {text: "[ ]", want: []string{"1:3: the list is empty: write " + example}},
		"an object":          {text: `{"name":"a","imageUri":"web:1"}`, want: []string{"1:1: must be a list: write " + example}},
		"null":               {text: "\n null", want: []string{"2:2: must be a list: write " + example}},
		"no objects":         {text: `["web:1", null, {"name":"a","imageUri":"web:1"}]`, want: []string{"1:2: entry 1 is no object: write " + example, "1:11: entry 2 is no object: write " + example}},
		"missing members":    {text: "[{},\n {\"name\":\"a\"}, {\"imageUri\":\"web:1\"}]", want: []string{`1:2: the entry has no "name": write ` + example, `1:2: the entry has no "imageUri": write ` + example, `2:2: the entry has no "imageUri": write ` + example, `2:16: the entry has no "name": write ` + example}},
		"wrong types":        {text: `[{"name":1,"imageUri":null}]`, want: []string{`1:10: "name" must be a string in quotes`, `1:23: "imageUri" must be a string in quotes`}},
		"duplicate member":   {text: "[{\"name\":\"a\",\n\"imageUri\":\"web:1\",\n  \"name\":\"a\"}]", want: []string{`3:3: the member "name" is there twice: remove one`}},
		"duplicate, escaped": {text: `[{"name":"a","imageUri":"web:1","n\u0061me":"b"}]`, want: []string{`1:33: the member "name" is there twice: remove one`}},
		"same container":     {text: "[{\"name\":\"a\",\"imageUri\":\"web:1\"},\n{\"name\":\"a\",\"imageUri\":\"web:2\"}]", want: []string{`2:9: the container "a" is named twice: one entry for each container`}},
		"container's name":   {text: `[{"name":"a.b","imageUri":"web:1"},{"name":"","imageUri":"web:1"}]`, want: []string{`1:10: "a.b" is no container's name: write 1 to 255 letters, digits, '-' and '_'`, `1:44: "" is no container's name: write 1 to 255 letters, digits, '-' and '_'`}},
		"columns are letters": {text: `[{"größe":1,"name":"a","imageUri":"Ä"}]`, want: []string{
			`warning: 1:3: unknown member "größe" is kept and has no effect`,
			`1:35: "Ä" is no image reference (invalid reference format: repository name (library/Ä) must be lowercase): write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST`,
		}},
		"upper case":          {text: `[{"name":"a","imageUri":"Web:1"}]`, want: []string{`1:25: "Web:1" is no image reference (invalid reference format: repository name (library/Web) must be lowercase): write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST`}},
		"URL":                 {text: `[{"name":"a","imageUri":"https://example.com/web:1"}]`, want: []string{`1:25: "https://example.com/web:1" is a URL and no image reference: write "example.com/web:1"`}},
		"short digest":        {text: `[{"name":"a","imageUri":"web@sha256:abcd"}]`, want: []string{`1:25: "web@sha256:abcd" is no image reference (invalid reference format): write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST`}},
		"trailing comma":      {text: "[{\"name\":\"a\",\"imageUri\":\"web:1\"},\n]", want: []string{"2:1: is not JSON: invalid character ']' looking for beginning of value; remove the comma before it"}},
		"trailing garbage":    {text: "[{\"name\":\"a\",\"imageUri\":\"web:1\"}]\n\n  x", want: []string{"3:3: is not JSON: invalid character 'x' after top-level value"}},
		"two values":          {text: `[][]`, want: []string{"1:3: is not JSON: invalid character '[' after top-level value"}},
		"cut off":             {text: "[{\"name\":\"a\",\n", want: []string{"2:1: is not JSON: unexpected end of JSON input"}},
		"conflict markers":    {text: "[\n<<<<<<< HEAD\n", want: []string{"2:1: is not JSON: invalid character '<' looking for beginning of value"}},
		"not UTF-8":           {text: "[\n\"\xe4\"]", want: []string{"2:2: is not UTF-8: save it as UTF-8"}},
		"UTF-16":              {text: "\xff\xfe[\x00]\x00", want: []string{"1:1: is not UTF-8: it looks like UTF-16, as PowerShell's '>' writes; save it as UTF-8"}},
		"100 KB":              {text: `[{"name":"a","imageUri":"web:1"}]` + strings.Repeat("\n", MaxSize-33)},
		"100 KB and one byte": {text: `[{"name":"a","imageUri":"web:1"}]` + strings.Repeat("\n", MaxSize-32), want: []string{" has 102401 bytes; at most 102400 (100 KB) are allowed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			images, problems := ParseRevision(path, []byte(tc.text))
			if diff := cmp.Diff(tc.want, lines(problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if (problems.Err() == nil) != (len(images) > 0) {
				t.Errorf("%d images with the error %v", len(images), problems.Err())
			}
		})
	}
}

func TestProblemsErr(t *testing.T) {
	t.Parallel()
	problems := Problems{{File: "a", Message: "whole"}, {File: "b", Line: 1, Column: 2, Message: "odd", Warning: true}, {File: "c", Line: 3, Column: 4, Message: "wrong"}}
	err := problems.Err()
	if err == nil || err.Error() != "a: whole\nc:3:4: wrong" || slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("Err: %v", err)
	}
	if diff := cmp.Diff(problems[1:2], problems.Warnings()); diff != "" {
		t.Errorf("Warnings (-want +got):\n%s", diff)
	}
	if problems[1:2].Err() != nil {
		t.Error("a warning is an error")
	}
}

func TestParseRevisionOrder(t *testing.T) {
	t.Parallel()
	images, _ := ParseRevision(path, []byte(`[{"imageUri":"b:1","name":"b"},{"name":"a","imageUri":"a:1"}]`))
	want := []slipway.Image{{Container: "b", URI: "b:1"}, {Container: "a", URI: "a:1"}}
	if diff := cmp.Diff(want, images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

func TestEditRevision(t *testing.T) {
	t.Parallel()
	text := "\ufeff[ {\"imageUri\" :\t\"a:1\", \"x\": \"a:1\",\r\n\"name\":\"a\"},{\"name\":\"b\",\"imageUri\":\"b\\u003a1\"} ]  \r\n"
	for name, tc := range map[string]struct {
		images map[string]string
		want   string
	}{
		"one":              {map[string]string{"a": "a:2"}, strings.Replace(text, "\t\"a:1\"", "\t\"a:2\"", 1)},
		"both":             {map[string]string{"a": "a:2", "b": "b:22"}, strings.Replace(strings.Replace(text, "\t\"a:1\"", "\t\"a:2\"", 1), `"b\u003a1"`, `"b:22"`, 1)},
		"the same already": {map[string]string{"a": "a:1", "b": "b:1"}, text},
		"nothing":          {nil, text},
	} {
		got, err := EditRevision(path, []byte(text), tc.images)
		if string(got) != tc.want || err != nil {
			t.Errorf("%s: %v\n%q, want\n%q", name, err, got, tc.want)
		}
	}

	// A file that is full stays within the limit, or is not written.
	full := `[{"name":"a","imageUri":"web:1"}]` + strings.Repeat("\n", MaxSize-33)
	if _, err := EditRevision(path, []byte(full), map[string]string{"": "web:22"}); err == nil || !strings.Contains(err.Error(), "102401 bytes") {
		t.Errorf("a file that grows too large: %v", err)
	}
}

func TestFormatRevision(t *testing.T) {
	t.Parallel()
	images := []slipway.Image{{Container: "a", URI: "a:1"}, {Container: "b", URI: "b:1"}}
	text, err := FormatRevision(path, images)
	if want := "[\n  {\"name\": \"a\", \"imageUri\": \"a:1\"},\n  {\"name\": \"b\", \"imageUri\": \"b:1\"}\n]\n"; string(text) != want || err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	for _, bad := range [][]slipway.Image{nil, {{Container: "a", URI: "A"}}, {{Container: `a"`, URI: "a:1"}}, {images[0], images[0]}} {
		if text, err := FormatRevision(path, bad); err == nil {
			t.Errorf("%v was written: %s", bad, text)
		}
	}
}

// TestEditKeepsEverythingElse edits generated files: what is read afterwards is
// what was set, everything else is decoded as before, and nothing but the value
// has changed in the text.
func TestEditKeepsEverythingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, names := drawRevision(t)
		target := rapid.SampledFrom(names).Draw(t, "container")
		uri := rapid.StringMatching(`[a-z]{1,8}(/[a-z0-9]{1,5}){0,2}:[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}`).Draw(t, "uri")
		edited, err := EditRevision(path, text, map[string]string{target: uri})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		images, problems := ParseRevision(path, edited)
		if problems.Err() != nil {
			t.Fatal(problems.Err())
		}
		before, after := decode(t, text), decode(t, edited)
		for i, image := range images {
			if image.Container == target {
				if image.URI != uri {
					t.Fatalf("%s is %s, want %s", target, image.URI, uri)
				}
				before[i]["imageUri"] = uri
			}
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("something else has changed:\n%s", diff)
		}
		// What is common at both ends leaves one gap, inside the one value.
		head := commonPrefix(text, edited)
		tail := commonPrefix(reversed(text[head:]), reversed(edited[head:]))
		if gap := edited[head : len(edited)-tail]; !strings.Contains(quote(uri), string(gap)) {
			t.Fatalf("%q was changed, not only %s", gap, quote(uri))
		}
		again, err := EditRevision(path, edited, map[string]string{target: uri})
		if err != nil || !bytes.Equal(again, edited) {
			t.Fatalf("the same edit again changes the text: %v", err)
		}
	})
}

// drawRevision draws a valid file with any white space, order and members.
func drawRevision(t *rapid.T) (text []byte, names []string) {
	space := rapid.SampledFrom([]string{"", " ", "\n", "\r\n", "\t", " \n  "})
	extra := rapid.SampledFrom([]string{`1`, `null`, `"imageUri"`, `{"name": "x", "imageUri": "y:1"}`, `[[], "a,:}"]`, `"\u00e9\\\""`, `"größer"`})
	names = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9_-]{1,6}`), 1, 10, rapid.ID).Draw(t, "names")
	var out bytes.Buffer
	pad := func() { out.WriteString(space.Draw(t, "space")) }
	out.WriteString(rapid.SampledFrom([]string{"", byteOrderMark}).Draw(t, "mark"))
	pad()
	out.WriteString("[")
	for i, name := range names {
		if i > 0 {
			out.WriteString(",")
		}
		members := []string{`"name":` + space.Draw(t, "space") + quote(name), `"imageUri":` + space.Draw(t, "space") + quote(fmt.Sprintf("img%d:1", i))}
		for j := range rapid.IntRange(0, 2).Draw(t, "extras") {
			members = append(members, fmt.Sprintf(`"extra%d":%s`, j, extra.Draw(t, "extra")))
		}
		members = rapid.Permutation(members).Draw(t, "order")
		pad()
		out.WriteString("{")
		for j, member := range members {
			if j > 0 {
				out.WriteString(",")
			}
			pad()
			out.WriteString(member)
			pad()
		}
		out.WriteString("}")
		pad()
	}
	out.WriteString("]")
	pad()
	return out.Bytes(), names
}

func decode(t *rapid.T, text []byte) []map[string]any {
	var list []map[string]any
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte(byteOrderMark)), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func reversed(text []byte) []byte {
	out := bytes.Clone(text)
	for i := range len(out) / 2 {
		out[i], out[len(out)-1-i] = out[len(out)-1-i], out[i]
	}
	return out
}

// FuzzParseRevision: whatever the text, problems stand inside it, and what is
// accepted is what encoding/json reads, and can be edited.
func FuzzParseRevision(f *testing.F) {
	for _, seed := range []string{"", "[]", `[{"name":"a","imageUri":"b:1"}]`, "\ufeff[\r\n{\"name\":\"a\",\"x\":[{}],\"imageUri\":\"b\"}]", "[{,}]", "\xff", "[[[", `[{"name":"a","imageUri":"b:1","name":""}]x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		images, problems := ParseRevision(path, text)
		for _, p := range problems {
			if p.Line > bytes.Count(text, []byte("\n"))+1 || (p.Line == 0) != (p.Column == 0) || p.Column > len(text)+1 {
				t.Fatalf("the problem stands outside the text: %s", p)
			}
		}
		if problems.Err() != nil {
			return
		}
		var list []struct {
			Name     string `json:"name"`
			ImageURI string `json:"imageUri"`
		}
		if err := json.Unmarshal(bytes.TrimPrefix(text, []byte(byteOrderMark)), &list); err != nil {
			t.Skip("members that differ in case only")
		}
		if len(images) != len(list) || len(images) == 0 || len(images) > maxImages {
			t.Fatalf("%d images of %d entries", len(images), len(list))
		}
		edited, err := EditRevision(path, text, map[string]string{images[0].Container: "other/image:1"})
		if err != nil && len(text) < MaxSize-100 {
			t.Fatalf("it cannot be edited: %v", err)
		}
		if again, _ := ParseRevision(path, edited); err == nil && again[0].URI != "other/image:1" {
			t.Fatalf("edited: %v", again)
		}
	})
}
