package controlplane

import "slices"

// bounds are how many tasks a service may have while it is deployed.
type bounds struct {
	desired int
	lower   int // as many healthy tasks remain: ceil(desired × minimum / 100)
	upper   int // as many tasks may be pending or running: floor(desired × maximum / 100)
}

// boundsOf does the arithmetic of minimumHealthyPercent and maximumPercent.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
func boundsOf(desired, minimumHealthyPercent, maximumPercent int) bounds {
	return bounds{
		desired: desired,
		lower:   (desired*minimumHealthyPercent + 99) / 100,
		upper:   desired * maximumPercent / 100,
	}
}

// fitness is what the scheduler knows of a task that is to run.
type fitness int

const (
	starting fitness = iota // not RUNNING yet
	warming                 // RUNNING, not healthy yet
	healthy                 // counts towards the minimum
	failing                 // fails its health checks
)

// crew is what one deployment has running, oldest first.
type crew struct {
	desired int // tasks that it shall have
	tasks   []fitness
	// held: no task may be started (failed, throttled, or not time yet).
	held bool
	// kept: it stays although it is not the primary one.
	kept bool
}

// plan is what the scheduler does in one pass, for each crew.
type plan struct {
	start  []int   // how many tasks to start
	stop   [][]int // indices of the tasks to stop
	places []int   // how many tasks the crew shall have from now on
	// stalled: the bounds allow neither a start nor a stop, and nothing that
	// goes on will change that.
	stalled bool
}

// decide is the service scheduler: pure, from what runs to what to do. crews[0]
// is the primary deployment, the others are being replaced, newest first.
// keepOld keeps all of those: the primary has failed and is not rolled back.
func decide(b bounds, crews []crew, keepOld bool) plan {
	n := len(crews)
	p := plan{start: make([]int, n), stop: make([][]int, n), places: make([]int, n)}
	room, fit := b.upper, 0
	for _, c := range crews {
		room -= len(c.tasks)
		fit += c.count(healthy)
	}
	// The primary comes first. What room is left replaces lost tasks of the
	// others by tasks of their own deployment, as far as the minimum asks.
	short, missing := 0, max(0, b.lower-fit)
	for i, c := range crews {
		// A failing task is replaced before it is stopped, if there is room.
		want := max(0, c.desired-(len(c.tasks)-c.count(failing)))
		if i > 0 && !keepOld && !c.kept {
			want = min(want, missing)
			missing -= want
		}
		p.places[i] = min(c.desired, len(c.tasks)+want)
		if c.held {
			continue
		}
		p.start[i] = max(0, min(want, room))
		room -= p.start[i]
		if i == 0 {
			short = want - p.start[i]
		}
	}
	for i, c := range crews {
		if i == 0 || keepOld || c.kept {
			p.stop[i] = c.surplus(i == 0 && short > 0, fit-b.lower)
		} else {
			p.stop[i] = c.leave(short > 0, fit-b.lower)
			p.places[i] = max(0, p.places[i]-len(p.stop[i]))
		}
		for _, t := range p.stop[i] {
			if c.tasks[t] == healthy {
				fit--
			}
		}
	}
	p.stalled = short > 0 && p.idle() && settled(crews)
	return p
}

// count is how many of the tasks are in that state.
func (c crew) count(f fitness) int {
	n := 0
	for _, t := range c.tasks {
		if t == f {
			n++
		}
	}
	return n
}

// surplus picks which of the primary's tasks to stop: failing ones that have
// been replaced, and those beyond the desired count, spendable healthy ones
// among them at most. pressed: a failing task has no room to be replaced, so
// one of them goes first.
func (c crew) surplus(pressed bool, spendable int) []int {
	var picked []int
	failed := c.pick(failing)
	switch {
	case c.count(healthy) >= c.desired:
		picked = append(picked, failed...)
	case len(failed) > 0 && (pressed || len(c.tasks) > c.desired && c.count(starting)+c.count(warming) == 0):
		picked = append(picked, failed[0])
	}
	excess := len(c.tasks) - len(failed) - c.desired
	for _, f := range []fitness{starting, warming, healthy} {
		for _, t := range c.pick(f) {
			if excess <= 0 || f == healthy && spendable <= 0 {
				break
			}
			if f == healthy {
				spendable--
			}
			picked = append(picked, t)
			excess--
		}
	}
	return picked
}

// leave picks which tasks of a replaced deployment to stop: as many healthy ones
// as can be spent; of the others all, but for those that the minimum may need.
// pressed: a new task has no room, so a failing one goes.
func (c crew) leave(pressed bool, spendable int) []int {
	useless := slices.Concat(c.pick(failing), c.pick(starting), c.pick(warming))
	keep := min(len(useless), max(0, -spendable))
	picked := useless[:len(useless)-keep]
	if len(picked) == 0 && pressed && c.count(failing) > 0 {
		picked = useless[:1]
	}
	fit := c.pick(healthy)
	return append(picked, fit[:min(len(fit), max(0, spendable))]...)
}

// pick is the indices of the tasks in that state.
func (c crew) pick(f fitness) []int {
	var picked []int
	for i, t := range c.tasks {
		if t == f {
			picked = append(picked, i)
		}
	}
	return picked
}

// idle says whether the plan does nothing.
func (p plan) idle() bool {
	for i := range p.start {
		if p.start[i] > 0 || len(p.stop[i]) > 0 {
			return false
		}
	}
	return true
}

// settled says whether all tasks are healthy: none will become so and make a
// stop possible.
func settled(crews []crew) bool {
	for _, c := range crews {
		if c.count(healthy) != len(c.tasks) {
			return false
		}
	}
	return true
}
