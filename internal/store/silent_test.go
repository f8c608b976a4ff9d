package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

// Who stands by on a connection that has fallen silent takes over nevertheless.
func TestSilentConnectionOfWhoStandsBy(t *testing.T) {
	t.Parallel()
	network := postgrestest.NewNetwork(t)
	first := mustAcquire(t, store.Database{Address: network.Direct()})
	told, got := standBy(t, store.Database{Address: network.Address()})
	receive(t, "the holder's name", told)
	network.Hang()
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	network.Heal()
	if err := receive(t, "the lock", got).Release(); err != nil {
		t.Fatal(err)
	}
}

// A connection of the pool that has fallen silent is replaced by another one.
func TestSilentConnectionOfThePool(t *testing.T) {
	t.Parallel()
	network := postgrestest.NewNetwork(t)
	s := open(t, store.Database{Address: network.Address()})
	network.Hang()
	network.Heal()
	<-time.After(1100 * time.Millisecond) // the pool trusts what was used in the last second
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := s.InProgress(ctx); err != nil {
		t.Error(err)
	}
}

// What is stuck in the database does not keep the Store open.
func TestCloseWhileStuck(t *testing.T) {
	t.Parallel()
	d := store.Database{Address: postgrestest.Address(t)}
	s, other := open(t, d), open(t, d)
	tx, err := other.Postgres().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `LOCK executions`); err != nil {
		t.Fatal(err)
	}
	answer, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.InProgress(t.Context())
		answer <- err
	}()
	for s.Postgres().Stat().AcquiredConns() == 0 {
		<-time.After(time.Millisecond)
	}
	go func() { closed <- s.Close() }()
	if err := receive(t, "the end", closed); err != nil {
		t.Error(err)
	}
	if err := receive(t, "an answer", answer); err == nil {
		t.Error("it read what was locked")
	}
}

// What waits for an answer when the database is cut off gets an error, and the Store
// can be closed.
func TestCutOff(t *testing.T) {
	t.Parallel()
	network := postgrestest.NewNetwork(t)
	s := open(t, store.Database{Address: network.Address()})
	network.Hang()
	answer := make(chan error, 1)
	go func() {
		_, err := s.InProgress(t.Context())
		answer <- err
	}()
	select {
	case err := <-answer:
		t.Fatalf("a silent database answered %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	s.CutOff()
	network.Heal()
	if err := receive(t, "an answer", answer); err == nil {
		t.Error("it read over a connection that was cut off")
	}
	if _, err := s.InProgress(t.Context()); err == nil {
		t.Error("it makes new connections")
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	if err := receive(t, "the end", closed); err != nil {
		t.Error(err)
	}
}
