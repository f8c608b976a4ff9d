package truth_test

import (
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/internal/truth"
)

var printed = flag.Bool("matrix", false, "print the table")

// TestTruth plays every cell of the table and compares what becomes of it.
func TestTruth(t *testing.T) {
	var mu sync.Mutex
	holds := map[string]bool{}
	t.Run("table", func(t *testing.T) {
		each(func(scenario truth.Scenario, way truth.Way, want truth.Cell) {
			name := scenario.Name + "/" + way.String()
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := plays[scenario.Name]
				synctest.Test(t, func(t *testing.T) { compare(t, p, want, perform(t, way, p)) })
				mu.Lock()
				defer mu.Unlock()
				holds[name] = !t.Failed()
			})
		})
	})
	if *printed {
		if err := truth.WriteMatrix(os.Stdout, func(scenario string, way truth.Way) bool { return holds[scenario+"/"+way.String()] }); err != nil {
			t.Fatal(err)
		}
	}
}

// compare holds what became of a deployment against its cell.
func compare(t *testing.T, p play, want, got truth.Cell) {
	t.Helper()
	if off := (got.After - want.After).Abs(); off > max(want.After/10, 45*time.Second, p.slack) {
		t.Errorf("it took %v, want about %v", got.After, want.After)
	}
	got.After = want.After
	if says := strings.ReplaceAll(regexp.QuoteMeta(want.Says), "…", ".*?"); regexp.MustCompile("^" + says + "$").MatchString(got.Says) {
		got.Says = want.Says
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// each goes through all cells that there can be.
func each(do func(truth.Scenario, truth.Way, truth.Cell)) {
	for _, chapter := range truth.Table() {
		for _, scenario := range chapter.Scenarios {
			for _, way := range truth.Ways() {
				if cell := scenario.Cells[way]; cell.Not == "" {
					do(scenario, way, cell)
				}
			}
		}
	}
}

// TestTableIsWhole: every scenario has a play and a cell of each way, which says
// how it ends or why it cannot be.
func TestTableIsWhole(t *testing.T) {
	var names []string
	for _, chapter := range truth.Table() {
		for _, scenario := range chapter.Scenarios {
			names = append(names, scenario.Name)
			for _, way := range truth.Ways() {
				if cell := scenario.Cells[way]; cell.Not == "" && cell.Outcome == "" {
					t.Errorf("%s, %s: the cell is empty", scenario.Name, way)
				}
			}
			if scenario.What == "" {
				t.Errorf("%s: what happens?", scenario.Name)
			}
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(plays)), names); diff != "" {
		t.Errorf("plays and rows differ (-plays +rows):\n%s", diff)
	}
}
