package files

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slipway-cd/slipway"
)

// MaxSize is how many bytes a file may have: CodePipeline's quota for the
// image definitions file,
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html.
const MaxSize = 100 << 10

// Problem is something wrong, or with Warning something odd, in a file of the
// deployment repository.
type Problem struct {
	// File is the path relative to the repository's root.
	File string `json:"file"`
	// Line and Column count from 1, Column in characters; both are 0 when the
	// file as a whole is meant.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Message says what is wrong and what to do.
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty"`
}

// String returns "file:line:column: message", or "file: message".
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems are those of one file or of many.
type Problems []Problem

// Err returns nil when there are only warnings, and otherwise a slipway.Error
// about wrong input with one line for each problem that is no warning.
func (ps Problems) Err() error {
	var lines []string
	for _, p := range ps {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	if lines == nil {
		return nil
	}
	return &slipway.Error{Next: slipway.NextUsage, Message: strings.Join(lines, "\n")}
}

// Warnings returns those that are warnings.
func (ps Problems) Warnings() Problems {
	var warnings Problems
	for _, p := range ps {
		if p.Warning {
			warnings = append(warnings, p)
		}
	}
	return warnings
}

// source is a file's text that collects problems by byte offset.
type source struct {
	file     string
	text     []byte // without a byte order mark
	problems Problems
}

// byteOrderMark is tolerated at the beginning of every file, as Windows
// editors write it.
const byteOrderMark = "\xef\xbb\xbf"

// newSource checks what holds for every file: size and UTF-8. The problems say
// whether there is anything to parse.
func newSource(file string, text []byte) *source {
	s := &source{file: file, text: text}
	if len(text) > MaxSize {
		s.whole("has %d bytes; at most %d (100 KB) are allowed", len(text), MaxSize)
		return s
	}
	if len(text) >= len(byteOrderMark) && string(text[:len(byteOrderMark)]) == byteOrderMark {
		s.text = text[len(byteOrderMark):]
	}
	if offset := invalidUTF8(s.text); offset >= 0 {
		hint := "save it as UTF-8"
		if len(text) > 1 && (string(text[:2]) == "\xff\xfe" || string(text[:2]) == "\xfe\xff") {
			hint = "it looks like UTF-16, as PowerShell's '>' writes; " + hint
		}
		s.at(offset, "is not UTF-8: %s", hint)
	}
	return s
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// at adds a problem at a byte offset of the text.
func (s *source) at(offset int, format string, args ...any) {
	line, column := s.position(offset)
	s.add(line, column, format, args...)
}

// warn adds a warning at a byte offset of the text.
func (s *source) warn(offset int, format string, args ...any) {
	s.at(offset, format, args...)
	s.problems[len(s.problems)-1].Warning = true
}

// whole adds a problem about the file as a whole.
func (s *source) whole(format string, args ...any) { s.add(0, 0, format, args...) }

func (s *source) add(line, column int, format string, args ...any) {
	s.problems = append(s.problems, Problem{
		File: s.file, Line: line, Column: column, Message: fmt.Sprintf(format, args...),
	})
}

// position turns a byte offset into a line and a column, both from 1.
func (s *source) position(offset int) (line, column int) {
	before := s.text[:min(offset, len(s.text))]
	line, start := 1, 0
	for i, b := range before {
		if b == '\n' {
			line, start = line+1, i+1
		}
	}
	return line, utf8.RuneCount(before[start:]) + 1
}
