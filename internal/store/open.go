package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/slipway-cd/slipway"
)

//go:embed schema.sql
var schema string

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	db *sql.DB
}

// sqliteOptions make SQLite safe against a crash of the machine (FULL), let
// readers go on beside the one writer (WAL), and take the write lock when a
// transaction begins, so that it waits for its turn instead of failing half-way.
var sqliteOptions = url.Values{
	"_txlock": {"immediate"},
	"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
}

// connections bounds how many there are: SQLite has one writer at a time, and
// it is better to wait for one's turn here than to poll for the file's lock.
const connections = 8

// Open opens the database that address names, making it if there is none:
// "sqlite:PATH". The folder of PATH is made too.
func Open(ctx context.Context, address string) (*Store, error) {
	path, err := sqlitePath(address)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, &slipway.Error{Next: slipway.NextPerson, Message: "make the database's folder", Err: err}
	}
	escaped := (&url.URL{Path: path}).EscapedPath() // the path may hold what means something in a URL
	source := (&url.URL{Scheme: "file", Opaque: escaped, RawQuery: sqliteOptions.Encode()}).String()
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(&slipway.Error{
			Next: slipway.NextPerson, Message: "open database " + path, Err: err,
			Hint: "the file must be a Slipway database on a local disk, writable by this user",
		}, db.Close())
	}
	if err := widen(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("bring database %s up to date: %w", path, err), db.Close())
	}
	return &Store{db: db}, nil
}

// widen adds the column that databases of earlier builds do not have.
func widen(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, `SELECT decisions_json FROM executions LIMIT 0`); err == nil {
		return nil
	}
	_, err := db.ExecContext(ctx, `ALTER TABLE executions ADD COLUMN decisions_json TEXT NOT NULL DEFAULT ''`)
	return err
}

// sqlitePath takes the path out of "sqlite:PATH".
func sqlitePath(address string) (string, error) {
	path, found := strings.CutPrefix(address, "sqlite:")
	if !found || path == "" {
		return "", slipway.Usagef("database %q is not understood: write sqlite:PATH, for example sqlite:slipway.db", address)
	}
	return strings.TrimPrefix(path, "//"), nil
}

// DB is the open database, for the engine's own tables.
func (s *Store) DB() *sql.DB { return s.db }

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// transact runs do in one transaction and commits it if do returns nil.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}
