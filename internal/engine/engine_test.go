package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store"
)

const happy = "prepare, register 1, start 1, observe"

func TestDeployed(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.cloud.OnObserve = stepstest.After(5*time.Second, slipway.StateDeployed)
		start := time.Now()
		id := r.submit(webapp, "")
		r.expect(id, "Succeeded, deployed: seen deployed", happy)
		e := r.get(id)
		if took := e.EndedAt.Sub(start); took < 5*time.Second || took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
		want := slipway.Deployment{
			Execution: id, App: webapp, Commit: e.Revision.Commit, Images: e.Revision.Images, Place: slipway.Place{Cluster: "cluster1", Service: "webapp1"},
			Phase: slipway.PhaseStarted, Base: stepstest.Base, BaseDeployment: "ecs-svc/7", TaskDefinition: "webapp1:8", ID: "ecs-svc/8",
			PreparedAt: e.Deployment.PreparedAt, FirstWriteAt: e.Deployment.FirstWriteAt, StartedAt: e.Deployment.StartedAt,
		}
		if diff := cmp.Diff(want, e.Deployment); diff != "" || len(e.Revision.Images) != 1 {
			t.Errorf("deployment (-want +got):\n%s", diff)
		}
	})
}

func TestSource(t *testing.T) {
	images := []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:2"}}
	place := slipway.Place{Cluster: "cluster1", Service: "webapp1", Region: "eu-west-1"}
	for _, test := range []struct {
		name  string
		files func(c *stepstest.Cloud)
		read  bool // before it was submitted
		want  string
	}{
		{
			name: "a bad file",
			files: func(c *stepstest.Cloud) {
				c.OnRevision = func(slipway.App) (slipway.Revision, error) {
					return slipway.Revision{}, slipway.Usagef("cluster1/webapp1/revision.json:1:2: no comma")
				}
			},
			want: "Failed, failed: cluster1/webapp1/revision.json:1:2: no comma",
		},
		{
			// The second file's failure must not make us forget that it is to be read.
			name: "the second file cannot be read at once",
			files: func(c *stepstest.Cloud) {
				failures := 2
				c.OnPipeline = func(slipway.App) (slipway.Pipeline, error) {
					if failures--; failures >= 0 {
						return slipway.Pipeline{}, stepstest.Throttled
					}
					return slipway.Pipeline{Mode: slipway.ModeQueued, Timeout: slipway.Duration(time.Hour), Place: place}, nil
				}
			},
			want: "Succeeded, deployed: the new tasks are healthy",
		},
		{
			name: "read before",
			files: func(c *stepstest.Cloud) {
				c.OnRevision = func(slipway.App) (slipway.Revision, error) {
					return slipway.Revision{}, errors.New("it was read again")
				}
			},
			read: true,
			want: "Succeeded, deployed: the new tasks are healthy",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.cloud.OnRevision = func(slipway.App) (slipway.Revision, error) { return slipway.Revision{Images: images}, nil }
				test.files(r.cloud)
				e := slipway.Execution{ID: engine.NewID(), Revision: slipway.Revision{App: webapp, Commit: "c0ffee"}, CreatedAt: time.Now()}
				if test.read {
					e.Revision.Images, e.Pipeline = images, slipway.Pipeline{Mode: slipway.ModeQueued, Timeout: slipway.Duration(time.Hour), Place: place}
				}
				if err := r.engine.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
					t.Fatal(err)
				}
				e = r.wait(e.ID)
				if got := stepstest.Ended(e); got != test.want {
					t.Errorf("it ended as %s", got)
				}
				if e.Outcome == slipway.OutcomeDeployed && (e.Deployment.Place != place || !cmp.Equal(e.Deployment.Images, images) || e.Pipeline.Timeout != slipway.Duration(time.Hour)) {
					t.Errorf("pipeline %+v, deployment %+v", e.Pipeline, e.Deployment)
				}
			})
		})
	}
}

// What the library would take and never run is refused.
func TestSubmitRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		for _, e := range []slipway.Execution{
			{Revision: slipway.Revision{App: webapp}},
			{ID: engine.NewID()},
			{ID: engine.NewID(), Revision: slipway.Revision{App: slipway.App{Cluster: "cluster1", Name: "../webapp1"}}},
		} {
			good := slipway.Execution{ID: engine.NewID(), Revision: slipway.Revision{App: webapp}}
			if err := r.engine.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{good, e}, At: time.Now()}); err == nil {
				t.Errorf("submitted %q of %q", e.ID, e.App())
			}
		}
		if all, err := r.store.Executions(t.Context(), store.Query{}); err != nil || len(all) != 0 {
			t.Errorf("written down were %d, %v", len(all), err)
		}
	})
}

// A target that takes no step is not asked again without a pause, and goes on
// once it does.
func TestNoProgress(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		asked := 0
		r.cloud.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
			if asked++; asked <= 3 {
				return d, nil
			}
			return stepstest.Well(d), nil
		}
		start := time.Now()
		r.expect(r.submit(webapp, ""), "Succeeded, deployed: the new tasks are healthy", happy)
		if took := time.Since(start); asked != 6 || took < time.Second {
			t.Errorf("it was asked %d times in %s", asked, took)
		}
	})
}

func TestStop(t *testing.T) {
	abandon := slipway.StopRequest{By: "Ada", Abandon: true}
	for _, test := range []struct {
		name  string
		phase slipway.Phase // the stop comes while this phase is being left
		stop  slipway.StopRequest
		want  string
		calls string
	}{
		{"in Source", "source", slipway.StopRequest{By: "Ada"}, "Stopped, stopped: stopped by Ada; the service was not touched", ""},
		{"in Prepare", slipway.PhaseNew, slipway.StopRequest{By: "Ada"}, "Stopped, stopped: stopped by Ada; the service was not touched", "prepare"},
		{"in Register", slipway.PhasePrepared, slipway.StopRequest{By: "Ada", Reason: "oh no"}, "Stopped, stopped: stopped by Ada: oh no; the service was not touched", "prepare, register 1"},
		{"in Start", slipway.PhaseRegistered, slipway.StopRequest{By: "Ada"}, "Stopped, stopped: stopped by Ada; webapp1:7 was put back", happy + ", roll back 1, observe"},
		{"while it is observed", slipway.PhaseStarted, slipway.StopRequest{By: "Ada"}, "Stopped, stopped: stopped by Ada; webapp1:7 was put back", happy + ", roll back 1, observe"},
		{"and abandon", slipway.PhaseStarted, abandon, "Stopped, stopped: stopped by Ada; the deployment goes on in ECS unwatched", happy},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				// Each step takes a second, and observing goes on for an hour.
				slow := func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					<-time.After(time.Second)
					return stepstest.Well(d), nil
				}
				r.cloud.OnRevision = func(slipway.App) (slipway.Revision, error) {
					<-time.After(time.Second)
					return slipway.Revision{Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:2"}}}, nil
				}
				r.cloud.OnAdvance, r.cloud.OnRollback, r.cloud.OnObserve = slow, slow, stepstest.After(time.Hour, slipway.StateDeployed)
				r.cloud.Timeout = 2 * time.Hour
				id := r.submit(webapp, "")
				phases := []slipway.Phase{"source", slipway.PhaseNew, slipway.PhasePrepared, slipway.PhaseRegistered, slipway.PhaseStarted}
				r.passes(time.Duration(slices.Index(phases, test.phase))*time.Second + 500*time.Millisecond)
				test.stop.At = time.Now()
				e, err := r.engine.Stop(t.Context(), id, test.stop)
				if err != nil || e.Status != slipway.StatusStopping {
					t.Fatalf("got %s, %v", e.Status, err)
				}
				r.expect(id, test.want, test.calls)
				if took := r.get(id).EndedAt.Sub(test.stop.At); took > 3*time.Second {
					t.Errorf("it took %s to stop", took)
				}
			})
		})
	}
}

// A stop is heard between the attempts of a step that fails, too.
func TestStopWhileThrottled(t *testing.T) {
	for _, test := range []struct {
		phase slipway.Phase
		want  string
	}{
		{slipway.PhaseNew, "Stopped, stopped: stopped by Ada; the service was not touched"},
		{slipway.PhasePrepared, "Stopped, stopped: stopped by Ada; the service was not touched"},
		// It may have been updated: that has to be found out first.
		{slipway.PhaseRegistered, "Stopped, stopped: stopped by Ada; webapp1:7 was put back"},
	} {
		t.Run("in phase "+string(test.phase), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				start := time.Now()
				r.cloud.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					if d.Phase == test.phase && time.Since(start) < 10*time.Second {
						return d, stepstest.Throttled
					}
					return stepstest.Well(d), nil
				}
				r.cloud.OnObserve = stepstest.After(time.Hour, slipway.StateDeployed)
				id := r.submit(webapp, "")
				r.passes(3 * time.Second)
				before := time.Now()
				if _, err := r.engine.Stop(t.Context(), id, slipway.StopRequest{By: "Ada", At: time.Now()}); err != nil {
					t.Fatal(err)
				}
				e := r.wait(id)
				if stepstest.Ended(e) != test.want {
					t.Errorf("it ended as %s, want %s", stepstest.Ended(e), test.want)
				}
				if took := e.EndedAt.Sub(before); test.phase != slipway.PhaseRegistered && took != 0 {
					t.Errorf("it took %s to hear it", took)
				}
			})
		})
	}
}

func TestStopOfWhatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.cloud.OnObserve = stepstest.After(time.Second, slipway.StateDeployed)
		running, waiting, last := r.submit(webapp, slipway.ModeQueued), r.submit(webapp, slipway.ModeQueued), r.submit(webapp, slipway.ModeQueued)
		e, err := r.engine.Stop(t.Context(), waiting, slipway.StopRequest{By: "Ada", At: time.Now()})
		if err != nil || e.Status != slipway.StatusStopped {
			t.Fatalf("got %s, %v", e.Status, err)
		}
		for _, id := range []string{running, last} {
			if e := r.wait(id); e.Outcome != slipway.OutcomeDeployed {
				t.Errorf("it ended as %s", stepstest.Ended(e))
			}
		}
		if e := r.get(waiting); !e.StartedAt.IsZero() || e.Outcome != slipway.OutcomeNone {
			t.Errorf("the stopped one began: %s", stepstest.Ended(e))
		}
		if _, err := r.engine.Stop(t.Context(), waiting, slipway.StopRequest{}); slipway.NextOf(err) != slipway.NextUsage {
			t.Errorf("stopping what has ended gave %v", err)
		}
	})
}

func TestModes(t *testing.T) {
	for _, test := range []struct {
		mode slipway.Mode
		want []string // how four commits end that arrive a second apart
		took time.Duration
	}{
		{slipway.ModeSuperseded, []string{"deployed", "Superseded", "Superseded", "deployed"}, 20 * time.Second},
		{slipway.ModeQueued, []string{"deployed", "deployed", "deployed", "deployed"}, 40 * time.Second},
		{slipway.ModeReplace, []string{"replaced", "replaced", "replaced", "deployed"}, 13 * time.Second},
	} {
		t.Run(string(test.mode), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.cloud.OnObserve = stepstest.After(10*time.Second, slipway.StateDeployed)
				start := time.Now()
				var ids []string
				for range 4 {
					ids = append(ids, r.submit(webapp, test.mode))
					r.passes(time.Second)
				}
				var got []string
				for _, id := range ids {
					e := r.wait(id)
					if e.Outcome != slipway.OutcomeNone {
						got = append(got, string(e.Outcome))
					} else {
						got = append(got, string(e.Status))
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if took := r.get(ids[3]).EndedAt.Sub(start); took < test.took || took > test.took+time.Second {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if test.mode == slipway.ModeReplace {
					if got, want := r.get(ids[0]).Reason, "a newer commit took over; its deployment replaces this one"; got != want {
						t.Errorf("the reason is %q", got)
					}
				}
			})
		})
	}
}

// A bug of ours ends one execution and holds up nobody.
func TestPanic(t *testing.T) {
	for _, method := range []string{"source", "prepare", "start", "observe", "roll back"} {
		t.Run(method, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				first := ""
				bug := func(id, here string) {
					if id == first && here == method {
						<-time.After(time.Second) // until the second one waits
						panic("index out of range")
					}
				}
				r.cloud.OnRevision = func(slipway.App) (slipway.Revision, error) {
					running, err := r.store.InProgress(r.t.Context())
					if err != nil || len(running) != 1 {
						return slipway.Revision{}, fmt.Errorf("in progress are %v, %w", running, err)
					}
					bug(running[0].ID, "source")
					return slipway.Revision{Images: []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:2"}}}, nil
				}
				r.cloud.OnAdvance = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					bug(d.Execution, map[slipway.Phase]string{slipway.PhaseNew: "prepare", slipway.PhaseRegistered: "start"}[d.Phase])
					return stepstest.Well(d), nil
				}
				r.cloud.OnObserve = func(_ context.Context, d slipway.Deployment) (slipway.Observation, error) {
					bug(d.Execution, "observe")
					if d.Execution == first {
						return stepstest.Seen(slipway.StateFailed, "broken"), nil
					}
					return stepstest.Seen(slipway.StateDeployed, "fine"), nil
				}
				r.cloud.OnRollback = func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
					bug(d.Execution, "roll back")
					return stepstest.Well(d), nil
				}
				first = engine.NewID()
				submission := pipeline.Submission{At: time.Now(), Executions: []slipway.Execution{{ID: first, Revision: slipway.Revision{App: webapp, Commit: "c0ffee"}, CreatedAt: time.Now()}}}
				if err := r.engine.Submit(t.Context(), submission); err != nil {
					t.Fatal(err)
				}
				second := r.submit(webapp, "")
				if got, want := stepstest.Ended(r.wait(first)), "Failed, failed: a bug in slipway stopped this execution: index out of range; look at the service before trying again"; got != want {
					t.Errorf("it ended as %s", got)
				}
				if got, want := stepstest.Ended(r.wait(second)), "Succeeded, deployed: fine"; got != want {
					t.Errorf("the next one ended as %s", got)
				}
			})
		})
	}
}

// The end of an execution, too, survives a bug: it is tried again.
func TestPanicInFinish(t *testing.T) {
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{}}
		s, err := inFile(path).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.store = s
		buggy := &buggyStore{Store: s, bugs: 3}
		if r.engine, err = engine.Open(t.Context(), engine.Options{SQLite: s.SQLite(), Postgres: s.Postgres(), Store: buggy, Queue: s, Source: r.cloud, Target: r.cloud, Logger: stepstest.Logger(t)}); err != nil {
			t.Fatal(err)
		}
		defer r.close()
		r.expect(r.submit(webapp, ""), "Succeeded, deployed: the new tasks are healthy", happy)
		if buggy.bugs != 0 {
			t.Errorf("%d bugs were not met", buggy.bugs)
		}
	})
}

// buggyStore panics in its first calls of Finish.
type buggyStore struct {
	*store.Store
	bugs int
}

func (b *buggyStore) Finish(ctx context.Context, e slipway.Execution, at time.Time) ([]slipway.Execution, error) {
	if b.bugs > 0 {
		b.bugs--
		panic("nil map")
	}
	return b.Store.Finish(ctx, e, at)
}
