package codedeploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TargetPrefix is what the X-Amz-Target headers of CodeDeploy requests begin
// with.
const TargetPrefix = "CodeDeploy_20141006"

// ECS is what CodeDeploy does with ECS: what the managed policy
// AWSCodeDeployRoleForECS allows. It must not call back.
type ECS interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error)
	CreateTaskSet(context.Context, *ecs.CreateTaskSetInput) (*ecs.CreateTaskSetOutput, error)
	UpdateServicePrimaryTaskSet(context.Context, *ecs.UpdateServicePrimaryTaskSetInput) (*ecs.UpdateServicePrimaryTaskSetOutput, error)
	DeleteTaskSet(context.Context, *ecs.DeleteTaskSetInput) (*ecs.DeleteTaskSetOutput, error)
}

// Traffic is Elastic Load Balancing as far as CodeDeploy changes it. It must not
// call back.
type Traffic interface {
	// Shift has a listener forward new requests to target groups, by ARN, each
	// with its weight by the sum of all.
	Shift(listenerARN string, weights map[string]float64)
}

// Alarms are the account's CloudWatch alarms. State is an alarm's state, OK,
// ALARM or INSUFFICIENT_DATA; ok is false when there is no alarm of that name. It
// must not call back.
type Alarms interface {
	State(name string) (state string, ok bool)
}

// Functions are the account's Lambda functions, by name or ARN. A hook's function
// reports with PutLifecycleEventHookExecutionStatus; an error says that it could
// not be called. It must end when ctx does.
type Functions interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// Options are how a Service is made. Region, Account, Traffic and TargetGroup are
// required.
type Options struct {
	Region, Account string
	Traffic         Traffic
	// TargetGroup returns the ARN of the target group of a name, and false when
	// there is none.
	TargetGroup func(name string) (arn string, found bool)
	Alarms      Alarms    // none if nil
	Functions   Functions // none if nil
	// TimeScale divides all of CodeDeploy's times. 0 means 1.
	TimeScale float64
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State []byte
	// Changed is called when the state has changed, from any goroutine: it must be
	// quick. Nil if nobody wants to know.
	Changed func()
	Logger  *slog.Logger // discards if nil
}

// Service is a CodeDeploy. See the package comment.
type Service struct {
	options Options
	actions http.Handler
	// ctx ends with Close; calls are those of functions that go on.
	ctx    context.Context
	cancel context.CancelFunc
	calls  sync.WaitGroup

	mu     sync.Mutex // guards all below, and is held by every method of api
	state  *state
	ecs    ECS // nil before Start
	timers map[*time.Timer]struct{}
	closed bool
}

// New makes a CodeDeploy, which serves once it is started. The error says that
// the state cannot be read.
func New(options Options) (*Service, error) {
	if options.TimeScale == 0 {
		options.TimeScale = 1
	}
	if options.Changed == nil {
		options.Changed = func() {}
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Service{
		options: options,
		state:   &state{Applications: map[string]*application{}},
		timers:  map[*time.Timer]struct{}{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.actions = awsjson.Handler(TargetPrefix, api{c})
	if options.State != nil {
		if err := json.Unmarshal(options.State, c.state); err != nil {
			return nil, fmt.Errorf("read CodeDeploy's state: %w", err)
		}
	}
	return c, nil
}

// Start has it serve, and go on with the deployments in its state.
func (c *Service) Start(ecs ECS) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ecs = ecs
	for _, d := range c.state.Deployments {
		c.resume(d)
	}
}

// Close stops all timers and waits for the functions that are being called.
// Nothing changes afterwards and nothing is called; Snapshot still answers.
func (c *Service) Close() {
	c.mu.Lock()
	c.closed = true
	for t := range c.timers {
		t.Stop()
	}
	c.mu.Unlock()
	c.cancel()
	c.calls.Wait()
}

// Snapshot is the whole state, for Options.State.
func (c *Service) Snapshot() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.Marshal(c.state)
}

// Handler serves CodeDeploy's actions. An [awsjson.Mux] puts other services
// beside it.
func (c *Service) Handler() http.Handler { return http.HandlerFunc(c.serve) }

// api are the actions; each has the lock.
type api struct{ *Service }

// serve answers one request with the lock held from decoding to encoding, so
// that actions may answer with parts of the state.
func (c *Service) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := awsjson.NewAnswer()
	c.mu.Lock()
	if c.closed || c.ecs == nil {
		c.mu.Unlock()
		awsjson.WriteError(w, &awsjson.Error{Code: "InternalFailure", Message: "the sandbox is not up", Status: http.StatusServiceUnavailable})
		return
	}
	c.actions.ServeHTTP(answer, r)
	if _, operation := awsjson.Target(r); !awsjson.Reads(operation) {
		c.options.Changed()
	}
	c.mu.Unlock()
	answer.Send(w)
}

// stepIn works on a deployment once d of AWS's time has passed.
func (c *Service) stepIn(d *deployment, wait time.Duration) {
	var t *time.Timer
	t = time.AfterFunc(time.Duration(float64(wait)/c.options.TimeScale), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
		if c.closed || d.over() {
			return
		}
		c.step(d)
		if !d.over() {
			c.stepIn(d, pollEvery)
		}
	})
	c.timers[t] = struct{}{}
}

// resume goes on with a deployment after a restart. Later deployments are resumed
// later, so that the listeners end as the last one left them.
func (c *Service) resume(d *deployment) {
	if !d.over() {
		c.stepIn(d, pollEvery)
	}
	if d.Original.ID != "" {
		c.forward(d, d.Weight)
		c.forwardTests(d)
	}
}

// since is how much of AWS's time has passed since t.
func (c *Service) since(t time.Time) time.Duration {
	return time.Duration(float64(time.Since(t)) * c.options.TimeScale)
}
