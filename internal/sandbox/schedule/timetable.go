package schedule

import (
	"context"
	"sync"
	"time"
)

// Clock is AWS's clock: the machine's, and faster.
type Clock struct {
	began time.Time
	scale float64
}

// NewClock makes a clock that begins now and runs scale times as fast; 0 means 1.
func NewClock(scale float64) *Clock {
	if scale == 0 {
		scale = 1
	}
	return &Clock{began: time.Now(), scale: scale}
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	return c.began.Add(time.Duration(float64(time.Since(c.began)) * c.scale))
}

// until is how long the machine has to wait for a time of the clock's.
func (c *Clock) until(t time.Time) time.Duration {
	return time.Duration(float64(t.Sub(c.Now())) / c.scale)
}

// Timetable calls what is due on time.
type Timetable struct {
	clock  *Clock
	ctx    context.Context // ends with the timetable
	cancel context.CancelFunc

	mu      sync.Mutex
	entries map[string]*entry
	closed  bool
}

// entry is what is done for one key.
type entry struct {
	next  func(now time.Time) (time.Time, bool)
	run   func(context.Context)
	timer *time.Timer
}

// NewTimetable makes an empty timetable.
func NewTimetable(clock *Clock) *Timetable {
	t := &Timetable{clock: clock, entries: map[string]*entry{}}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// Set has run called at each time that next names, in a goroutine of its own;
// next is asked with the clock's time and says false when there is no further
// one. What the key had before is forgotten.
func (t *Timetable) Set(key string, next func(now time.Time) (time.Time, bool), run func(context.Context)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(key)
	if !t.closed {
		e := &entry{next: next, run: run}
		t.entries[key] = e
		t.arm(e, t.clock.Now())
	}
}

// arm waits for the entry's next time after now. The caller holds the lock.
func (t *Timetable) arm(e *entry, now time.Time) {
	due, ok := e.next(now)
	if !ok {
		return
	}
	e.timer = time.AfterFunc(t.clock.until(due), func() {
		t.mu.Lock()
		gone := t.closed || e.next == nil
		if !gone {
			t.arm(e, due) // from its time, not from now: a timer may be late
		}
		t.mu.Unlock()
		if !gone {
			e.run(t.ctx)
		}
	})
}

// Remove forgets a key.
func (t *Timetable) Remove(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(key)
}

func (t *Timetable) remove(key string) {
	if e := t.entries[key]; e != nil {
		e.next = nil // its timer may have fired already
		if e.timer != nil {
			e.timer.Stop()
		}
		delete(t.entries, key)
	}
}

// Close forgets all, and ends the context of what is being called at present.
func (t *Timetable) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.cancel()
	for key := range t.entries {
		t.remove(key)
	}
}
