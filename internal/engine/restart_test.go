package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
)

// account is an AWS account that outlives restarts. Its writing calls have
// effects that are counted, and an attempt above the first looks before it acts.
type account struct {
	mu      sync.Mutex
	effects map[effect]int  // that write
	first   map[effect]bool // those whose first attempt was seen

	// At the hold, a call waits until its context ends: before its effect, or
	// behind it, and then its answer is lost or not.
	hold       pipeline.Action
	behind     bool
	answerLost bool
	held       chan struct{} // closed once a call is held
}

// effect is what one execution does to the account.
type effect struct {
	execution string
	action    pipeline.Action
}

func newAccount(hold pipeline.Action) *account {
	return &account{effects: map[effect]int{}, first: map[effect]bool{}, hold: hold, held: make(chan struct{})}
}

// step has the effect, once, and is held where it should be.
func (a *account) step(ctx context.Context, action pipeline.Action, d slipway.Deployment) error {
	here := action == a.hold
	if here {
		a.hold = "" // only once
	}
	if here && !a.behind {
		return a.wait(ctx)
	}
	if err := a.write(effect{d.Execution, action}, d.Attempt); err != nil {
		return err
	}
	if here {
		if err := a.wait(ctx); a.answerLost {
			return err
		}
	}
	return nil
}

func (a *account) wait(ctx context.Context) error {
	close(a.held)
	<-ctx.Done()
	return ctx.Err()
}

func (a *account) write(e effect, attempt int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch e.action {
	case pipeline.ActionRegister, pipeline.ActionStart, pipeline.ActionRollBack:
	default:
		return nil // it only reads
	}
	if attempt == 1 && a.first[e] {
		return fmt.Errorf("%s was attempted before, and counts as the first attempt", e.action)
	}
	a.first[e] = true
	if attempt > 1 && a.effects[e] > 0 {
		return nil // it looked, and found it
	}
	a.effects[e]++
	return nil
}

// once checks that each call that writes had its effect once.
func (a *account) once(t *testing.T, execution string, actions ...pipeline.Action) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, action := range actions {
		if n := a.effects[effect{execution, action}]; n != 1 {
			t.Errorf("%s had its effect %d times", action, n)
		}
	}
}

var writing = []pipeline.Action{pipeline.ActionRegister, pipeline.ActionStart, pipeline.ActionRollBack}

func (a *account) script(c *stepstest.Cloud) {
	actions := map[slipway.Phase]pipeline.Action{
		slipway.PhaseNew: pipeline.ActionPrepare, slipway.PhasePrepared: pipeline.ActionRegister,
		slipway.PhaseRegistered: pipeline.ActionStart, slipway.PhaseStarted: pipeline.ActionRollBack,
	}
	write := func(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
		if err := a.step(ctx, actions[d.Phase], d); err != nil {
			return d, err
		}
		return stepstest.Well(d), nil
	}
	c.OnAdvance, c.OnRollback = write, write
	c.OnObserve = func(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
		action, end := pipeline.ActionObserve, slipway.StateFailed
		if d.Phase == slipway.PhaseRollingBack {
			action, end = pipeline.ActionObserveRollBack, slipway.StateRolledBack
		}
		if err := a.step(ctx, action, d); err != nil {
			return slipway.Observation{}, err
		}
		return stepstest.Seen(end, "broken"), nil
	}
	c.OnRevision = func(app slipway.App) (slipway.Revision, error) {
		return slipway.Revision{App: app, Images: []slipway.Image{{Container: app.Name, URI: "example.com/webapp1:2"}}}, nil
	}
}

var everyAction = []pipeline.Action{
	pipeline.ActionPrepare, pipeline.ActionRegister, pipeline.ActionStart,
	pipeline.ActionObserve, pipeline.ActionRollBack, pipeline.ActionObserveRollBack,
}

// Close in the middle of each action, Open again: the same end, and each call
// that writes has its effect once.
func TestCloseInTheMiddle(t *testing.T) {
	for _, action := range everyAction {
		for name, at := range map[string]func(*account){
			"before its effect":                     func(*account) {},
			"behind its effect, the answer lost":    func(a *account) { a.behind, a.answerLost = true, true },
			"behind its effect, the answer in time": func(a *account) { a.behind = true },
		} {
			t.Run(string(action)+" "+name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, r *rig) {
					a := newAccount(action)
					at(a)
					closeInTheMiddle(t, r, a)
				})
			})
		}
	}
}

// closeInTheMiddle closes the engine where the account holds it, and opens it again.
func closeInTheMiddle(t *testing.T, r *rig, a *account) {
	t.Helper()
	a.script(r.cloud)
	first, second := r.submit(webapp, slipway.ModeQueued), r.submit(webapp, slipway.ModeQueued)
	<-a.held
	before := time.Now()
	r.close()
	if took := time.Since(before); took > time.Second {
		t.Errorf("it took %s to close", took)
	}
	r.open()
	if got, want := stepstest.Ended(r.wait(first)), "Failed, rolled-back by slipway: broken; webapp1:7 was put back"; got != want {
		t.Errorf("it ended as %s, want %s", got, want)
	}
	a.once(t, first, writing...)
	if e := r.wait(second); e.Outcome != slipway.OutcomeRolledBack {
		t.Errorf("the next one ended as %s", stepstest.Ended(e))
	}
	a.once(t, second, writing...)
	// What was answered in time was written down, and not asked again.
	if calls := r.cloud.Called(); a.behind && !a.answerLost && strings.Contains(calls, " 2") {
		t.Errorf("a second attempt was made: %s", calls)
	}
}

// A halted engine takes no step, and says so to nobody: the next one goes on.
func TestHalt(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		halted := false
		r.cloud.OnObserve = func(ctx context.Context, _ slipway.Deployment) (slipway.Observation, error) {
			if halted {
				return stepstest.Seen(slipway.StateDeployed, "done"), nil
			}
			<-ctx.Done()
			halted = true
			return slipway.Observation{}, ctx.Err()
		}
		id := r.submit(webapp, slipway.ModeQueued)
		r.passes(time.Second)
		r.engine.Halt()
		other := r.submit(slipway.App{Cluster: "cluster1", Name: "webapp2"}, slipway.ModeQueued)
		r.passes(time.Hour)
		called := r.cloud.Called()
		if !halted || r.get(id).Status.Ended() || r.get(other).Stage != slipway.StageSource {
			t.Errorf("it was interrupted: %t; then %+v and %+v; calls: %s", halted, r.get(id), r.get(other), called)
		}
		r.close()
		r.open()
		for _, id := range []string{id, other} {
			if e := r.wait(id); e.Outcome != slipway.OutcomeDeployed {
				t.Errorf("it ended as %s", stepstest.Ended(e))
			}
		}
	})
}

// A restart is nothing to be alarmed about.
func TestCloseIsQuiet(t *testing.T) {
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{OnObserve: stepstest.After(time.Hour, slipway.StateDeployed)}}
		r.log = slog.New(slog.NewTextHandler(&log, nil))
		for i := range 4 {
			r.open()
			r.submit(webapp, slipway.ModeQueued)
			if i%2 == 0 { // else everything is just beginning
				r.passes(time.Second)
			}
			r.close()
		}
		if log.Len() > 0 {
			t.Errorf("four restarts logged:\n%s", log.String())
		}
	})
}

// late is a queue that says what begins only once the engine has closed.
type late struct {
	engine.Queue
	written, closed chan struct{}
}

func (q late) Submit(ctx context.Context, in pipeline.Submission) ([]slipway.Execution, error) {
	begun, err := q.Queue.Submit(ctx, in)
	close(q.written)
	<-q.closed
	return begun, err
}

// What begins while the engine closes is left to the next Open, without a word: the
// library would panic, or say that its database is closed.
func TestNothingStartsWhileClosing(t *testing.T) {
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{}}
		r.log = slog.New(slog.NewTextHandler(&log, nil))
		s, err := inFile(path).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q := late{Queue: s, written: make(chan struct{}), closed: make(chan struct{})}
		if err := r.openWith(q); err != nil {
			t.Fatal(err)
		}
		var id string
		var submitted sync.WaitGroup
		submitted.Go(func() { id = r.submit(webapp, "") })
		<-q.written
		r.close()
		close(q.closed)
		submitted.Wait()
		if log.Len() > 0 || r.cloud.Called() != "" {
			t.Errorf("it was started: calls %q, log:\n%s", r.cloud.Called(), log.String())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		r.open()
		if e := r.wait(id); e.Outcome != slipway.OutcomeDeployed {
			t.Errorf("it ended as %s", stepstest.Ended(e))
		}
		r.close()
	})
}

// Whoever submits while the engine closes is told whether it was written down;
// what was runs at the next Open.
func TestSubmitDuringClose(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		first := r.engine
		var submitters sync.WaitGroup
		accepted := make(chan string, 1000)
		for n := range 4 {
			submitters.Go(func() {
				for i := range 5 {
					app := slipway.App{Cluster: "cluster1", Name: fmt.Sprintf("webapp%d-%d", n, i)}
					e := slipway.Execution{ID: engine.NewID(), CreatedAt: time.Now(), Revision: slipway.Revision{App: app, Commit: "c0ffee"}}
					if first.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}) == nil {
						accepted <- e.ID
					}
				}
			})
		}
		<-accepted
		r.close()
		submitters.Wait()
		r.open()
		for range len(accepted) {
			if e := r.wait(<-accepted); e.Outcome != slipway.OutcomeDeployed {
				t.Errorf("%s ended as %s", e.App(), stepstest.Ended(e))
			}
		}
	})
}

// What reads is taken again: a request to stop that came while nobody ran is
// heard, whatever the execution was doing.
func TestStopWhileDown(t *testing.T) {
	for _, test := range []struct {
		action pipeline.Action
		want   string
	}{
		{pipeline.ActionPrepare, "Stopped, stopped: stopped by Ada; the service was not touched"},
		{pipeline.ActionRegister, "Stopped, stopped: stopped by Ada; the service was not touched"},
		{pipeline.ActionStart, "Stopped, stopped: stopped by Ada; webapp1:7 was put back"},
		{pipeline.ActionObserve, "Stopped, stopped: stopped by Ada; webapp1:7 was put back"},
		{pipeline.ActionRollBack, "Failed, rolled-back by slipway: broken; webapp1:7 was put back"},
	} {
		t.Run(string(test.action), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				a := newAccount(test.action)
				a.behind, a.answerLost = true, true
				a.script(r.cloud)
				if test.action != pipeline.ActionRollBack {
					observe := r.cloud.OnObserve
					r.cloud.OnObserve = func(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
						o, err := observe(ctx, d)
						if o.State == slipway.StateFailed {
							o = stepstest.Seen(slipway.StateProgressing, "")
						}
						return o, err
					}
				}
				id := r.submit(webapp, "")
				<-a.held
				if _, err := r.store.RequestStop(t.Context(), id, slipway.StopRequest{By: "Ada", At: time.Now()}); err != nil {
					t.Fatal(err) // asked of the store: nobody is told
				}
				r.close()
				r.open()
				if got := stepstest.Ended(r.wait(id)); got != test.want {
					t.Errorf("it ended as %s, want %s", got, test.want)
				}
			})
		})
	}
}

// A replica that conducts nothing may write a submission down and die: what
// the tables call in progress runs at the next Open.
func TestOpenStartsWhatTheLibraryDoesNotKnow(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		e := slipway.Execution{ID: "01930000-0000-7000-8000-000000000000", CreatedAt: time.Now(), Revision: slipway.Revision{App: webapp, Commit: "c0ffee"}}
		if _, err := r.store.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		r.passes(5 * time.Second)
		if got := r.cloud.Called(); got != "" {
			t.Errorf("it ran already: %s", got)
		}
		r.close()
		r.open()
		r.expect(e.ID, "Succeeded, deployed: the new tasks are healthy", happy)
	})
}

// The library's books may say that a workflow is over while our row says that
// its execution is not: the row is right.
func TestOpenBelievesTheTables(t *testing.T) {
	for _, status := range []string{"ERROR", "SUCCESS", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"} {
		t.Run(status, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				a := newAccount(pipeline.ActionStart)
				a.behind, a.answerLost = true, true
				a.script(r.cloud)
				id := r.submit(webapp, "")
				<-a.held
				r.close()
				tamper(t, r, `UPDATE workflow_status SET status = $1 WHERE workflow_uuid = $2`, status, id)
				r.open()
				if got, want := stepstest.Ended(r.wait(id)), "Failed, rolled-back by slipway: broken; webapp1:7 was put back"; got != want {
					t.Errorf("it ended as %s", got)
				}
				a.once(t, id, writing...)
			})
		})
	}
}

// A build that takes other steps finds checkpoints that it does not expect. The
// row says how far the execution came, so it goes on all the same.
func TestCheckpointsOfAnotherBuild(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		a := newAccount(pipeline.ActionObserve)
		a.script(r.cloud)
		id := r.submit(webapp, "")
		<-a.held
		r.close()
		tamper(t, r, `UPDATE operation_outputs SET function_name = 'approve' WHERE workflow_uuid = $1 AND function_name = 'prepare'`, id)
		r.open()
		if got, want := stepstest.Ended(r.wait(id)), "Failed, rolled-back by slipway: broken; webapp1:7 was put back"; got != want {
			t.Errorf("it ended as %s", got)
		}
		a.once(t, id, writing...)
	})
}

// Nothing that ran is lost when the tables cannot be read: the next Open finds it.
func TestOpenFailsCleanly(t *testing.T) {
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{}}
		broken := errors.New("disk I/O error")
		if err := r.openWith(&brokenQueue{err: broken}); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		r.open() // no goroutine of the first attempt is left, or the bubble would say so
		defer r.close()
		r.expect(r.submit(webapp, ""), "Succeeded, deployed: the new tasks are healthy", happy)
	})
}
