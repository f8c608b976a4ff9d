package cli

import (
	"context"
	"net"
	"net/url"

	"github.com/slipway-cd/slipway/internal/store"
)

// reachable is the URL at which others of the same database reach an address that
// this process listens on. One that stands for all of the machine's is the address
// from which the machine reaches the database.
func reachable(ctx context.Context, listens net.Addr, database store.Database) string {
	host, port, err := net.SplitHostPort(listens.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = towards(ctx, database.Server())
	}
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}).String()
}

// towards is this machine's own address on the way to a server, host:port: loopback, if
// that is on this machine, or none.
func towards(ctx context.Context, server string) string {
	const here = "127.0.0.1"
	if server == "" {
		return here
	}
	// Connecting a UDP socket sends nothing: it asks the machine for the way.
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server)
	if err != nil {
		return here
	}
	defer func() { _ = conn.Close() }()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	if err != nil {
		return here
	}
	return host
}
