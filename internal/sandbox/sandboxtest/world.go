package sandboxtest

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	lambdaclient "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/protocol"
	"github.com/slipway-cd/slipway/internal/sandbox/services"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// The account and region of every World.
const (
	Account = "111122223333"
	Region  = "ca-central-1"
)

// endpoint is where clients take every World to be.
const endpoint = "http://sandbox.example.com"

// World is an ECS for one test, closed when the test ends.
type World struct {
	t        testing.TB
	scale    float64
	drain    time.Duration
	factor   float64 // of ECS's rates; 0 for no throttling
	dir      string  // of the repositories
	trail    trail.Tell
	account  controlplane.Options
	recorder recorder
	// recorded and others are what the clients of Config and of OthersConfig call:
	// made once, for the clients share ECS's buckets.
	recorded, others http.RoundTripper
	// own is a client for the World's own needs: nobody counts its calls, and no
	// fault strikes them.
	own *ecs.Client

	mu        sync.Mutex
	functions map[string]lambda.Handler // by ARN
	plane     *controlplane.ControlPlane
	runtime   *controlplane.MemoryRuntime
	around    *services.Services // around ECS
	mux       awsjson.Mux        // of all services
	fault     func(operation string) *awsjson.Fault
}

// Option is a setting of a World.
type Option func(*World)

// TimeScale divides all of ECS's times. Not needed in a synctest bubble.
func TimeScale(scale float64) Option {
	return func(w *World) { w.scale = scale }
}

// DeregistrationDelay is how long the World's target groups drain: 300 s, AWS's
// default, if not given.
func DeregistrationDelay(delay time.Duration) Option {
	return func(w *World) { w.drain = delay }
}

// Functions are called where a function is neither created through the API nor
// given by [World.Function].
func Functions(functions controlplane.Functions) Option {
	return func(w *World) { w.account.Functions = functions }
}

// Trail is told of what is called with the credentials of roles.
func Trail(tell trail.Tell) Option {
	return func(w *World) { w.trail = tell }
}

// Alarms are what deployment alarms look at.
func Alarms(alarms controlplane.Alarms) Option {
	return func(w *World) { w.account.Alarms = alarms }
}

// Rates throttles the World's clients as ECS does, at a multiple of its rates.
func Rates(factor float64) Option {
	return func(w *World) { w.factor = factor }
}

// New makes an empty World.
func New(t testing.TB, options ...Option) *World {
	t.Helper()
	w := &World{t: t, scale: 1, drain: 300 * time.Second, dir: t.TempDir(), functions: map[string]lambda.Handler{}}
	for _, option := range options {
		option(w)
	}
	w.open(nil, nil)
	t.Cleanup(w.close)
	var served http.Handler = http.HandlerFunc(w.serve)
	w.others = transport{handler: protocol.Translate(served)}
	if w.factor > 0 {
		served = controlplane.Throttle(served, w.factor)
	}
	w.own = ecs.NewFromConfig(w.OthersConfig())
	w.recorded = transport{handler: protocol.Translate(w.recorder.record(awsjson.Faults(served, w.askFault)))}
	return w
}

// open starts the control plane, its runtime and the services around it, from
// their states or from nothing.
func (w *World) open(state, around []byte) {
	w.t.Helper()
	var err error
	w.runtime = controlplane.NewMemoryRuntime(controlplane.MemoryOptions{
		TimeScale: w.scale, DeregistrationDelay: w.drain,
	})
	if w.around, err = services.New(services.Options{
		Region: Region, Account: Account, TimeScale: w.scale, State: around,
		Traffic: w.runtime, TargetGroup: targetGroup, Functions: w.account.Functions, Repositories: w.dir, Calls: w.trail,
	}); err != nil {
		w.t.Fatal(err)
	}
	options := w.account
	options.Region, options.Account, options.Runtime, options.TimeScale, options.State = Region, Account, w.runtime, w.scale, state
	options.Logs, options.Functions, options.Events = w.around.Logs, w.around.Lambda, w.around.EventBridge
	for arn, handler := range w.functions {
		if err := w.around.Lambda.Register(arn, handler); err != nil {
			w.t.Fatal(err)
		}
	}
	if options.Alarms == nil {
		options.Alarms = w.around.CloudWatch
	}
	plane, err := controlplane.New(options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.plane = plane
	w.around.Start(plane)
	w.around.Serve(endpoint)
	w.mux = w.around.Handlers()
	w.mux[controlplane.TargetPrefix] = plane.Handler()
}

func (w *World) close() {
	w.around.Close()
	w.plane.Close()
	w.runtime.Close()
}

// Restart ends the control plane and starts it again from its state, as when
// the sandbox's process is killed and comes back.
func (w *World) Restart() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.close()
	state, err := w.plane.Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	around, err := w.around.Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	w.open(state, around)
}

// Config reaches the World: static credentials, its region, and an HTTP client
// that calls it in the same process.
func (w *World) Config() aws.Config {
	return aws.Config{
		Region:       Region,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		HTTPClient:   w.HTTPClient(),
		BaseEndpoint: aws.String(endpoint),
	}
}

// HTTPClient calls the World whatever the URL, and records what it calls.
func (w *World) HTTPClient() *http.Client { return &http.Client{Transport: w.recorded} }

// ECS is a client of the World, recorded like every client of its Config.
func (w *World) ECS() *ecs.Client { return ecs.NewFromConfig(w.Config()) }

// CloudWatch is a client of the World, recorded like every client of its Config.
func (w *World) CloudWatch() *cloudwatch.Client { return cloudwatch.NewFromConfig(w.Config()) }

// Logs is a client of the World, recorded like every client of its Config.
func (w *World) Logs() *cloudwatchlogs.Client { return cloudwatchlogs.NewFromConfig(w.Config()) }

// EventBridge is a client of the World, recorded like every client of its Config.
func (w *World) EventBridge() *eventbridge.Client { return eventbridge.NewFromConfig(w.Config()) }

// Scheduler is a client of the World, recorded like every client of its Config.
func (w *World) Scheduler() *scheduler.Client { return scheduler.NewFromConfig(w.Config()) }

// CodeCommit is a client of the World, recorded like every client of its Config.
func (w *World) CodeCommit() *codecommit.Client { return codecommit.NewFromConfig(w.Config()) }

// CodePipeline is a client of the World, recorded like every client of its Config.
func (w *World) CodePipeline() *codepipeline.Client { return codepipeline.NewFromConfig(w.Config()) }

// SQS is a client of the World, recorded like every client of its Config.
func (w *World) SQS() *sqs.Client { return sqs.NewFromConfig(w.Config()) }

// Lambda is a client of the World, recorded like every client of its Config.
func (w *World) Lambda() *lambdaclient.Client { return lambdaclient.NewFromConfig(w.Config()) }

// Function has a Lambda function of that ARN run in the test's own process. One
// that was not created through the API is there from now on.
func (w *World) Function(arn string, handler lambda.Handler) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.around.Lambda.Register(arn, handler); err != nil {
		w.t.Fatal(err)
	}
	w.functions[arn] = handler
}

// FunctionARN is the ARN of a function of the World's account.
func FunctionARN(name string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":function:" + name
}

// Around are the services around ECS as they are in this process: what their
// schedules came to, and what a test has them refuse. Restart makes new ones.
func (w *World) Around() *services.Services {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.around
}

// OthersConfig is how somebody else reaches the World: what they call is not
// recorded, and no fault strikes it.
func (w *World) OthersConfig() aws.Config {
	config := w.Config()
	config.HTTPClient = &http.Client{Transport: w.others}
	return config
}

// serve answers with the services of now, which Restart replaces.
func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	mux := w.mux
	w.mu.Unlock()
	mux.ServeHTTP(rw, r)
}

// Fault has ask called with the operation of each request from now on: its
// answer, if not nil, is what goes wrong. A nil ask ends all faults.
func (w *World) Fault(ask func(operation string) *awsjson.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = ask
}

// FaultOnce strikes the next request of an operation, and no other.
func (w *World) FaultOnce(operation string, fault *awsjson.Fault) {
	var struck atomic.Bool
	w.Fault(func(o string) *awsjson.Fault {
		if o == operation && struck.CompareAndSwap(false, true) {
			return fault
		}
		return nil
	})
}

func (w *World) askFault(operation string) *awsjson.Fault {
	w.mu.Lock()
	ask := w.fault
	w.mu.Unlock()
	if ask == nil {
		return nil
	}
	return ask(operation)
}

// Lag has reads show services as they were so long ago.
func (w *World) Lag(lag time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plane.SetLag(lag)
}

// Capacity says whether Fargate has room for more tasks, as in the beginning.
func (w *World) Capacity(available bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plane.SetCapacity(available)
}

// DeleteSecret has tasks whose definition names a secret by valueFrom not start.
func (w *World) DeleteSecret(valueFrom string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plane.DeleteSecret(valueFrom)
}

// Weights are those of a listener's rule, by target group.
func (w *World) Weights(listenerRule string) map[string]float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runtime.Weights(listenerRule)
}

// Exit has a container of a running task end by itself with an exit code.
func (w *World) Exit(taskID, container string, code int32) {
	w.mu.Lock()
	runtime := w.runtime
	w.mu.Unlock()
	runtime.Exit(taskID, container, code)
}

// wait lets d of ECS's time pass.
func (w *World) wait(d time.Duration) {
	timer := time.NewTimer(time.Duration(float64(d) / w.scale))
	defer timer.Stop()
	<-timer.C
}
