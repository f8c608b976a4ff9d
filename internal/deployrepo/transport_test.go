package deployrepo

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
)

// gitServer serves the folder's repository as a git host does, to a user with
// a password.
func gitServer(t *testing.T, dir string) string {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + filepath.Dir(dir), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=user", "GIT_CONFIG_GLOBAL=" + os.DevNull,
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); !ok || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/" + filepath.Base(dir)
}

// goesThrough reads and writes through a URL.
func goesThrough(t *testing.T, dir, url string) {
	t.Helper()
	r := open(t, url)
	if _, err := r.Revision(t.Context(), webapp1, r.Head()); err != nil {
		t.Fatal(err)
	}
	w, err := r.SetImages(t.Context(), webapp1, set("web:2"), WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, dir, "rev-parse", "main"); got != w.Commit {
		t.Errorf("the branch is at %s, want %s", got, w.Commit)
	}
	if head, changed, err := r.Refresh(t.Context()); head != w.Commit || !changed || err != nil {
		t.Errorf("Refresh: %s %v %v", head, changed, err)
	}
}

func TestHTTPWithAPasswordInTheURL(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	url := gitServer(t, dir)
	goesThrough(t, dir, strings.Replace(url, "http://", "http://user:hunter2@", 1))

	_, err := Open(t.Context(), Options{URL: strings.Replace(url, "http://", "http://user:s3cret@", 1), MirrorDir: filepath.Join(t.TempDir(), "m")})
	wantError(t, err, slipway.NextPerson, "authentication was refused", "***@")
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the password is told: %v", err)
	}
}

// The tests below change the environment of the process.

func TestHTTPWithACredentialHelper(t *testing.T) {
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "credential.helper")
	t.Setenv("GIT_CONFIG_VALUE_0", "!f() { echo username=user; echo password=hunter2; }; f")
	goesThrough(t, dir, gitServer(t, dir))
}

func TestSSH(t *testing.T) {
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	ssh := filepath.Join(t.TempDir(), "ssh")                                                                            // runs the command here instead of there
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n"), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", ssh)
	t.Setenv("GIT_SSH_VARIANT", "simple")
	goesThrough(t, dir, "git@host.invalid:"+dir)
	commit(t, dir, "another", revision(webapp1, "web:3"))
	goesThrough(t, dir, "ssh://git@host.invalid"+dir)
}

func TestForeignEnvironment(t *testing.T) {
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	for name, value := range map[string]string{
		"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_OBJECT_DIRECTORY": "/nowhere",
		"GIT_QUARANTINE_PATH": "/nowhere/objects/incoming", "GIT_NAMESPACE": "other", "GIT_GLOB_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1",
		"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de",
	} {
		t.Setenv(name, value)
	}
	for way, url := range ways(dir) {
		r := open(t, url)
		if _, err := r.SetImages(t.Context(), webapp1, set("web:"+way), WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if log, err := r.Log(t.Context(), webapp1, 0); len(log) < 2 || err != nil {
			t.Errorf("log: %v, %v", log, err)
		}
	}
	_, err := Open(t.Context(), Options{URL: dir, Branch: "live"})
	wantError(t, err, slipway.NextUsage, `no branch "live"`)
}

func TestAuthorWhereGitIsNotTold(t *testing.T) {
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	run(t, dir, "config", "user.useConfigOnly", "true")
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"} {
		t.Setenv(name, "") // so that it is put back
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(t, dir).SetImages(t.Context(), webapp1, set("web:2"), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	author := run(t, dir, "log", "-1", "--format=%an <%ae>", "main")
	host, err := os.Hostname()
	if err != nil || !strings.HasSuffix(author, "@"+host+">") {
		t.Errorf("author %q, host %q, %v", author, host, err)
	}
	run(t, dir, "config", "user.name", "Told")
	run(t, dir, "config", "user.email", "told@example.com")
	if _, err := open(t, dir).SetImages(t.Context(), webapp1, set("web:3"), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if author := run(t, dir, "log", "-1", "--format=%an <%ae> %cn", "main"); author != "Told <told@example.com> Told" {
		t.Errorf("author %q", author)
	}
}
