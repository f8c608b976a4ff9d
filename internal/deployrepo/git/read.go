package git

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Modes of tree entries, as git prints them.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000"
	ModeSubmodule  = "160000"
)

// TreeEntry is a file of a commit.
type TreeEntry struct {
	Mode string
	ID   string
	Size int64 // in bytes; 0 for a submodule
	Path string
}

// Tree lists the files of a commit, in git's order; with paths only those
// that exist of them.
func (d Dir) Tree(ctx context.Context, commit string, paths ...string) ([]TreeEntry, error) {
	args := append([]string{"ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--"}, paths...)
	out, err := d.Run(ctx, "", args...)
	if err != nil {
		return nil, err
	}
	entries := make([]TreeEntry, 0, bytes.Count(out, []byte{0}))
	for line := range strings.SplitSeq(string(out), "\x00") {
		if line == "" {
			continue
		}
		about, path, _ := strings.Cut(line, "\t")
		fields := strings.Fields(about)
		if len(fields) != 4 {
			return nil, fmt.Errorf("git ls-tree printed %q, which is not understood", line)
		}
		size, _ := strconv.ParseInt(fields[3], 10, 64) // "-" for a submodule
		entries = append(entries, TreeEntry{Mode: fields[0], ID: fields[2], Size: size, Path: path})
	}
	return entries, nil
}

// Blob is an object's content.
type Blob struct {
	// ID is empty when there is no such object.
	ID string
	// Size is in bytes; Content is nil when Size is more than was asked for.
	Size    int64
	Content []byte
}

// Blobs reads objects by id or as COMMIT:PATH with one git process, in order.
// The content of those larger than limit bytes is left out.
func (d Dir) Blobs(ctx context.Context, names []string, limit int64) ([]Blob, error) {
	if len(names) == 0 {
		return nil, nil
	}
	blobs := make([]Blob, 0, len(names))
	err := d.Stream(ctx, strings.Join(names, "\n")+"\n", func(out *bufio.Reader) error {
		for range names {
			blob, err := readBlob(out, limit)
			if err != nil {
				return err
			}
			blobs = append(blobs, blob)
		}
		return nil
	}, "cat-file", "--batch")
	return blobs, err
}

// readBlob reads "ID TYPE SIZE", a line end, the content and a line end, or
// "NAME missing".
func readBlob(out *bufio.Reader, limit int64) (Blob, error) {
	line, err := out.ReadString('\n')
	if err != nil {
		return Blob{}, fmt.Errorf("git cat-file ended early: %w", err)
	}
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return Blob{}, nil
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return Blob{}, fmt.Errorf("git cat-file printed %q, which is not understood", line)
	}
	blob := Blob{ID: fields[0], Size: size}
	if size > limit {
		_, err = io.CopyN(io.Discard, out, size+1)
		return blob, err
	}
	content := make([]byte, size+1)
	if _, err := io.ReadFull(out, content); err != nil {
		return Blob{}, fmt.Errorf("git cat-file ended early: %w", err)
	}
	blob.Content = content[:size]
	return blob, nil
}
