package controller_test

import (
	"context"
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
		r := &rig{T: t, world: sandboxtest.New(t, sandboxtest.DeregistrationDelay(30*time.Second)), services: map[slipway.App]*sandboxtest.Service{}, database: "sqlite:" + filepath.Join(dir, "slipway.db")}
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

// What was approved while a setting was broken is deployed once that is mended.
func TestBrokenSetting(t *testing.T) {
	inRig(t, func(r *rig) {
		c := builtIn(r)
		c.commit("a setting that is none, and another version",
			deployrepo.FileChange{Path: worker.PipelinePath(), Content: []byte("timeot: 6s\n")},
			deployrepo.FileChange{Path: worker.RevisionPath(), Content: []byte(`[{"name": "worker", "imageUri": "` + image("worker", "1.2.0") + `"}]`)})
		if e := r.ended(worker); e.Outcome != slipway.OutcomeFailed || !strings.Contains(e.Reason, "timeot") {
			r.Errorf("the broken setting: %s: %s", e.Outcome, e.Reason)
		}
		c.write("mend the setting", worker.PipelinePath(), "timeout: 6m\n")
		if e := r.ended(worker); e.Outcome != slipway.OutcomeDeployed || e.Revision.Images[0].URI != image("worker", "1.2.0") {
			r.Errorf("the mended setting: %s: %s", e.Outcome, e.Reason)
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
