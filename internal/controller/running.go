package controller

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target"
)

// runningFor is how long what was read of ECS is shown again: many people may
// watch the status of many services, and the account has one budget.
const runningFor = 3 * time.Second

// running reads what runs, sparingly.
type running struct {
	target *target.AWS

	mu   sync.Mutex
	seen map[slipway.Place]sight
}

// sight is what was read of one place, and when.
type sight struct {
	slipway.Running
	at time.Time
}

// of returns what runs at each place; a place that cannot be read has its Err.
// What was seen before an app's newest execution moved is not shown again.
func (r *running) of(ctx context.Context, places map[slipway.App]slipway.Place, newest map[slipway.App]slipway.Execution) map[slipway.App]slipway.Running {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	var stale []slipway.Place
	for app, place := range places {
		at, execution := r.seen[place].at, newest[app]
		if now.Sub(at) >= runningFor || at.Before(execution.Deployment.StartedAt) || at.Before(execution.EndedAt) {
			stale = append(stale, place)
		}
	}
	if len(stale) > 0 {
		r.look(ctx, stale, now)
	}
	found := make(map[slipway.App]slipway.Running, len(places))
	for app, place := range places {
		found[app] = r.seen[place].Running
	}
	return found
}

func (r *running) look(ctx context.Context, places []slipway.Place, now time.Time) {
	if r.seen == nil {
		r.seen = make(map[slipway.Place]sight)
	}
	answers, err := r.target.Running(ctx, places)
	for i, place := range places {
		if err != nil {
			r.seen[place] = sight{Running: slipway.Running{Place: place, Err: err}}
			continue
		}
		r.seen[place] = sight{Running: answers[i], at: now}
	}
}
