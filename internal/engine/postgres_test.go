package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

// onPostgres is a rig on a database of its own in PostgreSQL, by the real clock:
// there are no sockets in a bubble.
func onPostgres(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, on: store.Database{Address: postgrestest.Address(t)}, cloud: &stepstest.Cloud{}, log: slog.New(slog.DiscardHandler)}
	r.open()
	t.Cleanup(r.close)
	return r
}

func TestPostgresModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[slipway.Mode]string{
		slipway.ModeSuperseded: "Succeeded Superseded Superseded Succeeded",
		slipway.ModeQueued:     "Succeeded Succeeded Succeeded Succeeded",
		slipway.ModeReplace:    "Superseded Superseded Superseded Succeeded",
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			r := onPostgres(t)
			begun, on := make(chan struct{}, 10), make(chan struct{})
			var first atomic.Value
			r.cloud.OnObserve = func(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
				begun <- struct{}{}
				select {
				case <-on:
				case <-ctx.Done():
				}
				first.CompareAndSwap(nil, d.Execution)
				if mode == slipway.ModeReplace && first.Load() == d.Execution {
					return stepstest.Seen(slipway.StateProgressing, ""), ctx.Err() // until it is asked to stop
				}
				return stepstest.Seen(slipway.StateDeployed, "done"), ctx.Err()
			}
			ids := []string{r.submit(webapp, mode)}
			<-begun
			for range 3 {
				ids = append(ids, r.submit(webapp, mode))
			}
			close(on)
			got := ""
			for _, id := range ids {
				got += " " + string(r.wait(id).Status)
			}
			if got[1:] != want {
				t.Errorf("they ended as%s, want %s", got, want)
			}
		})
	}
}

func TestPostgresCloseInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, action := range everyAction {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			a := newAccount(action)
			a.behind, a.answerLost = true, true
			closeInTheMiddle(t, onPostgres(t), a)
		})
	}
}

// Connections that break, as when the server is restarted or fails over, cost time
// and nothing else.
func TestPostgresConnectionsBreak(t *testing.T) {
	t.Parallel()
	r := onPostgres(t)
	a := newAccount("")
	a.script(r.cloud)
	conn, err := pgx.Connect(t.Context(), r.on.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	in := pipeline.Submission{Executions: many(20), At: time.Now()}
	if err := r.engine.Submit(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	broken := int64(0)
	for range 5 {
		done, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		broken += done.RowsAffected()
		<-time.After(50 * time.Millisecond)
	}
	if broken == 0 {
		t.Error("there was no connection to break")
	}
	for _, e := range in.Executions {
		ended := r.await(e.ID)
		if ended.Outcome != slipway.OutcomeRolledBack {
			t.Errorf("%s ended as %s", e.App(), stepstest.Ended(ended))
		}
		a.once(t, e.ID, writing...)
	}
}

// await is wait for whom the database may not answer.
func (r *rig) await(id string) (e slipway.Execution) {
	r.t.Helper()
	err := fmt.Errorf("not asked")
	for range 600 {
		if e, err = r.store.Execution(r.t.Context(), id); err == nil && e.Status.Ended() {
			return e
		}
		<-time.After(100 * time.Millisecond)
	}
	r.t.Fatalf("it has not ended: %+v, %v", e, err)
	return e
}
