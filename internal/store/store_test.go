package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

var (
	begin  = time.Date(2026, 11, 3, 9, 30, 0, 123456000, time.UTC)
	webapp = slipway.App{Cluster: "cluster1", Name: "webapp1"}
	tcpapp = slipway.App{Cluster: "cluster1", Name: "tcpapp1"}
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Run(m)) }

// onBoth runs a test on a new database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, d store.Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, store.Database{Address: "sqlite:" + filepath.Join(t.TempDir(), "not", "made", "yet", "slipway.db")})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, store.Database{Address: postgrestest.Address(t)})
	})
}

func open(t *testing.T, d store.Database) *store.Store {
	t.Helper()
	s, err := d.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// change changes the open database behind the Store's back.
func change(t *testing.T, s *store.Store, statement string, args ...any) error {
	t.Helper()
	if pool := s.Postgres(); pool != nil {
		_, err := pool.Exec(t.Context(), statement, args...)
		return err
	}
	_, err := s.SQLite().ExecContext(t.Context(), statement, args...)
	return err
}

// newExecution is an execution to submit; its commit and blob are made of n.
func newExecution(app slipway.App, mode slipway.Mode, n int) slipway.Execution {
	return slipway.Execution{
		ID: uuid.Must(uuid.NewV7()).String(), CreatedAt: begin,
		Revision: slipway.Revision{App: app, Commit: fmt.Sprintf("%040d", n), Blob: fmt.Sprintf("blob%d", n)},
		Pipeline: slipway.Pipeline{Mode: mode},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, By: "Ada <ada@example.com>", At: begin},
	}
}

// submit submits executions one after the other and returns what began.
func submit(t *testing.T, s *store.Store, executions ...slipway.Execution) []slipway.Execution {
	t.Helper()
	var all []slipway.Execution
	for _, e := range executions {
		begun, err := s.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: begin})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, begun...)
	}
	return all
}

func get(t *testing.T, s *store.Store, id string) slipway.Execution {
	t.Helper()
	e, err := s.Execution(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// statuses are those of all executions, oldest first.
func statuses(t *testing.T, s *store.Store) string {
	t.Helper()
	found, err := s.Executions(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range found {
		all = append([]string{string(e.Status)}, all...)
	}
	return strings.Join(all, " ")
}

func ids(executions []slipway.Execution) []string {
	all := []string{}
	for _, e := range executions {
		all = append(all, e.ID)
	}
	return all
}
