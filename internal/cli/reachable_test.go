package cli

import (
	"net"
	"testing"

	"github.com/slipway-cd/slipway/internal/store"
)

func TestReachable(t *testing.T) {
	t.Setenv("PGHOST", "::1") // of an address that names none
	for _, test := range []struct{ ip, database, want string }{
		{"127.0.0.1", "sqlite:slipway.db", "http://127.0.0.1:7878"},
		{"10.0.12.34", "postgres://slipway@127.0.0.1/slipway", "http://10.0.12.34:7878"},
		{"0.0.0.0", "postgres://slipway@127.0.0.1:5433/slipway?sslmode=require", "http://127.0.0.1:7878"},
		{"::", "postgres://slipway@127.0.0.1/slipway", "http://127.0.0.1:7878"},
		{"::", "postgres://slipway@[::1]/slipway", "http://[::1]:7878"},
		{"::", "postgres:///slipway?host=/var/run/postgresql", "http://127.0.0.1:7878"},
		{"::", "postgres:///slipway?host=::1", "http://[::1]:7878"},
		{"::", "postgres://slipway@[::1]:5432,db.example.com:5432/slipway", "http://[::1]:7878"},
		{"::", "postgres:///slipway", "http://[::1]:7878"},
		{"0.0.0.0", "sqlite:slipway.db", "http://127.0.0.1:7878"},
		{"0.0.0.0", "postgres://slipway@no such host/slipway", "http://127.0.0.1:7878"},
	} {
		if got := reachable(t.Context(), &net.TCPAddr{IP: net.ParseIP(test.ip), Port: 7878}, store.Database{Address: test.database}); got != test.want {
			t.Errorf("%s towards %s is reached at %s, want %s", test.ip, test.database, got, test.want)
		}
	}
}
