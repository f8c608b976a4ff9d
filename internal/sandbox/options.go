package sandbox

import (
	"cmp"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// DefaultTimeScale makes a rollout of a minute and a half take ten seconds:
// long enough to be watched, short enough not to be waited for.
const DefaultTimeScale = 10

// Options are how a World is made. Only Dir is required.
type Options struct {
	// Dir is the folder that holds the world; it is created when it is missing.
	Dir string
	// Listen is the host:port of the AWS API and the git server. Empty is the port
	// that the world had before, or any, on loopback. There is no authentication:
	// keep it there.
	Listen string
	// TimeScale divides all times of AWS: 10 makes a minute last six seconds. Zero
	// is DefaultTimeScale.
	TimeScale float64
	Region    string // eu-west-1 if empty
	Account   string // 111122223333 if empty
	// Branch is the deployment repository's, if it is created now; main if empty.
	Branch string
	// Strategies adds cluster3, whose apps are deployed as a canary, linear, blue/green
	// with a pause for a person, and by CodeDeploy. It is for a new world; one that is
	// there already is what it was made.
	Strategies bool
	// Webhooks are URLs that are told of each push; see gitserver.Update.
	Webhooks []string
	// Functions are the URLs of Lambda functions that are not created through the
	// API, by ARN: each is posted the event, and answers as a function would.
	Functions map[string]string
	// LoadBalancing is Elastic Load Balancing, where CodeDeploy finds its target groups
	// and shifts traffic; nil is the sandbox's own.
	LoadBalancing LoadBalancing
	// Calls is told of each call that is made with a role's credentials: those of a
	// Lambda function, a pipeline, a rule's target. Nil is told nothing.
	Calls trail.Tell
	// Rates throttles requests to the ECS API at a multiple of ECS's own rates, in
	// the world's time: 1 is ECS, 0 not at all.
	Rates float64
	// Lag is how far ECS's reads lag behind, in AWS's time.
	Lag time.Duration
	// Faults go wrong from the beginning, but not while the world is seeded.
	Faults Faults
	// Logger is told of requests and trouble; nil for silence.
	Logger *slog.Logger
}

// LoadBalancing is an Elastic Load Balancing beside the sandbox, such as that of
// another simulator. It must not call back.
type LoadBalancing interface {
	// TargetGroup returns the ARN of the target group of a name, and false when there
	// is none.
	TargetGroup(name string) (arn string, found bool)
	// Shift has a listener forward new requests to target groups, by ARN, each with
	// its weight by the sum of all.
	Shift(listenerARN string, weights map[string]float64)
}

// complete fills in the defaults. An error says which option is wrong.
func (o Options) complete() (Options, error) {
	if o.Dir == "" {
		return o, fmt.Errorf("the sandbox needs a folder")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, err
	}
	o.Dir = dir
	o.TimeScale = cmp.Or(o.TimeScale, DefaultTimeScale)
	if o.TimeScale < 0.1 || o.TimeScale > 1000 {
		return o, fmt.Errorf("the time scale %v is out of range: use 0.1 to 1000", o.TimeScale)
	}
	if o.Rates < 0 || o.Lag < 0 {
		return o, fmt.Errorf("rates and lag cannot be negative")
	}
	o.Region = cmp.Or(o.Region, "eu-west-1")
	o.Account = cmp.Or(o.Account, "111122223333")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, o.Faults.validate()
}
