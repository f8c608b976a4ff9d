package deployrepo

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestLog(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	other := slipway.App{Cluster: "cluster1", Name: "webapp10"} // the first app's name begins it
	renamed := slipway.App{Cluster: "cluster1", Name: "website"}
	commit(t, dir, "before the app", change{Path: "cluster1/webapp1/README.md", Content: "soon"})
	commit(t, dir, "Add it\n\nWith a body.", revision(webapp1, "web:1"))
	commit(t, dir, "another app", revision(other, "other:1"))
	commit(t, dir, "settings only", change{Path: webapp1.PipelinePath(), Content: "mode: queued\n"})
	commit(t, dir, "broken", change{Path: webapp1.RevisionPath(), Content: "[\n  oops\n]"})
	commit(t, dir, "a link", change{Path: webapp1.RevisionPath(), Mode: "120000", Content: "x"})
	commit(t, dir, "CRLF and BOM", change{Path: webapp1.RevisionPath(), Content: "\ufeff[\r\n{\"name\":\"a\",\"imageUri\":\"web:2\"},\r\n{\"name\":\"b\",\"imageUri\":\"side:1\"}]\r\n"})
	commit(t, dir, "revert to the first", revision(webapp1, "web:1"))
	commit(t, dir, "rename", change{Path: webapp1.RevisionPath()}, revision(renamed, "web:1"))
	commit(t, dir, "after it", change{Path: "cluster1/webapp1/README.md", Content: "gone"})
	commit(t, dir, "back", revision(webapp1, "web:3"))

	r := open(t, dir)
	log, err := r.Log(t.Context(), webapp1, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range log {
		state := slipway.FormatImages(e.Images)
		if e.Images == nil {
			state = "-"
		}
		got = append(got, fmt.Sprintf("%.12s | %s | %v | %s", e.Message, state, e.Removed, e.Problem))
	}
	want := []string{
		"back | web:3 | false | ",
		"rename | - | true | ",
		"revert to th | web:1 | false | ",
		"CRLF and BOM | a=web:2, b=side:1 | false | ",
		"a link | - | false | cluster1/webapp1/revision.json: is a symlink, which is not followed: commit the file itself",
		"broken | - | false | cluster1/webapp1/revision.json:2:3: is not JSON: invalid character 'o' looking for beginning of value",
		"settings onl | web:1 | false | ",
		"Add it\n\nWith | web:1 | false | ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	first := log[len(log)-1].Commit
	if first.Author != "Developer <dev@example.com>" || first.Message != "Add it\n\nWith a body." || first.Time.Unix() != 1700000001 || first.ID == "" {
		t.Errorf("commit: %+v", first)
	}

	short, err := r.Log(t.Context(), webapp1, 2)
	if diff := cmp.Diff(log[:2], short); diff != "" || err != nil {
		t.Errorf("limited log: %v (-want +got):\n%s", err, diff)
	}
	now, err := r.Log(t.Context(), renamed, 0)
	if err != nil || len(now) != 1 || now[0].Message != "rename" {
		t.Errorf("log of the new name: %+v, %v", now, err)
	}
	none, err := r.Log(t.Context(), slipway.App{Cluster: "cluster9", Name: "x"}, 0)
	if err != nil || len(none) != 0 {
		t.Errorf("log of no app: %+v, %v", none, err)
	}
}

func TestAttribute(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	app := func(i int) slipway.App { return slipway.App{Cluster: "cluster1", Name: fmt.Sprint("app", i)} }
	const apps = 2 * few
	var all []slipway.App
	var changes []change
	for i := range apps {
		all = append(all, app(i))
		changes = append(changes, revision(app(i), "x:1"))
	}
	first := commit(t, dir, "all", changes...)
	settings := commit(t, dir, "settings only", change{Path: app(1).PipelinePath(), Content: "mode: queued\n"})
	several := commit(t, dir, "two at once", revision(app(2), "x:2"), revision(app(3), "x:2"))
	newer := commit(t, dir, "one of them again", revision(app(3), "x:3"))
	removed := commit(t, dir, "removed", change{Path: app(4).RevisionPath()})

	// A branch that is merged: its commit is the one that touched the app, and
	// the merge is that of what it decided itself.
	run(t, dir, "branch", "side", removed)
	side := commitOn(t, dir, "side", "on a side branch", revision(app(5), "x:side"), revision(app(6), "x:side"))
	commit(t, dir, "on main", revision(app(6), "x:main"))
	merge := mergeWith(t, dir, side, revision(app(5), "x:side"), revision(app(6), "x:merged"))
	head := commit(t, dir, "unrelated", change{Path: "README.md", Content: "x"})

	want := map[slipway.App]string{}
	for _, a := range all {
		want[a] = first
	}
	want[app(1)], want[app(2)], want[app(3)], want[app(4)], want[app(5)], want[app(6)] = settings, several, newer, removed, side, merge

	r := open(t, dir)
	unknown := slipway.App{Cluster: "cluster1", Name: "app"}
	for name, asked := range map[string][]slipway.App{"few": append(all[:8:8], unknown), "many": append(all[:apps:apps], unknown)} {
		got, err := r.Attribute(t.Context(), head, asked)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range asked[:len(asked)-1] {
			if got[a].ID != want[a] {
				t.Errorf("%s: %s is attributed to %q (%.8s), want %.8s", name, a, got[a].Message, got[a].ID, want[a])
			}
		}
		if _, found := got[unknown]; found || len(got) != len(asked)-1 {
			t.Errorf("%s: %d apps of %d, unknown one found: %v", name, len(got), len(asked), found)
		}
	}
	if got, err := r.Attribute(t.Context(), "", all); len(got) != 0 || err != nil {
		t.Errorf("in an empty repository: %v, %v", got, err)
	}
}

// mergeWith merges a commit into main with the given result.
func mergeWith(t *testing.T, dir, other string, changes ...change) string {
	t.Helper()
	run(t, dir, "branch", "scratch", "main")
	tree := commitOn(t, dir, "scratch", "result", changes...)
	merge := run(t, dir, "commit-tree", "-p", "main", "-p", other, "-m", "merge", tree+"^{tree}")
	run(t, dir, "update-ref", "refs/heads/main", merge)
	run(t, dir, "branch", "-D", "scratch")
	return merge
}
