package codecommit

import (
	"cmp"
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// edit is a commit in the making.
type edit struct {
	git      *gitserver.Repository
	cloneURL string
	ref      string
	parent   string                     // empty for a first commit
	files    map[string]gitserver.Entry // by path, as they will be; without an id, what is new
	changes  []gitserver.Change
	made     []gitserver.Difference // once it is made
}

// edit begins a commit on a branch. A branch that exists wants its last commit as
// the parent; another is made if the repository has none at all, and mustExist is
// not set.
func (s *Service) edit(ctx context.Context, repository, branch, parent *string, mustExist bool) (*edit, error) {
	r, git, err := s.find(ctx, repository)
	if err != nil {
		return nil, err
	}
	if err := checkBranch(branch); err != nil {
		return nil, err
	}
	refs, err := git.Refs(ctx)
	if err != nil {
		return nil, err
	}
	e := &edit{git: git, cloneURL: s.cloneURL(r), ref: heads + *branch, files: map[string]gitserver.Entry{}}
	tip := refs[e.ref]
	if tip == "" {
		if mustExist || len(refs) > 0 {
			return nil, noBranch(*branch)
		}
		return e, nil
	}
	if err := checkParent(ctx, git, aws.ToString(parent), tip, *branch); err != nil {
		return nil, err
	}
	e.parent = tip
	empty, err := git.EmptyTree(ctx)
	if err != nil {
		return nil, err
	}
	all, err := git.Differences(ctx, empty, tip)
	for _, d := range all {
		e.files[d.Path] = d.After
	}
	return e, err
}

// checkParent says what is wrong with the parent that a client names.
func checkParent(ctx context.Context, git *gitserver.Repository, parent, tip, branch string) error {
	switch {
	case parent == tip:
		return nil
	case parent == "":
		return fail("ParentCommitIdRequiredException", "A parent commit ID is required. The branch %s is not empty: to view the full commit ID of its tip, use GetBranch.", branch)
	case !fullID.MatchString(parent):
		return fail("InvalidParentCommitIdException", "The parent commit ID is not valid. The commit ID cannot be empty, and must match the head commit ID for the branch of the repository where you want to add or update a file.")
	}
	found, err := git.Objects(ctx, parent)
	if err != nil {
		return err
	}
	if found[0].Type != "commit" {
		return fail("ParentCommitDoesNotExistException", "The parent commit ID is not valid because it does not exist. The specified parent commit ID does not exist in the specified branch of the repository.")
	}
	return outdated()
}

func outdated() error {
	return fail("ParentCommitIdOutdatedException", "The file could not be added because the provided parent commit ID is not the current tip of the specified branch. To view the full commit ID of the current head of the branch, use GetBranch.")
}

// put adds a file, or replaces it. A file cannot be where a folder is.
func (e *edit) put(file, mode string, content []byte) error {
	for other := range e.files {
		if strings.HasPrefix(other, file+"/") {
			return fail("FileNameConflictsWithDirectoryNameException", "A file cannot be added to the repository because the specified file name has the same name as a directory in this repository: %s", file)
		}
	}
	for folder := path.Dir(file); folder != "."; folder = path.Dir(folder) {
		if _, found := e.files[folder]; found {
			return fail("DirectoryNameConflictsWithFileNameException", "A file cannot be added to the repository because the specified path name has the same name as a file that already exists in this repository: %s", folder)
		}
	}
	e.files[file] = gitserver.Entry{Mode: mode}
	e.changes = append(e.changes, gitserver.Change{Path: file, Mode: mode, Content: content})
	return nil
}

// delete deletes a file; with keepFolder, a folder that this empties is kept with
// a file .gitkeep.
func (e *edit) delete(file string, keepFolder bool) error {
	if _, found := e.files[file]; !found {
		return fail("FileDoesNotExistException", "Could not find path %s", file)
	}
	delete(e.files, file)
	e.changes = append(e.changes, gitserver.Change{Path: file, Delete: true})
	folder := path.Dir(file)
	if !keepFolder || folder == "." {
		return nil
	}
	for other := range e.files {
		if strings.HasPrefix(other, folder+"/") {
			return nil
		}
	}
	return e.put(folder+"/.gitkeep", gitserver.ModeFile, nil)
}

// read is a file of the parent.
func (e *edit) read(ctx context.Context, file string) (content []byte, mode string, err error) {
	entry := e.files[file]
	if entry.ID == "" {
		return nil, "", fail("FileDoesNotExistException", "Could not find path %s", file)
	}
	found, err := e.git.Objects(ctx, entry.ID)
	if err != nil {
		return nil, "", err
	}
	return found[0].Content, entry.Mode, nil
}

// commit makes the commit; it has no id if nothing would change. What it made is in
// e.files and e.made afterwards.
func (e *edit) commit(ctx context.Context, name, email *string, message string) (gitserver.Object, error) {
	id, err := e.git.Commit(ctx, e.cloneURL, gitserver.Commit{
		Ref: e.ref, Parent: e.parent, Message: message, Changes: e.changes,
		Author: gitserver.Person{Name: cmp.Or(aws.ToString(name), "sandbox"), Email: aws.ToString(email), At: time.Now()},
	})
	switch {
	case errors.Is(err, gitserver.ErrSame):
		return gitserver.Object{}, nil
	case errors.Is(err, gitserver.ErrMoved):
		return gitserver.Object{}, outdated()
	case err != nil:
		return gitserver.Object{}, err
	}
	before := e.parent
	if before == "" {
		if before, err = e.git.EmptyTree(ctx); err != nil {
			return gitserver.Object{}, err
		}
	}
	if e.made, err = e.git.Differences(ctx, before, id); err != nil {
		return gitserver.Object{}, err
	}
	for _, d := range e.made {
		e.files[d.Path] = d.After
	}
	found, err := e.git.Objects(ctx, id)
	if err != nil {
		return gitserver.Object{}, err
	}
	return found[0], nil
}

func metadata(file string, e gitserver.Entry) types.FileMetadata {
	return types.FileMetadata{AbsolutePath: aws.String(file), BlobId: aws.String(e.ID), FileMode: fileMode(e.Mode)}
}
