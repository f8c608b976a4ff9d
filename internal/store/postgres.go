package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/slipway-cd/slipway"
)

// The advisory locks of a database: of who conducts, which a session holds, and of
// who writes, which a transaction does. They are in PostgreSQL's space of names for
// one database; the number is "slipway" in ASCII.
const (
	conductKey = 0x736c6970776179
	writeKey   = conductKey + 1
)

// pooled is how many connections there are unless the address says pool_max_conns.
const pooled = 16

// connectTimeout bounds the making of a connection, and the reading of its password.
const connectTimeout = 10 * time.Second

// patience is how long a connection of which only a sign of life is wanted may take.
const patience = 3 * time.Second

// keepalive has the server end the session of a client that has gone without a word
// after eleven seconds: its lock, and its transaction's, would keep others waiting.
// Of a client that is owed an answer the kernel's probes are silent, hence the last.
var keepalive = map[string]string{
	"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3", "tcp_user_timeout": "11000",
}

// openPostgres opens the database in PostgreSQL.
func (d Database) openPostgres(ctx context.Context) (*Store, error) {
	config, err := d.postgresConfig()
	if err != nil {
		return nil, err
	}
	links := &links{open: make(map[*link]struct{})}
	config.ConnConfig.DialFunc = links.over(config.ConnConfig.DialFunc)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s := &Store{
		db: stdlib.OpenDBFromPool(pool), pool: pool, links: links,
		// What is read behind it is as of then, whatever the database's default is.
		turn: fmt.Sprintf("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(%d)", writeKey),
	}
	if err := s.prepare(ctx); err != nil {
		return nil, cannotOpen(config.ConnConfig, err)
	}
	return s, nil
}

// postgresConfig is what the address says.
func (d Database) postgresConfig() (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(d.Address)
	if err != nil { // its text has no password
		return nil, &slipway.Error{
			Next: slipway.NextUsage, Message: "the database's address is not understood", Err: err,
			Hint: "write postgres://USER@HOST:5432/NAME, with sslmode and other parameters behind a ?",
		}
	}
	if !strings.Contains(d.Address, "pool_max_conns=") {
		config.MaxConns = pooled
	}
	if config.MaxConns < 2 { // the workflow library keeps one to listen on, and would wait for another for good
		return nil, slipway.Usagef("pool_max_conns in the database's address must be 2 or more")
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = patience
	}
	for name, value := range keepalive {
		if _, named := config.ConnConfig.RuntimeParams[name]; !named {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	if _, named := config.ConnConfig.RuntimeParams["application_name"]; !named {
		config.ConnConfig.RuntimeParams["application_name"] = "slipway"
	}
	if d.Password != nil {
		config.BeforeConnect = d.authenticate
	}
	return config, nil
}

// authenticate sets the password of a connection that is about to be made.
func (d Database) authenticate(ctx context.Context, config *pgx.ConnConfig) error {
	if d.Password == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	password, err := d.Password(ctx)
	if err != nil {
		return fmt.Errorf("read the database's password: %w", err)
	}
	config.Password = password
	return nil
}

// cannotOpen is the error about a database that cannot be reached or used.
func cannotOpen(config *pgx.ConnConfig, err error) error {
	return &slipway.Error{
		Next: slipway.NextPerson, Message: fmt.Sprintf("open database %s on %s", config.Database, config.Host), Err: err,
		Hint: "the server must be reachable, the database exist, and the user may create tables in it",
	}
}
