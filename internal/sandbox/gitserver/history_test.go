package gitserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// TestHistory: a file's versions as git log has them, through a merge, a deletion and
// a new name.
func TestHistory(t *testing.T) {
	repository, _, clone := serve(t, gitserver.Options{})
	subjects := map[string]string{"": ""}
	file := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(clone, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(subject string) {
		t.Helper()
		mustGit(t, clone, "add", "--all")
		mustGit(t, clone, "commit", "--quiet", "--message", subject)
	}
	long := strings.Repeat("line\n", 20)
	file("old", long+"1")
	commit("add")
	file("other", "1")
	commit("another file")
	mustGit(t, clone, "rm", "--quiet", "old")
	commit("delete")
	file("old", long+"2")
	commit("add again")
	mustGit(t, clone, "checkout", "--quiet", "-b", "left")
	file("old", "left\n"+long+"2")
	commit("left")
	mustGit(t, clone, "checkout", "--quiet", "main")
	file("old", long+"right\n")
	commit("right")
	mustGit(t, clone, "merge", "--quiet", "--no-commit", "--strategy", "ours", "left")
	file("old", "left\n"+long+"right\n")
	commit("merge")
	mustGit(t, clone, "mv", "old", "new")
	file("new", "left\n"+long+"moved\n")
	commit("rename")
	file("other", "2")
	commit("another file again")
	file("new", "last\n"+long)
	commit("change")
	mustGit(t, clone, "push", "--quiet", "origin", "main")
	for line := range strings.Lines(mustGit(t, clone, "log", "--all", "--format=%H %s")) {
		id, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
		subjects[id] = subject
	}

	tell := func(commit, path string) []string {
		t.Helper()
		versions, err := repository.History(t.Context(), commit, path)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, v := range versions {
			text := fmt.Sprintf("%s of %s", subjects[v.Commit.ID], v.Path)
			if v.Blob == "" {
				text += ", without a blob"
			} else if blob := mustGit(t, clone, "rev-parse", v.Commit.ID+":"+v.Path); blob != v.Blob {
				t.Errorf("%s: blob %s, want %s", text, v.Blob, blob)
			}
			for _, child := range v.Children {
				text += ", then " + subjects[child]
			}
			if !strings.HasPrefix(string(v.Commit.Content), "tree ") {
				t.Errorf("%s: the commit is %q", text, v.Commit.Content)
			}
			all = append(all, text)
		}
		return all
	}
	want := []string{
		"change of new", "rename of new, then change", "merge of old, then rename", "right of old, then merge", "left of old, then merge",
		"add again of old, then left, then right", "delete of old, without a blob, then add again", "add of old, then delete",
	}
	got := tell("main", "new")
	// The two sides of the merge are of one second, or of two.
	if len(got) == len(want) && strings.HasPrefix(got[3], "left") {
		got[3], got[4] = got[4], got[3]
	}
	if len(got) == len(want) {
		got[5] = strings.Replace(got[5], "then right, then left", "then left, then right", 1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := tell("main~2", "other"); cmp.Diff([]string{"another file of other"}, got) != "" {
		t.Error(got)
	}
	if got := tell("main", "none"); got != nil {
		t.Error(got)
	}
	if _, err := repository.History(t.Context(), strings.Repeat("0", 40), "new"); err == nil {
		t.Error("no error for a commit that there is not")
	}
}
