package codepipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// TargetPrefix is what the X-Amz-Target headers of CodePipeline requests begin
// with.
const TargetPrefix = "CodePipeline_20150709"

// Options are how a Service is made. Region and Account are required.
type Options struct {
	Region, Account string
	// TimeScale divides all of CodePipeline's times. 0 means 1.
	TimeScale float64
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State []byte
	// Changed is called when the state has changed, from any goroutine: it must be
	// quick. Nil if nobody wants to know.
	Changed func()
	Calls   trail.Tell   // what is called with the roles of pipelines
	Logger  *slog.Logger // discards if nil
}

// Service is a CodePipeline. See the package comment.
type Service struct {
	options Options
	actions http.Handler
	// ctx ends with Close; work is all that goes on beside requests.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex // guards all below, and is held by every method of api
	state  *state
	ports  *Ports  // nil before Start
	outbox []event // not yet told to EventBridge
	closed bool

	told chan struct{} // has a value when there is something in the outbox
}

// New makes a CodePipeline, which serves once it is started. The error says that
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
	s := &Service{
		options: options,
		state:   &state{Pipelines: map[string]*pipeline{}},
		told:    make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.actions = awsjson.Handler(TargetPrefix, api{s})
	if options.State != nil {
		if err := json.Unmarshal(options.State, s.state); err != nil {
			return nil, fmt.Errorf("read CodePipeline's state: %w", err)
		}
	}
	return s, nil
}

// Start has it serve, and go on with the executions in its state.
func (s *Service) Start(ports Ports) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports = &ports
	if ports.Events != nil {
		s.work.Go(s.tell)
	}
	for _, p := range s.state.Pipelines {
		for _, e := range p.Executions {
			s.resume(p, e)
		}
		s.advance(p)
	}
}

// Close ends what runs and waits for it. Nothing changes afterwards and nothing is
// called; Snapshot still answers.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
}

// Snapshot is the whole state, for Options.State.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Handler serves CodePipeline's operations. An [awsjson.Mux] puts other services
// beside it.
func (s *Service) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// api are the operations; each has the lock.
type api struct{ *Service }

// serve answers one request with the lock held from decoding to encoding, so
// that operations may answer with parts of the state.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		awsjson.WriteError(w, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := awsjson.NewAnswer()
	s.mu.Lock()
	if s.closed || s.ports == nil {
		s.mu.Unlock()
		awsjson.WriteError(w, errNotUp())
		return
	}
	s.actions.ServeHTTP(answer, r)
	if _, operation := awsjson.Target(r); !awsjson.Reads(operation) {
		s.options.Changed()
	}
	s.mu.Unlock()
	answer.Send(w)
}

// wait lets d of AWS's time pass, and says whether the service is still open.
func (s *Service) wait(d time.Duration) bool {
	timer := time.NewTimer(time.Duration(float64(d) / s.options.TimeScale))
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.ctx.Err() == nil
	case <-s.ctx.Done():
		return false
	}
}

// since is how much of AWS's time has passed since t.
func (s *Service) since(t time.Time) time.Duration {
	return time.Duration(float64(time.Since(t)) * s.options.TimeScale)
}

// arn is the ARN of a pipeline, or of what is in it.
func (s *Service) arn(resource string) string {
	return "arn:aws:codepipeline:" + s.options.Region + ":" + s.options.Account + ":" + resource
}

// caller is who called: a role's session, or who is taken to have, since there is no
// authentication.
func (s *Service) caller(ctx context.Context) *string {
	return aws.String(cmp.Or(trail.Caller(ctx), "arn:aws:iam::"+s.options.Account+":root"))
}
