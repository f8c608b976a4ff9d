package controlplane

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// TestBounds has the examples of AWS's documentation.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
func TestBounds(t *testing.T) {
	for _, c := range []struct{ desired, minimum, maximum, lower, upper int }{
		{4, 50, 200, 2, 8}, // two may stop before two start; four may start first
		{2, 75, 200, 2, 4}, // ceil(1.5): none may stop
		{3, 100, 125, 3, 3},
		{1, 100, 200, 1, 2},
		{1, 0, 100, 0, 1},
		{0, 100, 200, 0, 0},
		{10, 33, 150, 4, 15},
	} {
		want := bounds{c.desired, c.lower, c.upper}
		if got := boundsOf(c.desired, c.minimum, c.maximum); got != want {
			t.Errorf("boundsOf(%d, %d, %d) = %+v, want %+v", c.desired, c.minimum, c.maximum, got, want)
		}
	}
}

// crewOf reads a crew: its desired count, and a letter for each task.
func crewOf(desired int, tasks string) crew {
	c := crew{desired: desired}
	for _, letter := range tasks {
		c.tasks = append(c.tasks, map[rune]fitness{'s': starting, 'w': warming, 'h': healthy, 'f': failing}[letter])
	}
	return c
}

func TestDecide(t *testing.T) {
	held := func(c crew) crew { c.held = true; return c }
	for _, c := range []struct {
		name                      string
		desired, minimum, maximum int
		crews                     []crew
		keepOld                   bool
		start                     []int
		stop                      [][]int
		places                    []int // of the replaced deployments
		stalled                   bool
	}{
		{
			name: "a new service starts all", desired: 3, minimum: 100, maximum: 200,
			crews: []crew{crewOf(3, "")}, start: []int{3}, stop: [][]int{nil},
		}, {
			name: "100/200, desired 1: the new one first", desired: 1, minimum: 100, maximum: 200,
			crews: []crew{crewOf(1, ""), crewOf(1, "h")}, start: []int{1, 0}, stop: [][]int{nil, nil}, places: []int{1},
		}, {
			name: "100/200, desired 1: the old one stays while the new one warms up", desired: 1, minimum: 100, maximum: 200,
			crews: []crew{crewOf(1, "w"), crewOf(1, "h")}, start: []int{0, 0}, stop: [][]int{nil, nil}, places: []int{1},
		}, {
			name: "100/200, desired 1: then the old one stops", desired: 1, minimum: 100, maximum: 200,
			crews: []crew{crewOf(1, "h"), crewOf(1, "h")}, start: []int{0, 0}, stop: [][]int{nil, {0}}, places: []int{0},
		}, {
			name: "0/100, desired 1: the old one first", desired: 1, minimum: 0, maximum: 100,
			crews: []crew{crewOf(1, ""), crewOf(1, "h")}, start: []int{0, 0}, stop: [][]int{nil, {0}}, places: []int{0},
		}, {
			name: "min 50, desired 4: two may stop before two start", desired: 4, minimum: 50, maximum: 100,
			crews: []crew{crewOf(4, ""), crewOf(4, "hhhh")}, start: []int{0, 0}, stop: [][]int{nil, {0, 1}}, places: []int{2},
		}, {
			name: "min 75, desired 2: none may stop", desired: 2, minimum: 75, maximum: 100,
			crews: []crew{crewOf(2, ""), crewOf(2, "hh")}, start: []int{0, 0}, stop: [][]int{nil, nil}, places: []int{2}, stalled: true,
		}, {
			name: "max 200, desired 4: four may start first", desired: 4, minimum: 100, maximum: 200,
			crews: []crew{crewOf(4, ""), crewOf(4, "hhhh")}, start: []int{4, 0}, stop: [][]int{nil, nil}, places: []int{4},
		}, {
			name: "max 125, desired 3: none may start", desired: 3, minimum: 100, maximum: 125,
			crews: []crew{crewOf(3, ""), crewOf(3, "hhh")}, start: []int{0, 0}, stop: [][]int{nil, nil}, places: []int{3}, stalled: true,
		}, {
			name: "as many old ones stop as new ones became healthy", desired: 3, minimum: 100, maximum: 200,
			crews: []crew{crewOf(3, "hwh"), crewOf(3, "hhh")}, start: []int{0, 0}, stop: [][]int{nil, {0, 1}}, places: []int{1},
		}, {
			name: "replaced halfway: what was not healthy goes at once", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, ""), crewOf(2, "ws"), crewOf(2, "hh")}, start: []int{0, 0, 0}, stop: [][]int{nil, {1, 0}, nil}, places: []int{0, 2},
		}, {
			name: "the minimum keeps what may yet become healthy", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, "ss"), crewOf(2, "hw")}, start: []int{0, 0}, stop: [][]int{nil, nil}, places: []int{2},
		}, {
			name: "a lost task of the old deployment is replaced by its own kind", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, "s"), crewOf(2, "h")}, start: []int{1, 1}, stop: [][]int{nil, nil}, places: []int{2},
		}, {
			name: "but not once the new ones suffice", desired: 2, minimum: 50, maximum: 200,
			crews: []crew{crewOf(2, "hs"), crewOf(1, "")}, start: []int{0, 0}, stop: [][]int{nil, nil}, places: []int{0},
		}, {
			name: "a failing task is replaced before it stops", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, "fh")}, start: []int{1}, stop: [][]int{nil},
		}, {
			name: "and stays until its replacement is healthy", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, "fhw")}, start: []int{0}, stop: [][]int{nil},
		}, {
			name: "then it stops", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, "fhh")}, start: []int{0}, stop: [][]int{{0}},
		}, {
			name: "without room failing tasks stop one at a time", desired: 2, minimum: 100, maximum: 100,
			crews: []crew{crewOf(2, "ff")}, start: []int{0}, stop: [][]int{{0}},
		}, {
			name: "when the replacement fails too, the older one stops", desired: 1, minimum: 100, maximum: 200,
			crews: []crew{crewOf(1, "ff")}, start: []int{0}, stop: [][]int{{0}},
		}, {
			name: "scaled in: what is not healthy first", desired: 1, minimum: 100, maximum: 200,
			crews: []crew{crewOf(1, "hws")}, start: []int{0}, stop: [][]int{{2, 1}},
		}, {
			name: "scaled in among healthy ones", desired: 1, minimum: 100, maximum: 200,
			crews: []crew{crewOf(1, "hhh")}, start: []int{0}, stop: [][]int{{0, 1}},
		}, {
			name: "deleted: all go", desired: 0, minimum: 100, maximum: 200,
			crews: []crew{crewOf(0, "hfs"), crewOf(0, "h")}, start: []int{0, 0}, stop: [][]int{{1, 2, 0}, {0}}, places: []int{0},
		}, {
			name: "failed without rollback: all stay, nothing starts", desired: 2, minimum: 100, maximum: 200, keepOld: true,
			crews: []crew{held(crewOf(2, "f")), crewOf(2, "hh")}, start: []int{0, 0}, stop: [][]int{nil, nil}, places: []int{2},
		}, {
			name: "throttled: nothing starts, and that is no stall", desired: 1, minimum: 100, maximum: 100,
			crews: []crew{held(crewOf(1, ""))}, start: []int{0}, stop: [][]int{nil},
		}, {
			name: "rolled back: the failed deployment's tasks go", desired: 2, minimum: 100, maximum: 200,
			crews: []crew{crewOf(2, "hh"), held(crewOf(2, "fs"))}, start: []int{0, 0}, stop: [][]int{nil, {0, 1}}, places: []int{0},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := decide(boundsOf(c.desired, c.minimum, c.maximum), c.crews, c.keepOld)
			if diff := cmp.Diff(c.start, p.start); diff != "" {
				t.Errorf("start (-want +got):\n%s", diff)
			}
			for i := range c.stop {
				if diff := cmp.Diff(append([]int{}, c.stop[i]...), append([]int{}, p.stop[i]...)); diff != "" {
					t.Errorf("stop of crew %d (-want +got):\n%s", i, diff)
				}
			}
			if diff := cmp.Diff(append([]int{}, c.places...), append([]int{}, p.places[1:]...)); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			if p.stalled != c.stalled {
				t.Errorf("stalled %v, want %v", p.stalled, c.stalled)
			}
		})
	}
}

// TestDecideKeepsBounds plays rollouts through: the bounds hold in every pass,
// and each comes to its end, or to a stall when the bounds leave no room.
func TestDecideKeepsBounds(t *testing.T) {
	for desired := 1; desired < 8; desired++ {
		for _, percent := range [][2]int{{100, 200}, {0, 100}, {50, 100}, {50, 200}, {100, 150}, {75, 125}} {
			b := boundsOf(desired, percent[0], percent[1])
			crews := []crew{crewOf(desired, ""), crewOf(desired, "hhhhhhh"[:desired])}
			var p plan
			for range 50 {
				p = decide(b, crews, false)
				running, fit := play(crews, p)
				if running > b.upper || fit < b.lower {
					t.Fatalf("%+v: %d running, %d healthy", b, running, fit)
				}
			}
			done := crews[0].count(healthy) == desired && len(crews[1].tasks) == 0
			if room := b.upper > desired || b.lower < desired; done != room || p.stalled == room {
				t.Errorf("%+v: done %v, stalled %v, room %v", b, done, p.stalled, room)
			}
		}
	}
}

// play does what was planned and lets some time pass. It returns how many tasks
// ran at most, and how many healthy ones were left.
func play(crews []crew, p plan) (running, fit int) {
	for i := range crews {
		c := &crews[i]
		running += len(c.tasks) + p.start[i]
		var left []fitness
		for task, f := range c.tasks {
			if !slices.Contains(p.stop[i], task) {
				left = append(left, min(f+1, healthy))
				if f == healthy {
					fit++
				}
			}
		}
		c.tasks = append(left, make([]fitness, p.start[i])...)
		if i > 0 {
			c.desired = p.places[i]
		}
	}
	return running, fit
}

// TestThreshold has the examples of AWS's documentation.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
func TestThreshold(t *testing.T) {
	usual := types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 50}
	for _, c := range []struct {
		configuration types.ThresholdConfiguration
		desired, want int32
	}{
		{usual, 1, 3}, {usual, 25, 13}, {usual, 400, 200}, {usual, 800, 200}, {usual, 0, 3},
		{types.ThresholdConfiguration{Type: types.ThresholdTypeCount, Value: 1}, 25, 1},
		{types.ThresholdConfiguration{Type: types.ThresholdTypeUnboundedPercent, Value: 50}, 1, 1},
		{types.ThresholdConfiguration{Type: types.ThresholdTypeUnboundedPercent, Value: 100}, 800, 800},
		{types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 10}, 25, 3},
	} {
		if got := threshold(c.configuration, c.desired); got != c.want {
			t.Errorf("threshold(%+v, %d) = %d, want %d", c.configuration, c.desired, got, c.want)
		}
	}
}
