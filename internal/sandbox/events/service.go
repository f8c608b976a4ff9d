package events

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/ecstarget"
	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// TargetPrefix is what the X-Amz-Target headers of EventBridge begin with.
const TargetPrefix = "AWSEvents"

// Options are how an EventBridge is made. Region and Account are required.
type Options struct {
	Region, Account string
	Clock           *schedule.Clock
	// TimeScale divides the pauses between the calls of a target; 0 means 1.
	TimeScale float64
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func()       // called after each change, with no lock held
	Calls   trail.Tell   // what is called with the roles of targets
	Logger  *slog.Logger // told of invocations
}

// Service is an EventBridge. Its operations are methods in the SDK's shape.
type Service struct {
	options   Options
	scale     float64
	timetable *schedule.Timetable
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	work      sync.WaitGroup // the deliveries

	mu         sync.Mutex
	started    bool
	targets    Targets
	refuse     func(rule, targetID string) *types.PutTargetsResultEntry
	deliveries int // of each event to each target
	state      state
}

// state is all that is kept.
type state struct {
	Rules      map[string]*rule // by key
	Buses      map[string]*eventBus
	Deliveries map[string]*delivery // that are not over, by id
}

// rule is a rule with its targets. Its lists are never changed but replaced.
type rule struct {
	types.Rule
	Tags        []types.Tag
	Targets     []target
	Invocations ecstarget.Invocations
}

// target is a target as it was put.
type target struct {
	ID       string
	ARN      string
	Document json.RawMessage
}

// New makes an EventBridge that calls nobody until Start. The error says that the
// state cannot be read.
func New(options Options) (*Service, error) {
	s := &Service{
		options: options, scale: cmp.Or(options.TimeScale, 1), timetable: schedule.NewTimetable(options.Clock), deliveries: 1,
		state: state{Rules: map[string]*rule{}, Buses: map[string]*eventBus{}, Deliveries: map[string]*delivery{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.state); err != nil {
			return nil, fmt.Errorf("read EventBridge's state: %w", err)
		}
	}
	return s, nil
}

// Start has the rules call their targets from now on: each rate begins anew, and
// what was not delivered before is.
func (s *Service) Start(targets Targets) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started, s.targets = true, targets
	for _, r := range s.state.Rules {
		s.arm(r)
	}
	for _, d := range s.state.Deliveries {
		s.carryLater(d)
	}
}

// Close ends all schedules and deliveries; those that are not over are kept.
func (s *Service) Close() {
	s.timetable.Close()
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.work.Wait()
}

// Handler serves the operations.
func (s *Service) Handler() http.Handler { return awsjson.Handler(TargetPrefix, s) }

// Snapshot is the whole state, for Options.State.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Invocations are what became of the calls of each rule's targets, by the
// rule's name, on another bus than the default one with the bus's before it.
func (s *Service) Invocations() map[string]ecstarget.Invocations {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]ecstarget.Invocations{}
	for key, r := range s.state.Rules {
		all[key] = r.Invocations
	}
	return all
}

// Refuse has ask called with each target that is put: its answer, if not nil, is
// the entry of PutTargets' FailedEntries for it. A nil ask refuses nothing.
func (s *Service) Refuse(ask func(rule, targetID string) *types.PutTargetsResultEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = ask
}

// arm has the rule's schedule run it, if it is enabled and has one. The caller
// holds the lock.
func (s *Service) arm(r *rule) {
	name := *r.Name
	if !s.started || r.ScheduleExpression == nil || r.State != types.RuleStateEnabled {
		s.timetable.Remove(name)
		return
	}
	due, err := schedule.Parse(*r.ScheduleExpression, time.UTC)
	if err != nil { // it was parsed when it was put
		s.options.Logger.Error("a rule's schedule cannot be read", "rule", name, "error", err)
		return
	}
	anchor := s.options.Clock.Now()
	s.timetable.Set(name, func(now time.Time) (time.Time, bool) { return due.Next(anchor, now) }, func(context.Context) { s.run(name) })
}

// run has all targets of a rule on the default bus called once.
func (s *Service) run(name string) {
	s.mu.Lock()
	if r := s.state.Rules[name]; r != nil {
		e := s.newEvent(s.options.Clock.Now(), "aws.events", "Scheduled Event", []string{*r.Arn}, json.RawMessage("{}"))
		document, _ := json.Marshal(e) // strings and an empty object always marshal
		s.deliver(r, document)
	}
	s.mu.Unlock()
	s.options.Changed()
}

// scaled is one of AWS's times on this machine.
func (s *Service) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) / s.scale) }

// change calls f with the lock held, and says that the state changed.
func change[T any](s *Service, f func() (T, error)) (T, error) {
	s.mu.Lock()
	out, err := f()
	s.mu.Unlock()
	s.options.Changed()
	return out, err
}

// rule finds a rule of a bus. The caller holds the lock.
func (s *Service) rule(bus, name *string) (*rule, error) {
	on, err := s.bus(bus)
	if err != nil {
		return nil, err
	}
	if r := s.state.Rules[key(on, aws.ToString(name))]; r != nil {
		return r, nil
	}
	return nil, errNotFound("Rule %s does not exist on EventBus %s.", aws.ToString(name), on)
}

// names are the rules' keys in order.
func (s *Service) names() []string { return slices.Sorted(maps.Keys(s.state.Rules)) }

// onBus are the keys of a bus's rules in order. The caller holds the lock.
func (s *Service) onBus(bus string) []string {
	return slices.DeleteFunc(s.names(), func(key string) bool { return *s.state.Rules[key].EventBusName != bus })
}

func (s *Service) arn(resource string) string {
	return "arn:aws:events:" + s.options.Region + ":" + s.options.Account + ":" + resource
}

func errNotFound(format string, args ...any) error {
	return &awsjson.Error{Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...)}
}

func errValidation(format string, args ...any) error {
	return &awsjson.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

// page is the page that token names, at most limit items or a hundred.
func page[T any](items []T, token *string, limit *int32) ([]T, *string, error) {
	found, next, err := awsjson.Page(items, token, int(cmp.Or(aws.ToInt32(limit), 100)))
	if err != nil {
		return nil, nil, errValidation("Parameter NextToken is not valid.")
	}
	return found, next, nil
}
