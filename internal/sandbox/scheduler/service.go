package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/ecstarget"
	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// TargetPrefix is what package protocol has the X-Amz-Target headers of the
// Scheduler begin with.
const TargetPrefix = "AWSScheduler"

// defaultGroup is the group of schedules that name none.
const defaultGroup = "default"

// Options are how a Scheduler is made. Region and Account are required.
type Options struct {
	Region, Account string
	Clock           *schedule.Clock
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func()       // called after each change, with no lock held
	Calls   trail.Tell   // what is called with the roles of targets
	Logger  *slog.Logger // told of invocations
}

// Service is an EventBridge Scheduler. Its operations are methods in the SDK's
// shape.
type Service struct {
	options   Options
	timetable *schedule.Timetable

	mu     sync.Mutex
	runner ecstarget.Runner // nil until Start
	state  state
}

// state is all that is kept.
type state struct {
	Groups    map[string]*group // by name
	Schedules map[string]*entry // by "group/name"
}

// group is a schedule group.
type group struct {
	types.ScheduleGroupSummary
	Tags []types.Tag
}

// entry is a schedule.
type entry struct {
	settings
	Arn                                *string
	CreationDate, LastModificationDate *time.Time
	Invocations                        ecstarget.Invocations
}

// New makes a Scheduler that runs nothing until Start. The error says that the
// state cannot be read.
func New(options Options) (*Service, error) {
	s := &Service{options: options, timetable: schedule.NewTimetable(options.Clock)}
	s.state = state{Groups: map[string]*group{defaultGroup: s.newGroup(defaultGroup)}, Schedules: map[string]*entry{}}
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.state); err != nil {
			return nil, fmt.Errorf("read EventBridge Scheduler's state: %w", err)
		}
	}
	return s, nil
}

// Start has the schedules run their targets from now on: each rate begins anew.
func (s *Service) Start(runner ecstarget.Runner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runner = runner
	for _, e := range s.state.Schedules {
		s.arm(e, s.options.Clock.Now())
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
	return json.Marshal(s.state)
}

// Invocations are what became of the calls of each schedule's target, by
// "group/name".
func (s *Service) Invocations() map[string]ecstarget.Invocations {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]ecstarget.Invocations{}
	for key, e := range s.state.Schedules {
		all[key] = e.Invocations
	}
	return all
}

// key is a schedule's place in the state and the timetable.
func key(group, name *string) string { return orDefault(group) + "/" + aws.ToString(name) }

func orDefault(group *string) string {
	if name := aws.ToString(group); name != "" {
		return name
	}
	return defaultGroup
}

// arm has the schedule run on time, if it is enabled; a rate without StartDate
// is first due one period after the anchor. The caller holds the lock.
func (s *Service) arm(e *entry, anchor time.Time) {
	key := key(e.GroupName, e.Name)
	if s.runner == nil || e.State != types.ScheduleStateEnabled {
		s.timetable.Remove(key)
		return
	}
	due, err := e.due()
	if err != nil { // it was read when it was put
		s.options.Logger.Error("a schedule cannot be read", "schedule", key, "error", err)
		return
	}
	start, end := e.StartDate, e.EndDate
	if start != nil {
		anchor = *start
	}
	s.timetable.Set(key, func(now time.Time) (time.Time, bool) {
		if start != nil && now.Before(*start) {
			now = start.Add(-time.Nanosecond)
		}
		next, ok := due.Next(anchor, now)
		return next, ok && (end == nil || !next.After(*end))
	}, func(ctx context.Context) { s.run(ctx, key, due.Once()) })
}

// run runs a schedule's target.
func (s *Service) run(ctx context.Context, key string, last bool) {
	s.mu.Lock()
	e, runner := s.state.Schedules[key], s.runner
	if e == nil {
		s.mu.Unlock()
		return
	}
	name, target := *e.Name, e.Target
	s.mu.Unlock()
	// The name with which the Scheduler's tasks were seen to be started.
	err := ecstarget.Run(ctx, runner, s.options.Calls, target, "chronos-schedule/"+name)
	if err != nil {
		s.options.Logger.Warn("a schedule's invocation failed", "schedule", key, "error", err)
	} else {
		s.options.Logger.Debug("a schedule ran its target", "schedule", key)
	}
	s.mu.Lock()
	e.Invocations.Add(err)
	if last && e.ActionAfterCompletion == types.ActionAfterCompletionDelete && s.state.Schedules[key] == e {
		delete(s.state.Schedules, key)
	}
	s.mu.Unlock()
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

func (s *Service) arn(resource string) string {
	return "arn:aws:scheduler:" + s.options.Region + ":" + s.options.Account + ":" + resource
}

func errNotFound(format string, args ...any) error {
	return &awsjson.Error{Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound}
}

func errConflict(format string, args ...any) error {
	return &awsjson.Error{Code: "ConflictException", Message: fmt.Sprintf(format, args...), Status: http.StatusConflict}
}

func errValidation(format string, args ...any) error {
	return &awsjson.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}
