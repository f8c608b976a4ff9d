package dataplane

import (
	"context"
	"io"
	"net"
	"sync"
)

// serveTCP serves a listener until ctx ends.
func (b *loadBalancer) serveTCP(ctx context.Context, listener net.Listener) {
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	var connections sync.WaitGroup
	defer connections.Wait()
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		connections.Go(func() { b.forwardTCP(ctx, client.(*net.TCPConn)) })
	}
}

// forwardTCP joins a client with a target until both have said all, one broke,
// or ctx ends. Without a target that can be reached the client gets a reset.
func (b *loadBalancer) forwardTCP(ctx context.Context, client *net.TCPConn) {
	upstream := b.dial(ctx)
	if upstream == nil {
		reset(client)
		return
	}
	hangUp := func() {
		_ = client.Close()
		_ = upstream.Close()
	}
	defer hangUp()
	defer context.AfterFunc(ctx, hangUp)()
	var pumps sync.WaitGroup
	pumps.Go(func() { pump(upstream, client) })
	pump(client, upstream)
	pumps.Wait()
}

// dial connects to a healthy target, or returns nil.
func (b *loadBalancer) dial(ctx context.Context) *net.TCPConn {
	for t := range b.targets() {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address); err == nil {
			return conn.(*net.TCPConn)
		}
	}
	return nil
}

// pump copies what one side says to the other, and its end.
func pump(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		// Broken: the other direction must not wait for a side that is gone.
		_ = to.Close()
		_ = from.Close()
		return
	}
	_ = to.CloseWrite()
}
