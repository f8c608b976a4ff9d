package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/store"
)

func TestLatest(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		app := func(name string) slipway.App { return slipway.App{Cluster: "cluster1", Name: name} }
		finish := func(e slipway.Execution) {
			t.Helper()
			e.Outcome = slipway.OutcomeDeployed
			if _, err := s.Finish(t.Context(), e, begin); err != nil {
				t.Fatal(err)
			}
		}
		want := map[slipway.App]string{}

		ended := newExecution(app("ended"), "", 1)
		newer := newExecution(app("ended"), "", 2)
		submit(t, s, ended)
		finish(ended)
		submit(t, s, newer)
		finish(newer)
		want[app("ended")] = newer.ID

		running := newExecution(app("running"), "", 1)
		submit(t, s, running)
		want[app("running")] = running.ID

		// What runs is shown, whatever came and went behind it.
		waited := newExecution(app("waited"), "", 1)
		submit(t, s, waited, newExecution(app("waited"), "", 2))
		want[app("waited")] = waited.ID
		overtaken := newExecution(app("overtaken"), "", 1)
		submit(t, s, overtaken, newExecution(app("overtaken"), "", 2), newExecution(app("overtaken"), "", 3))
		want[app("overtaken")] = overtaken.ID
		stopping := newExecution(app("stopping"), "", 1)
		stoppedBehind := newExecution(app("stopping"), "", 2)
		submit(t, s, stopping, stoppedBehind)
		for _, id := range []string{stopping.ID, stoppedBehind.ID} {
			if _, err := s.RequestStop(t.Context(), id, slipway.StopRequest{At: begin}); err != nil {
				t.Fatal(err)
			}
		}
		want[app("stopping")] = stopping.ID

		latest, err := s.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[slipway.App]string{}
		for app, e := range latest {
			if e.App() != app {
				t.Errorf("%s has an execution of %s", app, e.App())
			}
			got[app] = e.ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		inProgress, err := s.InProgress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{running.ID, waited.ID, overtaken.ID, stopping.ID}, ids(inProgress)); diff != "" {
			t.Errorf("in progress (-want +got):\n%s", diff)
		}
	})
}

func TestExecutions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		a, b, c := newExecution(webapp, slipway.ModeQueued, 1), newExecution(webapp, slipway.ModeQueued, 2), newExecution(tcpapp, slipway.ModeQueued, 2)
		a.ID, b.ID, c.ID = "01930000-aaaa-7000-8000-000000000000", "01930000-bbbb-7000-8000-000000000000", "0193ffff-bbbb-7000-8000-000000000000"
		submit(t, s, a, b, c)
		for _, test := range []struct {
			name  string
			query store.Query
			want  []string
		}{
			{"all, newest first", store.Query{}, []string{c.ID, b.ID, a.ID}},
			{"of an app", store.Query{App: webapp}, []string{b.ID, a.ID}},
			{"of a commit", store.Query{Commit: b.Revision.Commit}, []string{c.ID, b.ID}},
			{"of an app and a commit", store.Query{App: webapp, Commit: b.Revision.Commit}, []string{b.ID}},
			{"a whole id", store.Query{ID: b.ID}, []string{b.ID}},
			{"the beginning of one", store.Query{ID: "0193f"}, []string{c.ID}},
			{"the beginning of two", store.Query{ID: "01930000-"}, []string{b.ID, a.ID}},
			{"in capitals", store.Query{ID: "0193FFFF-BB"}, []string{c.ID}},
			{"nothing that matches", store.Query{ID: "02"}, []string{}},
			{"no pattern", store.Query{ID: "%"}, []string{}},
			{"another app's id", store.Query{App: tcpapp, ID: a.ID}, []string{}},
			{"limited", store.Query{Limit: 2}, []string{c.ID, b.ID}},
		} {
			found, err := s.Executions(t.Context(), test.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, ids(found)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
		}
		if _, err := s.Execution(t.Context(), "0193"); slipway.NextOf(err) != slipway.NextUsage {
			t.Errorf("an id that there is none of gave %v, want a usage error", err)
		}
	})
}

// What is no text for PostgreSQL is asked for nevertheless: there is nothing of that name.
func TestQueryOfNoText(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		submit(t, s, newExecution(webapp, slipway.ModeSuperseded, 1))
		for _, name := range []string{"\x00", "\xff", "0\x00"} {
			for _, query := range []store.Query{{ID: name}, {Commit: name}} {
				if got, err := s.Executions(t.Context(), query); len(got) != 0 || err != nil {
					t.Errorf("%+v gave %d executions, %v", query, len(got), err)
				}
			}
			if _, err := s.Execution(t.Context(), name); slipway.NextOf(err) != slipway.NextUsage {
				t.Errorf("%q gave %v", name, err)
			}
		}
	})
}
