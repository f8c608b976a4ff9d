package deployrepo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
)

func TestRollback(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"folder", "url"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := newBare(t)
			odd := "\ufeff[{\"imageUri\":\"web:1\",\r\n\"x\":1, \"name\":\"webapp1\"}]\r\n"
			first := commit(t, dir, "first\n\nwith a body", change{Path: webapp1.RevisionPath(), Content: odd})
			broken := commit(t, dir, "broken", change{Path: webapp1.RevisionPath(), Content: "oops"})
			second := commit(t, dir, "second", revision(webapp1, "web:2"))
			commit(t, dir, "settings", change{Path: webapp1.PipelinePath(), Content: "mode: queued\n"})
			r := open(t, ways(dir)[way])
			blob := func(rev string) string { return run(t, dir, "rev-parse", rev+":"+webapp1.RevisionPath()) }

			// The previous content, over what was broken between.
			if _, err := r.Rollback(t.Context(), webapp1, "", WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			if blob("main") != blob(first) {
				t.Error("the file is not what it was, byte for byte")
			}
			if got, want := run(t, dir, "log", "-1", "--format=%B", "main"), "Roll back cluster1/webapp1 to "+first[:8]+
				"\n\nFrom web:2\nto web:1\nas of commit "+first+": first"; got != want {
				t.Errorf("message:\n%s\nwant:\n%s", got, want)
			}
			if got := run(t, dir, "diff-tree", "-r", "--name-only", "main~1", "main"); got != webapp1.RevisionPath() {
				t.Errorf("changed: %q", got)
			}
			// Back and forth.
			if _, err := r.Rollback(t.Context(), webapp1, "", WriteOptions{Message: "forth again"}); err != nil {
				t.Fatal(err)
			}
			if blob("main") != blob(second) || run(t, dir, "log", "-1", "--format=%B", "main") != "forth again" {
				t.Error("a second rollback does not undo the first")
			}
			// To a commit, that it need not have changed.
			if w, err := r.Rollback(t.Context(), webapp1, first[:10], WriteOptions{}); err != nil || !w.Changed || blob("main") != blob(first) {
				t.Error(w, err)
			}
			if w, err := r.Rollback(t.Context(), webapp1, first, WriteOptions{}); err != nil || w.Changed {
				t.Errorf("to what is there: %+v, %v", w, err)
			}

			_, err := r.Rollback(t.Context(), webapp1, broken, WriteOptions{})
			wantError(t, err, slipway.NextUsage, "cannot roll back to commit "+broken[:8], "revision.json:1:1")
			_, err = r.Rollback(t.Context(), webapp1, "deadbeef", WriteOptions{})
			wantError(t, err, slipway.NextUsage, `no commit "deadbeef"`)
			_, err = r.Rollback(t.Context(), slipway.App{Cluster: "cluster1", Name: "none"}, "", WriteOptions{})
			wantError(t, err, slipway.NextUsage, "there is no app cluster1/none")
			_, err = r.Rollback(t.Context(), slipway.App{Cluster: "cluster1", Name: "none"}, first, WriteOptions{})
			wantError(t, err, slipway.NextUsage, "there is no app cluster1/none at commit "+first[:8])
			_, err = r.Rollback(t.Context(), webapp1, first, WriteOptions{Expect: blob(second)})
			wantError(t, err, slipway.NextPerson, "somebody else changed")

			// What was removed, or made a link, comes back.
			for _, bad := range []change{{Path: webapp1.RevisionPath()}, {Path: webapp1.RevisionPath(), Mode: "120000", Content: "x"}} {
				commit(t, dir, "bad", bad)
				if _, err := r.Rollback(t.Context(), webapp1, "", WriteOptions{}); err != nil {
					t.Fatal(err)
				}
				if blob("main") != blob(first) || !strings.HasPrefix(run(t, dir, "ls-tree", "main", webapp1.RevisionPath()), "100644") {
					t.Error("it has not come back")
				}
			}
		})
	}
}

func TestRollbackInAShallowClone(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	commit(t, dir, "second", revision(webapp1, "web:2"))
	shallow := filepath.Join(t.TempDir(), "shallow")
	run(t, ".", "clone", "--quiet", "--depth=1", "file://"+dir, shallow)
	_, err := open(t, shallow).Rollback(t.Context(), webapp1, "", WriteOptions{})
	wantError(t, err, slipway.NextUsage, "no earlier revision", "git fetch --unshallow")
}

func TestInit(t *testing.T) {
	t.Parallel()
	existing := newBare(t)
	commit(t, existing, "first", revision(webapp1, "mine:1"), change{Path: "README.md", Content: "mine"})
	apps := map[slipway.App][]slipway.Image{
		webapp1:                                 {{Container: "webapp1", URI: "web:1"}, {Container: "side", URI: "side:1"}},
		{Cluster: "cluster2", Name: "service1"}: {{Container: "service1", URI: "service:1"}},
	}
	for name, tc := range map[string]struct {
		url    string
		branch string
		apps   map[slipway.App][]slipway.Image
		want   string
		bare   bool
	}{
		"a new folder":        {url: filepath.Join(t.TempDir(), "deep", "deployment"), want: "README.md\ncluster1/webapp1/revision.json"},
		"a new bare folder":   {url: filepath.Join(t.TempDir(), "deployment.git"), apps: apps, bare: true, want: "README.md\ncluster1/webapp1/revision.json\ncluster2/service1/revision.json"},
		"an empty folder":     {url: t.TempDir(), branch: "master", want: "README.md\ncluster1/webapp1/revision.json"},
		"an empty repository": {url: "file://" + newBare(t), apps: apps, bare: true, want: "README.md\ncluster1/webapp1/revision.json\ncluster2/service1/revision.json"},
		"what exists stays":   {url: existing, apps: apps, bare: true, want: "README.md\ncluster1/webapp1/revision.json\ncluster2/service1/revision.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{URL: tc.url, Branch: tc.branch, MirrorDir: filepath.Join(t.TempDir(), "mirror.git")}
			w, err := Init(t.Context(), o, tc.apps, WriteOptions{})
			if err != nil || !w.Changed {
				t.Fatal(w, err)
			}
			dir := strings.TrimPrefix(tc.url, "file://")
			if got := run(t, dir, "ls-tree", "-r", "--name-only", w.Commit); got != tc.want {
				t.Errorf("files:\n%s\nwant:\n%s", got, tc.want)
			}
			if !tc.bare {
				if got := run(t, dir, "status", "--porcelain"); got != "" {
					t.Errorf("the work tree is not clean: %q", got)
				}
				if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
					t.Error(err)
				}
			}
			r := openWith(t, o)
			problems, err := r.Validate(t.Context(), w.Commit)
			if len(problems) != 0 || err != nil {
				t.Errorf("it is not valid: %v, %v", problems, err)
			}
			if want := tc.branch; want != "" && r.Branch() != want {
				t.Errorf("branch %s, want %s", r.Branch(), want)
			}
			if again, err := Init(t.Context(), o, tc.apps, WriteOptions{}); again.Changed || err != nil {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Init(t.Context(), Options{URL: full}, nil, WriteOptions{})
	wantError(t, err, slipway.NextUsage, "not a git repository")
	_, err = Init(t.Context(), Options{URL: t.TempDir()}, map[slipway.App][]slipway.Image{webapp1: nil}, WriteOptions{})
	wantError(t, err, slipway.NextUsage, "cluster1/webapp1", "empty")
	t.Cleanup(func() {
		if got := show(t, existing, webapp1.RevisionPath()); !strings.Contains(got, "mine:1") {
			t.Errorf("Init has replaced a file: %q", got)
		}
	})
}
