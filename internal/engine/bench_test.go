package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

// benchRig is a rig by the real clock, on disk.
func benchRig(b *testing.B, on store.Database, c *stepstest.Cloud) *rig {
	b.Helper()
	r := &rig{t: b, on: on, cloud: c, log: slog.New(slog.DiscardHandler)}
	r.open()
	return r
}

// onBoth measures on a database of each kind. PostgreSQL is that of the tests, which
// leaves writing to the disk to the operating system.
func onBoth(b *testing.B, measure func(b *testing.B, on func() store.Database)) {
	b.Run("sqlite", func(b *testing.B) { measure(b, func() store.Database { return inFile(database(b)) }) })
	b.Run("postgres", func(b *testing.B) {
		measure(b, func() store.Database { return store.Database{Address: postgrestest.Address(b)} })
	})
}

// many are executions of as many apps, whose files were read already.
func many(n int) []slipway.Execution {
	all := make([]slipway.Execution, n)
	for i := range all {
		app := slipway.App{Cluster: "cluster1", Name: fmt.Sprintf("webapp%d", i)}
		all[i] = slipway.Execution{
			ID: engine.NewID(), CreatedAt: time.Now(), Pipeline: slipway.DefaultPipeline(app),
			Revision: slipway.Revision{App: app, Commit: "c0ffee", Blob: "b10b", Images: []slipway.Image{{Container: app.Name, URI: "example.com/webapp:2"}}},
		}
	}
	return all
}

// BenchmarkSubmitToFirstWrite measures what passes from Submit to the first call
// that writes to AWS: 50 ms at most, less what it takes to see the push.
func BenchmarkSubmitToFirstWrite(b *testing.B) { onBoth(b, submitToFirstWrite) }

func submitToFirstWrite(b *testing.B, on func() store.Database) {
	first := make(chan time.Time, 1)
	r := benchRig(b, on(), &stepstest.Cloud{OnAdvance: func(_ context.Context, d slipway.Deployment) (slipway.Deployment, error) {
		if d.Phase == slipway.PhasePrepared {
			first <- time.Now()
		}
		return stepstest.Well(d), nil
	}})
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		e := many(1)[0]
		e.Revision.App.Name = fmt.Sprintf("webapp%d", n)
		start := time.Now()
		if err := r.engine.Submit(b.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: start}); err != nil {
			b.Fatal(err)
		}
		took = append(took, (<-first).Sub(start))
	}
	r.close()
	slices.Sort(took)
	for name, at := range map[string]int{"p50-ms": len(took) / 2, "p99-ms": len(took) * 99 / 100} {
		b.ReportMetric(float64(took[at].Microseconds())/1000, name)
	}
}

// BenchmarkThousandExecutions measures a push that changes a thousand apps, from
// Submit to the last one's end.
func BenchmarkThousandExecutions(b *testing.B) { onBoth(b, thousandExecutions) }

func thousandExecutions(b *testing.B, on func() store.Database) {
	const n = 1000
	for b.Loop() {
		observed := make(chan struct{}, n)
		r := benchRig(b, on(), &stepstest.Cloud{OnObserve: func(context.Context, slipway.Deployment) (slipway.Observation, error) {
			observed <- struct{}{}
			return stepstest.Seen(slipway.StateDeployed, "done"), nil
		}})
		if err := r.engine.Submit(b.Context(), pipeline.Submission{Executions: many(n), At: time.Now()}); err != nil {
			b.Fatal(err)
		}
		for range n {
			<-observed
		}
		for running := 1; running > 0; {
			all, err := r.store.InProgress(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			running = len(all)
		}
		r.close()
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "executions/s")
}
