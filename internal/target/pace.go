package target

import "time"

// pace is when to look again: at the next instant of a grid that all share, so
// that a thousand deployments wake together and fill their calls of ten. The
// grid's step follows from how long ago something moved: fast at first, slower
// when nothing does. hold is the least time to wait, zero while there is budget
// to spare.
//
// Nothing of this is remembered: a restart goes on at the same pace.
func pace(now, moved time.Time, hold time.Duration) time.Time {
	return align(now, max(step(now.Sub(moved)), roundUp(hold)))
}

// step is the grid for something that last moved so long ago.
func step(quiet time.Duration) time.Duration {
	switch {
	case quiet < 10*time.Second:
		return time.Second
	case quiet < 30*time.Second:
		return 2 * time.Second
	case quiet < 2*time.Minute:
		return 5 * time.Second
	case quiet < 5*time.Minute:
		return 10 * time.Second
	}
	return 15 * time.Second
}

// roundUp is the narrowest grid that leaves at least that long between looks.
func roundUp(hold time.Duration) time.Duration {
	for _, grid := range []time.Duration{1, 2, 5, 10} {
		if hold <= grid*time.Second {
			return grid * time.Second
		}
	}
	return 15 * time.Second
}

// align is the first multiple of grid, in wall-clock time, that is at least half
// a grid away: who comes a little late stays in step with the others.
func align(now time.Time, grid time.Duration) time.Time {
	return now.Add(grid / 2).Truncate(grid).Add(grid)
}
