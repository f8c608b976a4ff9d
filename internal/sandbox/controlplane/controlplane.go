package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// TargetPrefix is what the X-Amz-Target headers of ECS requests begin with.
const TargetPrefix = "AmazonEC2ContainerServiceV20141113"

// Options are how a control plane is made. Only Runtime is required.
type Options struct {
	Region  string  // ca-central-1 if empty
	Account string  // 111122223333 if empty
	Runtime Runtime // where tasks run
	// TimeScale divides all of ECS's times: 10 makes a minute last six
	// seconds. 0 means 1.
	TimeScale float64
	// State is what Snapshot of an earlier control plane returned; nil begins
	// with nothing.
	State  []byte
	Logger *slog.Logger // discards if nil
	// Functions are what AWS_LAMBDA hooks call, Alarms what deployment alarms look
	// at; nil is an account that has none.
	Functions Functions
	Alarms    Alarms
	Logs      Printer // what containers print is lost if nil
	Events    Events  // is told of tasks and deployments; nobody is if nil
}

// ControlPlane is an ECS. See the package comment.
type ControlPlane struct {
	options Options
	scale   float64
	log     *slog.Logger
	changed chan struct{}
	ecs     http.Handler
	// ctx ends with the control plane; calls are the functions' that go on.
	ctx    context.Context
	cancel context.CancelFunc
	calls  sync.WaitGroup

	mu     sync.Mutex // guards all below, and is held by every method of api
	state  *state
	timers map[*time.Timer]struct{}
	closed bool
	lag    time.Duration     // see SetLag
	views  map[string][]view // of services by ARN, oldest first
	// full and deleted are what is missing: see SetCapacity and DeleteSecret.
	full    bool
	deleted map[string]bool
}

// New makes a control plane, and starts again on the runtime what ran when its
// state was taken. The error says that the state cannot be read.
func New(options Options) (*ControlPlane, error) {
	if options.Region == "" {
		options.Region = "ca-central-1"
	}
	if options.Account == "" {
		options.Account = "111122223333"
	}
	c := &ControlPlane{
		options: options,
		scale:   options.TimeScale,
		log:     options.Logger,
		changed: make(chan struct{}, 1),
		state:   &state{Clusters: map[string]*cluster{}, Families: map[string]*family{}},
		timers:  map[*time.Timer]struct{}{},
	}
	if c.scale == 0 {
		c.scale = 1
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.options.Functions == nil {
		c.options.Functions = noFunctions{}
	}
	if c.options.Alarms == nil {
		c.options.Alarms = noAlarms{}
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.ecs = awsjson.Handler(TargetPrefix, api{c})
	if options.State != nil {
		if err := json.Unmarshal(options.State, c.state); err != nil {
			return nil, fmt.Errorf("read the control plane's state: %w", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.know()
		c.resume()
	}
	return c, nil
}

// Close stops all timers and waits for the functions that are being called.
// Nothing changes afterwards and nothing is called; Snapshot still answers.
func (c *ControlPlane) Close() {
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
func (c *ControlPlane) Snapshot() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.Marshal(c.state)
}

// Changed gives a value some time after the state changed: one value for any
// number of changes, so that they can be written together.
func (c *ControlPlane) Changed() <-chan struct{} { return c.changed }

// Handler serves ECS's actions. An [awsjson.Mux] puts other services beside it.
func (c *ControlPlane) Handler() http.Handler { return http.HandlerFunc(c.serve) }

// serve answers one request, with the lock held from decoding to encoding, so
// that actions may answer with parts of the state.
func (c *ControlPlane) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := awsjson.NewAnswer()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		awsjson.WriteError(w, &awsjson.Error{Code: "ServerException", Message: "the sandbox is shutting down", Status: http.StatusServiceUnavailable})
		return
	}
	c.ecs.ServeHTTP(answer, r)
	if _, operation := awsjson.Target(r); !strings.HasPrefix(operation, "Describe") && !strings.HasPrefix(operation, "List") {
		c.remember()
		c.tell()
		c.touch()
	}
	c.mu.Unlock()
	answer.Send(w)
}

// touch says that the state has changed.
func (c *ControlPlane) touch() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// since is how much of ECS's time has passed since t.
func (c *ControlPlane) since(t time.Time) time.Duration {
	return time.Duration(float64(time.Since(t)) * c.scale)
}

// after calls f once d of ECS's time has passed, with the lock held, unless the
// control plane is closed. The caller holds the lock.
func (c *ControlPlane) after(d time.Duration, f func()) *time.Timer {
	var t *time.Timer
	t = time.AfterFunc(time.Duration(float64(d)/c.scale), func() {
		c.do(func() {
			delete(c.timers, t)
			f()
		})
	})
	c.timers[t] = struct{}{}
	return t
}

// do calls f with the lock held, unless the control plane is closed: every
// report of the runtime and every timer goes through it.
func (c *ControlPlane) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		f()
		c.remember()
		c.tell()
		c.touch()
	}
}

// arn makes the ARN of an ECS resource.
func (c *ControlPlane) arn(resource string) string {
	return "arn:aws:ecs:" + c.options.Region + ":" + c.options.Account + ":" + resource
}
