package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// lockPing is how often the lock's holder asks for an answer, to notice a lost
// connection. It waits for it with patience, and so has stopped conducting before the
// server, which keepalive has be more patient, gives the lock to somebody else. A
// server that ends the session is noticed at once.
const lockPing = 2 * time.Second

// holderTable is where the lock's holder signs. It is not one of the Store's tables,
// which only the holder of the lock may change.
var holderTable = fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d);
	CREATE TABLE IF NOT EXISTS conductor (one INTEGER PRIMARY KEY CHECK (one = 1), holder_json TEXT NOT NULL)`, writeKey)

// acquirePostgres takes the lock of the database in PostgreSQL: a session's advisory
// lock, on a connection of its own. A connection that breaks while it waits is made
// again; a first one that cannot be made is an error.
func (d Database) acquirePostgres(ctx context.Context, me Holder, waiting func(Holder)) (*Lock, error) {
	var conn *pgx.Conn
	var last *Holder // who held it when that was last known
	err := await(ctx, waiting, func() (held bool, by Holder, err error) {
		if conn, err = d.lockConnection(ctx, conn); err == nil {
			held, by, err = tryLock(ctx, conn, me)
		}
		if err != nil && last != nil && ctx.Err() == nil {
			_ = closeConnection(ctx, conn) // it broke; the next try makes another
			conn = nil
			return false, *last, nil
		}
		last = &by
		return held, by, err
	})
	if err != nil {
		return nil, errors.Join(err, closeConnection(ctx, conn))
	}
	return guard(ctx, conn), nil
}

// lockConnection returns conn, or makes a connection where there is none.
func (d Database) lockConnection(ctx context.Context, conn *pgx.Conn) (*pgx.Conn, error) {
	if conn != nil {
		return conn, nil
	}
	pool, err := d.postgresConfig()
	if err != nil {
		return nil, err
	}
	config := pool.ConnConfig
	err = d.authenticate(ctx, config)
	if err == nil {
		conn, err = pgx.ConnectConfig(ctx, config)
	}
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		_, err = conn.Exec(bounded, holderTable)
	}
	if err != nil {
		return nil, errors.Join(cannotOpen(config, err), closeConnection(ctx, conn))
	}
	return conn, nil
}

// tryLock takes the lock and signs for it, or says who has it.
func tryLock(ctx context.Context, conn *pgx.Conn, me Holder) (held bool, by Holder, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience) // the connection may be silent
	defer cancel()
	var signed string
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1), coalesce((SELECT holder_json FROM conductor), '{}')`, int64(conductKey)).Scan(&held, &signed)
	if err != nil {
		return false, by, fmt.Errorf("try the database's lock: %w", err)
	}
	if !held {
		_ = json.Unmarshal([]byte(signed), &by) // the lock does not depend on it
		return false, by, nil
	}
	_, err = conn.Exec(ctx, `INSERT INTO conductor VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET holder_json = excluded.holder_json`, encode(me.now()))
	if err != nil {
		return held, by, fmt.Errorf("sign the database's lock: %w", err)
	}
	return held, by, nil
}

// guard watches the connection that holds the lock, beyond ctx.
func guard(ctx context.Context, conn *pgx.Conn) *Lock {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	lost := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		if watchConnection(watching, conn); watching.Err() == nil {
			close(lost)
		}
	})
	return &Lock{lost: lost, release: func() error {
		stop()
		watch.Wait()
		return closeConnection(ctx, conn)
	}}
}

// watchConnection returns when the connection is broken, or ctx ends.
func watchConnection(ctx context.Context, conn *pgx.Conn) {
	for ctx.Err() == nil {
		// Nobody notifies: what comes is the end of the session, or nothing.
		quiet, cancel := context.WithTimeout(ctx, lockPing)
		_, err := conn.WaitForNotification(quiet)
		silent := quiet.Err() != nil
		cancel()
		if err != nil && !silent {
			return
		}
		answer, cancel := context.WithTimeout(ctx, patience)
		err = conn.Ping(answer)
		cancel()
		if err != nil {
			return
		}
	}
}

// closeConnection ends the session, if there is one, though ctx has ended. The server lets go of its locks.
func closeConnection(ctx context.Context, conn *pgx.Conn) error {
	if conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return conn.Close(ctx)
}
