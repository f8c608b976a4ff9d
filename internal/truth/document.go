package truth

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
)

//go:generate go run ./outcomes ../../docs/outcomes.md

// WriteDocument writes the table for those who read of a deployment what became of
// it, as Markdown.
func WriteDocument(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Outcomes\n\n<!-- Made by `make generate` out of internal/truth. -->\n\n")
	b.WriteString(`What becomes of a deployment, for everything that can happen to it and every way in which AWS deploys an app. Each cell of the table is played against
the [sandbox](sandbox.md) by ` + "`make truth`" + `, and asserts what this page says: the outcome and who rolled back, the reason word by word, the calls to AWS that write
anything, and what runs in the end. [The controller](controller.md#outcomes) has what each outcome means and the exit codes.

The app ran its image 1.0.0 in task definition ` + "`webapp1:1` (`batchapp1:1`)" + ` before; the commit says 2.0.0. Services have two tasks behind a load balancer, whose connections drain for
AWS's usual five minutes, and Slipway has its usual timeout of 30 minutes. The columns are:

`)
	for _, way := range Ways() {
		fmt.Fprintf(&b, "- **%s**: %s.\n", way, way.Setting())
	}
	b.WriteString("\n| |")
	for _, way := range Ways() {
		fmt.Fprintf(&b, " %s |", way)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(Ways())) + "\n")
	for _, chapter := range Table() {
		fmt.Fprintf(&b, "| **%s** |%s\n", chapter.Title, strings.Repeat(" |", len(Ways())))
		for _, scenario := range chapter.Scenarios {
			fmt.Fprintf(&b, "| [%s](#%s) |", scenario.Name, anchor(scenario.Name))
			for _, way := range Ways() {
				ends := scenario.Cells[way].Ends()
				if scenario.Cells[way].Not != "" {
					ends = "–"
				} else if strings.HasPrefix(scenario.Cells[way].Says, ends+", but") {
					ends += ", but"
				}
				fmt.Fprintf(&b, " %s |", ends)
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\nBelow, an ellipsis stands for what differs from one deployment to the next: ids, times, ARNs of target groups, and how many tasks there were where chance decides.\n")
	for _, chapter := range Table() {
		fmt.Fprintf(&b, "\n## %s\n", chapter.Title)
		for _, scenario := range chapter.Scenarios {
			scenario.write(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// write writes what becomes of a scenario, once for all the ways that end alike.
func (s Scenario) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n", s.Name, s.What)
	told := map[Way]bool{}
	for _, way := range Ways() {
		if told[way] {
			continue
		}
		cell := s.Cells[way]
		var names []string
		var times []time.Duration
		for _, other := range Ways() {
			if is := s.Cells[other]; alikeButTime(is, cell) {
				told[other] = true
				names, times = append(names, other.String()), append(times, is.After)
			}
		}
		fmt.Fprintf(b, "\n**%s**: ", strings.Join(names, " · "))
		if cell.Not != "" {
			fmt.Fprintf(b, "cannot happen; %s.\n", cell.Not)
			continue
		}
		b.WriteString(string(cell.Status()))
		if ends := strings.TrimSpace(cell.Ends() + " " + cell.Because()); !strings.EqualFold(ends, string(cell.Status())) {
			b.WriteString(", " + ends)
		}
		fmt.Fprintf(b, ", %s", roughly(slices.Min(times)))
		if last := roughly(slices.Max(times)); last != roughly(slices.Min(times)) {
			b.WriteString(" to " + strings.TrimPrefix(last, "after "))
		}
		b.WriteString(". ")
		if len(cell.Writes) == 0 {
			b.WriteString("Nothing is written.")
		} else {
			fmt.Fprintf(b, "Slipway calls `%s`.", strings.Join(cell.Writes, "`, `"))
		}
		if cell.Runs != "" {
			fmt.Fprintf(b, " In the end there runs `%s`.", strings.ReplaceAll(cell.Runs, " ", "` and `"))
		}
		b.WriteString("\n")
		if cell.Says != "" {
			fmt.Fprintf(b, "\n```\n%s\n```\n", cell.Says)
		}
	}
}

// alikeButTime reports whether two cells differ in nothing but how long it takes.
func alikeButTime(a, b Cell) bool {
	a.After, b.After = 0, 0
	return reflect.DeepEqual(a, b)
}

// roughly is a time for a person.
func roughly(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "at once"
	case d < 2*time.Minute:
		return fmt.Sprintf("after %d s", int(d.Round(10*time.Second).Seconds()))
	}
	return fmt.Sprintf("after %d min", int(d.Round(time.Minute).Minutes()))
}

// anchor is the anchor of a heading, as forges make it.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.Map(func(r rune) rune {
		if strings.ContainsRune(",:·()", r) {
			return -1
		}
		return r
	}, strings.ToLower(heading)), " ", "-")
}
