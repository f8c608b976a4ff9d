package target

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TestFamilies: which family an app's is, and what to do where that is not clear.
func TestFamilies(t *testing.T) {
	place := slipway.Place{Cluster: "cluster1", Service: "batchapp1"}
	said, named := place, place
	said.Kind, named.Family = slipway.KindSchedule, "main"
	find := func(t *testing.T, w batchWorld, place slipway.Place) (slipway.Running, error) {
		t.Helper()
		pass(time.Minute)
		all, err := (&schedules{targetOf(w.World)}).Running(t.Context(), []slipway.Place{place})
		if err != nil {
			t.Fatal(err)
		}
		return all[0], all[0].Err
	}
	inBatch(t, func(t *testing.T, w batchWorld, _ kind) {
		_, err := find(t, w, place)
		checkError(t, err, slipway.NextPerson, "create a schedule", "no schedule runs a task definition of family batchapp1 or cluster1-batchapp1 in cluster cluster1")
		if !errors.Is(err, slipway.ErrNoService) {
			t.Errorf("%v is not about what is missing", err)
		}
		main := w.register("main", "batchapp1", batch1)
		w.rule("a", main)
		_, err = find(t, w, place) // a container's name alone proves nothing
		checkError(t, err, slipway.NextPerson, "scheduled there are main", "no schedule runs")
		for _, place := range []slipway.Place{said, named} {
			if got, err := find(t, w, place); err != nil || got.TaskDefinition != main || got.Place != place {
				t.Errorf("%+v, %v", got, err)
			}
		}
		w.rule("b", w.register("side", "batchapp1", batch1))
		_, err = find(t, w, said)
		checkError(t, err, slipway.NextPerson, "name the app's family", "run 2 families of task definitions with a container batchapp1: main, side")
		both := w.register("cluster1-batchapp1", "main", batch1)
		w.rule("c", both)
		if got, err := find(t, w, place); err != nil || got.TaskDefinition != both {
			t.Errorf("%+v, %v", got, err)
		}
		w.schedule("default", "d", familyARN+":1")
		if got, err := find(t, w, said); err != nil || got.TaskDefinition != familyARN+":1" || !got.Steady {
			t.Errorf("%+v, %v", got, err)
		}
		named.Family = "none"
		_, err = find(t, w, named)
		checkError(t, err, slipway.NextPerson, "scheduled there are batchapp1, cluster1-batchapp1, main, side", "of family none in")
		gone := place
		gone.Cluster = "cluster9"
		_, err = find(t, w, gone)
		checkError(t, err, slipway.NextPerson, "create the cluster", "there is no cluster cluster9")
	})
}

// TestRunningSchedules: many apps of a cluster are one look, and an app whose
// targets run different images runs none of them as far as drift goes.
func TestRunningSchedules(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, e kind) {
		w.rule("nightly", familyARN+":1", familyARN)
		w.register("batchapp1", "batchapp1", batch2)
		place := batchDeployment(batch2).Place
		places := slices.Repeat([]slipway.Place{place}, 150)
		w.ForgetCalls()
		all, err := e.Running(t.Context(), places)
		if err != nil || len(all) != 150 {
			t.Fatal(len(all), err)
		}
		want := slipway.Running{Place: place, TaskDefinition: familyARN + ":2", Images: []slipway.Image{{Container: "batchapp1", URI: batch2}, {Container: "batchapp1", URI: batch1}}}
		if diff := cmp.Diff(want, all[149]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, image := range []string{batch1, batch2} {
			if slipway.Runs(all[0].Images, []slipway.Image{{Container: "batchapp1", URI: image}}) {
				t.Errorf("it runs %s, and another", image)
			}
		}
		if n := w.Calls().Count("ListSchedules"); n != 1 {
			t.Errorf("%d looks for 150 apps", n)
		}
		w.Fault(func(operation string) *awsjson.Fault {
			if operation == "ListRuleNamesByTarget" {
				return &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "User: me is not authorized to perform: events:ListRuleNamesByTarget on resource: x because"}}
			}
			return nil
		})
		pass(time.Minute)
		if all, err = e.Running(t.Context(), places[:1]); err != nil {
			t.Fatal(err)
		}
		checkError(t, all[0].Err, slipway.NextPerson, "allow events:ListRuleNamesByTarget on x to me", "cannot list EventBridge's rules for cluster cluster1: access denied")
	})
}

// TestScheduleIsFoundOut: an app without a service, but with schedules, is a batch
// app; a test run is for no other.
func TestScheduleIsFoundOut(t *testing.T) {
	inBatch(t, func(t *testing.T, w batchWorld, _ kind) {
		w.five()
		a := New(Options{Config: targetOf(w.World).options.Config})
		new := batchDeployment(batch2)
		new.Place.Kind = slipway.KindAny
		d, err := a.Advance(t.Context(), new)
		if err != nil || d.Place.Kind != slipway.KindSchedule || d.Place.Family != "batchapp1" || len(d.Targets) != 5 {
			t.Errorf("%+v, %v", d, err)
		}

		w.Service("cluster1", "webapp1")
		service := deployment(image2)
		service.TestRun = true
		_, err = a.Advance(t.Context(), service)
		checkError(t, err, slipway.NextUsage, "take testRun out", "webapp1 is a service")
		service.Place.Service = "none"
		_, err = a.Advance(t.Context(), service)
		checkError(t, err, slipway.NextPerson, "create the service", "there is no service none")

		w.Fault(func(operation string) *awsjson.Fault {
			if operation == "ListSchedules" {
				return &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "no"}}
			}
			return nil
		})
		pass(time.Minute)
		running, err := a.Running(t.Context(), []slipway.Place{new.Place})
		if err != nil {
			t.Fatal(err)
		}
		checkError(t, running[0].Err, slipway.NextPerson, "allow the action", "there is no service batchapp1 in cluster cluster1, and whether schedules run it could not be found out", "access denied")
	})
}
