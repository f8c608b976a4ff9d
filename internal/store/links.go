package store

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// links are the connections to PostgreSQL of one Store.
type links struct {
	mu   sync.Mutex
	cut  bool
	open map[*link]struct{}
}

// link is one of them.
type link struct {
	net.Conn
	of *links
}

// errCutOff counts as interrupted: nobody is to try again.
var errCutOff = fmt.Errorf("the database was cut off: %w", context.Canceled)

// over has connections that dial makes counted among the links.
func (l *links) over(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cut {
			_ = conn.Close()
			return nil, errCutOff
		}
		made := &link{Conn: conn, of: l}
		l.open[made] = struct{}{}
		return made, nil
	}
}

// cutOff closes all of them, whoever waits for an answer, and lets nobody make another.
func (l *links) cutOff() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for link := range l.open {
		_ = link.Conn.Close()
	}
	clear(l.open)
}

// Close closes one.
func (l *link) Close() error {
	l.of.mu.Lock()
	delete(l.of.open, l)
	l.of.mu.Unlock()
	return l.Conn.Close()
}
