package deployrepo

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestOpenFollowsTheDefaultBranch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		head     string
		branches []string
		ask      string
		want     string
	}{
		"what HEAD names":              {head: "master", branches: []string{"main", "master"}, want: "master"},
		"main where HEAD names none":   {head: "gone", branches: []string{"main", "other"}, want: "main"},
		"the one that is asked for":    {head: "main", branches: []string{"main", "prod/eu"}, ask: "prod/eu", want: "prod/eu"},
		"HEAD's in an empty one":       {head: "trunk", want: "trunk"},
		"asked for in an empty one":    {head: "trunk", ask: "prod", want: "prod"},
		"a branch beside its namesake": {head: "a", branches: []string{"a", "x/a"}, want: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newBare(t)
			heads := map[string]string{}
			for _, branch := range tc.branches {
				heads[branch] = commitOn(t, dir, branch, branch, revision(webapp1, "web:"+strings.ReplaceAll(branch, "/", "-")))
			}
			run(t, dir, "symbolic-ref", "HEAD", "refs/heads/"+tc.head)
			for way, url := range ways(dir) {
				if way == "url" && len(tc.branches) == 0 && tc.ask == "" {
					continue // a remote does not tell what its unborn HEAD names
				}
				r := openWith(t, Options{URL: url, Branch: tc.ask})
				if r.Branch() != tc.want || r.Head() != heads[tc.want] {
					t.Errorf("%s: follows %s at %s, want %s at %s", way, r.Branch(), r.Head(), tc.want, heads[tc.want])
				}
			}
		})
	}
}

func TestOpenEmptyRepositoryByURLFollowsItsFirstBranch(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	run(t, dir, "symbolic-ref", "HEAD", "refs/heads/master")
	r := open(t, "file://"+dir)
	if r.Head() != "" {
		t.Fatalf("head of an empty repository is %q", r.Head())
	}
	tree, err := r.Tree(t.Context(), r.Head())
	if err != nil || len(tree.Apps) != 0 {
		t.Fatalf("tree of an empty repository: %v, %v", tree, err)
	}
	want := commitOn(t, dir, "master", "first", revision(webapp1, "web:1"))
	head, changed, err := r.Refresh(t.Context())
	if err != nil || head != want || !changed || r.Branch() != "master" {
		t.Errorf("Refresh: %s %v %v on %s, want %s on master", head, changed, err, r.Branch(), want)
	}
}

func TestOpenErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	repo := newBare(t)
	commit(t, repo, "first", revision(webapp1, "web:1"))
	commitOn(t, repo, "production", "first", revision(webapp1, "web:1"))
	plain := t.TempDir()
	work := filepath.Join(t.TempDir(), "work")
	run(t, ".", "clone", "--quiet", repo, work)
	inside := filepath.Join(work, "cluster1")
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	answer := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return server.URL + "/deployment.git"
	}
	for name, tc := range map[string]struct {
		o     Options
		next  slipway.Next
		words []string
	}{
		"nothing":          {Options{}, slipway.NextUsage, []string{"no repository is named"}},
		"an option":        {Options{URL: "--upload-pack=x"}, slipway.NextUsage, []string{"begins with '-'"}},
		"missing folder":   {Options{URL: filepath.Join(plain, "none")}, slipway.NextUsage, []string{"no such folder", "slipway init"}},
		"plain folder":     {Options{URL: plain}, slipway.NextUsage, []string{"not a git repository", "slipway init"}},
		"folder inside":    {Options{URL: inside}, slipway.NextUsage, []string{"not a git repository", "root"}},
		"missing branch":   {Options{URL: repo, Branch: "live"}, slipway.NextUsage, []string{`no branch "live"`, "main, production", "--branch"}},
		"missing, by URL":  {Options{URL: "file://" + repo, Branch: "live"}, slipway.NextUsage, []string{`no branch "live"`, "main, production"}},
		"missing URL":      {Options{URL: "file://" + plain + "/none"}, slipway.NextUsage, []string{"no git repository", "check the URL"}},
		"refused port":     {Options{URL: "http://user:hunter2@" + closedPort(t) + "/x.git"}, slipway.NextRetry, []string{"unreachable", "http://***@", "check the URL"}},
		"unknown host":     {Options{URL: "https://host.invalid/x.git"}, slipway.NextRetry, []string{"unreachable"}},
		"ssh unreachable":  {Options{URL: "ssh://git@" + closedPort(t) + "/x.git"}, slipway.NextRetry, []string{"unreachable", "ssh://git@"}},
		"401":              {Options{URL: answer(http.StatusUnauthorized)}, slipway.NextPerson, []string{"authentication was refused", "credential helper"}},
		"403":              {Options{URL: answer(http.StatusForbidden)}, slipway.NextPerson, []string{"authentication was refused"}},
		"404":              {Options{URL: answer(http.StatusNotFound)}, slipway.NextUsage, []string{"no git repository"}},
		"500":              {Options{URL: answer(http.StatusInternalServerError)}, slipway.NextRetry, []string{"unreachable"}},
		"no git":           {Options{URL: repo, Git: "git-that-is-not-there"}, slipway.NextPerson, []string{"git program was not found", "install git"}},
		"no git, by path":  {Options{URL: repo, Git: "/nowhere/git"}, slipway.NextPerson, []string{"git program was not found"}},
		"mirror elsewhere": {Options{URL: "file://" + repo, MirrorDir: full}, slipway.NextUsage, []string{"cannot be the mirror", "empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(tc.o.URL, "ssh:") {
				if _, err := os.Stat("/usr/bin/ssh"); err != nil {
					t.Skip("no ssh here")
				}
			}
			if tc.o.MirrorDir == "" {
				tc.o.MirrorDir = filepath.Join(t.TempDir(), "mirror.git")
			}
			_, err := Open(t.Context(), tc.o)
			wantError(t, err, tc.next, tc.words...)
			if err != nil && strings.Contains(fmt.Sprint(err, slipway.HintOf(err)), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

// closedPort is an address of this machine where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nothing was written
	return listener.Addr().String()
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"folder", "url"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := newBare(t)
			first := commit(t, dir, "first", revision(webapp1, "web:1"))
			r := open(t, ways(dir)[way])
			refresh := func(want string, wantChanged bool) {
				t.Helper()
				head, changed, err := r.Refresh(t.Context())
				if err != nil || head != want || changed != wantChanged {
					t.Fatalf("Refresh: %s %v %v, want %s %v", head, changed, err, want, wantChanged)
				}
				if r.Head() != want {
					t.Fatalf("Head is %s, want %s", r.Head(), want)
				}
				if _, err := r.Revision(t.Context(), webapp1, head); err != nil {
					t.Fatalf("the head cannot be read: %v", err)
				}
			}
			refresh(first, false)
			commit(t, dir, "second", revision(webapp1, "web:2"))
			third := commit(t, dir, "third, in the same push", revision(webapp1, "web:3"))
			refresh(third, true)
			refresh(third, false)

			// A forced update to an older commit, then to one of another line.
			run(t, dir, "update-ref", "refs/heads/main", first)
			refresh(first, true)
			other := commit(t, dir, "another second", revision(webapp1, "web:2b"))
			refresh(other, true)

			run(t, dir, "branch", "-m", "main", "trunk")
			_, _, err := r.Refresh(t.Context())
			if way == "folder" {
				// HEAD follows the rename, and no branch was asked for.
				if err != nil || r.Branch() != "trunk" {
					t.Errorf("after the rename: %v on %s", err, r.Branch())
				}
			}
			run(t, dir, "symbolic-ref", "HEAD", "refs/heads/nothing")
			run(t, dir, "branch", "-m", "trunk", "trunk2")
			_, _, err = r.Refresh(t.Context())
			wantError(t, err, slipway.NextUsage, "trunk2", "--branch")
			if r.Head() != other {
				t.Errorf("a failed Refresh has moved the head to %s", r.Head())
			}
		})
	}
}

func TestNoOpPollIsOneLsRemote(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	var seen commands
	r := openWith(t, Options{URL: "file://" + dir, Logger: seen.logger()})
	seen.take()
	if _, changed, err := r.Refresh(t.Context()); changed || err != nil {
		t.Fatal(changed, err)
	}
	if diff := cmp.Diff([]string{"ls-remote"}, seen.take()); diff != "" {
		t.Errorf("git commands of a poll that finds nothing new (-want +got):\n%s", diff)
	}
}

func TestLookingForChangesTakesFewProcesses(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	var seen commands
	r := openWith(t, Options{URL: dir, Logger: seen.logger()})
	commit(t, dir, "second", revision(webapp1, "web:2"), change{Path: webapp1.PipelinePath(), Content: "mode: queued\n"})
	seen.take()
	head, _, err := r.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load(t.Context(), tree, tree.Sorted()...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rev-parse", "ls-tree", "log", "cat-file"}, seen.take()); diff != "" {
		t.Errorf("git commands from a push to all that is to be known (-want +got):\n%s", diff)
	}
}

func TestMirrorIsSharedAndSurvives(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	o := Options{URL: "file://" + dir, MirrorDir: filepath.Join(t.TempDir(), "deep", "mirror.git")}
	a, b := openWith(t, o), openWith(t, o)

	second := commit(t, dir, "second", revision(webapp1, "web:2"))
	for _, r := range []*Repo{a, b} {
		if head, changed, err := r.Refresh(t.Context()); head != second || !changed || err != nil {
			t.Fatal(head, changed, err)
		}
	}

	// A git that was killed while it wrote the ref leaves a lock.
	lock := filepath.Join(o.MirrorDir, "refs", "slipway", "main.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	third := commit(t, dir, "third", revision(webapp1, "web:3"))
	if head, _, err := a.Refresh(t.Context()); head != third || err != nil {
		t.Fatalf("with a lock on the ref: %s, %v", head, err)
	}
	if _, err := os.Stat(lock); err != nil {
		t.Fatal("a lock that may be in use was removed")
	}
	old := time.Now().Add(-2 * staleLock)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	commit(t, dir, "fourth", revision(webapp1, "web:4"))
	if _, _, err := a.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lock); err == nil {
		t.Error("an old lock was not removed")
	}

	// What a killed process left of a mirror that it was making does no harm.
	if err := os.MkdirAll(o.MirrorDir+".new-1234/objects", 0o700); err != nil {
		t.Fatal(err)
	}
	// The whole mirror may go away: it is a cache.
	if err := os.RemoveAll(o.MirrorDir); err != nil {
		t.Fatal(err)
	}
	head, _, err := a.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Revision(t.Context(), webapp1, head); err != nil {
		t.Errorf("after the mirror was deleted: %v", err)
	}
}

func TestFetchKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	o := Options{URL: "file://" + dir, MirrorDir: filepath.Join(t.TempDir(), "mirror.git")}
	openWith(t, o)
	head := commit(t, dir, "second", revision(webapp1, "web:2"))
	tree := run(t, dir, "rev-parse", head+"^{tree}")

	// A fetch that dies between objects leaves some of them: here the commit
	// without its tree.
	run(t, o.MirrorDir, "fetch", "--quiet", dir, "main")
	for _, object := range []string{tree, run(t, dir, "rev-parse", head+":cluster1")} {
		if err := os.Remove(filepath.Join(o.MirrorDir, "objects", object[:2], object[2:])); err != nil {
			t.Fatal(err)
		}
	}
	r := openWith(t, o)
	got, err := r.Revision(t.Context(), webapp1, r.Head())
	if err != nil || got.Images[0].URI != "web:2" {
		t.Errorf("after a fetch that died: %v, %v", got, err)
	}
}

// TestKilledAtAnyTime kills processes that make, fetch and read one mirror.
func TestKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	o := Options{URL: "file://" + dir, MirrorDir: filepath.Join(t.TempDir(), "mirror.git")}
	for i := range 12 {
		commit(t, dir, "change", revision(webapp1, fmt.Sprint("web:", i)))
		cmd := helperCommand(t, "open", o.URL, o.MirrorDir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(i*5)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed, or just in time
		kill.Stop()
	}
	r := openWith(t, o)
	got, err := r.Revision(t.Context(), webapp1, r.Head())
	if err != nil || got.Images[0].URI != "web:11" {
		t.Errorf("after the kills: %+v, %v", got, err)
	}
	run(t, o.MirrorDir, "fsck", "--strict", "--no-dangling")
}

func TestOpenFromSHA256AndWorkTreeForms(t *testing.T) {
	t.Parallel()
	sha256 := filepath.Join(t.TempDir(), "sha256.git")
	run(t, ".", "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", sha256)
	for _, url := range []string{sha256, "file://" + sha256} { // the folder first: an empty URL tells no format
		r := open(t, url)
		app := slipway.App{Cluster: "c", Name: fmt.Sprint("app", len(url))}
		if _, err := r.SetImages(t.Context(), app, map[string]string{"": "web:1"}, WriteOptions{Create: true}); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if head, changed, err := r.Refresh(t.Context()); err != nil || len(head) != 64 || !changed {
			t.Errorf("%s: head %q, %v, %v", url, head, changed, err)
		}
	}

	bare := newBare(t)
	head := commit(t, bare, "first", revision(webapp1, "web:1"))
	work := filepath.Join(t.TempDir(), "work")
	run(t, ".", "clone", "--quiet", bare, work)
	linked := filepath.Join(t.TempDir(), "linked")
	run(t, work, "worktree", "add", "--quiet", "-b", "side", linked)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(work, link); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{bare, work, filepath.Join(work, ".git"), linked, link} {
		r := open(t, folder)
		if r.Head() != head {
			t.Errorf("%s: head %q, want %q", folder, r.Head(), head)
		}
		if _, err := r.Revision(t.Context(), webapp1, r.Head()); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if r := open(t, linked); r.Branch() != "side" {
		t.Errorf("a linked work tree follows %q, want its own branch", r.Branch())
	}
}

func TestCommitNames(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	id := commit(t, dir, "first", revision(webapp1, "web:1"))
	r := open(t, "file://"+dir)
	for _, name := range []string{id, id[:8]} {
		if got, err := r.Commit(t.Context(), name); got != id || err != nil {
			t.Errorf("Commit(%q) = %s, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "ffffffff", "nonsense", "--all", run(t, dir, "rev-parse", id+"^{tree}")} {
		_, err := r.Commit(t.Context(), name)
		wantError(t, err, slipway.NextUsage, "no commit", "slipway history")
	}
}

func TestUsersConfigurationDoesNotDisturb(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	for _, setting := range []string{
		"log.showSignature=true", "log.follow=true", "log.diffMerges=on", "color.ui=always", "diff.renames=copies", "core.quotePath=true",
		"log.date=relative", "log.decorate=full", "format.pretty=oneline", "i18n.logOutputEncoding=UTF-16", "core.abbrev=4", "push.followTags=true",
		"push.gpgSign=true", "commit.gpgSign=true", "diff.external=false", "log.mailmap=true", "status.showUntrackedFiles=no", "push.default=nothing",
	} {
		name, value, _ := strings.Cut(setting, "=")
		run(t, dir, "config", name, value)
	}
	r := open(t, dir)
	if _, err := r.SetImages(t.Context(), webapp1, map[string]string{"": "web:2"}, WriteOptions{Message: "zweite Fassung – größer"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	log, err := r.Log(t.Context(), webapp1, 0)
	if err != nil || len(log) != 2 {
		t.Fatalf("log: %v, %v", log, err)
	}
	if log[0].Message != "zweite Fassung – größer" || log[0].Author != "Author <author@example.com>" {
		t.Errorf("log: %+v", log[0])
	}
	if tags := slices.DeleteFunc(strings.Fields(run(t, dir, "for-each-ref", "--format=%(refname)")), func(s string) bool { return s == "refs/heads/main" }); len(tags) > 0 {
		t.Errorf("refs were left behind: %v", tags)
	}
}
