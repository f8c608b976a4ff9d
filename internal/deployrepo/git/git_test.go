package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestParseLocation(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for text, want := range map[string]struct {
		folder bool
		shown  string
	}{
		folder:                         {true, folder},
		"some/folder":                  {true, "some/folder"},
		"/no/such/folder":              {true, "/no/such/folder"},
		"https://example.com/d.git":    {false, "https://example.com/d.git"},
		"file:///srv/d.git":            {false, "file:///srv/d.git"},
		"git@example.com:team/d.git":   {false, "git@example.com:team/d.git"},
		"example.com:d.git":            {false, "example.com:d.git"},
		"ssh://git@example.com:22/d":   {false, "ssh://git@example.com:22/d"},
		"codecommit::ca-central-1://d": {false, "codecommit::ca-central-1://d"},

		"https://user:pa%40ss@example.com/d.git":    {false, "https://***@example.com/d.git"},
		"https://token@example.com/d.git":           {false, "https://***@example.com/d.git"},
		"http://u:p@w@example.com:8080/d":           {false, "http://***@example.com:8080/d"},
		"ssh://git:secret@example.com/d":            {false, "ssh://***@example.com/d"},
		"https://example.com/d.git?private_token=x": {false, "https://example.com/d.git?***"},
	} {
		l, err := ParseLocation(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if l.Folder() != want.folder || l.String() != want.shown {
			t.Errorf("%s: folder %v, shown as %s; want %+v", text, l.Folder(), l, want)
		}
		if !want.folder && l.Arg() != text {
			t.Errorf("%s: git is given %s", text, l.Arg())
		}
	}
	for _, text := range []string{"", "-", "--upload-pack=x"} {
		if _, err := ParseLocation(text); slipway.NextOf(err) != slipway.NextUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// fakeGit is a program that stands in for git.
func fakeGit(t *testing.T, script string) Dir {
	t.Helper()
	path := filepath.Join(t.TempDir(), "git")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	return Dir{Binary: path, Folder: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	d := fakeGit(t, `echo "fatal: unable to access '$9$8$7$6$5$4$3$2$1': hunter2! and $*" >&2; echo hunter2!; exit 128`)
	var err error
	if d.Location, err = ParseLocation("https://user:hunter2%21@example.com/d.git?token=t0p"); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, err = d.RemoteRefs(t.Context())
	_, pushErr := d.Push(t.Context(), "main", "", "abc", "")
	for _, text := range []string{
		fmt.Sprintf("%v %+v", err, err), fmt.Sprint(Explain(err, d.Location)), slipway.HintOf(Explain(err, d.Location)),
		fmt.Sprint(pushErr), log.String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "t0p") {
			t.Errorf("a secret is printed: %s", text)
		}
	}
	if !strings.Contains(log.String(), "ls-remote") || !strings.Contains(fmt.Sprint(err), "https://***@example.com") {
		t.Errorf("what is no secret is not printed: %v\n%s", err, log.String())
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	l, err := ParseLocation("https://example.com/d.git")
	if err != nil {
		t.Fatal(err)
	}
	for stderr, want := range map[string]struct {
		next    slipway.Next
		message string
	}{
		"git@example.com: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\nPlease make sure": {
			slipway.NextPerson, "https://example.com/d.git: authentication was refused: git@example.com: Permission denied (publickey)."},
		"warning: something\nfatal: Authentication failed for 'https://example.com/d.git/'": {
			slipway.NextPerson, "https://example.com/d.git: authentication was refused: Authentication failed for 'https://example.com/d.git/'"},
		"Host key verification failed.\nfatal: Could not read from remote repository.": {
			slipway.NextPerson, "https://example.com/d.git: the host's ssh key is not known: Host key verification failed."},
		"fatal: unable to access 'https://example.com/d.git/': server certificate verification failed. CAfile: none CRLfile: none": {
			slipway.NextPerson, "https://example.com/d.git: the server's certificate is not trusted: unable to access 'https://example.com/d.git/': server certificate verification failed. CAfile: none CRLfile: none"},
		"remote: Repository not found.\nfatal: repository 'https://example.com/d.git/' not found": {
			slipway.NextUsage, "https://example.com/d.git: there is no git repository that we may see: repository 'https://example.com/d.git/' not found"},
		"fatal: detected dubious ownership in repository at '/srv/d'\nTo add an exception": {
			slipway.NextPerson, "https://example.com/d.git: git does not trust the folder, for it belongs to somebody else: detected dubious ownership in repository at '/srv/d'"},
		"ssh: Could not resolve hostname example.invalid: Name or service not known\nfatal: Could not read from remote repository.": {
			slipway.NextRetry, "https://example.com/d.git: the repository is unreachable: ssh: Could not resolve hostname example.invalid: Name or service not known"},
		"fatal: something new": {slipway.NextRetry, "https://example.com/d.git: git ls-remote: something new"},
	} {
		err := Explain(&Failure{Command: "ls-remote", Stderr: stderr, Err: errors.New("exit status 128")}, l)
		if slipway.NextOf(err) != want.next || err.Error() != want.message {
			t.Errorf("%q\nis %q (%s), want\n   %q (%s)", stderr, err, slipway.NextOf(err), want.message, want.next)
		}
	}
	other := errors.New("other")
	if got := Explain(other, l); !errors.Is(got, other) || Explain(nil, l) != nil {
		t.Errorf("an error that is not git's: %v", got)
	}
}

func TestCancelStopsGit(t *testing.T) {
	t.Parallel()
	d := fakeGit(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := d.RemoteRefs(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if _, err := d.Blobs(ctx, []string{"x"}, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestOutputThatIsNotUnderstood(t *testing.T) {
	t.Parallel()
	if _, err := fakeGit(t, "printf 'nonsense\\0'").Tree(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("Tree: %v", err)
	}
	for _, script := range []string{"true", "echo a blob 5; echo ab", "echo a blob x"} {
		if blobs, err := fakeGit(t, script).Blobs(t.Context(), []string{"a"}, 100); err == nil {
			t.Errorf("Blobs of %q: %v", script, blobs)
		}
	}
	if _, _, err := fakeGit(t, "echo one").Discover(t.Context()); err == nil {
		t.Error("Discover: no error")
	}
	script := `printf '\0\1\0abc\0001\0'; exit 1`
	err := fakeGit(t, script).Log(t.Context(), "x", 0, nil, func(Logged) bool { return true })
	if err == nil {
		t.Error("Log: no error")
	}
}

// repository makes a repository with the real git.
func repository(t *testing.T) Dir {
	t.Helper()
	d := Dir{Binary: "git", Folder: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	if _, err := d.Run(t.Context(), "", "init", "--quiet", "--bare", "--initial-branch=main", "."); err != nil {
		t.Fatal(err)
	}
	d.Path = d.Folder
	return d
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	d := repository(t)
	texts := map[string]string{"a": "", "b": "x\x00\nmissing", "c": strings.Repeat("c", 11)}
	commit := NewCommit{Author: "A <a@example.com> 1700000000 +0100", Committer: "C <c@example.com> 1700000001 +0000", Message: "m"}
	for name, text := range texts {
		commit.Files = append(commit.Files, NewFile{Path: name, Mode: ModeFile, Content: []byte(text)})
	}
	id, err := d.Commit(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := d.Blobs(t.Context(), []string{id + ":a", id + ":none", id + ":b", id + ":c", strings.Repeat("0", 40)}, 10)
	if err != nil || len(blobs) != 5 {
		t.Fatal(blobs, err)
	}
	var got []string
	for _, b := range blobs {
		got = append(got, fmt.Sprintf("%v %d %q %v", b.ID != "", b.Size, b.Content, b.Content == nil))
	}
	want := []string{`true 0 "" false`, `false 0 "" true`, `true 10 "x\x00\nmissing" false`, `true 11 "" true`, `false 0 "" true`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blobs (-want +got):\n%s", diff)
	}
	if out, err := exec.Command("git", "-C", d.Path, "for-each-ref").CombinedOutput(); len(out) != 0 || err != nil {
		t.Errorf("Commit has left a ref: %s, %v", out, err)
	}
	if _, err := d.Commit(t.Context(), NewCommit{Files: []NewFile{{Path: "a\nb", Content: []byte{}}}}); err == nil {
		t.Error("a path with a line end is no error")
	}
}

func TestSignedNow(t *testing.T) {
	t.Parallel()
	if got, err := SignedNow("Jörg Müller <jm@example.com>"); err != nil || !strings.HasPrefix(got, "Jörg Müller <jm@example.com> 1") {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "x", "<x@example.com>", "x <y", "x <y>z", "x\ny <z>", "x <y\n>", "x <<y>>"} {
		if got, err := SignedNow(bad); err == nil {
			t.Errorf("%q is %q", bad, got)
		}
	}
}
