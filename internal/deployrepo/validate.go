package deployrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

// Validate checks all files of a commit, as a pre-receive hook would: also a
// commit that is only being pushed. The problems are in the files' order,
// warnings among them; the error is about the repository.
func (r *Repo) Validate(ctx context.Context, commit string) (Problems, error) {
	tree, err := r.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	contents, err := r.contents(ctx, tree, tree.Sorted())
	if err != nil {
		return nil, err
	}
	return validate(tree, contents), nil
}

// ValidateFolder checks all files of a folder as they are on disk, committed
// or not. It need not be a git repository.
func ValidateFolder(folder string) (Problems, error) {
	tree, contents, err := readFolder(folder)
	if err != nil {
		return nil, err
	}
	return validate(tree, contents), nil
}

func validate(tree Tree, contents contents) Problems {
	_, problems := readConfig(tree, contents)
	for _, app := range tree.Sorted() {
		_, _, found := readApp(app, tree.Apps[app], contents)
		problems = append(problems, found...)
	}
	for _, problem := range tree.Problems {
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	return problems
}

// readFolder lists a folder as git would list it if all of it were committed.
func readFolder(folder string) (Tree, contents, error) {
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.New("it is a file")
	}
	if err != nil {
		return Tree{}, nil, slipway.Usagef("%s is no folder that can be read: %v", folder, err)
	}
	var entries []git.TreeEntry
	root := os.DirFS(folder)
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		depth := strings.Count(name, "/") + 1
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case d.IsDir() && (depth == 3 || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		entry, err := folderEntry(name, d)
		entries = append(entries, entry)
		return err
	})
	if err != nil {
		return Tree{}, nil, fmt.Errorf("%s: %w", folder, err)
	}
	read := func(path string, _ File) ([]byte, error) {
		return os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
	}
	return newTree("", entries), read, nil
}

// folderEntry gives a file the mode that git would give it.
func folderEntry(name string, d fs.DirEntry) (git.TreeEntry, error) {
	info, err := d.Info()
	if err != nil {
		return git.TreeEntry{}, err
	}
	entry := git.TreeEntry{Path: name, Mode: git.ModeFile, Size: info.Size()}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		entry.Mode = git.ModeSymlink
	case !info.Mode().IsRegular():
		entry.Mode = info.Mode().String()
	}
	return entry, nil
}
