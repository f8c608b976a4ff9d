package truth

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/slipway-cd/slipway"
)

// WriteMatrix writes the table with what each cell came to: ok, and what was wrong
// where it is not. verdict is asked for each cell that there can be.
func WriteMatrix(w io.Writer, verdict func(scenario string, way Way) (ok bool)) error {
	var rows strings.Builder
	for _, way := range Ways() {
		rows.WriteString("\t" + way.String())
	}
	rows.WriteString("\n")
	passed, failed, cannot := 0, 0, 0
	for _, chapter := range Table() {
		rows.WriteString(strings.ToUpper(chapter.Title) + strings.Repeat("\t", len(Ways())) + "\n")
		for _, scenario := range chapter.Scenarios {
			row := []string{scenario.Name}
			for _, way := range Ways() {
				cell := scenario.Cells[way]
				switch {
				case cell.Not != "":
					cannot++
					row = append(row, "·")
				case verdict(scenario.Name, way):
					passed++
					row = append(row, "ok "+cell.Ends())
				default:
					failed++
					row = append(row, "FAIL "+cell.Ends())
				}
			}
			rows.WriteString(strings.Join(row, "\t") + "\n")
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(table, rows.String()); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d cells hold, %d do not; %d cannot happen (·)\n", passed, failed, cannot)
	return err
}

// Ends is how a cell ends, in two words: the outcome, and who rolled back.
func (c Cell) Ends() string {
	if c.Not != "" {
		return "cannot happen"
	}
	return strings.TrimSpace(string(c.Outcome) + " " + map[string]string{
		slipway.ByECS: "by ECS", slipway.ByCodeDeploy: "by CodeDeploy", slipway.BySlipway: "by Slipway",
	}[c.By])
}

// Because is what made AWS roll back, for a person; empty where it did not.
func (c Cell) Because() string {
	return cmp.Or(map[slipway.Cause]string{
		slipway.CauseBreaker: "because of the circuit breaker", slipway.CauseAlarm: "because of an alarm",
		slipway.CauseHook: "because of a hook", slipway.CausePerson: "because of a person",
	}[c.Cause], "")
}
