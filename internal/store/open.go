package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	db   *sql.DB
	pool *pgxpool.Pool // what db is made of, with PostgreSQL
	// links are the pool's connections.
	links *links
	// turn is the statement with which a transaction waits for its turn to write,
	// where beginning one does not.
	turn string
}

// SQLite is the open database for the engine's own tables, or nil when it is in
// PostgreSQL.
func (s *Store) SQLite() *sql.DB {
	if s.pool != nil {
		return nil
	}
	return s.db
}

// Postgres is the connections to PostgreSQL for the engine's own tables, or nil when
// the database is in a file.
func (s *Store) Postgres() *pgxpool.Pool { return s.pool }

// CutOff breaks all connections to PostgreSQL, for whom the database's lock is lost:
// what waits for an answer, and whatever is asked from now on, gets an error. With a
// database in a file it does nothing. Close the Store nevertheless.
func (s *Store) CutOff() {
	if s.links != nil {
		s.links.cutOff()
	}
}

// Close closes the database. It waits a little for what is being asked.
func (s *Store) Close() error {
	defer time.AfterFunc(patience, s.CutOff).Stop()
	err := s.db.Close()
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// transact runs do in one transaction and commits it if do returns nil. One at a
// time writes, so that what do has read is still so when it writes.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if s.turn != "" {
		if _, err := tx.ExecContext(ctx, s.turn); err != nil {
			return fmt.Errorf("wait for one's turn to write: %w", err)
		}
	}
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	return nil
}

// prepare makes the tables that there are not yet; when it fails, the database is closed.
func (s *Store) prepare(ctx context.Context) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, schema)
		return err
	})
	if err != nil {
		s.CutOff() // an answer that did not come is not waited for
		return errors.Join(err, s.Close())
	}
	return nil
}
