package store

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

func TestTemporaryFilesAreNotOnANetwork(t *testing.T) {
	t.Parallel()
	if remote, err := onNetwork(t.TempDir()); remote || err != nil {
		t.Errorf("got %t, %v", remote, err)
	}
}

// On a network's file system one process has the database, with all its connections
// at once, and needs no memory that processes share.
func TestSQLiteOnANetwork(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "slipway.db")
	open := func() *Store {
		t.Helper()
		s, err := openSQLite(t.Context(), path, true)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	var mode string
	if err := s.db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode is %s, %v", mode, err)
	}
	var all sync.WaitGroup
	for n := range 2 * connections {
		all.Go(func() {
			e := slipway.Execution{
				ID: uuid.Must(uuid.NewV7()).String(), CreatedAt: time.Now(),
				Revision: slipway.Revision{App: slipway.App{Cluster: "cluster1", Name: fmt.Sprintf("webapp%d", n)}, Blob: "blob"},
			}
			if _, err := s.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
				t.Error(err)
			}
			if _, err := s.Executions(t.Context(), Query{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := os.Stat(path + "-shm"); err == nil {
		t.Error("there is a file for memory that processes share")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer func() { _ = s.Close() }()
	if running, err := s.InProgress(t.Context()); err != nil || len(running) != 2*connections {
		t.Errorf("%d are in progress, %v; want %d", len(running), err, 2*connections)
	}
}
