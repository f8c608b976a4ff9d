package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/slipway-cd/slipway"
)

// connections bounds how many there are: SQLite has one writer at a time, and
// it is better to wait for one's turn here than to poll for the file's lock.
const connections = 8

// openFile opens the database in a file.
func openFile(ctx context.Context, path string) (*Store, error) {
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	remote, err := onNetwork(filepath.Dir(path))
	if err != nil {
		return nil, &slipway.Error{Next: slipway.NextPerson, Message: "look at the file system of " + path, Err: err}
	}
	return openSQLite(ctx, path, remote)
}

func openSQLite(ctx context.Context, path string, remote bool) (*Store, error) {
	db, err := sql.Open("sqlite", sqliteSource(path, remote))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	s := &Store{db: db}
	if err := s.prepare(ctx); err != nil {
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: "open database " + path, Err: err,
			Hint: "the file must be a Slipway database, writable by this user",
		}
	}
	if err := widen(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("bring database %s up to date: %w", path, err), db.Close())
	}
	return s, nil
}

func makeFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &slipway.Error{Next: slipway.NextPerson, Message: "make the database's folder", Err: err}
	}
	return nil
}

// sqliteSource is what the driver opens. It makes SQLite safe against a crash of the
// machine (FULL), lets readers go on beside the one writer (WAL), and takes the write
// lock when a transaction begins, so that it waits for its turn instead of failing
// half-way. On a network's file system (remote) it has the file for this process alone.
func sqliteSource(path string, remote bool) string {
	options := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}
	if remote {
		// A write-ahead log has an index in memory that processes share, which a
		// network's file system has not. With this one process has the file, keeps the
		// index to itself, and locks once: see "unix-excl" in https://www.sqlite.org/vfs.html.
		options.Set("vfs", "unix-excl")
	}
	escaped := (&url.URL{Path: path}).EscapedPath() // the path may hold what means something in a URL
	return (&url.URL{Scheme: "file", Opaque: escaped, RawQuery: options.Encode()}).String()
}

// widen adds the column that databases of earlier builds do not have.
func widen(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, `SELECT decisions_json FROM executions LIMIT 0`); err == nil {
		return nil
	}
	_, err := db.ExecContext(ctx, `ALTER TABLE executions ADD COLUMN decisions_json TEXT NOT NULL DEFAULT ''`)
	return err
}
