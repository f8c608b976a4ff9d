package cli

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/target"
)

// openRepository opens the deployment repository that the flags name.
func (e *env) openRepository(ctx context.Context) (*deployrepo.Repo, error) {
	if e.Repository == "" {
		return nil, &slipway.Error{
			Next: slipway.NextUsage, Message: "no deployment repository is named",
			Hint: "pass --repository URL or DIR, or set SLIPWAY_REPOSITORY",
		}
	}
	return deployrepo.Open(ctx, e.repositoryOptions())
}

func (e *env) repositoryOptions() deployrepo.Options {
	return deployrepo.Options{URL: e.Repository, Branch: e.Branch, Logger: e.log()}
}

// target returns the target that acts with the SDK's own configuration.
func (e *env) target() *target.ECS { return target.New(target.Options{Logger: e.log()}) }

// sandboxRegion is where the sandbox says that it is.
const sandboxRegion = "eu-west-1"

// sandboxConfig makes the target act on a sandbox, whatever the environment
// says about AWS: a sandbox must never reach a real account.
func sandboxConfig(endpoint string) func(context.Context, string) (aws.Config, error) {
	return func(_ context.Context, asked string) (aws.Config, error) {
		if asked == "" {
			asked = sandboxRegion
		}
		return aws.Config{
			Region: asked, BaseEndpoint: aws.String(endpoint),
			Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
		}, nil
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// quietLog is the log of what runs behind a story: errors alone, unless details
// are asked for.
func quietLog(e *env) *slog.Logger {
	if !e.Verbose {
		quiet := *e
		quiet.Quiet = true
		e = &quiet
	}
	return e.log()
}
