package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/sandbox"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/target"
)

// sandboxCmd runs the whole system on this machine.
type sandboxCmd struct {
	Dir          string            `default:".slipway/sandbox" env:"SLIPWAY_SANDBOX_DIR" help:"Where its state is kept; it goes on from there at the next start."`
	Listen       string            `default:"127.0.0.1:7878" env:"SLIPWAY_LISTEN" help:"Address of the controller's API."`
	ListenAWS    string            `env:"SLIPWAY_SANDBOX_LISTEN" placeholder:"HOST:PORT" help:"Address of the AWS API and the git server; by default the one it had before, or any on loopback."`
	TimeScale    float64           `default:"10" env:"SLIPWAY_SANDBOX_TIME_SCALE" help:"How many times faster than AWS everything happens."`
	Webhook      []string          `env:"SLIPWAY_SANDBOX_WEBHOOK" placeholder:"URL" help:"Tell this URL of each push; may be repeated."`
	Throttled    float64           `env:"SLIPWAY_SANDBOX_THROTTLED" placeholder:"SHARE" help:"Share of the requests to ECS, 0 to 1, that are throttled."`
	Failed       float64           `env:"SLIPWAY_SANDBOX_FAILED" placeholder:"SHARE" help:"Share that is answered with status 500."`
	Dropped      float64           `env:"SLIPWAY_SANDBOX_DROPPED" placeholder:"SHARE" help:"Share whose connection is dropped, half of them after the effect."`
	Lost         float64           `env:"SLIPWAY_SANDBOX_LOST" placeholder:"SHARE" help:"Share whose connection is dropped after the effect."`
	Latency      time.Duration     `env:"SLIPWAY_SANDBOX_LATENCY" placeholder:"100ms" help:"How long every request to ECS waits."`
	Rates        float64           `env:"SLIPWAY_SANDBOX_RATES" placeholder:"FACTOR" help:"Throttle requests to ECS at this multiple of ECS's own rates."`
	Lag          time.Duration     `env:"SLIPWAY_SANDBOX_LAG" placeholder:"5s" help:"How far ECS's reads lag behind, in AWS's time."`
	Function     map[string]string `env:"SLIPWAY_SANDBOX_FUNCTION" placeholder:"ARN=URL" help:"Call this URL for the Lambda function of a lifecycle hook; may be repeated."`
	Strategies   bool              `env:"SLIPWAY_SANDBOX_STRATEGIES" help:"Add cluster3, whose apps are deployed as a canary, linear, blue/green with a pause, and by CodeDeploy."`
	NoController bool              `env:"SLIPWAY_SANDBOX_NO_CONTROLLER" help:"Run AWS and git alone; start the controller yourself with slipway serve."`
}

func (*sandboxCmd) Help() string {
	return `Starts an ECS that behaves like ECS during deployments, load balancers, a git server with a deployment repository, and the controller. Needs no account, no Docker and no network. Its addresses are in sandbox.json in its folder.

Examples:

    slipway sandbox
    slipway sandbox --strategies --dir .slipway/strategies
    git clone "$(jq -r .repository .slipway/sandbox/sandbox.json)" deployment`
}

// Run runs it until ctx ends.
func (c *sandboxCmd) Run(ctx context.Context, e *env) (err error) {
	s, err := e.openSandbox(ctx, sandboxOptions{
		World: sandbox.Options{
			Dir: c.Dir, Region: sandboxRegion, Listen: c.ListenAWS, TimeScale: c.TimeScale, Webhooks: c.Webhook, Logger: e.log(),
			Rates: c.Rates, Lag: c.Lag, Functions: c.Function, Strategies: c.Strategies,
			Faults: sandbox.Faults{Throttled: c.Throttled, Failed: c.Failed, Dropped: c.Dropped, Lost: c.Lost, LatencyMs: int(c.Latency.Milliseconds())},
		},
		Listen:     c.Listen,
		Controller: !c.NoController,
	})
	if err != nil {
		return err
	}
	file := filepath.Join(c.Dir, sandbox.EndpointsFile)
	e.note("ready; the addresses are in %s", file)
	if err := e.answer(s.endpoints, func(t *table) {
		t.row("aws", s.endpoints.AWS)
		t.row("repository", s.endpoints.Repository)
		if s.endpoints.HTTP != "" {
			t.row("http", s.endpoints.HTTP)
		}
		for _, app := range sortedKeys(s.endpoints.LoadBalancers) {
			t.row(app, s.endpoints.LoadBalancers[app])
		}
	}); err != nil {
		return errors.Join(err, s.close(ctx))
	}
	return errors.Join(s.run(ctx), s.close(ctx))
}

// sandboxOptions are what a sandbox is made of.
type sandboxOptions struct {
	World  sandbox.Options
	Listen string // of the controller's API
	// Controller: run one.
	Controller bool
}

// sandboxed is a running sandbox with its controller, if it has one.
type sandboxed struct {
	world      *sandbox.World
	endpoints  sandbox.Endpoints
	repository *deployrepo.Repo
	service    *service // nil without a controller
}

// openSandbox brings the world up, starts the controller on it, and writes down
// where everything is.
func (e *env) openSandbox(ctx context.Context, o sandboxOptions) (_ *sandboxed, err error) {
	world, err := sandbox.New(ctx, o.World)
	if err != nil {
		return nil, &slipway.Error{Next: slipway.NextPerson, Message: "start the sandbox", Err: err}
	}
	s := &sandboxed{world: world, endpoints: world.Endpoints()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	s.repository, err = deployrepo.Open(ctx, deployrepo.Options{URL: world.RepositoryPath(), Logger: o.World.Logger})
	if err != nil {
		return nil, err
	}
	if o.Controller {
		s.service, err = openService(ctx, o.Listen, controller.Options{
			Repository: s.repository,
			Target:     target.New(target.Options{Config: sandboxConfig(s.endpoints.AWS), Logger: o.World.Logger}),
			AWS:        sandboxConfig(s.endpoints.AWS),
			Database:   store.Database{Address: "sqlite:" + filepath.Join(o.World.Dir, "slipway.db")},
			Interval:   time.Minute, // pushes are told at once
			Version:    version().Version,
			Logger:     o.World.Logger,
		})
		if err != nil {
			return nil, err
		}
		world.OnPush(func() { s.service.controller.Notify(slipway.TriggerPush) })
		s.endpoints.HTTP = s.service.url
	}
	return s, sandbox.WriteEndpoints(filepath.Join(o.World.Dir, sandbox.EndpointsFile), s.endpoints)
}

// run waits until ctx ends or the API fails.
func (s *sandboxed) run(ctx context.Context) error {
	if s.service == nil {
		<-ctx.Done()
		return nil
	}
	return s.service.run(ctx)
}

// close stops the controller before the world that it acts on.
func (s *sandboxed) close(ctx context.Context) error {
	var failures []error
	if s.service != nil {
		failures = append(failures, s.service.close(ctx))
	}
	return errors.Join(append(failures, s.world.Close())...)
}
