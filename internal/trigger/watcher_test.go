package trigger_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

func TestFirstSightAdoptsWhatRuns(t *testing.T) {
	t.Parallel()
	world := newWorld()
	world.known[app("old")], world.apps[app("old")] = pipeline.Known{Blob: "1"}, "1"
	for _, name := range []string{"same", "other", "missing", "broken"} {
		world.apps[app(name)] = "1"
	}
	world.runs(app("same"), "1")
	world.runs(app("other"), "0")
	world.broken[app("broken")] = slipway.Usagef("cluster1/broken/revision.json:1:2: no comma")
	w := world.watcher()
	look(t, w)
	// A broken file, or a missing service, is told by the execution it makes.
	if got, want := world.told(), "execute broken, execute missing, execute other, adopt same"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	adopted := world.submitted[0].Adopted[0]
	want := slipway.Revision{App: app("same"), Commit: "commit-of-same", Blob: "1", Images: images(app("same"), "1")}
	if diff := cmp.Diff(want, adopted); diff != "" {
		t.Errorf("adopted (-want +got):\n%s", diff)
	}

	before := len(world.calls)
	look(t, w)
	if diff := cmp.Diff([]string{"Refresh"}, world.calls[before:]); diff != "" {
		t.Errorf("a look at an unmoved head cost (-want +got):\n%s", diff)
	}
}

// Git may hold the structure before the services are made: the first look of
// all, however often it must be made, deploys to none that is missing.
func TestBootstrap(t *testing.T) {
	t.Parallel()
	world := newWorld()
	for _, name := range []string{"same", "other", "missing", "later", "broken"} {
		world.apps[app(name)] = "1"
	}
	world.runs(app("same"), "1")
	world.runs(app("other"), "0")
	world.services["later"] = slipway.Running{Err: &slipway.Error{Next: slipway.NextRetry, Message: "no route to host"}}
	world.broken[app("broken")] = slipway.Usagef("no comma")
	w := world.watcher()
	look(t, w)
	if got, want := world.told(), "execute broken, execute other, adopt missing, adopt same"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	delete(world.services, "later") // AWS answers now, and there is no such service either
	look(t, w)
	if got, want := world.told(), "adopt later"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	world.head, world.apps[app("new")] = "head2", "1"
	look(t, w)
	if got, want := world.told(), "execute new"; got != want {
		t.Errorf("after the first look was done: got %s, want %s", got, want)
	}
}

func TestChangedAppsExecute(t *testing.T) {
	t.Parallel()
	world := newWorld()
	for _, name := range []string{"a", "b", "broken"} {
		world.apps[app(name)] = "2"
		world.known[app(name)] = pipeline.Known{Blob: "1"}
	}
	world.apps[app("same")], world.known[app("same")] = "1", pipeline.Known{Blob: "1"}
	world.broken[app("broken")] = slipway.Usagef("no comma")
	world.modes[app("b")] = slipway.ModeReplace
	start := time.Now()
	look(t, world.watcher())
	if got, want := world.told(), "execute a, execute b, execute broken"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	if slices.Contains(world.calls, "Running") {
		t.Error("it asked AWS about apps that were seen before")
	}
	got := world.submitted[0].Executions[1]
	if got.CreatedAt.Before(start) || !got.Trigger.At.Equal(got.CreatedAt) || !world.submitted[0].At.Equal(got.CreatedAt) {
		t.Errorf("created at %s, news at %s, submitted at %s", got.CreatedAt, got.Trigger.At, world.submitted[0].At)
	}
	trigger := slipway.Trigger{Kind: slipway.TriggerPush, By: "Ada <ada@example.com>", At: got.CreatedAt}
	want := slipway.Execution{
		ID: "id2", CreatedAt: got.CreatedAt, Trigger: trigger,
		Revision: slipway.Revision{App: app("b"), Commit: "commit-of-b", Blob: "2", Images: images(app("b"), "2")},
		Pipeline: slipway.Pipeline{Mode: slipway.ModeReplace, Timeout: slipway.Duration(slipway.DefaultTimeout), Place: slipway.Place{Cluster: "cluster1", Service: "b"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Without images, Source reads the broken files again and says what is wrong.
	want = slipway.Execution{
		ID: "id3", CreatedAt: got.CreatedAt, Trigger: trigger,
		Revision: slipway.Revision{App: app("broken"), Commit: "commit-of-broken", Blob: pipeline.Content{Files: "2"}.Broken()},
		Pipeline: slipway.Pipeline{Mode: slipway.ModeSuperseded},
	}
	if diff := cmp.Diff(want, world.submitted[0].Executions[2]); diff != "" {
		t.Errorf("broken (-want +got):\n%s", diff)
	}
}

func TestRemovedAndReturned(t *testing.T) {
	t.Parallel()
	world := newWorld()
	world.known[app("a")], world.known[app("b")] = pipeline.Known{Blob: "1"}, pipeline.Known{Blob: "1"}
	w := world.watcher()
	for _, step := range []struct {
		head string
		apps map[slipway.App]string
		want string
	}{
		{"head2", map[slipway.App]string{app("b"): "1"}, "remove a"},
		{"head3", map[slipway.App]string{app("a"): "1", app("b"): "1"}, "return a"},
		{"head4", map[slipway.App]string{}, "remove a, remove b"},
		{"head5", map[slipway.App]string{app("a"): "2"}, "execute a"},
		// A force push back to an older content is a change like any other.
		{"head1", map[slipway.App]string{app("a"): "1", app("b"): "1"}, "execute a, return b"},
	} {
		world.head, world.apps = step.head, step.apps
		look(t, w)
		if got := world.told(); got != step.want {
			t.Errorf("at %s: got %s, want %s", step.head, got, step.want)
		}
	}
	if slices.Contains(world.calls, "Running") {
		t.Error("it asked AWS about apps that were seen before")
	}
}

func TestFirstSightWaitsForAWS(t *testing.T) {
	t.Parallel()
	world := newWorld()
	for _, name := range []string{"new", "known", "broken"} {
		world.apps[app(name)] = "2"
	}
	world.known[app("known")] = pipeline.Known{Blob: "1"}
	world.broken[app("broken")] = slipway.Usagef("no comma")
	w := world.watcher()

	world.failing["Running"] = errors.New("no route to host") // all of AWS
	look(t, w)
	if got, want := world.told(), "execute known, execute broken"; got != want {
		t.Errorf("AWS down: got %s, want %s", got, want)
	}
	delete(world.failing, "Running")
	for _, next := range []slipway.Next{slipway.NextRetry, slipway.NextPerson} { // one cluster, or its permissions
		world.services["new"] = slipway.Running{Err: &slipway.Error{Next: next, Message: "denied"}}
		look(t, w)
		if _, known := world.known[app("new")]; known {
			t.Errorf("next is %s: got %s", next, world.told())
		}
	}
	world.runs(app("new"), "2")
	look(t, w)
	if got, want := world.told(), "adopt new"; got != want {
		t.Errorf("all up: got %s, want %s", got, want)
	}
	calls := len(world.calls)
	look(t, w)
	if diff := cmp.Diff([]string{"Refresh"}, world.calls[calls:]); diff != "" {
		t.Errorf("with nothing undecided, a look cost (-want +got):\n%s", diff)
	}
}

// With nothing to ask, AWS is not asked: it may have no credentials yet.
func TestOnlyBrokenAppsAskNothing(t *testing.T) {
	t.Parallel()
	world := newWorld()
	world.apps[app("broken")] = "1"
	world.broken[app("broken")] = slipway.Usagef("no comma")
	look(t, world.watcher())
	if got, want := world.told(), "execute broken"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if slices.Contains(world.calls, "Running") {
		t.Error("it asked AWS about nothing")
	}
}

func TestAFailedLookIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Refresh", "Apps", "Known", "Load", "Submit"} {
		world := newWorld()
		world.apps[app("a")], world.known[app("a")] = "2", pipeline.Known{Blob: "1"}
		w := world.watcher()
		if err := w.Err(); err == nil {
			t.Error("before the first look, all is well?")
		}
		broken := errors.New("broken")
		world.failing[method] = broken
		if err := w.Look(t.Context(), slipway.TriggerPush); !errors.Is(err, broken) {
			t.Errorf("%s fails: got %v", method, err)
		}
		if err := w.Err(); !errors.Is(err, broken) {
			t.Errorf("%s fails: the last look's error is %v", method, err)
		}
		if len(world.submitted) != 0 {
			t.Errorf("%s fails: submitted %s", method, world.told())
		}
		delete(world.failing, method)
		look(t, w)
		if got := world.told(); got != "execute a" {
			t.Errorf("after %s failed: got %s", method, got)
		}
		if err := w.Err(); err != nil {
			t.Errorf("after %s failed: %v", method, err)
		}
	}
}

func TestRunPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := newWorld()
		world.failing["Refresh"] = errors.New("no route to host") // it survives errors
		w := world.watcher()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		<-time.After(time.Hour)
		cancel()
		<-ended
		if n := len(world.looks); n < 54 || n > 67 {
			t.Errorf("%d looks in an hour", n)
		}
		var pauses []time.Duration
		for i := range len(world.looks) - 1 {
			pause := world.looks[i+1].Sub(world.looks[i])
			if pause < 54*time.Second || pause > 66*time.Second {
				t.Errorf("a pause of %s", pause)
			}
			pauses = append(pauses, pause)
		}
		slices.Sort(pauses)
		if distinct := slices.Compact(pauses); len(distinct) < 10 {
			t.Errorf("only %d different pauses: no jitter", len(distinct))
		}
	})
}

func TestNotifyIsOneLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := newWorld()
		w := world.watcher()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.Run(ctx)
		synctest.Wait() // for the first look

		world.apps[app("a")], world.known[app("a")], world.head = "2", pipeline.Known{Blob: "1"}, "head2"
		before := time.Now()
		for range 100 {
			w.Notify(slipway.TriggerWebhook)
		}
		synctest.Wait()
		if n := len(world.looks); n > 3 {
			t.Errorf("a hundred notices made %d looks", n-1)
		}
		if got := world.told(); got != "execute a" || time.Since(before) != 0 {
			t.Errorf("after %s: got %s", time.Since(before), got)
		}
		if kind := world.submitted[0].Executions[0].Trigger.Kind; kind != slipway.TriggerWebhook {
			t.Errorf("its trigger is %s", kind)
		}
	})
}

// News that comes while a look is under way may be about what that look has
// already passed: it makes another one.
func TestNotifyDuringALook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := newWorld()
		world.hang = make(chan struct{})
		w := world.watcher()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.Run(ctx)
		synctest.Wait()
		w.Notify(slipway.TriggerPush)
		w.Notify(slipway.TriggerPush)
		if err := w.Err(); err == nil { // and does not wait for the look
			t.Error("before the first look ended, all is well?")
		}
		close(world.hang)
		synctest.Wait()
		if n := len(world.looks); n != 2 {
			t.Errorf("%d looks", n)
		}
	})
}

// A connection that hangs costs one look, not all that would follow.
func TestAHangingLookEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := newWorld()
		world.hang = make(chan struct{})
		w := world.watcher()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.Run(ctx)
		synctest.Wait()

		// Nor does it keep whoever else wants to look.
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		start := time.Now()
		if err := w.Look(short, slipway.TriggerManual); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("a look beside it took %s: %v", time.Since(start), err)
		}

		<-time.After(5 * time.Minute)
		synctest.Wait()
		if err := w.Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after five minutes: %v", err)
		}
		close(world.hang)
		<-time.After(2 * time.Minute)
		synctest.Wait()
		if err := w.Err(); err != nil {
			t.Errorf("when nothing hangs any more: %v", err)
		}
	})
}

// A broken file is told once, however often git moves on; to mend any of the
// files that the app reads starts it again.
func TestMendedFilesExecute(t *testing.T) {
	t.Parallel()
	world := newWorld()
	watcher := world.watcher()
	world.apps[app("a")], world.known[app("a")] = "2", pipeline.Known{Blob: "1"}
	world.settings, world.broken[app("a")] = "-mistake", slipway.Usagef("slipway.yaml:1:1: unknown key")
	look(t, watcher)
	if len(world.submitted) != 1 {
		t.Fatalf("a broken file: %d submissions, want 1", len(world.submitted))
	}
	world.known[app("a")] = pipeline.Known{Blob: world.submitted[0].Executions[0].Revision.Blob}
	world.head = "head2"
	look(t, watcher)
	if len(world.submitted) != 1 {
		t.Errorf("a broken file was told again: %s", world.told())
	}
	world.head, world.settings = "head3", ""
	delete(world.broken, app("a"))
	look(t, watcher)
	if len(world.submitted) != 2 || world.told() != "execute a" {
		t.Errorf("the mended file: %d submissions, %s", len(world.submitted), world.told())
	}
}

// While somebody reads the head and submits, nobody looks; and whoever waits for
// a turn can stop waiting.
func TestBetweenLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := newWorld()
		watcher := world.watcher()
		looked := make(chan error, 1)
		err := watcher.Between(t.Context(), func() error {
			go func() { looked <- watcher.Look(t.Context(), slipway.TriggerPush) }()
			synctest.Wait()
			if len(world.looks) != 0 {
				t.Error("it looked meanwhile")
			}
			impatient, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := watcher.Look(impatient, slipway.TriggerPush); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("an impatient look: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-looked; err != nil || len(world.looks) != 1 {
			t.Errorf("the look afterwards: %v, %d looks", err, len(world.looks))
		}
	})
}
