package gitserver

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Object is what git keeps under a name.
type Object struct {
	ID      string // empty if there is nothing of that name
	Type    string // commit, tree, blob or tag
	Content []byte
}

// Objects reads objects, each by a name that git understands: an id,
// refs/heads/main, refs/heads/main:cluster1, an id^{commit}. The answer has an
// object for each name, in order. A name with a line end is none.
func (r *Repository) Objects(ctx context.Context, names ...string) ([]Object, error) {
	for _, name := range names {
		if strings.Contains(name, "\n") {
			return nil, fmt.Errorf("the name %q has a line end", name)
		}
	}
	out, err := r.output(ctx, strings.NewReader(strings.Join(names, "\n")+"\n"), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	objects := make([]Object, len(names))
	for i := range objects {
		line, rest, found := bytes.Cut(out, []byte("\n"))
		if !found {
			return nil, fmt.Errorf("git cat-file ended before %q", names[i])
		}
		out = rest
		fields := strings.Split(string(line), " ")
		if len(fields) != 3 {
			continue // "a name missing"
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			continue // "name with missing", "name is ambiguous"
		}
		if size >= len(out) {
			return nil, fmt.Errorf("git cat-file said %q", line)
		}
		objects[i] = Object{ID: fields[0], Type: fields[1], Content: out[:size:size]}
		out = out[size+1:]
	}
	return objects, nil
}

// The modes of a tree's entries and of a difference's sides.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeLink       = "120000"
	ModeTree       = "40000"
	ModeSubmodule  = "160000"
)

// Entry is what a tree has under a name.
type Entry struct{ Mode, Name, ID string }

// Entries reads a tree; nil if the object is none.
func (o Object) Entries() []Entry {
	if o.Type != "tree" {
		return nil
	}
	size := len(o.ID) / 2 // of an id in a tree, in bytes
	var entries []Entry
	for rest := o.Content; len(rest) > 0; {
		head, tail, found := bytes.Cut(rest, []byte{0})
		if !found || len(tail) < size {
			return entries
		}
		mode, name, _ := strings.Cut(string(head), " ")
		entries = append(entries, Entry{Mode: mode, Name: name, ID: fmt.Sprintf("%x", tail[:size])})
		rest = tail[size:]
	}
	return entries
}

// Difference is a file that two trees do not have alike.
type Difference struct {
	Status        byte // A, M or D; M also for another type
	Path          string
	Before, After Entry // without names; zero where there is none
}

// Differences lists what differs between two trees, or commits, in order of
// path: moves are a deletion and an addition.
func (r *Repository) Differences(ctx context.Context, before, after string) ([]Difference, error) {
	out, err := r.output(ctx, nil, "diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", "--full-index", before, after)
	if err != nil {
		return nil, err
	}
	var differences []Difference
	fields := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		f := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(f) != 5 {
			return nil, fmt.Errorf("git diff-tree said %q", fields[i])
		}
		d := Difference{Status: f[4][0], Path: fields[i+1], Before: Entry{Mode: f[0], ID: f[2]}, After: Entry{Mode: f[1], ID: f[3]}}
		switch d.Status {
		case 'A':
			d.Before = Entry{}
		case 'D':
			d.After = Entry{}
		default:
			d.Status = 'M'
		}
		differences = append(differences, d)
	}
	return differences, nil
}

// EmptyTree is the tree without files, which every repository knows.
func (r *Repository) EmptyTree(ctx context.Context) (string, error) {
	return r.git(ctx, nil, "hash-object", "-w", "-t", "tree", "--stdin")
}
