// Package services puts together what an account has around ECS, and keeps it:
// one state, one signal that it changed, one handler for each service.
//
//	CloudWatch, CloudWatch Logs ◄── control plane ◄── EventBridge, Scheduler, CodeDeploy
//	alarms       what was printed         ▲           RunTask, on time       task sets
//	                                      │                │                    ▲
//	CodeCommit ◄───────────────────── CodePipeline ────────│────────────────────┘
//	repositories, in a folder             ▲                │
//	     │                                └────────────────┤
//	     └── each commit ─► EventBridge ── rules ──────────┴─► SQS
//
// So the first two are there before the control plane is made, and the others
// begin to work once it is: see [Services.Start].
package services

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/cloudwatch"
	"github.com/slipway-cd/slipway/internal/sandbox/codecommit"
	"github.com/slipway-cd/slipway/internal/sandbox/codedeploy"
	"github.com/slipway-cd/slipway/internal/sandbox/codepipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/ecstarget"
	"github.com/slipway-cd/slipway/internal/sandbox/events"
	"github.com/slipway-cd/slipway/internal/sandbox/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/logs"
	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
	"github.com/slipway-cd/slipway/internal/sandbox/scheduler"
	"github.com/slipway-cd/slipway/internal/sandbox/sqs"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// Options are how services are made. Region, Account, Traffic and TargetGroup are
// required.
type Options struct {
	Region, Account string
	// Traffic and TargetGroup are CodeDeploy's: as in codedeploy.Options.
	Traffic     codedeploy.Traffic
	TargetGroup func(name string) (arn string, found bool)
	// Functions are Lambda's Elsewhere, Code its Dir.
	Functions lambda.Elsewhere
	Code      string
	TimeScale float64 // as in controlplane.Options
	// Calls is told of the calls that are made with the credentials of roles.
	Calls trail.Tell
	// Repositories, Branch and Webhooks are CodeCommit's Dir, Branch and Webhooks.
	Repositories, Branch string
	Webhooks             map[string][]string
	// State is what Snapshot of earlier ones returned; nil begins with nothing.
	State  []byte
	Logger *slog.Logger // discards if nil
}

// Services are the services around ECS.
type Services struct {
	CloudWatch   *cloudwatch.Service
	Logs         *logs.Service
	EventBridge  *events.Service
	Scheduler    *scheduler.Service
	CodeDeploy   *codedeploy.Service
	CodeCommit   *codecommit.Service
	CodePipeline *codepipeline.Service
	SQS          *sqs.Service
	Lambda       *lambda.Service

	changed chan struct{}
}

// kept is the state of all.
type kept struct {
	CloudWatch, Logs, EventBridge, Scheduler, CodeDeploy, CodeCommit, CodePipeline, SQS, Lambda json.RawMessage
}

// New makes the services; no schedule runs until Start. The error says that the
// state cannot be read.
func New(o Options) (*Services, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var state kept
	if o.State != nil {
		if err := json.Unmarshal(o.State, &state); err != nil {
			return nil, fmt.Errorf("read the services' state: %w", err)
		}
	}
	s := &Services{changed: make(chan struct{}, 1)}
	clock := schedule.NewClock(o.TimeScale)
	var err error
	if s.CloudWatch, err = cloudwatch.New(cloudwatch.Options{Region: o.Region, Account: o.Account, State: state.CloudWatch, Changed: s.touch}); err != nil {
		return nil, err
	}
	if s.Logs, err = logs.New(logs.Options{Region: o.Region, Account: o.Account, State: state.Logs, Changed: s.touch}); err != nil {
		return nil, err
	}
	if s.EventBridge, err = events.New(events.Options{
		Region: o.Region, Account: o.Account, Clock: clock, TimeScale: o.TimeScale, State: state.EventBridge, Changed: s.touch, Calls: o.Calls, Logger: o.Logger,
	}); err != nil {
		return nil, err
	}
	if s.Scheduler, err = scheduler.New(scheduler.Options{
		Region: o.Region, Account: o.Account, Clock: clock, State: state.Scheduler, Changed: s.touch, Calls: o.Calls, Logger: o.Logger,
	}); err != nil {
		return nil, err
	}
	if s.SQS, err = sqs.New(sqs.Options{Region: o.Region, Account: o.Account, TimeScale: o.TimeScale, State: state.SQS, Changed: s.touch}); err != nil {
		return nil, err
	}
	if s.CodeCommit, err = codecommit.New(codecommit.Options{
		Region: o.Region, Account: o.Account, Dir: o.Repositories, Branch: o.Branch, Webhooks: o.Webhooks,
		State: state.CodeCommit, Changed: s.touch, Logger: o.Logger,
	}); err != nil {
		return nil, err
	}
	if s.Lambda, err = lambda.New(lambda.Options{
		Region: o.Region, Account: o.Account, TimeScale: o.TimeScale, Dir: o.Code, Logs: s.Logs, Queues: s.SQS, Elsewhere: o.Functions,
		State: state.Lambda, Changed: s.touch, Calls: o.Calls, Logger: o.Logger,
	}); err != nil {
		return nil, err
	}
	if s.CodePipeline, err = codepipeline.New(codepipeline.Options{
		Region: o.Region, Account: o.Account, TimeScale: o.TimeScale, State: state.CodePipeline, Changed: s.touch, Calls: o.Calls, Logger: o.Logger,
	}); err != nil {
		return nil, err
	}
	s.CodeDeploy, err = codedeploy.New(codedeploy.Options{
		Region: o.Region, Account: o.Account, TimeScale: o.TimeScale, State: state.CodeDeploy, Changed: s.touch, Logger: o.Logger,
		Traffic: o.Traffic, TargetGroup: o.TargetGroup, Functions: s.Lambda, Alarms: s.CloudWatch,
	})
	return s, err
}

// ECS is what the services do with ECS.
type ECS interface {
	ecstarget.Runner
	codedeploy.ECS
	codepipeline.ECS
}

// Start has EventBridge call targets from now on, its Scheduler run tasks,
// CodeDeploy and CodePipeline deploy, and CodeCommit and CodePipeline tell
// EventBridge.
func (s *Services) Start(ecs ECS) {
	s.Scheduler.Start(ecs)
	s.CodeDeploy.Start(ecs)
	s.CodePipeline.Start(codepipeline.Ports{CodeCommit: s.CodeCommit, ECS: ecs, CodeDeploy: s.CodeDeploy, Functions: s.Lambda, Events: s.EventBridge})
	s.EventBridge.Start(events.Targets{ECS: ecs, Functions: s.Lambda, Queues: s.SQS, Pipelines: s.CodePipeline})
	s.CodeCommit.Start(s.EventBridge)
}

// Serve says at which base URL all is served, for the URLs that services answer
// with and for functions, which run from now on. It is called once.
func (s *Services) Serve(address string) {
	s.CodeCommit.Serve(address)
	s.SQS.Serve(address)
	s.Lambda.Start(address)
}

// Close ends all schedules, deployments and functions; Snapshot still answers.
func (s *Services) Close() {
	s.EventBridge.Close()
	s.CodePipeline.Close()
	s.CodeCommit.Close()
	s.CodeDeploy.Close()
	s.Scheduler.Close()
	s.Lambda.Close()
}

// Handlers serve the services, each by the name of its targets.
func (s *Services) Handlers() awsjson.Mux {
	return awsjson.Mux{
		cloudwatch.TargetPrefix:   s.CloudWatch.Handler(),
		logs.TargetPrefix:         s.Logs.Handler(),
		events.TargetPrefix:       s.EventBridge.Handler(),
		scheduler.TargetPrefix:    s.Scheduler.Handler(),
		codedeploy.TargetPrefix:   s.CodeDeploy.Handler(),
		codecommit.TargetPrefix:   s.CodeCommit.Handler(),
		codepipeline.TargetPrefix: s.CodePipeline.Handler(),
		sqs.TargetPrefix:          s.SQS.Handler(),
		lambda.TargetPrefix:       s.Lambda.Handler(),
	}
}

// Snapshot is the whole state, for Options.State.
func (s *Services) Snapshot() ([]byte, error) {
	var state kept
	for _, part := range []struct {
		to       *json.RawMessage
		snapshot func() ([]byte, error)
	}{
		// Who tells another comes before that one: what is told is then in one of
		// the two at least.
		{&state.CodeCommit, s.CodeCommit.Snapshot},
		{&state.CloudWatch, s.CloudWatch.Snapshot}, {&state.Logs, s.Logs.Snapshot},
		{&state.EventBridge, s.EventBridge.Snapshot}, {&state.Scheduler, s.Scheduler.Snapshot},
		{&state.CodeDeploy, s.CodeDeploy.Snapshot}, {&state.CodePipeline, s.CodePipeline.Snapshot},
		{&state.Lambda, s.Lambda.Snapshot}, {&state.SQS, s.SQS.Snapshot},
	} {
		content, err := part.snapshot()
		if err != nil {
			return nil, err
		}
		*part.to = content
	}
	return json.Marshal(state)
}

// Changed gives a value some time after the state changed: one value for any
// number of changes, so that they can be written together.
func (s *Services) Changed() <-chan struct{} { return s.changed }

func (s *Services) touch() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Invocation is what became of the calls of one rule or schedule.
type Invocation struct {
	Service string `json:"service"` // events or scheduler
	Name    string `json:"name"`    // the rule's, or the schedule's with its group
	ecstarget.Invocations
}

// ServeHTTP answers with the invocations of all rules and schedules, which no API
// of AWS tells of but through metrics.
func (s *Services) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	all := []Invocation{}
	for _, from := range []struct {
		service string
		by      map[string]ecstarget.Invocations
	}{{"events", s.EventBridge.Invocations()}, {"scheduler", s.Scheduler.Invocations()}} {
		for _, name := range slices.Sorted(maps.Keys(from.by)) {
			all = append(all, Invocation{Service: from.service, Name: name, Invocations: from.by[name]})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // the client may be gone; there is nobody to tell
}
