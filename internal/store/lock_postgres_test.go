package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

// soon bounds what these tests wait for; nothing here takes longer than a second.
const soon = 30 * time.Second

// terminate ends the session that holds a database's lock, as an administrator or
// the end of the server does.
func terminate(t *testing.T, d store.Database) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	ended, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		WHERE l.locktype = 'advisory' AND d.datname = current_database()`)
	if err != nil || ended.RowsAffected() != 1 {
		t.Fatalf("ended %s, %v", ended, err)
	}
}

// standBy waits for the lock elsewhere: told is who has it, got the lock.
func standBy(t *testing.T, d store.Database) (told chan store.Holder, got chan *store.Lock) {
	t.Helper()
	told, got = make(chan store.Holder, 10), make(chan *store.Lock, 1)
	var waits sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	waits.Go(func() {
		lock, err := d.Acquire(ctx, store.Self("http://127.0.0.1:7879"), func(by store.Holder) { told <- by })
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		got <- lock
	})
	t.Cleanup(func() { cancel(); waits.Wait() })
	return told, got
}

func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(soon):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

func TestPostgresLockIsHandedOver(t *testing.T) {
	t.Parallel()
	d := store.Database{Address: postgrestest.Address(t)}
	first := mustAcquire(t, d)
	told, got := standBy(t, d)
	if by := receive(t, "the holder's name", told); by.URL != me.URL || by.PID != me.PID || by.Since.IsZero() {
		t.Errorf("it was told %+v", by)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second := receive(t, "the lock", got)
	select {
	case <-first.Lost():
		t.Error("a lock that was let go counts as lost")
	case <-second.Lost():
		t.Error("a lock that is held counts as lost")
	default:
	}
	third, _ := standBy(t, d)
	if by := receive(t, "the second holder's name", third); by.URL != "http://127.0.0.1:7879" {
		t.Errorf("it was told %+v", by)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresLockIsLost(t *testing.T) {
	t.Parallel()
	d := store.Database{Address: postgrestest.Address(t)}
	first := mustAcquire(t, d)
	told, got := standBy(t, d)
	receive(t, "the holder's name", told) // before that it has a lock of its own, to make the table
	terminate(t, d)
	receive(t, "the loss", first.Lost())
	second := receive(t, "the lock", got)
	if err := first.Release(); err != nil {
		t.Errorf("letting go of what was lost: %v", err)
	}
	if _, err := d.Acquire(t.Context(), me, nil); slipway.NextOf(err) != slipway.NextPerson {
		t.Errorf("the second one does not hold it: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresLocksOfTwoDatabases(t *testing.T) {
	t.Parallel()
	for range 2 {
		lock := mustAcquire(t, store.Database{Address: postgrestest.Address(t)})
		defer func() { _ = lock.Release() }()
	}
}

func TestPostgresPassword(t *testing.T) {
	t.Parallel()
	asked := 0
	d := store.Database{Address: postgrestest.Address(t), Password: func(context.Context) (string, error) {
		asked++
		return "secret", nil
	}}
	lock := mustAcquire(t, d) // the server trusts everybody, and asks for none
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	open(t, d)
	if asked < 2 {
		t.Errorf("asked %d times: not for each connection", asked)
	}
	d.Password = func(context.Context) (string, error) { return "", errors.New("no such secret") }
	_, err := d.Acquire(t.Context(), me, func(store.Holder) { t.Error("it waits") })
	if slipway.NextOf(err) != slipway.NextPerson {
		t.Errorf("without a password acquiring gave %v", err)
	}
	if s, err := d.Open(t.Context()); slipway.NextOf(err) != slipway.NextPerson {
		t.Errorf("without a password opening gave %v, %v", s, err)
	}
}

func TestPostgresThatIsNot(t *testing.T) {
	t.Parallel()
	d := store.Database{Address: "postgres:///slipway?host=" + t.TempDir()}
	_, err := d.Acquire(t.Context(), me, func(store.Holder) { t.Error("it waits") })
	if slipway.NextOf(err) != slipway.NextPerson || slipway.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

// What is not understood may have a password in it, which nobody repeats.
func TestAddressIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"mysql://slipway:hunter2@db.example.com/slipway", "Postgres://slipway:hunter2@db.example.com/slipway", "slipway:hunter2@db.example.com",
		"host=db.example.com password=hunter2", "postgres://slipway:hunter2@db.example.com:port/slipway", "postgres://slipway:hun%hunter2@db.example.com/slipway",
		"postgres://slipway@db.example.com/slipway?sslmode=bogus&password=hunter2",
	} {
		if _, err := (store.Database{Address: address}).Open(t.Context()); slipway.NextOf(err) != slipway.NextUsage || strings.Contains(err.Error()+slipway.HintOf(err), "hunter2") {
			t.Errorf("%s gave %v", address, err)
		}
	}
}

// Pooled connections are as many as the address says, or 16.
func TestPostgresConnections(t *testing.T) {
	t.Parallel()
	// Go's own reading of URLs wants the # escaped; PostgreSQL's does not.
	address := strings.Replace(postgrestest.Address(t), "postgres:///", "postgres://slipway:pass#word@/", 1)
	for parameter, want := range map[string]int32{"": 16, "&pool_max_conns=2": 2} {
		if got := open(t, store.Database{Address: address + parameter}).Postgres().Config().MaxConns; got != want {
			t.Errorf("%q gave %d connections, want %d", parameter, got, want)
		}
	}
	if _, err := (store.Database{Address: address + "&pool_max_conns=1"}).Open(t.Context()); slipway.NextOf(err) != slipway.NextUsage {
		t.Errorf("a single connection, which is listened on, gave %v", err)
	}
}
