package git

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// NewCommit is a commit to be made.
type NewCommit struct {
	// Parent is empty for the first commit of a repository.
	Parent string
	// Author and Committer are "Name <address> SECONDS +0000".
	Author, Committer string
	Message           string
	Files             []NewFile
}

// NewFile is a file to be written, or removed where Content is nil.
type NewFile struct {
	Path    string
	Mode    string
	Content []byte
}

// Commit writes the objects of a commit, without a work tree and without
// moving any ref, and returns its id. One git process does all of it.
func (d Dir) Commit(ctx context.Context, c NewCommit) (string, error) {
	// fast-import wants a branch: this one is forgotten before it ends, so
	// that no ref is ever written.
	ref := "refs/slipway/new-" + rand.Text()
	none, err := d.noObject(ctx, c.Parent)
	if err != nil {
		return "", err
	}
	var in strings.Builder
	fmt.Fprintf(&in, "feature done\ncommit %s\nmark :1\nauthor %s\ncommitter %s\n", ref, c.Author, c.Committer)
	fmt.Fprintf(&in, "data %d\n%s\n", len(c.Message), c.Message)
	if c.Parent != "" {
		fmt.Fprintf(&in, "from %s\n", c.Parent)
	}
	for _, file := range c.Files {
		if strings.ContainsAny(file.Path, "\"\n") {
			return "", fmt.Errorf("%q cannot be a file's path here", file.Path)
		}
		if file.Content == nil {
			fmt.Fprintf(&in, "D %s\n", file.Path)
			continue
		}
		fmt.Fprintf(&in, "M %s inline %s\ndata %d\n%s\n", file.Mode, file.Path, len(file.Content), file.Content)
	}
	fmt.Fprintf(&in, "get-mark :1\nreset %s\nfrom %s\n\ndone\n", ref, none)
	out, err := d.Run(ctx, in.String(), "fast-import", "--quiet", "--done")
	return strings.TrimSpace(string(out)), err
}

// noObject is the id of nothing, as long as the ids of the repository are.
func (d Dir) noObject(ctx context.Context, parent string) (string, error) {
	length := len(parent)
	if length == 0 {
		format, err := d.Run(ctx, "", "rev-parse", "--show-object-format")
		if err != nil {
			return "", err
		}
		length = 40
		if strings.TrimSpace(string(format)) == "sha256" {
			length = 64
		}
	}
	return strings.Repeat("0", length), nil
}

// Identity returns who git says is the "AUTHOR" or the "COMMITTER", as
// "Name <address> SECONDS +ZONE". Where git is not told, it is the user who
// runs this process, at this host.
func (d Dir) Identity(ctx context.Context, role string) (string, error) {
	out, err := d.Run(ctx, "", "var", "GIT_"+role+"_IDENT")
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	if _, ran := errors.AsType[*exec.ExitError](err); !ran {
		return "", err
	}
	name, host := "slipway", "localhost"
	if u, err := user.Current(); err == nil {
		name = filepath.Base(u.Username)
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return SignedNow(fmt.Sprintf("%s <%s@%s>", name, name, host))
}

// SignedNow adds the present time to "Name <address>".
func SignedNow(person string) (string, error) {
	name, address, found := strings.Cut(person, "<")
	if address, closed := strings.CutSuffix(address, ">"); !found || !closed ||
		strings.TrimSpace(name) == "" || strings.ContainsAny(name+address, "<>\n\x00") {
		return "", slipway.Usagef("%q is no author: write NAME <ADDRESS>", person)
	}
	return fmt.Sprintf("%s %d +0000", person, time.Now().Unix()), nil
}

// UpdateInstead returns the receivePack for Push with which a work tree that
// has the branch checked out follows the push if it is clean, and the push is
// refused if it is not. It is empty where the repository's owner has decided
// otherwise: git config receive.denyCurrentBranch.
func (d Dir) UpdateInstead(ctx context.Context) (receivePack string, err error) {
	_, err = d.Run(ctx, "", "config", "--get", "receive.denyCurrentBranch")
	if err == nil || !refused(err) {
		return "", err
	}
	// A shell reads it.
	binary := "'" + strings.ReplaceAll(d.Binary, "'", `'\''`) + "'"
	return binary + " -c receive.denyCurrentBranch=updateInstead receive-pack", nil
}

// Pushed is what became of a push that reached the repository.
type Pushed struct {
	// Moved reports that the branch is no longer where it was expected.
	Moved bool
	// Refused says why the repository did not want it, or is empty.
	Refused string
}

// Push moves a branch of the repository at Location from one commit to
// another, if it is still there; an empty from means that the branch must not
// exist. receivePack replaces the program at the other end unless it is empty.
func (d Dir) Push(ctx context.Context, branch, from, to, receivePack string) (Pushed, error) {
	ref := "refs/heads/" + branch
	args := []string{
		"push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
		fmt.Sprintf("--force-with-lease=%s:%s", ref, from),
	}
	if receivePack != "" {
		args = append(args, "--receive-pack="+receivePack)
	}
	_, err := d.Run(ctx, "", append(args, "--", d.Location.Arg(), to+":"+ref)...)
	failure, ok := errors.AsType[*Failure](err)
	if !ok {
		return Pushed{}, err
	}
	for line := range strings.Lines(failure.Stdout) {
		if rejected, found := strings.CutPrefix(line, "!\t"); found {
			return failure.pushed(rejected), nil
		}
	}
	return Pushed{}, err
}

// pushed reads "FROM:TO\t[rejected] (why)" and what the other end said.
func (f *Failure) pushed(rejected string) Pushed {
	_, why, _ := strings.Cut(strings.TrimSpace(rejected), "\t")
	for _, words := range []string{
		"stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "incorrect old value", "reference already exists",
	} {
		if strings.Contains(why, words) {
			return Pushed{Moved: true}
		}
	}
	for line := range strings.Lines(f.Stderr) {
		if said, found := strings.CutPrefix(line, "remote: "); found && strings.TrimSpace(said) != "" {
			why += "\n" + strings.TrimSpace(said)
		}
	}
	return Pushed{Refused: why}
}
