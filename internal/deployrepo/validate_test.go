package deployrepo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

var brokenFiles = []change{
	{Path: "cluster1/bad/revision.json", Content: "[\n  {\"name\": \"bad\", \"imageUri\": \"web:1\"},\n  {\"name\": \"bad\", \"imageUri\": \"web:2\", \"note\": 1}\n]"},
	{Path: "cluster1/bad/pipeline.yaml", Content: "mode: quick\ntimeout: never\n"},
	{Path: "cluster1/link/revision.json", Mode: "120000", Content: "../bad/revision.json"},
	{Path: "cluster1/untagged/revision.json", Content: `[{"name": "x", "imageUri": "web"}]`},
	{Path: "cluster2/a b/revision.json", Content: "[]"},
	{Path: "slipway.yaml", Content: "clusters:\n  cluster1:\n    regin: ca-central-1\n"},
}

var brokenLines = []string{
	`cluster1/bad/pipeline.yaml:1:7: mode: "quick" is no mode: write one of superseded, queued, replace`,
	`cluster1/bad/pipeline.yaml:2:10: timeout: "never" is no duration: write one like 30m, 1h30m or 90s`,
	`cluster1/bad/revision.json:3:12: the container "bad" is named twice: one entry for each container`,
	`warning: cluster1/bad/revision.json:3:40: unknown member "note" is kept and has no effect`,
	`cluster1/link/revision.json: is a symlink, which is not followed: commit the file itself`,
	`warning: cluster1/untagged/revision.json:1:28: "web" has neither tag nor digest, so it means whatever :latest is at the time`,
	`cluster2/a b/revision.json: the app name "a b" has the character ' '; only letters, digits, '-' and '_' are allowed; rename the folder`,
	`slipway.yaml:3:5: unknown key "regin"; did you mean "region"?`,
}

func TestValidate(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	good := commit(t, dir, "good", revision(webapp1, "web:1"))
	bad := commit(t, dir, "bad", brokenFiles...)
	r := open(t, dir)
	for id, want := range map[string][]string{good: nil, bad: brokenLines} {
		problems, err := r.Validate(t.Context(), id)
		if diff := cmp.Diff(want, lines(problems)); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}

	// The folder of a clone, with changes that are not committed.
	work := filepath.Join(t.TempDir(), "work")
	run(t, ".", "clone", "--quiet", dir, work)
	for _, folder := range []string{work, copyWithoutGit(t, work)} {
		problems, err := ValidateFolder(folder)
		if diff := cmp.Diff(brokenLines, lines(problems)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", folder, err, diff)
		}
	}
	if err := os.WriteFile(filepath.Join(work, webapp1.RevisionPath()), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	problems, err := ValidateFolder(work)
	if err != nil || len(problems) != len(brokenLines)+1 {
		t.Errorf("a change that is not committed: %v, %v", lines(problems), err)
	}
	for _, none := range []string{filepath.Join(work, "none"), filepath.Join(work, "slipway.yaml")} {
		_, err := ValidateFolder(none)
		wantError(t, err, slipway.NextUsage, "no folder that can be read")
	}
}

func copyWithoutGit(t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plain")
	run(t, folder, "checkout-index", "--all", "--prefix="+dir+"/")
	return dir
}

// TestValidateInAPreReceiveHook checks a commit that git still keeps in
// quarantine.
func TestValidateInAPreReceiveHook(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	commit(t, dir, "first", revision(webapp1, "web:1"))
	hook := filepath.Join(dir, "hooks", "pre-receive")
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		t.Fatal(err)
	}
	helper := helperCommand(t, "pre-receive")
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q pre-receive\n", helperVariable, helper.Path)
	if err := os.WriteFile(hook, []byte(script), 0o755); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
	work := filepath.Join(t.TempDir(), "work")
	run(t, ".", "clone", "--quiet", dir, work)
	push := func(content string) (string, error) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, webapp1.RevisionPath()), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, work, "commit", "--quiet", "--all", "--message=change")
		cmd := exec.Command("git", "push", "--quiet")
		cmd.Dir = work
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := push("[\n  oops\n]"); err == nil || !strings.Contains(out, "cluster1/webapp1/revision.json:2:3: is not JSON") {
		t.Errorf("a bad push: %v\n%s", err, out)
	}
	if out, err := push(revisionText(webapp1, "web:2")); err != nil {
		t.Errorf("a good push: %v\n%s", err, out)
	}
}
