package cli

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
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
func (e *env) target(log *slog.Logger) *target.AWS {
	return target.New(target.Options{Config: awsConfig, Logger: log})
}

// awsConfig is the SDK's own configuration. An endpoint that is no URL is told
// with where it comes from; the SDK would name the call that fails by it.
func awsConfig(ctx context.Context, region string) (aws.Config, error) {
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil || loaded.BaseEndpoint == nil {
		return loaded, err
	}
	if u, err := url.Parse(*loaded.BaseEndpoint); err != nil || u.Host == "" {
		return loaded, &slipway.Error{
			Next: slipway.NextPerson, Message: fmt.Sprintf("AWS_ENDPOINT_URL, or the profile's endpoint_url, is no URL: %q", *loaded.BaseEndpoint),
			Hint: "correct it, or unset it to use AWS's own endpoints",
		}
	}
	return loaded, nil
}

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
