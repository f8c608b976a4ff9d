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
)

// TargetPrefix is what the X-Amz-Target headers of EventBridge begin with.
const TargetPrefix = "AWSEvents"

// Options are how an EventBridge is made. Region and Account are required.
type Options struct {
	Region, Account string
	Clock           *schedule.Clock
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func()       // called after each change, with no lock held
	Logger  *slog.Logger // told of invocations
}

// Service is an EventBridge. Its operations are methods in the SDK's shape.
type Service struct {
	options   Options
	timetable *schedule.Timetable

	mu     sync.Mutex
	runner ecstarget.Runner // nil until Start
	refuse func(rule, targetID string) *types.PutTargetsResultEntry
	rules  map[string]*rule // by name
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

// New makes an EventBridge that runs nothing until Start. The error says that the
// state cannot be read.
func New(options Options) (*Service, error) {
	s := &Service{options: options, timetable: schedule.NewTimetable(options.Clock), rules: map[string]*rule{}}
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.rules); err != nil {
			return nil, fmt.Errorf("read EventBridge's state: %w", err)
		}
	}
	return s, nil
}

// Start has the rules run their targets from now on: each rate begins anew.
func (s *Service) Start(runner ecstarget.Runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runner = runner
	for _, r := range s.rules {
		s.arm(r)
	}
}

// Close ends all schedules.
func (s *Service) Close() { s.timetable.Close() }

// Handler serves the operations.
func (s *Service) Handler() http.Handler { return awsjson.Handler(TargetPrefix, s) }

// Snapshot is the whole state, for Options.State.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.rules)
}

// Invocations are what became of the calls of each rule's targets, by the
// rule's name.
func (s *Service) Invocations() map[string]ecstarget.Invocations {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]ecstarget.Invocations{}
	for name, r := range s.rules {
		all[name] = r.Invocations
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
	if s.runner == nil || r.ScheduleExpression == nil || r.State != types.RuleStateEnabled {
		s.timetable.Remove(name)
		return
	}
	due, err := schedule.Parse(*r.ScheduleExpression, time.UTC)
	if err != nil { // it was parsed when it was put
		s.options.Logger.Error("a rule's schedule cannot be read", "rule", name, "error", err)
		return
	}
	anchor := s.options.Clock.Now()
	s.timetable.Set(name, func(now time.Time) (time.Time, bool) { return due.Next(anchor, now) }, func(ctx context.Context) { s.run(ctx, name) })
}

// run runs all targets of a rule once.
func (s *Service) run(ctx context.Context, name string) {
	s.mu.Lock()
	var targets []target
	if r := s.rules[name]; r != nil {
		targets = r.Targets
	}
	runner := s.runner
	s.mu.Unlock()
	for _, t := range targets {
		// The name with which EventBridge's tasks were seen to be started.
		err := ecstarget.Run(ctx, runner, t.Document, "events-rule/"+name)
		if err != nil {
			s.options.Logger.Warn("a rule's invocation failed", "rule", name, "target", t.ID, "error", err)
		} else {
			s.options.Logger.Debug("a rule ran its target", "rule", name, "target", t.ID)
		}
		s.mu.Lock()
		if now := s.rules[name]; now != nil {
			now.Invocations.Add(err)
		}
		s.mu.Unlock()
	}
	s.options.Changed()
}

// change calls f with the lock held, and says that the state changed.
func change[T any](s *Service, f func() (T, error)) (T, error) {
	s.mu.Lock()
	out, err := f()
	s.mu.Unlock()
	s.options.Changed()
	return out, err
}

// rule finds a rule of the default bus. The caller holds the lock.
func (s *Service) rule(bus, name *string) (*rule, error) {
	if err := s.checkBus(bus); err != nil {
		return nil, err
	}
	if r := s.rules[aws.ToString(name)]; r != nil {
		return r, nil
	}
	return nil, errNotFound("Rule %s does not exist on EventBus default.", aws.ToString(name))
}

// checkBus refuses all buses but the default one.
func (s *Service) checkBus(bus *string) error {
	if name := aws.ToString(bus); name != "" && name != "default" && name != s.arn("event-bus/default") {
		return errNotFound("Event bus %s does not exist.", name)
	}
	return nil
}

// names are the rules' names in order.
func (s *Service) names() []string { return slices.Sorted(maps.Keys(s.rules)) }

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
