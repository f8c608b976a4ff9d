package controller_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jackc/pgx/v5"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
	"github.com/slipway-cd/slipway/internal/target"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Run(m)) }

// A conductor whose database falls silent can be closed within seconds, though
// requests wait for answers, and be opened again.
func TestSilentDatabase(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir) // git's settings are not the user's
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	network := postgrestest.NewNetwork(t)
	world := sandboxtest.New(t)
	repository := deployrepo.Options{URL: filepath.Join(dir, "deployment")}
	apps := map[slipway.App][]slipway.Image{web: {{Container: "web", URI: image("web", "1.0.0")}}}
	if _, err := deployrepo.Init(t.Context(), repository, apps, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"}); err != nil {
		t.Fatal(err)
	}
	opened, err := deployrepo.Open(t.Context(), repository)
	if err != nil {
		t.Fatal(err)
	}
	config := func(context.Context, string) (aws.Config, error) { return world.Config(), nil }
	options := controller.Options{
		Repository: opened, Database: store.Database{Address: network.Address()}, Interval: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Target: target.New(target.Options{Config: config}), AWS: config,
	}
	c, err := controller.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	network.Hang()
	answered := make(chan int, 1)
	go func() {
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/executions", nil))
		answered <- w.Code
	}()
	soon(t, "the loss of the lock", c.Lost())
	closed := make(chan struct{})
	go func() {
		_ = c.Close() // some of it fails
		close(closed)
	}()
	soon(t, "the end", closed)
	if code := <-answered; code == http.StatusOK {
		t.Error("it answered without its database")
	}
	network.Heal()
	release(t, network)
	again, err := controller.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// release ends the sessions that the server does not know to be cut off.
func release(t *testing.T, network *postgrestest.Network) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), network.Direct())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
}

func soon(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(30 * time.Second):
		t.Fatal("waited in vain for " + what)
	}
}
