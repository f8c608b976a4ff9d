package postgrestest

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// Network is between clients and a database. It can fall silent, as one does whose
// other end has gone or hangs: nobody hears a word, not even that nobody listens.
type Network struct {
	listener net.Listener
	cluster  *cluster
	name     string // of the database
	ended    chan struct{}
	carrying sync.WaitGroup

	mu     sync.Mutex
	silent chan struct{} // closed when what was connected until then is cut off
	deaf   bool          // what connects now is cut off at once
	conns  []net.Conn
}

// NewNetwork makes an empty database, and a network to it. Where PostgreSQL is not
// installed, the test is skipped.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	name := database(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{listener: listener, cluster: started.Load(), name: name, ended: make(chan struct{}), silent: make(chan struct{})}
	n.carrying.Go(n.accept)
	t.Cleanup(n.close)
	return n
}

// Address is the database's, over the network.
func (n *Network) Address() string {
	return fmt.Sprintf("postgres://slipway@%s/%s?sslmode=disable", n.listener.Addr(), n.name)
}

// Direct is the database's address past the network.
func (n *Network) Direct() string { return n.cluster.address(n.name) }

// Hang cuts off what is connected, for good, and what connects until Heal.
func (n *Network) Hang() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.silent)
	n.silent, n.deaf = make(chan struct{}), true
}

// Heal lets new connections through.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deaf = false
}

func (n *Network) accept() {
	for {
		client, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.connect(client)
	}
}

func (n *Network) connect(client net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, client)
	if n.deaf {
		return
	}
	server, err := (&net.Dialer{}).DialContext(context.Background(), "unix", filepath.Join(n.cluster.folder, ".s.PGSQL.5432"))
	if err != nil {
		_ = client.Close()
		return
	}
	n.conns = append(n.conns, server)
	silent := n.silent
	n.carrying.Go(func() { n.carry(server, client, silent) })
	n.carrying.Go(func() { n.carry(client, server, silent) })
}

// carry copies until one end closes, of which it tells the other, or silence.
func (n *Network) carry(to, from net.Conn, silent chan struct{}) {
	buffer := make([]byte, 32<<10)
	for {
		read, err := from.Read(buffer)
		select {
		case <-silent:
			<-n.ended
			return
		default:
		}
		if read > 0 {
			_, _ = to.Write(buffer[:read])
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

func (n *Network) close() {
	_ = n.listener.Close()
	close(n.ended)
	n.mu.Lock()
	for _, conn := range n.conns {
		_ = conn.Close()
	}
	n.mu.Unlock()
	n.carrying.Wait()
}
