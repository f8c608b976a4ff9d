package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-cd/slipway"
)

// Database says where executions are kept.
type Database struct {
	// Address is "sqlite:PATH", or "postgres://USER@HOST:PORT/NAME?…" with the
	// parameters that libpq knows; its environment variables count too.
	Address string
	// Password is asked for PostgreSQL's password whenever a connection is made, so
	// that it may change meanwhile. Nil leaves it to the address, PGPASSWORD or the
	// password file.
	Password func(ctx context.Context) (string, error)
}

// Open opens the database. One in a file is made if there is none, its folder too;
// one in PostgreSQL has to exist, and gets the tables that it lacks.
func (d Database) Open(ctx context.Context) (*Store, error) {
	path, err := d.path()
	switch {
	case err != nil:
		return nil, err
	case path != "":
		return openFile(ctx, path)
	}
	return d.openPostgres(ctx)
}

// Acquire takes the lock of the database, before it is opened, for me. While
// somebody else holds it, Acquire waits until ctx ends, and tells waiting who that
// is, again whenever it is another one; with a nil waiting that is an error instead.
func (d Database) Acquire(ctx context.Context, me Holder, waiting func(Holder)) (*Lock, error) {
	path, err := d.path()
	switch {
	case err != nil:
		return nil, err
	case path != "":
		return acquireFile(ctx, path, me, waiting)
	}
	return d.acquirePostgres(ctx, me, waiting)
}

// Server is the host and port where PostgreSQL is asked first; empty for a database
// on this machine, in a file or behind a socket.
func (d Database) Server() string {
	if path, err := d.path(); path != "" || err != nil {
		return ""
	}
	config, err := d.postgresConfig()
	if err != nil {
		return ""
	}
	network, address := pgconn.NetworkAddress(config.ConnConfig.Host, config.ConnConfig.Port)
	if network == "unix" {
		return ""
	}
	return address
}

// path is that of a database in a file, or empty for one in PostgreSQL.
func (d Database) path() (string, error) {
	if strings.HasPrefix(d.Address, "postgres://") || strings.HasPrefix(d.Address, "postgresql://") {
		return "", nil
	}
	path, found := strings.CutPrefix(d.Address, "sqlite:")
	if !found || path == "" {
		// There may be a password in it.
		return "", slipway.Usagef("the database's address is not understood: write sqlite:PATH or postgres://USER@HOST/NAME, for example sqlite:slipway.db")
	}
	return strings.TrimPrefix(path, "//"), nil
}
