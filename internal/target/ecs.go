package target

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/target/schedule"
)

// Keys of what is logged.
const (
	keyApp            = "app"
	keyExecution      = "execution"
	keyDeployment     = "deployment"
	keyTaskDefinition = "taskDefinition"
	keyError          = "error"
)

// callTimeout bounds a single attempt of a call where the HTTP client is ours.
const callTimeout = 30 * time.Second

// Options are what New and NewECS need: Config at least.
type Options struct {
	// Config returns the SDK's configuration for a region; for an empty one, the
	// region is the configuration's own. The role and the endpoint of a Place are
	// added to it here. It is the caller's: config.LoadDefaultConfig links much that a
	// Lambda function has no use for.
	Config func(ctx context.Context, region string) (aws.Config, error)
	// HTTPClient makes the calls to AWS. Nil leaves it to the configuration.
	HTTPClient *http.Client
	// Logger gets what is written to AWS (info) and what could not be found out
	// but is not needed (debug). Nil discards it.
	Logger *slog.Logger
}

// ECS deploys to services that ECS itself deploys (deployment controller ECS),
// with every strategy. It may be used from many
// goroutines; one should be shared, because it gathers calls and keeps the
// budget.
type ECS struct {
	options Options

	mu      sync.Mutex
	clients map[clientKey]*client
}

// clientKey is what of a Place needs a client of its own.
type clientKey struct{ region, role, endpoint string }

// client is ECS as one region, role and endpoint show it.
type client struct {
	api      *ecs.Client
	region   string // as it was resolved
	role     string // ARN, or empty
	endpoint string // base URL, or empty for AWS's own
	called   string // what errors call the service; empty for ECS
	log      *slog.Logger
	config   aws.Config
	budget   *budget
	// services, records and revisions gather calls, by name and by ARN.
	services  batcher[described]
	records   batcher[*types.ServiceDeployment]
	revisions batcher[string]
	// images are those of task definitions, runs the task definitions of service
	// revisions, and carriers the service deployments that were found for watched
	// deployments.
	images   cache[[]slipway.Image]
	runs     cache[string]
	carriers cache[string]
	// timers are what starts tasks on time, and clusters the ARNs of clusters.
	timers   *schedule.Client
	clusters cache[string]
}

// NewECS returns a target for services alone, that has called nobody yet.
func NewECS(options Options) *ECS {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &ECS{options: options, clients: map[clientKey]*client{}}
}

// client returns the one client for a place's region, role and endpoint.
func (e *ECS) client(ctx context.Context, place slipway.Place) (*client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := clientKey{place.Region, place.RoleARN, place.Endpoint}
	if known := e.clients[key]; known != nil {
		return known, nil
	}
	made, err := e.connect(ctx, key)
	if err != nil {
		return nil, err
	}
	e.clients[key] = made
	return made, nil
}

func (e *ECS) connect(ctx context.Context, key clientKey) (*client, error) {
	cfg, err := e.options.Config(ctx, key.region)
	if err != nil {
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: "cannot load the AWS configuration", Err: err,
			Hint: "correct the profile or the environment that it names (AWS_PROFILE, ~/.aws/config)",
		}
	}
	if key.region != "" {
		cfg.Region = key.region
	}
	if cfg.Region == "" {
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: "no AWS region is set",
			Hint: "set AWS_REGION, a profile's region, or the cluster's region in slipway.yaml",
		}
	}
	cfg.HTTPClient = httpClient(e.options.HTTPClient, cfg.HTTPClient)
	if key.role != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), key.role,
			func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "slipway" }))
	}
	cfg.Credentials = markErrors(cfg.Credentials)

	c := &client{region: cfg.Region, role: key.role, endpoint: key.endpoint, log: e.options.Logger, config: cfg, budget: newBudget()}
	c.services.most, c.services.describe = batchSize, c.describeServices
	c.records.most, c.records.describe = recordBatch, c.describeRecords
	c.revisions.most, c.revisions.describe = recordBatch, c.describeRevisions
	c.api = ecs.NewFromConfig(cfg, func(o *ecs.Options) {
		o.Retryer = c.budget.retryer()
		if key.endpoint != "" {
			o.BaseEndpoint = aws.String(key.endpoint)
		}
		if c.endpoint == "" && o.BaseEndpoint != nil {
			c.endpoint = *o.BaseEndpoint
		}
	})
	c.timers = c.newTimers()
	return c, nil
}

// elsewhere is where AWS's other services are, for the base endpoint of their
// clients; nil leaves it to the SDK. A place's endpoint is ECS's: only where that
// is not AWS's own (a sandbox, an emulator) are the others there, too.
func (c *client) elsewhere() *string {
	if c.endpoint == "" || strings.Contains(c.endpoint, ".amazonaws.com") || strings.Contains(c.endpoint, ".api.aws") {
		return nil
	}
	return aws.String(c.endpoint)
}

// httpClient prefers ours, then the configuration's, and gives the SDK's own a
// bound: it has none.
func httpClient(ours *http.Client, configured aws.HTTPClient) aws.HTTPClient {
	if ours != nil {
		return ours
	}
	if configured == nil {
		configured = awshttp.NewBuildableClient()
	}
	if buildable, ok := configured.(*awshttp.BuildableClient); ok {
		return buildable.WithTimeout(callTimeout)
	}
	return configured
}

// markErrors makes the errors of a provider of credentials known by their type.
func markErrors(provider aws.CredentialsProvider) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		if provider == nil {
			return aws.Credentials{}, &credentialsError{fmt.Errorf("the configuration names no provider of credentials")}
		}
		credentials, err := provider.Retrieve(ctx)
		if err != nil {
			return credentials, &credentialsError{err}
		}
		return credentials, nil
	})
}
