package deployrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-cd/slipway"
)

// show returns a file of main, or what git says.
func show(t testing.TB, dir, path string) string {
	t.Helper()
	return run(t, dir, "cat-file", "blob", "refs/heads/main:"+path)
}

func set(image string) map[string]string { return map[string]string{"": image} }

func TestSetImagesChangesNothingElse(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"folder", "url"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := newBare(t)
			text := "\ufeff[\r\n\t{ \"imageUri\" : \"web:1\", \"owner\": [1, {}], \"name\":\"webapp1\" },\r\n\t{\"name\":\"side\",\"imageUri\":\"side:1\"} ]\r\n\r\n"
			first := commit(t, dir, "first",
				change{Path: webapp1.RevisionPath(), Mode: "100755", Content: text},
				change{Path: "cluster1/other/revision.json", Content: "broken"}, change{Path: "docs/a b/ü.md", Content: "x"})
			r := open(t, ways(dir)[way])
			w, err := r.SetImages(t.Context(), webapp1, map[string]string{"webapp1": "registry.example.com/team/web:2"}, WriteOptions{})
			if err != nil || !w.Changed {
				t.Fatal(w, err)
			}
			if got, want := show(t, dir, webapp1.RevisionPath()), strings.TrimSpace(strings.Replace(text, "web:1", "registry.example.com/team/web:2", 1)); got != want {
				t.Errorf("the file is\n%q, want\n%q", got, want)
			}
			if got := run(t, dir, "diff-tree", "-r", "--name-status", first, w.Commit); got != "M\t"+webapp1.RevisionPath() {
				t.Errorf("changed files: %q", got)
			}
			if got := run(t, dir, "ls-tree", "main", webapp1.RevisionPath()); !strings.HasPrefix(got, "100755") {
				t.Errorf("the mode is lost: %s", got)
			}
			if got := run(t, dir, "log", "-1", "--format=%P|%an <%ae>|%cn <%ce>|%B", "main"); got != first+
				"|Author <author@example.com>|Committer <committer@example.com>|Deploy web:2 to cluster1/webapp1\n\nwebapp1: registry.example.com/team/web:2" {
				t.Errorf("the commit is %q", got)
			}
			run(t, dir, "fsck", "--strict", "--no-dangling")

			if r.Head() != first {
				t.Error("a write has hidden the news from Refresh")
			}
			again, err := r.SetImages(t.Context(), webapp1, map[string]string{"webapp1": "registry.example.com/team/web:2"}, WriteOptions{})
			if err != nil || again.Changed || again.Commit != w.Commit {
				t.Errorf("the same again: %+v, %v", again, err)
			}
			if head, changed, err := r.Refresh(t.Context()); head != w.Commit || !changed || err != nil {
				t.Errorf("Refresh after a write: %s %v %v", head, changed, err)
			}

			w, err = r.SetImages(t.Context(), webapp1, map[string]string{"side": "side@sha256:" + strings.Repeat("ab", 32), "webapp1": "web:3"},
				WriteOptions{Message: "both", Author: "Somebody <some@example.com>"})
			if err != nil || !w.Changed {
				t.Fatal(w, err)
			}
			if got := run(t, dir, "log", "-1", "--format=%an <%ae>|%cn|%B", "main"); got != "Somebody <some@example.com>|Committer|both" {
				t.Errorf("the commit is %q", got)
			}
		})
	}
}

func TestSetImagesErrors(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	two := slipway.App{Cluster: "cluster1", Name: "two"}
	broken := slipway.App{Cluster: "cluster1", Name: "broken"}
	linked := slipway.App{Cluster: "cluster1", Name: "linked"}
	absent := slipway.App{Cluster: "cluster1", Name: "absent"}
	head := commit(t, dir, "first", revision(webapp1, "web:1"),
		change{Path: two.RevisionPath(), Content: `[{"name":"a","imageUri":"a:1"},{"name":"b","imageUri":"b:1"}]`},
		change{Path: broken.RevisionPath(), Content: "[\n {]"}, change{Path: linked.RevisionPath(), Mode: "120000", Content: "x"})
	r := open(t, dir)
	for name, tc := range map[string]struct {
		app    slipway.App
		images map[string]string
		o      WriteOptions
		next   slipway.Next
		words  []string
	}{
		"no image":           {webapp1, nil, WriteOptions{}, slipway.NextUsage, []string{"no image"}},
		"which container":    {two, set("x:1"), WriteOptions{}, slipway.NextUsage, []string{"2 containers", "a, b"}},
		"unknown container":  {webapp1, map[string]string{"webap1": "x:1"}, WriteOptions{}, slipway.NextUsage, []string{`no container "webap1"`, `did you mean "webapp1"?`}},
		"bad image":          {webapp1, set("not an image"), WriteOptions{}, slipway.NextUsage, []string{`"not an image" is no image reference`}},
		"long image":         {webapp1, set(strings.Repeat("x", 256)), WriteOptions{}, slipway.NextUsage, []string{"256 characters"}},
		"named twice":        {webapp1, map[string]string{"": "x:1", "webapp1": "x:2"}, WriteOptions{}, slipway.NextUsage, []string{"two images"}},
		"broken file":        {broken, set("x:1"), WriteOptions{}, slipway.NextUsage, []string{"revision.json:2:3"}},
		"symlink":            {linked, set("x:1"), WriteOptions{}, slipway.NextUsage, []string{"is a symlink"}},
		"no app":             {absent, set("x:1"), WriteOptions{}, slipway.NextUsage, []string{"there is no app cluster1/absent"}},
		"bad app":            {slipway.App{Cluster: "../x", Name: "y"}, set("x:1"), WriteOptions{Create: true}, slipway.NextUsage, []string{"character '.'"}},
		"new, bad image":     {absent, set("Not:An:Image"), WriteOptions{Create: true}, slipway.NextUsage, []string{"is no image reference"}},
		"new, bad container": {absent, map[string]string{"a b": "x:1"}, WriteOptions{Create: true}, slipway.NextUsage, []string{"is no container's name"}},
		"author":             {webapp1, set("x:1"), WriteOptions{Author: "somebody"}, slipway.NextUsage, []string{"NAME <ADDRESS>"}},
		"conflict":           {webapp1, set("x:1"), WriteOptions{Expect: strings.Repeat("0", 40)}, slipway.NextPerson, []string{"somebody else changed cluster1/webapp1/revision.json", "slipway history"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.SetImages(t.Context(), tc.app, tc.images, tc.o)
			wantError(t, err, tc.next, tc.words...)
		})
	}
	if got := run(t, dir, "rev-parse", "main"); got != head {
		t.Errorf("an error has moved the branch to %s", got)
	}
}

func TestSetImagesOfANewApp(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"folder", "url"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := newBare(t)
			r := open(t, ways(dir)[way])
			if _, err := r.SetImages(t.Context(), webapp1, set("web:1"), WriteOptions{Create: true}); err != nil {
				t.Fatal(err)
			}
			if got := show(t, dir, webapp1.RevisionPath()); got != "[\n  {\"name\": \"webapp1\", \"imageUri\": \"web:1\"}\n]" {
				t.Errorf("the file is %q", got)
			}
			blob := run(t, dir, "rev-parse", "main:"+webapp1.RevisionPath())
			if _, err := r.SetImages(t.Context(), webapp1, set("web:2"), WriteOptions{Expect: blob}); err != nil {
				t.Errorf("with the blob that is there: %v", err)
			}
		})
	}
}

// TestWriteWhenSomebodyElsePushesFirst has the other push between the edit and
// our push.
func TestWriteWhenSomebodyElsePushesFirst(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"folder", "url"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := newBare(t)
			first := commit(t, dir, "first", revision(webapp1, "web:1"))
			r := open(t, ways(dir)[way])
			var seen []string
			w, err := r.Write(t.Context(), WriteOptions{}, func(ctx context.Context, at *View) (Draft, error) {
				content, _, err := at.Read(ctx, webapp1.RevisionPath())
				seen = append(seen, string(content))
				switch len(seen) {
				case 1:
					commit(t, dir, "theirs", revision(webapp1, "web:2"))
				case 2: // even one that takes away what we build on
					run(t, dir, "update-ref", "refs/heads/main", first)
					commit(t, dir, "theirs, forced", revision(webapp1, "web:2b"))
				}
				return Draft{Message: "ours", Files: []FileChange{{Path: "ours", Content: content}}}, err
			})
			if err != nil || !w.Changed {
				t.Fatal(w, err)
			}
			if got := fmt.Sprint(len(seen), strings.Contains(seen[2], "web:2b")); got != "3 true" {
				t.Errorf("the edit saw %q", seen)
			}
			if got := run(t, dir, "log", "--format=%s", "main"); got != "ours\ntheirs, forced\nfirst" {
				t.Errorf("log: %q", got)
			}
		})
	}
}

func TestWritePreconditionIsCheckedAgain(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	commit(t, dir, "second", revision(webapp1, "web:2"))
	r := open(t, dir)
	hook := filepath.Join(dir, "hooks", "pre-receive")
	intrude := func() {
		t.Helper()
		script := fmt.Sprintf("#!/bin/sh\nunset GIT_QUARANTINE_PATH\nrm %q\ngit update-ref refs/heads/main %s\n", hook, commitOn(t, dir, "other", "theirs", revision(webapp1, "web:9")))
		if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(hook, []byte(script), 0o755); err != nil { //nolint:gosec // a hook must be executable
			t.Fatal(err)
		}
	}
	blob := run(t, dir, "rev-parse", "main:"+webapp1.RevisionPath())
	run(t, dir, "branch", "other", "main")
	intrude()
	_, err := r.SetImages(t.Context(), webapp1, set("web:3"), WriteOptions{Expect: blob})
	wantError(t, err, slipway.NextPerson, "somebody else changed")

	// To go back one is decided upon once: had we looked again, we would go
	// back to what the other has just replaced.
	commit(t, dir, "again", revision(webapp1, "web:4"))
	run(t, dir, "branch", "--force", "other", "main")
	intrude()
	_, err = r.Rollback(t.Context(), webapp1, "", WriteOptions{})
	wantError(t, err, slipway.NextPerson, "somebody else changed")

	// Without a precondition the later writer wins.
	commit(t, dir, "again", revision(webapp1, "web:5"))
	run(t, dir, "branch", "--force", "other", "main")
	intrude()
	if _, err := r.SetImages(t.Context(), webapp1, set("web:6"), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := run(t, dir, "log", "-2", "--format=%s", "main"); got != "Deploy web:6 to cluster1/webapp1\ntheirs" {
		t.Errorf("log: %q", got)
	}
}

func TestWriteThatArrivedThoughThePushFailed(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	first := commit(t, dir, "first", revision(webapp1, "web:1"))
	// A git whose first push arrives, but says that the connection broke.
	folder := t.TempDir()
	script := filepath.Join(folder, "git")
	text := fmt.Sprintf(`#!/bin/sh
case " $* " in *" push "*)
	if [ ! -e %[1]q/done ]; then
		touch %[1]q/done
		git "$@" >/dev/null 2>&1
		echo "fatal: the remote end hung up unexpectedly" >&2
		exit 128
	fi
esac
exec git "$@"
`, folder)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	r := openWith(t, Options{URL: "file://" + dir, Git: script})
	w, err := r.SetImages(t.Context(), webapp1, set("web:2"), WriteOptions{})
	if err != nil || !w.Changed {
		t.Fatal(w, err)
	}
	if got := run(t, dir, "rev-list", "main"); got != w.Commit+"\n"+first {
		t.Errorf("commits: %q", got)
	}
}

func TestWriteRefused(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	head := commit(t, dir, "first", revision(webapp1, "web:1"))
	hook := filepath.Join(dir, "hooks", "pre-receive")
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hook, []byte("#!/bin/sh\necho not on a Friday >&2\nexit 1\n"), 0o755); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
	for _, url := range ways(dir) {
		_, err := open(t, url).SetImages(t.Context(), webapp1, set("web:2"), WriteOptions{})
		wantError(t, err, slipway.NextPerson, "refused the commit on branch main", "not on a Friday", "hooks")
	}
	if got := run(t, dir, "rev-parse", "main"); got != head {
		t.Errorf("the branch moved to %s", got)
	}
}

func TestWriteEdges(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	head := commit(t, dir, "first", revision(webapp1, "web:1"))
	r := open(t, dir)
	write := func(files ...FileChange) (Written, error) {
		return r.Write(t.Context(), WriteOptions{}, func(context.Context, *View) (Draft, error) { return Draft{Message: "x", Files: files}, nil })
	}
	for _, path := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b"} {
		_, err := write(FileChange{Path: path, Content: []byte("x")})
		wantError(t, err, slipway.NextUsage, "no path inside")
	}
	if w, err := write(FileChange{Path: "none"}); w.Changed || w.Commit != head || err != nil {
		t.Errorf("removing what is not there: %+v, %v", w, err)
	}
	if w, err := write(FileChange{Path: "empty", Content: []byte{}}, FileChange{Path: webapp1.RevisionPath()}); !w.Changed || err != nil {
		t.Errorf("an empty file and a removal: %+v, %v", w, err)
	}
	if got := run(t, dir, "ls-tree", "-r", "--format=%(objectsize) %(path)", "main"); got != "0 empty" {
		t.Errorf("the tree is %q", got)
	}
	if w, err := write(FileChange{Path: "empty", Content: []byte{}}); w.Changed || err != nil {
		t.Errorf("an empty file again: %+v, %v", w, err)
	}
	wrong := errors.New("wrong")
	if _, err := r.Write(t.Context(), WriteOptions{}, func(context.Context, *View) (Draft, error) { return Draft{}, wrong }); !errors.Is(err, wrong) {
		t.Errorf("the edit's error is lost: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.SetImages(ctx, webapp1, set("web:2"), WriteOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled write: %v", err)
	}
}

func TestWriteToAWorkTree(t *testing.T) {
	t.Parallel()
	work := filepath.Join(t.TempDir(), "work")
	run(t, ".", "init", "--quiet", "--initial-branch=main", work)
	commit(t, work, "first", revision(webapp1, "web:1"), change{Path: "README.md", Content: "hello"})
	run(t, work, "reset", "--quiet", "--hard")
	r := open(t, work)
	file := filepath.Join(work, webapp1.RevisionPath())
	content := func() string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}

	w, err := r.SetImages(t.Context(), webapp1, set("web:2"), WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(content(), "web:2") || run(t, work, "status", "--porcelain") != "" || run(t, work, "rev-parse", "HEAD") != w.Commit {
		t.Errorf("a clean work tree has not followed: %q, status %q", content(), run(t, work, "status", "--porcelain"))
	}

	// What the user has changed is never touched, and the branch stays with it.
	mine := revisionText(webapp1, "web:mine")
	if err := os.WriteFile(file, []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = r.SetImages(t.Context(), webapp1, set("web:3"), WriteOptions{})
	wantError(t, err, slipway.NextPerson, "refused", "commit or stash")
	run(t, work, "add", "--all")
	_, err = r.SetImages(t.Context(), webapp1, set("web:3"), WriteOptions{})
	wantError(t, err, slipway.NextPerson, "refused", "commit or stash")
	if content() != mine || run(t, work, "rev-parse", "main") != w.Commit {
		t.Errorf("the user's work is lost: %q", content())
	}
	run(t, work, "reset", "--quiet", "--hard")

	// Nor is an untracked file in the way.
	untracked := filepath.Join(work, "cluster1", "new", "revision.json")
	if err := os.MkdirAll(filepath.Dir(untracked), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(untracked, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = r.SetImages(t.Context(), slipway.App{Cluster: "cluster1", Name: "new"}, set("new:1"), WriteOptions{Create: true})
	wantError(t, err, slipway.NextPerson, "refused")
	if text, err := os.ReadFile(untracked); string(text) != "mine" || err != nil {
		t.Errorf("the untracked file is %q, %v", text, err)
	}
	if got := run(t, work, "status", "--porcelain"); got != "?? cluster1/new/" {
		t.Errorf("status %q", got)
	}

	// The owner's decision is respected.
	run(t, work, "config", "receive.denyCurrentBranch", "refuse")
	_, err = r.SetImages(t.Context(), webapp1, set("web:4"), WriteOptions{})
	wantError(t, err, slipway.NextPerson, "checked out")

	// A branch that is not checked out just moves.
	run(t, work, "branch", "live")
	live := openWith(t, Options{URL: work, Branch: "live"})
	w, err = live.SetImages(t.Context(), webapp1, set("web:5"), WriteOptions{})
	if err != nil || run(t, work, "rev-parse", "live") != w.Commit {
		t.Errorf("another branch: %+v, %v", w, err)
	}
}

// TestFiftyWriters has fifty processes deploy fifty apps at once, through one
// folder and through one mirror, where they take turns; and some through a
// mirror each, as if on as many machines, where they meet at the push.
func TestFiftyWriters(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		writers int
		where   func(dir, scratch string, i int) (url, mirror string)
	}{
		"folder": {50, func(dir, _ string, _ int) (string, string) { return dir, "unused" }},
		"one mirror": {50, func(dir, scratch string, _ int) (string, string) {
			return "file://" + dir, filepath.Join(scratch, "one")
		}},
		"own mirrors": {16, func(dir, scratch string, i int) (string, string) {
			return "file://" + dir, filepath.Join(scratch, fmt.Sprint(i))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, scratch := newBare(t), t.TempDir()
			commit(t, dir, "first", change{Path: "README.md", Content: "x"})
			var all sync.WaitGroup
			for i := range tc.writers {
				app := slipway.App{Cluster: fmt.Sprint("cluster", i%5), Name: fmt.Sprint("app", i)}
				url, mirror := tc.where(dir, scratch, i)
				cmd := helperCommand(t, "deploy", url, mirror, app.String(), fmt.Sprint("image:", i))
				all.Go(func() {
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%s: %v\n%s", app, err, out)
					}
				})
			}
			all.Wait()
			r := open(t, dir)
			tree, err := r.Tree(t.Context(), r.Head())
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := r.Load(t.Context(), tree, tree.Sorted()...)
			if err != nil || len(loaded) != tc.writers {
				t.Fatalf("%d of %d apps have landed: %v", len(loaded), tc.writers, err)
			}
			for app, l := range loaded {
				if want := "image:" + strings.TrimPrefix(app.Name, "app"); l.Err != nil || l.Revision.Images[0].URI != want {
					t.Errorf("%s: %+v, want %s", app, l, want)
				}
			}
			if got := run(t, dir, "rev-list", "--count", "--no-merges", "main"); got != fmt.Sprint(tc.writers+1) {
				t.Errorf("%s commits, want one for each writer and the first", got)
			}
			run(t, dir, "fsck", "--strict", "--no-dangling")
		})
	}
}

// TestWritersToOneApp has each writer add its own line to one file: none may
// be lost.
func TestWritersToOneApp(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", change{Path: "list", Content: "0\n"})
	const writers = 5
	var all sync.WaitGroup
	for i := range writers {
		r := open(t, "file://"+dir)
		all.Go(func() {
			_, err := r.Write(t.Context(), WriteOptions{}, func(ctx context.Context, at *View) (Draft, error) {
				content, _, err := at.Read(ctx, "list")
				return Draft{Message: "add", Files: []FileChange{{Path: "list", Content: fmt.Appendf(content[:len(content):len(content)], "%d\n", i+1)}}}, err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := strings.Fields(show(t, dir, "list")); len(got) != writers+1 {
		t.Errorf("lines: %v", got)
	}
}
