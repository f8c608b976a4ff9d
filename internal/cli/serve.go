package cli

import (
	"context"
	"errors"
	"time"

	"github.com/slipway-cd/slipway/internal/controller"
)

// serveCmd runs the controller.
type serveCmd struct {
	Database string         `default:"sqlite:slipway.db" env:"SLIPWAY_DATABASE" help:"Where executions are kept; a file on a local disk."`
	Listen   string         `default:"127.0.0.1:7878" env:"SLIPWAY_LISTEN" help:"Address of the API."`
	Poll     *time.Duration `env:"SLIPWAY_POLL" placeholder:"30s" help:"Time between two looks at the repository, a tenth more or less; by default 30s, and 1s where the repository is on this machine."`
	NoWait   bool           `env:"SLIPWAY_NO_WAIT" help:"End at once when another process conducts the database, instead of standing by."`
}

func (*serveCmd) Help() string {
	return `Watches the deployment repository, deploys what changes, and answers the other commands. Ends on SIGINT or SIGTERM; what it was deploying goes on at the next start.

Examples:

    slipway serve --repository https://git.example.com/deployment.git --database sqlite:/var/lib/slipway/slipway.db`
}

// Validate refuses what is no time to wait before anything is opened.
func (c *serveCmd) Validate() error {
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
		Repository: repository, Target: e.target(e.log()), AWS: awsConfig, Database: c.Database,
		Interval: c.interval(repository.Local()), Version: version().Version, Logger: e.log(),
		Waiting: func(who string) { e.note("%s; standing by until it ends", who) },
	}
	if c.NoWait {
		options.Waiting = nil
	}
	s, err := openService(ctx, c.Listen, options)
	if err != nil {
		if errors.Is(err, context.Canceled) {
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
