// Package stepstest has a Source and a Target by script, for the tests of whatever
// takes the steps of executions.
package stepstest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
)

// Base is the task definition that runs before a deployment.
const Base = "webapp1:7"

// Throttled is an error that passes.
var Throttled = &slipway.Error{Next: slipway.NextRetry, Message: "rate exceeded", RetryAfter: time.Second}

// Cloud is a Source and a Target by script. What a test does not script goes
// well: a deployment is prepared, registered, started and seen as deployed.
type Cloud struct {
	OnRevision func(slipway.App) (slipway.Revision, error)
	OnPipeline func(slipway.App) (slipway.Pipeline, error)
	OnAdvance  func(context.Context, slipway.Deployment) (slipway.Deployment, error)
	OnObserve  func(context.Context, slipway.Deployment) (slipway.Observation, error)
	OnRollback func(context.Context, slipway.Deployment) (slipway.Deployment, error)
	OnDecide   func(slipway.Decision) (slipway.Decision, error)
	Timeout    time.Duration

	mu    sync.Mutex
	calls []string
}

// call writes down a call: "prepare", "register 2" (the attempt)…
func (c *Cloud) call(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, fmt.Sprintf(format, args...))
}

// Called returns the calls so far, those that repeat the one before but once.
func (c *Cloud) Called() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(slices.Compact(slices.Clone(c.calls)), ", ")
}

// Forget forgets the calls so far.
func (c *Cloud) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = nil
}

// Revision returns an image tagged with the commit.
func (c *Cloud) Revision(_ context.Context, app slipway.App, commit string) (slipway.Revision, error) {
	if c.OnRevision != nil {
		return c.OnRevision(app)
	}
	return slipway.Revision{App: app, Commit: commit, Images: []slipway.Image{{Container: app.Name, URI: "example.com/" + app.Name + ":" + commit}}}, nil
}

// Pipeline returns the default pipeline with the timeout.
func (c *Cloud) Pipeline(_ context.Context, app slipway.App, _ string) (slipway.Pipeline, error) {
	if c.OnPipeline != nil {
		return c.OnPipeline(app)
	}
	p := slipway.DefaultPipeline(app)
	if c.Timeout > 0 {
		p.Timeout = slipway.Duration(c.Timeout)
	}
	return p, nil
}

// Advance takes a deployment one phase on.
func (c *Cloud) Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	switch d.Phase {
	case slipway.PhaseNew:
		c.call("prepare")
	case slipway.PhasePrepared:
		c.call("register %d", d.Attempt)
	case slipway.PhaseRegistered:
		c.call("start %d", d.Attempt)
	default:
		c.call("advance out of %q", d.Phase)
	}
	if c.OnAdvance != nil {
		return c.OnAdvance(ctx, d)
	}
	return Well(d), nil
}

// Well is d one phase on.
func Well(d slipway.Deployment) slipway.Deployment {
	d.Attempt = 0
	switch d.Phase {
	case slipway.PhaseNew:
		d.Phase, d.PreparedAt, d.Base, d.BaseDeployment = slipway.PhasePrepared, time.Now(), Base, "ecs-svc/7"
	case slipway.PhasePrepared:
		d.Phase, d.TaskDefinition, d.FirstWriteAt = slipway.PhaseRegistered, "webapp1:8", time.Now()
	case slipway.PhaseRegistered:
		d.Phase, d.ID, d.StartedAt = slipway.PhaseStarted, "ecs-svc/8", time.Now()
	case slipway.PhaseStarted:
		d.Phase, d.RollbackID, d.RollbackStartedAt = slipway.PhaseRollingBack, "ecs-svc/9", time.Now()
	case slipway.PhaseTesting, slipway.PhaseRollingBack, slipway.PhaseUnchanged:
	}
	return d
}

// Observe sees a deployment as deployed.
func (c *Cloud) Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
	c.call("observe")
	if c.OnObserve != nil {
		return c.OnObserve(ctx, d)
	}
	return Seen(slipway.StateDeployed, "the new tasks are healthy"), nil
}

// Rollback puts Base back.
func (c *Cloud) Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	c.call("roll back %d", d.Attempt)
	if c.OnRollback != nil {
		return c.OnRollback(ctx, d)
	}
	return Well(d), nil
}

// Decide takes any decision.
func (c *Cloud) Decide(_ context.Context, _ slipway.Deployment, decision slipway.Decision) (slipway.Decision, error) {
	c.call("decide %s %t", decision.Hook, decision.Approve)
	if c.OnDecide != nil {
		return c.OnDecide(decision)
	}
	return decision, nil
}

// Retire deregisters nothing.
func (c *Cloud) Retire(_ context.Context, _ slipway.Deployment, keep int, mine []string) ([]string, error) {
	c.call("retire all but %d of %d", keep, len(mine))
	return nil, nil
}

// Seen is an observation made now; one that is not final is worth another after 2.5 s.
func Seen(state slipway.State, reason string) slipway.Observation {
	now := time.Now()
	o := slipway.Observation{At: now, State: state, Reason: reason, Tasks: slipway.TaskCounts{Desired: 2, Running: 1, Pending: 1}}
	if state == slipway.StateRolledBack {
		o.By = slipway.BySlipway
	}
	if !o.Final() {
		o.Next = now.Add(2500 * time.Millisecond)
	}
	return o
}

// After sees a deployment progress until the pause has passed since its start, and
// then the state.
func After(pause time.Duration, state slipway.State) func(context.Context, slipway.Deployment) (slipway.Observation, error) {
	return func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
		if d.Phase == slipway.PhaseRollingBack {
			return Seen(slipway.StateRolledBack, ""), nil
		}
		if time.Since(d.StartedAt) < pause {
			return Seen(slipway.StateProgressing, ""), nil
		}
		return Seen(state, "seen "+string(state)), nil
	}
}

// Logger writes to the test's log, where `go test -v` or a failure shows it.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(writer{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type writer struct{ t testing.TB }

func (w writer) Write(text []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(text)))
	return len(text), nil
}

// Ended is an execution's end in one line.
func Ended(e slipway.Execution) string {
	text := fmt.Sprintf("%s, %s", e.Status, e.Outcome)
	if e.RolledBackBy != "" {
		text += " by " + e.RolledBackBy
	}
	return text + ": " + e.Reason
}
