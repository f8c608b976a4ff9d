package controller_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/target"
)

var web, worker = slipway.App{Cluster: "shop", Name: "web"}, slipway.App{Cluster: "shop", Name: "worker"}

// rig is a controller on a real repository and database, and an ECS in memory;
// its time is a bubble's.
type rig struct {
	*testing.T
	repository *deployrepo.Repo
	world      *sandboxtest.World
	services   map[slipway.App]*sandboxtest.Service
	database   string
	controller *controller.Controller
}

// inRig runs a test in a bubble, on a repository of web and worker whose
// services run what git says.
func inRig(t *testing.T, test func(*rig)) {
	dir := t.TempDir()
	t.Setenv("HOME", dir) // git's settings are not the user's
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, world: sandboxtest.New(t), services: map[slipway.App]*sandboxtest.Service{}, database: "sqlite:" + filepath.Join(dir, "slipway.db")}
		options := deployrepo.Options{URL: filepath.Join(dir, "deployment")}
		apps := map[slipway.App][]slipway.Image{
			web:    {{Container: "web", URI: image("web", "1.0.0")}},
			worker: {{Container: "worker", URI: image("worker", "1.0.0")}},
		}
		if _, err := deployrepo.Init(t.Context(), options, apps, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"}); err != nil {
			t.Fatal(err)
		}
		var err error
		if r.repository, err = deployrepo.Open(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		for _, app := range []slipway.App{web, worker} {
			r.services[app] = r.world.Service(app.Cluster, app.Name, sandboxtest.Image(image(app.Name, "1.0.0")), sandboxtest.CircuitBreaker(true))
		}
		r.open()
		defer func() { r.close() }()
		test(r)
	})
}

func image(app, version string) string { return "registry.example.com/" + app + ":" + version }

func (r *rig) open() {
	r.Helper()
	var err error
	config := func(context.Context, string) (aws.Config, error) { return r.world.Config(), nil }
	r.controller, err = controller.Open(r.Context(), controller.Options{
		Repository: r.repository, Database: store.Database{Address: r.database}, Interval: time.Minute, Logger: slog.New(slog.DiscardHandler),
		Target: target.New(target.Options{Config: config}), AWS: config,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.refresh()
}

func (r *rig) close() {
	r.Helper()
	if err := r.controller.Close(); err != nil {
		r.Error(err)
	}
}

func (r *rig) refresh() {
	r.Helper()
	if err := r.controller.Backend().Refresh(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// push commits another version of an app, and tells the controller.
func (r *rig) push(app slipway.App, version string) (commit string) {
	r.Helper()
	written, err := r.repository.SetImages(r.Context(), app, map[string]string{"": image(app.Name, version)}, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"})
	if err != nil {
		r.Fatal(err)
	}
	r.refresh()
	return written.Commit
}

// newest returns an app's newest execution.
func (r *rig) newest(app slipway.App) slipway.Execution {
	r.Helper()
	found, err := r.controller.Backend().Executions(r.Context(), api.ExecutionQuery{App: &app, Limit: 1})
	if err != nil || len(found) != 1 {
		r.Fatalf("%d executions of %s, %v", len(found), app, err)
	}
	return found[0]
}

// ended waits until an app's newest execution has ended.
func (r *rig) ended(app slipway.App) slipway.Execution {
	r.Helper()
	for range 3600 {
		if e := r.newest(app); e.Status.Ended() {
			return e
		}
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's time
	}
	r.Fatalf("%s has not ended: %+v", app, r.newest(app))
	panic("unreachable")
}

func (r *rig) status(app slipway.App) slipway.AppStatus {
	r.Helper()
	apps, err := r.controller.Backend().Apps(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	for _, status := range apps {
		if status.App == app {
			return status
		}
	}
	r.Fatalf("there is no status of %s", app)
	panic("unreachable")
}

// A commit is deployed, one that crashes is rolled back and shown as drift, and
// the history tells both.
func TestCommits(t *testing.T) {
	inRig(t, func(r *rig) {
		if s := r.status(web); s.Drift || s.Execution != nil || s.Running == nil {
			r.Errorf("an app that runs what git says was not simply adopted: %+v", s)
		}
		good := r.push(web, "1.1.0")
		// What was seen of ECS a moment ago is not shown once the service was updated.
		for r.newest(web).Deployment.StartedAt.IsZero() {
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // the bubble's time
		}
		if s, d := r.status(web), r.newest(web).Deployment; s.Running.TaskDefinition != d.TaskDefinition {
			r.Errorf("status shows %s, and the service was updated to %s", s.Running.TaskDefinition, d.TaskDefinition)
		}
		if e := r.ended(web); e.Outcome != slipway.OutcomeDeployed || e.Revision.Commit != good || e.Trigger.By != "Ada <ada@example.com>" {
			r.Errorf("the good commit: %+v", e)
		}
		r.push(web, "1.2.0-crash")
		if e := r.ended(web); e.Outcome != slipway.OutcomeRolledBack || e.RolledBackBy != slipway.ByECS || !strings.Contains(e.Reason, "exit code 1") {
			r.Errorf("the crash: %s by %s: %s", e.Outcome, e.RolledBackBy, e.Reason)
		}
		if s := r.status(web); !s.Drift || s.Running.Images[0].URI != image("web", "1.1.0") {
			r.Errorf("git and ECS differ, and status says %+v", s)
		}
		history, err := r.controller.Backend().History(r.Context(), web, 0)
		if err != nil {
			r.Fatal(err)
		}
		var outcomes []string
		for _, entry := range history {
			outcome := "-"
			if entry.Execution != nil {
				outcome = string(entry.Execution.Outcome)
			}
			outcomes = append(outcomes, outcome)
		}
		if got := strings.Join(outcomes, " "); got != "rolled-back deployed -" {
			r.Errorf("the history is %s", got)
		}
		if s := r.status(worker); s.Execution != nil {
			r.Errorf("another app was executed: %+v", s.Execution)
		}
	})
}

// What a person asks for by name.
func TestCommands(t *testing.T) {
	inRig(t, func(r *rig) {
		ask := func(command api.Command) (slipway.Execution, error) {
			command.By = "bo"
			return r.controller.Backend().Command(r.Context(), command)
		}
		// Start runs what git says once more: nothing is to be changed.
		if _, err := ask(api.Command{Action: api.ActionStart, App: web}); err != nil {
			r.Fatal(err)
		}
		if e := r.ended(web); e.Outcome != slipway.OutcomeUnchanged || e.Trigger.Kind != slipway.TriggerManual || e.Trigger.By != "bo" {
			r.Errorf("start: %+v", e)
		}
		// Stop puts back what ran before; a part of the id is enough.
		r.push(web, "1.1.0")
		time.Sleep(30 * time.Second) //nolint:forbidigo // the bubble's time
		running := r.newest(web)
		if _, err := ask(api.Command{Action: api.ActionStop, Execution: running.ID[:18], Reason: "wrong day"}); err != nil {
			r.Fatal(err)
		}
		stopped := r.ended(web)
		if stopped.Outcome != slipway.OutcomeStopped || !strings.Contains(stopped.Reason, "wrong day") {
			r.Errorf("stop: %s: %s", stopped.Outcome, stopped.Reason)
		}
		// Retry runs the same revision again, while git has not moved on.
		retried, err := ask(api.Command{Action: api.ActionRetry, Execution: stopped.ID})
		if err != nil {
			r.Fatal(err)
		}
		if e := r.ended(web); e.ID != retried.ID || e.Outcome != slipway.OutcomeDeployed || e.Revision.Commit != stopped.Revision.Commit {
			r.Errorf("retry: %+v", e)
		}
		r.push(web, "1.2.0")
		if _, err := ask(api.Command{Action: api.ActionRetry, Execution: stopped.ID}); slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(fmt.Sprint(err), "moved on") {
			r.Errorf("a retry of what git no longer says: %v", err)
		}
		if _, err := ask(api.Command{Action: api.ActionRetry, Execution: r.newest(web).ID}); slipway.NextOf(err) != slipway.NextPerson {
			r.Errorf("a retry of what runs: %v", err)
		}
		// Names that are none.
		for _, command := range []api.Command{
			{Action: api.ActionStart, App: slipway.App{Cluster: "shop", Name: "nope"}},
			{Action: api.ActionStop, Execution: "ffffffff"},
			{Action: api.ActionRetry, Execution: ""},
		} {
			if _, err := ask(command); slipway.NextOf(err) != slipway.NextUsage {
				r.Errorf("%+v: %v", command, err)
			}
		}
	})
}

// A broken file is its app's alone, and a removed app is shown as removed.
func TestBrokenAndRemoved(t *testing.T) {
	inRig(t, func(r *rig) {
		write := func(message string, files ...deployrepo.FileChange) {
			r.Helper()
			_, err := r.repository.Write(r.Context(), deployrepo.WriteOptions{Author: "Ada <ada@example.com>"}, func(context.Context, *deployrepo.View) (deployrepo.Draft, error) {
				return deployrepo.Draft{Message: message, Files: files}, nil
			})
			if err != nil {
				r.Fatal(err)
			}
			r.refresh()
		}
		write("one broken, one good",
			deployrepo.FileChange{Path: web.RevisionPath(), Content: []byte("[{\"name\": \"web\"}]\n")},
			deployrepo.FileChange{Path: worker.RevisionPath(), Content: []byte(`[{"name": "worker", "imageUri": "` + image("worker", "1.1.0") + `"}]`)})
		if e := r.ended(web); e.Outcome != slipway.OutcomeFailed || !strings.Contains(e.Reason, "shop/web/revision.json:1:") {
			r.Errorf("the broken file: %s: %s", e.Outcome, e.Reason)
		}
		if e := r.ended(worker); e.Outcome != slipway.OutcomeDeployed {
			r.Errorf("the good one: %s: %s", e.Outcome, e.Reason)
		}
		if s := r.status(web); s.Revision != nil || !strings.Contains(s.Problem, "revision.json:1:") {
			r.Errorf("status of the broken one: %+v", s)
		}
		// What was approved while a setting was broken is deployed once that is mended.
		write("a setting that is none, and another version",
			deployrepo.FileChange{Path: worker.PipelinePath(), Content: []byte("timeot: 6s\n")},
			deployrepo.FileChange{Path: worker.RevisionPath(), Content: []byte(`[{"name": "worker", "imageUri": "` + image("worker", "1.2.0") + `"}]`)})
		if e := r.ended(worker); e.Outcome != slipway.OutcomeFailed || !strings.Contains(e.Reason, "timeot") {
			r.Errorf("the broken setting: %s: %s", e.Outcome, e.Reason)
		}
		write("mend the setting", deployrepo.FileChange{Path: worker.PipelinePath(), Content: []byte("timeout: 6m\n")})
		if e := r.ended(worker); e.Outcome != slipway.OutcomeDeployed || e.Revision.Images[0].URI != image("worker", "1.2.0") {
			r.Errorf("the mended setting: %s: %s", e.Outcome, e.Reason)
		}
		write("remove worker", deployrepo.FileChange{Path: worker.RevisionPath()})
		if s := r.status(worker); !s.Removed || s.Running == nil {
			r.Errorf("status of the removed one: %+v", s)
		}
		history, err := r.controller.Backend().History(r.Context(), worker, 0)
		if err != nil || len(history) == 0 || !history[0].Removed {
			r.Errorf("history of the removed one: %+v, %v", history, err)
		}
	})
}

// A controller that is closed in the middle of a deployment goes on with it when
// it is opened again, and writes nothing twice.
func TestRestart(t *testing.T) {
	inRig(t, func(r *rig) {
		r.push(web, "1.1.0")
		time.Sleep(20 * time.Second) //nolint:forbidigo // the bubble's time
		before := r.newest(web)
		r.close()
		r.open()
		if e := r.ended(web); e.ID != before.ID || e.Outcome != slipway.OutcomeDeployed {
			r.Errorf("after the restart: %+v", e)
		}
		if calls := r.world.Calls(); calls.Count("RegisterTaskDefinition") != 1 || calls.Count("UpdateService") != 1 {
			r.Errorf("the calls that write: %v", calls.Writes())
		}
	})
}
