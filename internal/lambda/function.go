package lambda

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codecommit"
	conductor "github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/steps"
	"github.com/slipway-cd/slipway/internal/target"
)

// The keys of the function's log records.
const (
	keyApp       = "app"
	keyExecution = "execution"
	keyPipeline  = "pipeline"
	keyCommit    = "commit"
	keyJob       = "job"
	keyOutcome   = "outcome"
	keyReason    = "reason"
	keyError     = "error"
)

// Options are what a Function works with.
type Options struct {
	// AWS is the configuration for CodeCommit and CodePipeline.
	AWS aws.Config
	// Target is the configuration for what is deployed to, by region; an empty region
	// is the function's own.
	Target   func(ctx context.Context, region string) (aws.Config, error)
	Settings Settings
	Logger   *slog.Logger
}

// Function is a Lambda function's code. It may handle several events at once.
type Function struct {
	aws       aws.Config
	pipelines *codepipeline.Client
	target    steps.Target
	settings  Settings
	log       *slog.Logger
}

// New returns a function that has called nobody yet.
func New(o Options) *Function {
	return &Function{
		aws: o.AWS, settings: o.Settings, log: o.Logger,
		pipelines: conductor.Client(o.AWS),
		target:    target.New(target.Options{Config: o.Target, Logger: o.Logger}),
	}
}

// repository is a repository of CodeCommit, of the function's account and region.
func (f *Function) repository(name string) *codecommit.Repository {
	return codecommit.New(f.aws, name)
}

// Handle does what an event asks for, which its shape says. The result is for whoever
// called the function by hand. An error makes Lambda try again, and hand the event to
// the dead letter queue in the end. The event itself is never logged: CodePipeline's
// has credentials in it.
func (f *Function) Handle(ctx context.Context, event json.RawMessage) (any, error) {
	var in struct {
		Job        *job   `json:"CodePipeline.job"`
		DetailType string `json:"detail-type"`
	}
	if err := json.Unmarshal(event, &in); err != nil {
		return nil, slipway.Usagef("the event is no JSON object: %v", err)
	}
	switch {
	case in.Job != nil:
		return nil, f.deploy(ctx, *in.Job)
	case in.DetailType == stateChange:
		result, err := f.trigger(ctx, event)
		if err != nil {
			f.log.ErrorContext(ctx, "not every pipeline was started", keyError, err)
		}
		return result, err
	}
	return nil, slipway.Usagef("the event is neither a %q of CodeCommit's nor a job of CodePipeline's; detail-type %q", stateChange, in.DetailType)
}
