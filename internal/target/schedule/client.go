package schedule

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/smithy-go"
)

// Options are what New needs; all but Endpoint are required.
type Options struct {
	Config aws.Config
	// Endpoint is the base URL of both services; nil leaves it to the SDK.
	Endpoint *string
	// Retryer is for calls that read, Once for those that write: whose answer may be
	// lost though they had their effect, so that the SDK must not repeat them.
	Retryer, Once aws.Retryer
	// Explain says what became of a call and what to do about it. doing is like
	// "cannot read schedule nightly".
	Explain func(ctx context.Context, err error, doing string) error
}

// Client is EventBridge and its Scheduler as one region and role show them. It may
// be used from many goroutines.
type Client struct {
	rules     *eventbridge.Client
	schedules *scheduler.Client
	once      aws.Retryer
	explain   func(ctx context.Context, err error, doing string) error

	mu    sync.Mutex
	looks map[string]*look // by cluster
}

// New returns a client that has called nobody yet.
func New(o Options) *Client {
	return &Client{
		rules: eventbridge.NewFromConfig(o.Config, func(to *eventbridge.Options) {
			to.Retryer = o.Retryer
			if o.Endpoint != nil {
				to.BaseEndpoint = o.Endpoint
			}
		}),
		schedules: scheduler.NewFromConfig(o.Config, func(to *scheduler.Options) {
			to.Retryer = o.Retryer
			if o.Endpoint != nil {
				to.BaseEndpoint = o.Endpoint
			}
		}),
		once: o.Once, explain: o.Explain, looks: map[string]*look{},
	}
}

// isGone reports whether a call named what does not exist any more.
func isGone(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "ResourceNotFoundException"
}

// atOnce is how many rules and schedules are read at once.
const atOnce = 8

// each calls f for 0 to n-1, some at once, and returns the first error.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var calls sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range n {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		calls.Go(func() {
			if err := f(ctx, i); err != nil {
				cancel(err)
			}
			<-turns
		})
	}
	calls.Wait()
	return context.Cause(ctx)
}
