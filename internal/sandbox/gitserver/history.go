package gitserver

import (
	"context"
	"strings"
)

// Version is a file as a commit made it.
type Version struct {
	Commit Object
	Path   string // the file's name then
	Blob   string // empty if the commit deleted it
	// Children are the commits of the versions that came next; none if there is none.
	Children []string
}

// History lists the versions of a file from a commit back, newest first as git log
// has them, and goes on under the file's old name where it was renamed.
func (r *Repository) History(ctx context.Context, commit, path string) ([]Version, error) {
	var versions []Version
	seen := map[string]int{} // the versions' places, by commit and path
	type beginning struct{ commit, path, child string }
	for todo := []beginning{{commit, path, ""}}; len(todo) > 0; todo = todo[1:] {
		from := todo[0]
		found, err := r.touching(ctx, from.commit, from.path)
		if err != nil {
			return nil, err
		}
		children := map[string][]string{}
		for i, line := range found {
			id, parents := line[0], line[1:]
			for _, parent := range parents {
				children[parent] = append(children[parent], id)
			}
			if i == 0 && from.child != "" {
				children[id] = append(children[id], from.child)
			}
			if at, known := seen[id+":"+from.path]; known {
				// Two files of today were this one; what comes before is listed.
				if i == 0 {
					versions[at].Children = append(versions[at].Children, from.child)
				}
				continue
			}
			seen[id+":"+from.path] = len(versions)
			versions = append(versions, Version{Commit: Object{ID: id}, Path: from.path, Children: children[id]})
			if len(parents) > 0 {
				continue
			}
			before, err := r.renamedFrom(ctx, id, from.path)
			if err != nil {
				return nil, err
			}
			if before != "" {
				todo = append(todo, beginning{id + "^", before, id})
			}
		}
	}
	return versions, r.fill(ctx, versions)
}

// touching lists the commits that touched a path, each with those before it that did.
func (r *Repository) touching(ctx context.Context, commit, path string) (lines [][]string, err error) {
	out, err := r.git(ctx, nil, "--literal-pathspecs", "rev-list", "--parents", "--date-order", commit, "--", path)
	for line := range strings.Lines(out) {
		lines = append(lines, strings.Fields(line))
	}
	return lines, err
}

// renamedFrom is the name that a file had before a commit; empty if the commit did not
// rename it.
func (r *Repository) renamedFrom(ctx context.Context, commit, path string) (string, error) {
	out, err := r.output(ctx, nil, "diff-tree", "-r", "-z", "--find-renames", "--diff-filter=R", "--name-status", "--no-commit-id", commit)
	if err != nil {
		return "", err
	}
	for fields := strings.Split(string(out), "\x00"); len(fields) >= 3; fields = fields[3:] {
		if fields[2] == path {
			return fields[1], nil
		}
	}
	return "", nil
}

// fill reads what the versions are.
func (r *Repository) fill(ctx context.Context, versions []Version) error {
	if len(versions) == 0 {
		return nil
	}
	names := make([]string, 0, 2*len(versions))
	for _, v := range versions {
		names = append(names, v.Commit.ID, v.Commit.ID+":"+v.Path)
	}
	objects, err := r.Objects(ctx, names...)
	if err != nil {
		return err
	}
	for i := range versions {
		versions[i].Commit, versions[i].Blob = objects[2*i], objects[2*i+1].ID
	}
	return nil
}
