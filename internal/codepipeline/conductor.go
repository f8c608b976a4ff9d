package codepipeline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"github.com/slipway-cd/slipway"
)

// Source reads the deployment repository. It may be called again with the same
// arguments, and answers the same once it knows the commit.
type Source interface {
	// Revision returns the app's revision at a commit, attributed to the newest commit
	// that touched the app's folder. With an error it names the app where the app's file
	// is what is wrong; otherwise the commit may become known later.
	Revision(ctx context.Context, app slipway.App, commit string) (slipway.Revision, error)
}

// Deployments looks at what pipelines deployed. Nothing of it waits.
type Deployments interface {
	// Trace finds the deployment of d's images that was begun between from and to (zero:
	// until now) and returns it in PhaseStarted, or d in PhaseNew where there is none.
	Trace(ctx context.Context, d slipway.Deployment, from, to time.Time) (slipway.Deployment, error)
	// Observe says what became of a deployment in PhaseStarted.
	Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error)
	// Decide answers a pause of a deployment in PhaseStarted.
	Decide(ctx context.Context, d slipway.Deployment, decision slipway.Decision) (slipway.Decision, error)
}

// Options are what a Conductor works with.
type Options struct {
	// Config is the SDK's configuration, of the account that the pipelines are in.
	Config func(ctx context.Context, region string) (aws.Config, error)
	// Repository and Branch are those of the deployment repository, for the
	// pipelines' names.
	Repository, Branch string
	Source             Source
	Deployments        Deployments
	Logger             *slog.Logger
}

// Conductor runs pipelines on AWS CodePipeline. It may be used from many goroutines;
// one should be shared.
type Conductor struct {
	options Options
	cache   cache

	mu  sync.Mutex
	api *codepipeline.Client
}

// New makes a Conductor that has called nobody yet.
func New(o Options) *Conductor {
	return &Conductor{options: o, cache: newCache()}
}

// Client is the SDK's. It repeats throttled calls for about a minute, where its context
// allows: CodePipeline publishes no rates,
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html, and asking about
// many pipelines may well have many of the calls throttled.
func Client(config aws.Config) *codepipeline.Client {
	return codepipeline.NewFromConfig(config, func(o *codepipeline.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 10, 10*time.Second, ratelimit.None
		})
	})
}

// client is the SDK's. A configuration that cannot be read is tried again at the next
// call.
func (c *Conductor) client(ctx context.Context) (*codepipeline.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.api == nil {
		config, err := c.options.Config(ctx, "")
		if err != nil {
			return nil, fmt.Errorf("read the AWS configuration: %w", err)
		}
		c.api = Client(config)
	}
	return c.api, nil
}
