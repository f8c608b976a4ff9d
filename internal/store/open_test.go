package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/store"
)

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d store.Database) {
		s := open(t, d)
		a, b := newExecution(webapp, slipway.ModeSuperseded, 1), newExecution(webapp, slipway.ModeSuperseded, 2)
		submit(t, s, a, b)
		if _, err := s.RequestStop(t.Context(), a.ID, slipway.StopRequest{By: "Ada", At: begin}); err != nil {
			t.Fatal(err)
		}
		before, err := s.Executions(t.Context(), store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, d)
		after, err := s.Executions(t.Context(), store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" || len(after) != 2 {
			t.Errorf("%d executions, (-before +after):\n%s", len(after), diff)
		}
		if known, err := s.Known(t.Context()); err != nil || known[webapp].Blob != "blob2" {
			t.Errorf("known is %v, %v", known, err)
		}
	})
}

// A database of a build that knew no decisions is widened.
func TestOldDatabase(t *testing.T) {
	t.Parallel()
	d := store.Database{Address: "sqlite:" + filepath.Join(t.TempDir(), "slipway.db")}
	s := open(t, d)
	e := submit(t, s, newExecution(webapp, slipway.ModeSuperseded, 1))[0]
	if err := change(t, s, "ALTER TABLE executions DROP COLUMN decisions_json"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, d)
	if got, err := s.RecordDecision(t.Context(), e.ID, slipway.Decision{Hook: "h1", By: "Ada", At: begin}); err != nil || len(got.Decisions) != 1 {
		t.Errorf("got %+v, %v", got.Decisions, err)
	}
}

func TestOpenAddresses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		address string
		next    slipway.Next
		file    string // that is made, or empty
	}{
		{address: "", next: slipway.NextUsage},
		{address: "sqlite:", next: slipway.NextUsage},
		{address: "slipway.db", next: slipway.NextUsage},
		{address: "mysql://localhost/slipway", next: slipway.NextUsage},
		{address: "postgres://slipway@localhost:port/slipway", next: slipway.NextUsage},
		{address: "postgres:///slipway?host=" + dir, next: slipway.NextPerson},
		{address: "sqlite:" + text, next: slipway.NextPerson},
		{address: "sqlite:" + dir, next: slipway.NextPerson},
		{address: "sqlite:" + text + "/below/a/file.db", next: slipway.NextPerson},
		{address: "sqlite:" + dir + "/plain.db", file: "plain.db"},
		{address: "sqlite://" + dir + "/slashes.db", file: "slashes.db"},
		{address: "sqlite:" + dir + "/with space.db", file: "with space.db"},
		{address: "sqlite:" + dir + "/50%41 done?.db", file: "50%41 done?.db"},
		{address: "sqlite:" + dir + "/number#1.db", file: "number#1.db"},
	} {
		s, err := store.Database{Address: test.address}.Open(t.Context())
		if got := slipway.NextOf(err); got != test.next {
			t.Errorf("%s: error %v means %q, want %q", test.address, err, got, test.next)
		}
		if err != nil {
			if test.next == slipway.NextPerson && strings.HasSuffix(test.address, "text.db") && slipway.HintOf(err) == "" {
				t.Errorf("%s: %v says nothing about what to do", test.address, err)
			}
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, test.file)); err != nil {
			t.Errorf("%s: %v", test.address, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", test.address, err)
		}
	}
	kept, err := os.ReadFile(text)
	if err != nil || !strings.HasPrefix(string(kept), "this is no database") {
		t.Errorf("the file that is no database was changed: %v", err)
	}
}

// A crash of the machine, not only of the process, may cost nothing.
func TestEveryConnectionIsSafe(t *testing.T) {
	t.Parallel()
	s := open(t, store.Database{Address: "sqlite:" + filepath.Join(t.TempDir(), "slipway.db")})
	var held []*sql.Conn
	for range 3 { // three connections at once, so three different ones
		conn, err := s.SQLite().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "busy_timeout": "30000"} {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
			}
		}
	}
	for _, conn := range held {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
