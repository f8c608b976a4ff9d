package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/store"
)

// serveCmd runs the controller.
type serveCmd struct {
	Database         string         `default:"sqlite:slipway.db" env:"SLIPWAY_DATABASE" help:"Where executions are kept: sqlite:PATH, or postgres://USER@HOST/NAME."`
	DatabasePassword secret         `env:"SLIPWAY_DATABASE_PASSWORD" placeholder:"REFERENCE" help:"Where PostgreSQL's password is: env:NAME or secretsmanager:ARN, of the text or of a JSON object with a password in it, as RDS keeps it. It is read anew for each connection. By default PGPASSWORD."`
	Listen           string         `default:"127.0.0.1:7878" env:"SLIPWAY_LISTEN" help:"Address of the API."`
	Advertise        string         `env:"SLIPWAY_ADVERTISE" placeholder:"URL" help:"Where others of the same database reach this API, to hand requests on to who conducts; by default the address of --listen, with this machine's on the way to the database if that stands for all."`
	Poll             *time.Duration `env:"SLIPWAY_POLL" placeholder:"30s" help:"Time between two looks at the repository, a tenth more or less; by default 30s, and 1s where the repository is on this machine."`
	NoWait           bool           `env:"SLIPWAY_NO_WAIT" help:"End at once when another process conducts the database, instead of standing by."`
}

func (*serveCmd) Help() string {
	return `Watches the deployment repository, deploys what changes, and answers the other commands. Ends on SIGINT or SIGTERM; what it was deploying goes on at the next start.

On PostgreSQL there may be several: one conducts, the others hand requests on to it and take over when it ends.

Examples:

    slipway serve --repository https://git.example.com/deployment.git --database sqlite:/var/lib/slipway/slipway.db
    slipway serve --repository https://git.example.com/deployment.git --database 'postgres://slipway@db.example.com/slipway?sslmode=require'`
}

// Validate refuses what is no time to wait, no URL and no reference to a secret, before
// anything is opened. Of a flag that its variable sets, kong asks the command alone.
func (c *serveCmd) Validate() error {
	if err := c.DatabasePassword.Validate(); err != nil {
		return fmt.Errorf("--database-password: %w", err)
	}
	if u, err := url.Parse(c.Advertise); c.Advertise != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("--advertise must be a URL, such as http://10.0.12.34:7878")
	}
	if c.Poll != nil && *c.Poll <= 0 {
		return errors.New("--poll must be longer than 0s")
	}
	return nil
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, e *env) (err error) {
	repository, err := e.openRepository(ctx)
	if err != nil {
		return err
	}
	options := controller.Options{
		Repository: repository, Target: e.target(e.log()), AWS: awsConfig, URL: c.Advertise,
		Database: store.Database{Address: c.Database, Password: c.DatabasePassword.read()},
		Interval: c.interval(repository.Local()), Version: version().Version, Logger: e.log(),
		Waiting: func(by store.Holder) { e.note("the database is conducted by %s; standing by until it ends", by) },
	}
	if c.NoWait {
		options.Waiting = nil
	}
	s, err := openService(ctx, c.Listen, options)
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to end while it stood by
		}
		return err
	}
	e.note("serving %s on %s", repository, s.url)
	return errors.Join(s.run(ctx), s.close(ctx))
}

// interval is the time between two polls.
func (c *serveCmd) interval(local bool) time.Duration {
	switch {
	case c.Poll != nil:
		return *c.Poll
	case local:
		return time.Second
	}
	return 30 * time.Second
}
