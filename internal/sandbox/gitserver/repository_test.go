package gitserver_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

const author = "Developer <developer@example.com>"

var developer = gitserver.Person{Name: "Developer", Email: "developer@example.com", At: time.Unix(1700000000, 0)}

// git runs git in a folder as a user with no configuration would.
func git(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Developer", "GIT_AUTHOR_EMAIL=developer@example.com",
		"GIT_COMMITTER_NAME=Developer", "GIT_COMMITTER_EMAIL=developer@example.com")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// serve opens a repository with one commit and returns it, its URL and a clone.
func serve(t *testing.T, options gitserver.Options) (repository *gitserver.Repository, url, clone string) {
	t.Helper()
	repository, err := gitserver.Open(t.Context(), filepath.Join(t.TempDir(), "deployment.git"), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(repository.Close)
	if _, err := repository.Seed(t.Context(), developer, "Begin", map[string][]byte{"cluster1/webapp1/revision.json": []byte("[]\n")}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(repository)
	t.Cleanup(server.Close)
	url = server.URL + "/deployment.git"
	clone = filepath.Join(t.TempDir(), "clone")
	mustGit(t, "", "clone", "--quiet", url, clone)
	return repository, url, clone
}

// commit writes a file in the clone and commits it.
func commit(t *testing.T, clone, path string, content []byte) string {
	t.Helper()
	file := filepath.Join(clone, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	mustGit(t, clone, "add", "--all")
	mustGit(t, clone, "commit", "--quiet", "--message=Change "+path)
	return mustGit(t, clone, "rev-parse", "HEAD")
}

// A push is told, with what it changed, before git push returns.
func TestPush(t *testing.T) {
	repository, url, clone := serve(t, gitserver.Options{})
	var updates []gitserver.Update
	repository.OnPush(func(update gitserver.Update) { updates = append(updates, update) })

	before := mustGit(t, clone, "rev-parse", "HEAD")
	after := commit(t, clone, "cluster1/webapp1/revision.json", []byte("[1]\n"))
	mustGit(t, clone, "push", "--quiet", "origin", "HEAD", "HEAD:refs/heads/other")
	mustGit(t, clone, "push", "--quiet", "origin", ":other")

	zero := strings.Repeat("0", 40)
	want := []gitserver.Update{
		{Repository: url, Ref: "refs/heads/main", Before: before, After: after},
		{Repository: url, Ref: "refs/heads/other", Before: zero, After: after},
		{Repository: url, Ref: "refs/heads/other", Before: after, After: zero},
	}
	if diff := cmp.Diff(want, updates); diff != "" {
		t.Errorf("updates (-want +got):\n%s", diff)
	}
	if head := mustGit(t, repository.Path(), "rev-parse", "main"); head != after {
		t.Errorf("the bare repository has %s, want %s", head, after)
	}
}

// A push that changes nothing, or that is refused, is no news.
func TestNoNews(t *testing.T) {
	repository, _, clone := serve(t, gitserver.Options{})
	repository.OnPush(func(update gitserver.Update) { t.Errorf("told of %+v", update) })

	mustGit(t, clone, "push", "--quiet", "origin", "HEAD")
	if out, err := git(t, clone, "push", "origin", ":main"); err == nil {
		t.Fatalf("the branch that HEAD names was deleted:\n%s", out)
	}
}

// git sends a push of more than a megabyte in chunks, without a length.
func TestLargePush(t *testing.T) {
	repository, _, clone := serve(t, gitserver.Options{})
	noise := make([]byte, 3<<20) // does not compress
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise)
	after := commit(t, clone, "large.bin", noise)
	mustGit(t, clone, "push", "--quiet", "origin", "HEAD")
	if head := mustGit(t, repository.Path(), "rev-parse", "main"); head != after {
		t.Errorf("the bare repository has %s, want %s", head, after)
	}
}

// Pushes at the same time are each told, once.
func TestConcurrentPushes(t *testing.T) {
	repository, url, _ := serve(t, gitserver.Options{})
	told := map[string]int{}
	repository.OnPush(func(update gitserver.Update) { told[update.Ref]++ })

	want := map[string]int{}
	var pushes sync.WaitGroup
	for _, branch := range []string{"a", "b", "c", "d"} {
		want["refs/heads/"+branch] = 1
		clone := filepath.Join(t.TempDir(), branch)
		mustGit(t, "", "clone", "--quiet", url, clone)
		commit(t, clone, branch, []byte(branch))
		pushes.Go(func() {
			if out, err := git(t, clone, "push", "--quiet", "origin", "HEAD:"+branch); err != nil {
				t.Errorf("push of %s: %v\n%s", branch, err, out)
			}
		})
	}
	pushes.Wait()
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestWebhook(t *testing.T) {
	got := make(chan gitserver.Update, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var update gitserver.Update
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&update); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s of %s", r.Method, r.Header.Get("Content-Type"))
		}
		got <- update
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(receiver.Close)
	_, url, clone := serve(t, gitserver.Options{Webhooks: []string{receiver.URL}})

	before := mustGit(t, clone, "rev-parse", "HEAD")
	after := commit(t, clone, "file", []byte("x"))
	mustGit(t, clone, "push", "--quiet", "origin", "HEAD")
	select {
	case update := <-got:
		if diff := cmp.Diff(gitserver.Update{Repository: url, Ref: "refs/heads/main", Before: before, After: after}, update); diff != "" {
			t.Errorf("update (-want +got):\n%s", diff)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no webhook came")
	}
}

// A repository that is opened again keeps its commits, and Seed leaves them.
func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deployment.git")
	var heads [2]string
	for i := range heads {
		repository, err := gitserver.Open(t.Context(), path, gitserver.Options{Branch: "master"})
		if err != nil {
			t.Fatal(err)
		}
		heads[i], err = repository.Seed(t.Context(), developer, "Begin", map[string][]byte{"file": bytes.Repeat([]byte("x"), i)})
		if err != nil {
			t.Fatal(err)
		}
		repository.Close()
	}
	if heads[0] != heads[1] || heads[0] != mustGit(t, path, "rev-parse", "master") {
		t.Errorf("heads %q: want the first, twice, on master", heads)
	}
	if diff := cmp.Diff(author, mustGit(t, path, "log", "-1", "--format=%an <%ae>", "master")); diff != "" {
		t.Errorf("author (-want +got):\n%s", diff)
	}
}

func TestOtherPathsAreNotServed(t *testing.T) {
	repository, _, _ := serve(t, gitserver.Options{})
	for _, path := range []string{"/", "/other.git/info/refs", "/deployment.git", "/deployment.gitx/HEAD"} {
		recorder := httptest.NewRecorder()
		repository.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		if recorder.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, recorder.Code)
		}
	}
}
