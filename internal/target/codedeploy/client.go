package codedeploy

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Options are what New needs; all but Endpoint are required.
type Options struct {
	Config aws.Config
	// Endpoint is the base URL; nil leaves it to the SDK.
	Endpoint *string
	// Retryer is for calls that read, Once for those that write: whose answer may be
	// lost though they had their effect, so that the SDK must not repeat them.
	Retryer, Once aws.Retryer
	// Explain says what became of a call and what to do about it. doing is like
	// "cannot stop deployment d-A1B2C3D4E".
	Explain func(ctx context.Context, err error, doing string) error
}

// Client is CodeDeploy as one region and role show it. It may be used from many
// goroutines.
type Client struct {
	api     *codedeploy.Client
	once    func(*codedeploy.Options)
	explain func(ctx context.Context, err error, doing string) error

	mu      sync.Mutex
	groups  map[service]Group
	configs map[string]*types.TrafficRoutingConfig // by name
}

// New returns a client that has called nobody yet.
func New(o Options) *Client {
	return &Client{
		api: codedeploy.NewFromConfig(o.Config, func(to *codedeploy.Options) {
			to.Retryer, to.BaseEndpoint = o.Retryer, o.Endpoint
		}),
		once:    func(to *codedeploy.Options) { to.Retryer = o.Once },
		explain: o.Explain, groups: map[service]Group{}, configs: map[string]*types.TrafficRoutingConfig{},
	}
}
