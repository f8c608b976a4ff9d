package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slipway-cd/slipway"
)

// answer writes a command's answer on stdout: value as JSON, or whatever
// asTable fills in.
func (e *env) answer(value any, asTable func(*table)) error {
	if e.Output == "json" {
		encoder := json.NewEncoder(e.Out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	t := &table{paint: func(c colour, text string) string { return e.paint(e.Out, c, text) }}
	asTable(t)
	_, err := io.WriteString(e.Out, t.String())
	return err
}

// table aligns columns; colour does not count as width.
type table struct {
	rows  [][]cell
	paint func(colour, string) string
}

// cell is one field of a table.
type cell struct {
	text   string
	colour colour
}

// row adds a row of strings and cells.
func (t *table) row(fields ...any) {
	row := make([]cell, len(fields))
	for i, field := range fields {
		switch field := field.(type) {
		case cell:
			row[i] = field
		default:
			row[i] = cell{text: fmt.Sprint(field)}
		}
	}
	t.rows = append(t.rows, row)
}

// heading adds the row that names the columns.
func (t *table) heading(names ...string) {
	row := make([]cell, len(names))
	for i, name := range names {
		row[i] = cell{name, bold}
	}
	t.rows = append(t.rows, row)
}

// String is the table. A row of one field is a line of its own that no column
// is measured by.
func (t *table) String() string {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(row) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell.text))
			}
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		last := len(row) - 1
		for last > 0 && row[last].text == "" {
			last--
		}
		for i, cell := range row[:last+1] {
			b.WriteString(t.paint(cell.colour, cell.text))
			if i < last {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell.text)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// colour is an SGR parameter (ECMA-48).
type colour string

const (
	plain  colour = ""
	bold   colour = "1"
	dim    colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

// paint colours text that goes to w, if w is a terminal and nobody objects.
func (e *env) paint(w io.Writer, c colour, text string) string {
	objects := e.NoColor || os.Getenv("NO_COLOR") != ""
	if c == plain || text == "" || objects || !isTerminal(w) {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// ago is a time for people: "now", "12s ago", "3m ago", "2h ago", "5d ago";
// empty for the zero time.
func (e *env) ago(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	passed := e.now().Sub(at)
	if passed < time.Second {
		return "now"
	}
	return span(passed) + " ago"
}

// span is a duration for people, in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// lastPart is what follows the last slash of an ARN: webapp1:7 of a task definition.
func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// moment is a time to the second, in UTC as AWS writes it; empty for the zero
// time.
func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// shortImages are images without their registries, for a table: "web:1.4.2",
// or "app=web:1.4.2, proxy=envoy:2" of several.
func shortImages(images []slipway.Image) string {
	short := make([]slipway.Image, len(images))
	for i, image := range images {
		uri := image.URI[strings.LastIndexByte(image.URI, '/')+1:]
		if name, digest, found := strings.Cut(uri, "@sha256:"); found && len(digest) > 12 {
			uri = name + "@" + digest[:12]
		}
		short[i] = slipway.Image{Container: image.Container, URI: uri}
	}
	return slipway.FormatImages(short)
}

// firstLine is a text's first line, of at most n characters.
func firstLine(text string, n int) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:n-1]) + "…"
}

// counted is a number of things: "1 app", "2 apps".
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// shortID is the beginning of an execution's id that is its time of creation
// to the millisecond (UUID version 7, RFC 9562 section 5.7): few others begin
// with it, and commands accept it.
func shortID(id string) string {
	const timestamp = len("01930e2a-6b5c")
	if len(id) <= timestamp {
		return id
	}
	return id[:timestamp]
}

// name is a commit's author without the address.
func name(author string) string {
	name, _, _ := strings.Cut(author, " <")
	return name
}
