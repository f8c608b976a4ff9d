package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// validateCmd checks the files of a deployment repository.
type validateCmd struct {
	Dir    string `arg:"" optional:"" name:"dir" help:"A folder, checked as it is on disk, or a bare repository; by default --repository, or else the current folder."`
	Commit string `placeholder:"COMMIT" help:"Check this commit instead, also one that is only being pushed."`
}

func (*validateCmd) Help() string {
	return `Writes a line for each problem, FILE:LINE:COLUMN: MESSAGE, and ends with 2 if there is any that is more than a warning.

Examples:

    slipway validate
    slipway validate deployment --output json

As a pre-receive hook of the repository:

    while read -r old new ref; do
      case $new in *[!0]*) slipway validate . --commit "$new" || exit 1 ;; esac
    done`
}

// Run needs neither server nor AWS.
func (c *validateCmd) Run(ctx context.Context, e *env) error {
	if c.Dir != "" {
		e.Repository = c.Dir
	} else if e.Repository == "" {
		e.Repository = "."
	}
	problems, apps, err := c.problems(ctx, e)
	if err != nil {
		return err
	}
	if problems == nil {
		problems = deployrepo.Problems{}
	}
	err = e.answer(problems, func(t *table) {
		for _, problem := range problems {
			t.row(problem.String())
		}
	})
	if err != nil {
		return err
	}
	if problems.Err() != nil {
		return &ended{code: exitUsage}
	}
	if apps == 0 {
		e.note("%s has no apps: no file matches CLUSTER/APP/revision.json", e.Repository)
		return nil
	}
	e.note("%s, nothing wrong", counted(apps, "app"))
	return nil
}

// problems returns what is wrong, and how many apps there are.
func (c *validateCmd) problems(ctx context.Context, e *env) (deployrepo.Problems, int, error) {
	if c.Commit == "" && hasWorkTree(e.Repository) {
		problems, err := deployrepo.ValidateFolder(e.Repository)
		apps, _ := filepath.Glob(filepath.Join(e.Repository, "[^.]*", "[^.]*", "revision.json"))
		return problems, len(apps), err
	}
	repository, err := e.openRepository(ctx)
	if err != nil {
		return nil, 0, err
	}
	commit := repository.Head()
	if c.Commit != "" {
		if commit, err = repository.Commit(ctx, c.Commit); err != nil {
			return nil, 0, err
		}
	}
	tree, err := repository.Tree(ctx, commit)
	if err != nil {
		return nil, 0, fmt.Errorf("list commit %s: %w", commit, err)
	}
	problems, err := repository.Validate(ctx, commit)
	return problems, len(tree.Apps), err
}

// hasWorkTree reports whether the text names a folder with files to check: a
// URL does not, and neither does a bare repository, whose files are in commits.
func hasWorkTree(text string) bool {
	info, err := os.Stat(text)
	if err != nil || !info.IsDir() {
		return false
	}
	_, noHead := os.Stat(filepath.Join(text, "HEAD"))
	_, noObjects := os.Stat(filepath.Join(text, "objects"))
	return noHead != nil || noObjects != nil
}
