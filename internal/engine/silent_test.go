package engine_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

// An engine that is closed interrupts its steps at once, though an execution cannot be
// started meanwhile because the database is silent; it ends when that is cut off.
func TestPostgresCloseWhileSilent(t *testing.T) {
	t.Parallel()
	network := postgrestest.NewNetwork(t)
	direct, err := store.Database{Address: network.Direct()}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = direct.Close() }()
	r := &rig{t: t, on: store.Database{Address: network.Address()}, cloud: &stepstest.Cloud{}, log: slog.New(slog.DiscardHandler)}
	if err := r.openWith(direct); err != nil {
		t.Fatal(err)
	}
	observing, interrupted := make(chan struct{}), make(chan struct{})
	r.cloud.OnObserve = func(ctx context.Context, _ slipway.Deployment) (slipway.Observation, error) {
		close(observing)
		<-ctx.Done()
		close(interrupted)
		return slipway.Observation{}, ctx.Err()
	}
	happens := func(what string, happened <-chan struct{}) {
		t.Helper()
		select {
		case <-happened:
		case <-time.After(20 * time.Second):
			t.Fatalf("waited in vain for %s", what)
		}
	}
	r.submit(webapp, slipway.ModeSuperseded)
	happens("a step", observing)
	network.Hang()
	submitted, closed := make(chan struct{}), make(chan struct{})
	go func() {
		_ = r.engine.Submit(t.Context(), pipeline.Submission{Executions: many(1), At: time.Now()})
		close(submitted)
	}()
	<-time.After(200 * time.Millisecond) // it is being started
	go func() {
		_ = r.engine.Close()
		close(closed)
	}()
	happens("the interruption", interrupted)
	r.store.CutOff()
	happens("what was being started", submitted)
	happens("the end", closed)
	_ = r.store.Close()
}
