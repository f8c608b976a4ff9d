package steps_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
)

var webapp = slipway.App{Cluster: "cluster1", Name: "webapp1"}

const happy = "prepare, register 1, start 1, observe"

// inForeground runs a test of steps.Run by a clock of its own. The foreground
// takes the same steps as the engine, and without the library and a database an
// hour costs nothing.
func inForeground(t *testing.T, test func(t *testing.T, c *stepstest.Cloud, run func() slipway.Execution)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &stepstest.Cloud{}
		test(t, c, func() slipway.Execution {
			e := newExecution()
			e.Pipeline.Timeout = slipway.Duration(c.Timeout)
			e, err := steps.Run(t.Context(), c, stepstest.Logger(t), e, nil)
			if err != nil {
				t.Fatal(err)
			}
			return e
		})
	})
}

func newExecution() slipway.Execution {
	return slipway.Execution{
		ID: "01890a5d-ac96-774b-bcce-b302099a8057", CreatedAt: time.Now(), Pipeline: slipway.DefaultPipeline(webapp),
		Revision: slipway.Revision{App: webapp, Commit: "c0ffee", Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:c0ffee"}}},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerManual, At: time.Now()},
	}
}

func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		name   string
		script func(c *stepstest.Cloud)
		want   string
		calls  string
	}{
		{
			name: "unchanged",
			script: func(c *stepstest.Cloud) {
				c.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					d.Phase = slipway.PhaseUnchanged
					return d, nil
				}
			},
			want:  "Succeeded, unchanged: the service already runs example.com/webapp1:c0ffee",
			calls: "prepare",
		},
		{
			name: "no such service",
			script: func(c *stepstest.Cloud) {
				c.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					return d, &slipway.Error{Next: slipway.NextPerson, Message: "there is no service webapp1", Hint: "create it"}
				}
			},
			want:  "Failed, failed: there is no service webapp1; create it",
			calls: "prepare",
		},
		{
			name: "an image that cannot be registered",
			script: func(c *stepstest.Cloud) {
				c.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					if d.Phase == slipway.PhasePrepared {
						return d, errors.New("ClientException: invalid image")
					}
					return stepstest.Well(d), nil
				}
			},
			want:  "Failed, failed: ClientException: invalid image",
			calls: "prepare, register 1",
		},
		{
			name:   "rolled back by ECS",
			script: func(c *stepstest.Cloud) { c.OnObserve = byECS },
			want:   "Failed, rolled-back by ecs: tasks failed to start",
			calls:  happy,
		},
		{
			name:   "failed for good, so rolled back by us",
			script: func(c *stepstest.Cloud) { c.OnObserve = stepstest.After(time.Minute, slipway.StateFailed) },
			want:   "Failed, rolled-back by slipway: seen failed; webapp1:7 was put back",
			calls:  happy + ", roll back 1, observe",
		},
		{
			name:   "replaced",
			script: func(c *stepstest.Cloud) { c.OnObserve = stepstest.After(time.Minute, slipway.StateReplaced) },
			want:   "Superseded, replaced: seen replaced",
			calls:  happy,
		},
		{
			name:   "gone",
			script: func(c *stepstest.Cloud) { c.OnObserve = stepstest.After(time.Minute, slipway.StateGone) },
			want:   "Failed, failed: seen gone",
			calls:  happy,
		},
		{
			name:   "out of time",
			script: func(c *stepstest.Cloud) { c.OnObserve = stepstest.After(time.Hour, slipway.StateDeployed) },
			want:   "Failed, timed-out: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed; webapp1:7 was put back",
			calls:  happy + ", roll back 1, observe",
		},
		{
			name: "out of time, and so is the rollback",
			script: func(c *stepstest.Cloud) {
				c.OnObserve = func(context.Context, slipway.Deployment) (slipway.Observation, error) {
					return stepstest.Seen(slipway.StateProgressing, ""), nil
				}
			},
			want: "Failed, failed: not done after 30m0s: 1 of 2 tasks running, 1 pending, 0 failed; putting back webapp1:7 " +
				"did not end within 30m0s and goes on unwatched: 1 of 2 tasks running, 1 pending, 0 failed",
			calls: happy + ", roll back 1, observe",
		},
		{
			name: "a rollback that cannot be",
			script: func(c *stepstest.Cloud) {
				c.OnObserve = stepstest.After(time.Minute, slipway.StateFailed)
				c.OnRollback = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					return d, errors.New("webapp1:7 is INACTIVE")
				}
			},
			want:  "Failed, failed: seen failed; putting back webapp1:7 failed: webapp1:7 is INACTIVE",
			calls: happy + ", roll back 1",
		},
		{
			name: "the ground moves: it starts over",
			script: func(c *stepstest.Cloud) {
				moved := false
				c.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					if d.Phase == slipway.PhaseRegistered && !moved {
						moved = true
						d.Phase, d.Attempt = slipway.PhaseNew, 0
						return d, nil
					}
					return stepstest.Well(d), nil
				}
			},
			want:  "Succeeded, deployed: the new tasks are healthy",
			calls: "prepare, register 1, start 1, " + happy,
		},
		{
			name: "nobody says when to look again",
			script: func(c *stepstest.Cloud) {
				c.OnObserve = func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
					if time.Since(d.StartedAt) > time.Minute {
						return stepstest.Seen(slipway.StateDeployed, "at last"), nil
					}
					return slipway.Observation{State: slipway.StateProgressing}, nil
				}
			},
			want:  "Succeeded, deployed: at last",
			calls: happy,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inForeground(t, func(t *testing.T, c *stepstest.Cloud, run func() slipway.Execution) {
				test.script(c)
				if got := stepstest.Ended(run()); got != test.want {
					t.Errorf("it ended as\n     %s\nwant %s", got, test.want)
				}
				if got := c.Called(); got != test.calls {
					t.Errorf("calls were\n     %s\nwant %s", got, test.calls)
				}
			})
		})
	}
}

func byECS(context.Context, slipway.Deployment) (slipway.Observation, error) {
	o := stepstest.Seen(slipway.StateRolledBack, "tasks failed to start")
	o.By = slipway.ByECS
	return o, nil
}

// Each step is throttled for ten minutes, and goes on after that.
func TestThrottled(t *testing.T) {
	inForeground(t, func(t *testing.T, c *stepstest.Cloud, run func() slipway.Execution) {
		times := map[slipway.Phase][]time.Time{}
		throttle := func(d slipway.Deployment) error {
			times[d.Phase] = append(times[d.Phase], time.Now())
			if time.Since(times[d.Phase][0]) < 10*time.Minute {
				return stepstest.Throttled
			}
			return nil
		}
		c.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
			return stepstest.Well(d), throttle(d)
		}
		c.OnObserve = func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
			if d.Phase == slipway.PhaseRollingBack {
				return stepstest.Seen(slipway.StateRolledBack, ""), throttle(d)
			}
			return stepstest.Seen(slipway.StateFailed, "broken"), throttle(d)
		}
		c.OnRollback = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
			before := d
			before.Phase = "put back"
			return stepstest.Well(d), throttle(before)
		}
		e := run()
		if got, want := stepstest.Ended(e), "Failed, rolled-back by slipway: broken; webapp1:7 was put back"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if len(times) != 6 {
			t.Errorf("throttled were %d steps, want 6", len(times))
		}
		for phase, all := range times {
			if n := len(all); n < 20 || n > 60 {
				t.Errorf("%q was tried %d times in ten minutes", phase, n)
			}
			for i := range len(all) - 1 {
				if pause := all[i+1].Sub(all[i]); pause < stepstest.Throttled.RetryAfter || pause > 31*time.Second {
					t.Errorf("%q: a pause of %s", phase, pause)
				}
			}
		}
		if calls := c.Called(); !strings.Contains(calls, "register 1, register 2, register 3") || !strings.Contains(calls, "roll back 1, roll back 2") {
			t.Errorf("attempts were not counted: %s", calls)
		}
	})
}

func TestGivesUp(t *testing.T) {
	for _, test := range []struct {
		phase slipway.Phase
		want  string
	}{
		{slipway.PhaseNew, "Failed, failed: gave up after 5m0s: rate exceeded"},
		{slipway.PhasePrepared, "Failed, failed: gave up after 5m0s: rate exceeded"},
		{slipway.PhaseRegistered, "Failed, failed: gave up after 5m0s: rate exceeded; an earlier attempt may have updated the service all the same: look at it"},
		{slipway.PhaseStarted, "Failed, failed: not done after 5m0s: it could not be observed: rate exceeded; putting back webapp1:7 failed: gave up after 5m0s: rate exceeded"},
		{slipway.PhaseRollingBack, "Failed, failed: not done after 5m0s: it could not be observed: rate exceeded; putting back webapp1:7 did not end within 30m0s and goes on unwatched: it could not be observed: rate exceeded"},
	} {
		t.Run("in phase "+string(test.phase), func(t *testing.T) {
			inForeground(t, func(t *testing.T, c *stepstest.Cloud, run func() slipway.Execution) {
				c.Timeout = 5 * time.Minute
				advance := func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					if d.Phase == test.phase {
						return d, stepstest.Throttled
					}
					return stepstest.Well(d), nil
				}
				c.OnAdvance, c.OnRollback = advance, advance
				c.OnObserve = func(context.Context, slipway.Deployment) (slipway.Observation, error) {
					return slipway.Observation{}, stepstest.Throttled
				}
				if e := run(); stepstest.Ended(e) != test.want {
					t.Errorf("it ended as\n     %s\nwant %s", stepstest.Ended(e), test.want)
				}
			})
		})
	}
}

// The end of a deployment's time is looked for when it is due, however long the
// target thinks that it can wait.
func TestDeadlineIsNotMissed(t *testing.T) {
	inForeground(t, func(t *testing.T, c *stepstest.Cloud, run func() slipway.Execution) {
		var last time.Time
		c.OnObserve = func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
			if d.Phase == slipway.PhaseRollingBack {
				return stepstest.Seen(slipway.StateRolledBack, ""), nil
			}
			last = time.Now()
			o := stepstest.Seen(slipway.StateProgressing, "")
			o.Next = last.Add(time.Hour)
			return o, nil
		}
		e := run()
		if took := last.Sub(e.Deployment.StartedAt); e.Outcome != slipway.OutcomeTimedOut || took != slipway.DefaultTimeout {
			t.Errorf("last looked at after %s, it ended as %s", took, stepstest.Ended(e))
		}
	})
}

// Without books, the target finds what the app registered.
func TestRetiresWithoutBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for keep, want := range map[int]string{0: happy, 2: happy + ", retire all but 2 of 0"} {
			c, e := &stepstest.Cloud{}, newExecution()
			e.Pipeline.Keep = keep
			if _, err := steps.Run(t.Context(), c, stepstest.Logger(t), e, nil); err != nil || c.Called() != want {
				t.Errorf("keep %d: calls were %s, want %s; %v", keep, c.Called(), want, err)
			}
		}
	})
}

// Whatever keeps us from seeing a deployment, it goes on; and what went well
// meanwhile went well.
func TestBlindness(t *testing.T) {
	inForeground(t, func(t *testing.T, c *stepstest.Cloud, run func() slipway.Execution) {
		c.OnObserve = func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
			switch since := time.Since(d.StartedAt); {
			case since < 20*time.Minute:
				return stepstest.Seen(slipway.StateProgressing, ""), nil
			case since < 45*time.Minute: // beyond its time
				return slipway.Observation{}, errors.New("AccessDeniedException")
			default:
				return stepstest.Seen(slipway.StateDeployed, "it went well"), nil
			}
		}
		if got, want := stepstest.Ended(run()), "Succeeded, deployed: it went well"; got != want {
			t.Errorf("it ended as %s", got)
		}
	})
}

func TestRunTellsEveryMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &stepstest.Cloud{OnObserve: stepstest.After(time.Minute, slipway.StateDeployed)}
		var told []string
		e, err := steps.Run(t.Context(), c, stepstest.Logger(t), newExecution(), func(e slipway.Execution) {
			move := string(e.Deployment.Phase)
			if e.Observation != nil {
				move = string(e.Observation.State)
			}
			if e.Status.Ended() {
				move = string(e.Status)
			}
			if n := len(told); n == 0 || told[n-1] != move {
				told = append(told, move)
			}
		})
		if err != nil || e.Status != slipway.StatusSucceeded {
			t.Fatalf("got %s, %v", stepstest.Ended(e), err)
		}
		if diff := cmp.Diff([]string{"", "prepared", "registered", "started", "progressing", "deployed", "Succeeded"}, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &stepstest.Cloud{OnObserve: stepstest.After(time.Hour, slipway.StateDeployed)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e, err := steps.Run(ctx, c, stepstest.Logger(t), newExecution(), nil)
		if !errors.Is(err, context.DeadlineExceeded) || e.Status != slipway.StatusInProgress || e.Deployment.ID != "ecs-svc/8" {
			t.Errorf("got %s, %v; deployment %+v", e.Status, err, e.Deployment)
		}
	})
}

// A target that takes no step would be asked for it for ever.
func TestRunWithoutProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &stepstest.Cloud{OnAdvance: func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) { return d, nil }}
		e, err := steps.Run(t.Context(), c, stepstest.Logger(t), newExecution(), nil)
		if err == nil || !strings.Contains(err.Error(), "action prepare of execution") || e.Status.Ended() {
			t.Errorf("got %s, %v", e.Status, err)
		}
	})
}

// Where the caller says since when an action was tried, no time is added to that:
// neither to that of a write nor to that of looking.
func TestSince(t *testing.T) {
	for _, test := range []struct {
		phase  slipway.Phase
		action pipeline.Action
		want   string
	}{
		{slipway.PhasePrepared, pipeline.ActionRegister, "gave up after 30m0s: rate exceeded"},
		{slipway.PhaseStarted, pipeline.ActionObserve, "not done after 30m0s: it could not be observed: rate exceeded"},
	} {
		t.Run(string(test.phase), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newExecution()
				e.Status, e.Deployment = slipway.StatusInProgress, slipway.Deployment{Execution: e.ID, App: webapp, Phase: test.phase, StartedAt: time.Now()}
				kept := &kept{execution: e}
				c := &stepstest.Cloud{
					OnAdvance: func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
						return d, stepstest.Throttled
					},
					OnObserve: func(context.Context, slipway.Deployment) (slipway.Observation, error) {
						return slipway.Observation{}, stepstest.Throttled
					},
				}
				s := &steps.Steps{
					Target: c, Store: kept, Log: stepstest.Logger(t), Since: time.Now(),
					Woken: func(slipway.App) <-chan struct{} { return nil }, Begin: func(slipway.Execution) {},
				}
				for range 100 {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					started := time.Now()
					_, err := s.Take(ctx, e.ID, test.action)
					cancel()
					if err == nil {
						break
					}
					if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) > 10*time.Second {
						t.Fatalf("after %s: %v", time.Since(started), err)
					}
					<-time.After(20 * time.Second)
				}
				got := kept.execution.Reason + kept.execution.Deployment.RollbackReason
				if !strings.HasPrefix(got, test.want) || time.Since(s.Since) > 31*time.Minute {
					t.Errorf("after %s: %q, want %q", time.Since(s.Since), got, test.want)
				}
			})
		})
	}
}

// Nothing is written to AWS where the attempt cannot be saved, and that is no outcome.
func TestAttemptIsNotSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newExecution()
		e.Status, e.Deployment = slipway.StatusInProgress, slipway.Deployment{Execution: e.ID, App: webapp, Phase: slipway.PhasePrepared}
		c := &stepstest.Cloud{}
		k := &kept{execution: e, refuses: slipway.Usagef("it is not ours any more")}
		s := &steps.Steps{
			Target: c, Store: k, Log: stepstest.Logger(t),
			Woken: func(slipway.App) <-chan struct{} { return nil }, Begin: func(slipway.Execution) {},
		}
		_, err := s.Take(t.Context(), e.ID, pipeline.ActionRegister)
		if !errors.Is(err, k.refuses) || k.saves != 1 || k.execution.Outcome != slipway.OutcomeNone || c.Called() != "" {
			t.Errorf("%v after %d tries; %s; calls %q", err, k.saves, stepstest.Ended(k.execution), c.Called())
		}
	})
}

// kept is an execution in memory.
type kept struct {
	steps.Executions
	execution slipway.Execution
	refuses   error
	saves     int
}

func (k *kept) Execution(context.Context, string) (slipway.Execution, error) { return k.execution, nil }

func (k *kept) Save(_ context.Context, e slipway.Execution) error {
	if k.saves++; k.refuses != nil {
		return k.refuses
	}
	k.execution = e
	return nil
}
