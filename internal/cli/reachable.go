package cli

import (
	"cmp"
	"context"
	"net"
	"net/url"
)

// reachable is the URL at which others of the same database reach an address that
// this process listens on. One that stands for all of the machine's is the address
// from which the machine reaches the database.
func reachable(ctx context.Context, listens net.Addr, database string) string {
	host, port, err := net.SplitHostPort(listens.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = towards(ctx, database)
	}
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}).String()
}

// towards is this machine's own address on the way to a database: loopback, if the
// database is on this machine.
func towards(ctx context.Context, database string) string {
	const here = "127.0.0.1"
	address, err := url.Parse(database)
	if err != nil || address.Hostname() == "" {
		return here // a file, or a socket in one
	}
	// Connecting a UDP socket sends nothing: it asks the machine for the way.
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", net.JoinHostPort(address.Hostname(), cmp.Or(address.Port(), "5432")))
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
