package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// TargetPrefix is what package protocol has the X-Amz-Target headers of Lambda
// begin with.
const TargetPrefix = "AWSLambda"

// Handler is a function that runs in this process. What it returns is the answer;
// an error is a function that failed. It ends when ctx does: with the function's
// timeout.
type Handler func(ctx context.Context, payload []byte) ([]byte, error)

// Logs are CloudWatch Logs, where what functions print is kept. Put must not wait
// for anything.
type Logs interface {
	Put(group, stream, message string)
}

// Queues are the account's SQS queues, to which events go that a function could
// not process. Deliver puts one message into the queue of that ARN, with attributes
// of the type String; group is empty for a queue without groups. The error says
// that there is no such queue.
type Queues interface {
	Deliver(queueARN, body, group string, attributes map[string]string) error
}

// Elsewhere are functions that the API did not create, by ARN or name. Invoke
// returns an answer as Lambda would, with an errorMessage for a function that
// failed; an error says that it could not be called. It must end when ctx does.
type Elsewhere interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// Options are how a Lambda is made. Region and Account are required.
type Options struct {
	Region, Account string
	// Dir is where the functions' code is kept. Without it no code is kept, and
	// only functions of Register run.
	Dir       string
	TimeScale float64   // divides Lambda's own times, not those of functions; 0 means 1
	Logs      Logs      // nil forgets what is printed
	Queues    Queues    // none if nil
	Elsewhere Elsewhere // none if nil
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State []byte
	// Changed is called when the state has changed, from any goroutine: it must be
	// quick. Nil if nobody wants to know.
	Changed func()
	Calls   trail.Tell   // what is called with the roles of functions by Lambda itself
	Logger  *slog.Logger // discards if nil
}

// Service is a Lambda. See the package comment.
type Service struct {
	options Options
	actions http.Handler
	// ctx ends with Close; work are invocations and events on their way.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	// started is closed by Start, which sets endpoint.
	started  chan struct{}
	endpoint string

	mu       sync.Mutex // guards all below, and is held by every method of api but Invoke
	state    state
	handlers map[string]Handler // by the function's name
	warm     map[*environment]struct{}
	running  map[string]int // invocations, by the function's name
	closed   bool
}

// state is all that is kept.
type state struct {
	Functions map[string]*function // by name
	Events    map[string]*event    // by request id
}

// function is a function with its versions.
type function struct {
	Latest     *version
	Published  []*version // oldest first
	Next       int        // the number of the last version that was published
	Tags       map[string]string
	Policy     []statement
	PolicyID   string // the policy's revision
	Reserved   *int32 // concurrency
	EventRules map[string]*types.FunctionEventInvokeConfig
}

// version is a version of a function: $LATEST, or one that never changes.
type version struct {
	types.FunctionConfiguration
	Environment map[string]string // in place of the configuration's, which is an answer's
	// Ready is when the function, and Settled when its last update is done.
	Ready, Settled time.Time
}

// New makes a Lambda that runs no program until Start. The error says that the
// state cannot be read.
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
	s := &Service{
		options: options, started: make(chan struct{}), handlers: map[string]Handler{},
		warm: map[*environment]struct{}{}, running: map[string]int{},
		state: state{Functions: map[string]*function{}, Events: map[string]*event{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.actions = awsjson.Handler(TargetPrefix, api{s})
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.state); err != nil {
			return nil, fmt.Errorf("read Lambda's state: %w", err)
		}
	}
	if options.Dir != "" {
		if err := os.MkdirAll(options.Dir, 0o755); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Start lets functions run, and goes on with the events that are on their way.
// The endpoint is where functions find AWS. It is called once.
func (s *Service) Start(endpoint string) {
	s.endpoint = endpoint
	close(s.started)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.state.Events {
		s.work.Go(func() { s.carry(e) })
	}
}

// Close ends all functions and waits for what they print: none of their processes
// is left. Snapshot still answers.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	s.mu.Lock()
	warm := s.warm
	s.warm = map[*environment]struct{}{}
	s.mu.Unlock()
	for e := range warm {
		e.kill()
	}
}

// Handler serves the operations.
func (s *Service) Handler() http.Handler { return s.actions }

// Snapshot is the whole state, for Options.State.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// api are the operations, as methods in the SDK's shape.
type api struct{ *Service }

// change calls f with the lock held, and says that the state changed.
func change[T any](s *Service, f func() (T, error)) (T, error) {
	s.mu.Lock()
	out, err := f()
	s.mu.Unlock()
	s.options.Changed()
	return out, err
}

// scaled is a time of Lambda's on this machine.
func (s *Service) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.options.TimeScale)
}

// wait lets d pass, and says whether the service is still open.
func (s *Service) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func errNotFound(format string, args ...any) error {
	return &awsjson.Error{Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound}
}

func errConflict(format string, args ...any) error {
	return &awsjson.Error{Code: "ResourceConflictException", Message: fmt.Sprintf(format, args...), Status: http.StatusConflict}
}

func errParameter(format string, args ...any) error {
	return &awsjson.Error{Code: "InvalidParameterValueException", Message: fmt.Sprintf(format, args...)}
}

func errValidation(format string, args ...any) error {
	return &awsjson.Error{Code: "ValidationException", Message: "1 validation error detected: " + fmt.Sprintf(format, args...)}
}
