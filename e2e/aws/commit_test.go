//go:build e2e

package aws

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codecommit"
)

// aClone is a clone of the deployment repository, as a developer has it.
type aClone struct {
	account *anAccount
	dir     string
	branch  string
}

func (a *anAccount) clone(t *testing.T, branch string) *aClone {
	t.Helper()
	name := "deployment"
	out, err := codecommit.NewFromConfig(a.aws).GetRepository(t.Context(), &codecommit.GetRepositoryInput{RepositoryName: &name})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a.run(t, dir, "git", "clone", "-q", "--branch", branch, *out.RepositoryMetadata.CloneUrlHttp, ".")
	return &aClone{a, dir, branch}
}

// aFile is a file of the repository.
type aFile struct {
	path    string
	content []byte
}

// push commits new images of apps, "cluster/app" by image, and other files, and
// returns the commit.
func (c *aClone) push(t *testing.T, message string, images map[string]string, files ...aFile) string {
	t.Helper()
	c.account.run(t, c.dir, "git", "pull", "-q", "--rebase", "origin", c.branch)
	for app, image := range images {
		files = append(files, aFile{app + "/revision.json", revision(t, filepath.Base(app), image)})
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(c.dir, file.path), file.content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.account.run(t, c.dir, "git", "add", "--all")
	c.account.run(t, c.dir, "git", "commit", "-q", "-m", message)
	c.account.run(t, c.dir, "git", "push", "-q", "origin", "HEAD")
	return strings.TrimSpace(c.account.run(t, c.dir, "git", "rev-parse", "HEAD"))
}

// putFile commits a new image of an app through CodeCommit's API, by the AWS CLI, as
// the article does, and returns the commit.
func (a *anAccount) putFile(t *testing.T, branch, app, image string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "revision.json"), revision(t, filepath.Base(app), image), 0o644); err != nil {
		t.Fatal(err)
	}
	parent := strings.TrimSpace(a.run(t, dir, "aws", "codecommit", "get-branch", "--repository-name", "deployment", "--branch-name", branch,
		"--query", "branch.commitId", "--output", "text"))
	return strings.TrimSpace(a.run(t, dir, "aws", "codecommit", "put-file", "--repository-name", "deployment", "--branch-name", branch,
		"--file-path", app+"/revision.json", "--file-content", "fileb://revision.json", "--parent-commit-id", parent,
		"--name", "Ada", "--email", "ada@example.com", "--query", "commitId", "--output", "text"))
}
