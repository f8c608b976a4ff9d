package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// Logged is a commit of the log and the files that it touched. A merge touches
// only what differs from all its parents.
type Logged struct {
	slipway.Commit
	Touched []Touch
}

// Touch is a file that a commit added, changed or removed. A rename is a
// removal and an addition.
type Touch struct {
	Path    string
	Mode    string // after the commit
	Removed bool
}

// logMark begins a commit in the output; no file's name is read where it can
// stand.
const logMark = "\x01"

// Log calls each with the commits from head back that touched the paths (all
// commits, without paths), newest first, until it returns false. With limit
// above 0 git itself stops after so many.
func (d Dir) Log(ctx context.Context, head string, limit int, paths []string, each func(Logged) bool) error {
	// Paths go through stdin: thousands of them do not fit into arguments.
	stdin := strings.Join(append([]string{head, "--"}, paths...), "\n") + "\n"
	args := []string{
		"log", "--stdin", "-z", "-c", "--raw", "--no-abbrev", "--no-renames", "--no-notes", "--encoding=UTF-8",
		"--format=tformat:%x00" + logMark + "%x00%H%x00%at%x00%an%x00%ae%x00%B%x00",
	}
	if limit > 0 {
		args = append(args, "-n", strconv.Itoa(limit))
	}
	return d.Stream(ctx, stdin, func(out *bufio.Reader) error { return readLog(out, each) }, args...)
}

func readLog(out *bufio.Reader, each func(Logged) bool) error {
	r := tokens{in: out}
	var commit *Logged
	for {
		token, err := r.next()
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		entry := strings.TrimPrefix(token, "\n")
		switch {
		case ended || token == logMark:
			if commit != nil && !each(*commit) {
				return errEnough
			}
			if ended {
				return nil
			}
			if commit, err = r.commit(); err != nil {
				return err
			}
		case strings.HasPrefix(entry, ":") && commit != nil:
			path, err := r.next()
			if err != nil {
				return err
			}
			commit.Touched = append(commit.Touched, touch(entry, path))
		}
	}
}

// touch reads ":MODE MODE ID ID STATUS", with one colon, mode and id more for
// each further parent of a merge.
func touch(entry, path string) Touch {
	parents := len(entry) - len(strings.TrimLeft(entry, ":"))
	fields := strings.Fields(entry[parents:])
	t := Touch{Path: path}
	if len(fields) > parents {
		t.Mode = fields[parents]
		t.Removed = strings.Trim(t.Mode, "0") == ""
	}
	return t
}

// tokens reads text that ends with NUL.
type tokens struct{ in *bufio.Reader }

// next returns io.EOF at the end; what git has left unfinished is no token.
func (t tokens) next() (string, error) {
	token, err := t.in.ReadString(0)
	if err != nil {
		return "", err
	}
	return token[:len(token)-1], nil
}

func (t tokens) commit() (*Logged, error) {
	var fields [5]string
	for i := range fields {
		field, err := t.next()
		if err != nil {
			return nil, fmt.Errorf("git log ended early: %w", err)
		}
		fields[i] = strings.ToValidUTF8(field, "\uFFFD")
	}
	seconds, _ := strconv.ParseInt(fields[1], 10, 64)
	return &Logged{Commit: slipway.Commit{
		ID:      fields[0],
		Time:    time.Unix(seconds, 0).UTC(),
		Author:  fmt.Sprintf("%s <%s>", fields[2], fields[3]),
		Message: strings.TrimRight(fields[4], "\n"),
	}}, nil
}
