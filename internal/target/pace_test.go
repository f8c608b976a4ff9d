package target

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	tests := []struct {
		name        string
		quiet, hold time.Duration
		now, want   time.Duration // after t0, a multiple of all grids
	}{
		{"just moved", 0, 0, 0, time.Second},
		{"moved after we looked", -time.Second, 0, 0, time.Second},
		{"a little late", 9 * time.Second, 0, 400 * time.Millisecond, time.Second},
		{"too late for the next", 9 * time.Second, 0, 600 * time.Millisecond, 2 * time.Second},
		{"quiet for 10 s", 10 * time.Second, 0, 0, 2 * time.Second},
		{"quiet for 30 s", 30 * time.Second, 0, 0, 5 * time.Second},
		{"in step with who looked before", 30 * time.Second, 0, 2 * time.Second, 5 * time.Second},
		{"quiet for 2 min", 2 * time.Minute, 0, 0, 10 * time.Second},
		{"quiet for 5 min", 5 * time.Minute, 0, 0, 15 * time.Second},
		{"never moved", 1000 * time.Hour, 0, 0, 15 * time.Second},
		{"short of budget", 0, 1500 * time.Millisecond, 0, 2 * time.Second},
		{"far too short of budget", 0, time.Minute, 0, 15 * time.Second},
		{"quieter than the budget asks for", 5 * time.Minute, time.Second, 0, 15 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := t0.Add(tt.now)
			if got := pace(now, now.Add(-tt.quiet), tt.hold).Sub(t0); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestAlign: the grid is the same for all, and never closer than half a step.
func TestAlign(t *testing.T) {
	for _, grid := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second} {
		for offset := time.Duration(0); offset < 30*time.Second; offset += 123 * time.Millisecond {
			now := t0.Add(offset)
			next := align(now, grid)
			if wait := next.Sub(now); wait < grid/2 || wait > grid*3/2 || next.UnixNano()%int64(grid) != 0 {
				t.Fatalf("from %v on the grid of %v: %v, in %v", now, grid, next, wait)
			}
		}
	}
}
