package sandboxtest

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// The account and region of every World.
const (
	Account = "111122223333"
	Region  = "ca-central-1"
)

// World is an ECS for one test, closed when the test ends.
type World struct {
	t        testing.TB
	scale    float64
	drain    time.Duration
	recorder recorder

	mu      sync.Mutex
	plane   *controlplane.ControlPlane
	runtime *controlplane.MemoryRuntime
	fault   func(operation string) *awsjson.Fault
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

// New makes an empty World.
func New(t testing.TB, options ...Option) *World {
	t.Helper()
	w := &World{t: t, scale: 1, drain: 300 * time.Second}
	for _, option := range options {
		option(w)
	}
	w.open(nil)
	t.Cleanup(w.close)
	return w
}

// open starts the control plane and its runtime, from a state or from nothing.
func (w *World) open(state []byte) {
	w.t.Helper()
	w.runtime = controlplane.NewMemoryRuntime(controlplane.MemoryOptions{
		TimeScale: w.scale, DeregistrationDelay: w.drain,
	})
	plane, err := controlplane.New(controlplane.Options{
		Region: Region, Account: Account, Runtime: w.runtime, TimeScale: w.scale,
		State: state,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.plane = plane
}

func (w *World) close() {
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
	w.open(state)
}

// Config reaches the World: static credentials, its region, and an HTTP client
// that calls it in the same process.
func (w *World) Config() aws.Config {
	return aws.Config{
		Region:       Region,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		HTTPClient:   w.HTTPClient(),
		BaseEndpoint: aws.String("http://sandbox.example.com"),
	}
}

// HTTPClient calls the World whatever the URL, and records what it calls.
func (w *World) HTTPClient() *http.Client {
	faulty := awsjson.Faults(http.HandlerFunc(w.serve), w.askFault)
	return &http.Client{Transport: transport{handler: w.recorder.record(faulty)}}
}

// ECS is a client of the World, recorded like every client of its Config.
func (w *World) ECS() *ecs.Client { return ecs.NewFromConfig(w.Config()) }

// own is a client for the World's own needs: nobody counts its calls, and no
// fault strikes them.
func (w *World) own() *ecs.Client {
	config := w.Config()
	config.HTTPClient = &http.Client{Transport: transport{handler: http.HandlerFunc(w.serve)}}
	return ecs.NewFromConfig(config)
}

// serve answers with the control plane of now, which Restart replaces.
func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	plane := w.plane
	w.mu.Unlock()
	plane.Handler().ServeHTTP(rw, r)
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
