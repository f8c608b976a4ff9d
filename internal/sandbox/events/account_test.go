package events_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	pipelinetypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/events"
	"github.com/slipway-cd/slipway/internal/sandbox/schedule"
)

// account is Lambda and CodePipeline as far as EventBridge calls them, which fail
// for some time.
type account struct {
	mu       sync.Mutex
	failures int // that are left
	called   []time.Time
	payloads []string
	started  []*codepipeline.StartPipelineExecutionInput
}

func (a *account) InvokeEvent(_ string, payload []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.called = append(a.called, time.Now())
	if a.failures > 0 {
		a.failures--
		return &awsjson.Error{Code: "TooManyRequestsException", Message: "Rate Exceeded.", Status: 429}
	}
	a.payloads = append(a.payloads, string(payload))
	return nil
}

func (a *account) StartByRule(_ context.Context, in *codepipeline.StartPipelineExecutionInput, _ string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.started = append(a.started, in)
	return nil
}

func (a *account) Deliver(_, body, _ string, attributes map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.payloads = append(a.payloads, "dead "+attributes["EXHAUSTED_RETRY_CONDITION"]+" "+attributes["RETRY_ATTEMPTS"]+" "+attributes["ERROR_CODE"])
	_ = body
	return nil
}

// bus is an EventBridge that calls the account.
func bus(t *testing.T, a *account, state []byte) *events.Service {
	t.Helper()
	s, err := events.New(events.Options{
		Region: "ca-central-1", Account: "111122223333", Clock: schedule.NewClock(1), State: state, Changed: func() {}, Logger: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start(events.Targets{Functions: a, Pipelines: a, Queues: a})
	t.Cleanup(s.Close)
	return s
}

func putTarget(t *testing.T, s *events.Service, target types.Target) {
	t.Helper()
	if _, err := s.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source": ["test"]}`)}); err != nil {
		t.Fatal(err)
	}
	document, err := awsjson.Marshal(&eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{target}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutTargets(t.Context(), document); err != nil {
		t.Fatal(err)
	}
}

// TestRetries: a call that may succeed later is made again, even after a restart,
// until the target's policy says that it is enough.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{failures: 5}
		s := bus(t, a, nil)
		function := types.Target{Id: aws.String("f"), Arn: aws.String("arn:aws:lambda:ca-central-1:111122223333:function:f"), InputPath: aws.String("$.detail")}
		putTarget(t, s, function)
		began := time.Now()
		s.Emit("test", "x", nil, map[string]int{"n": 1})
		wait(3 * time.Second)
		if len(a.called) != 3 {
			t.Errorf("%d calls in 3 s", len(a.called))
		}
		s.Close()
		state, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s = bus(t, a, state)
		wait(time.Minute)
		if !slices.Equal(a.payloads, []string{`{"n":1}`}) || len(a.called) != 6 || a.called[5].Sub(began) != 31*time.Second {
			t.Errorf("payloads %v after %v", a.payloads, a.called)
		}
		if i := s.Invocations()["r"]; i.Count != 1 || i.Failed != 0 {
			t.Errorf("invocations %+v", i)
		}

		for _, c := range []struct {
			policy types.RetryPolicy
			want   string
		}{
			{types.RetryPolicy{MaximumRetryAttempts: aws.Int32(2)}, "dead MaximumRetryAttempts 2 THROTTLING"},
			{types.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)}, "dead MaximumRetryAttempts 0 THROTTLING"},
			{types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60)}, "dead MaximumEventAgeInSeconds 5 THROTTLING"},
			{types.RetryPolicy{}, "dead MaximumRetryAttempts 185 THROTTLING"},
		} {
			a.failures, a.payloads = 1000, nil
			function.RetryPolicy, function.DeadLetterConfig = &c.policy, &types.DeadLetterConfig{Arn: aws.String("arn:aws:sqs:ca-central-1:111122223333:dead")}
			putTarget(t, s, function)
			s.Emit("test", "x", nil, struct{}{})
			wait(25 * time.Hour)
			if !slices.Equal(a.payloads, []string{c.want}) {
				t.Errorf("got %v, want %s", a.payloads, c.want)
			}
		}
	})
}

// TestPipelines: a pipeline is started by name; input that is made for it says
// with which revisions.
func TestPipelines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{}
		s := bus(t, a, nil)
		pipeline := types.Target{Id: aws.String("p"), Arn: aws.String("arn:aws:codepipeline:ca-central-1:111122223333:deploy"), RoleArn: aws.String("arn:aws:iam::111122223333:role/r")}
		putTarget(t, s, pipeline)
		s.Emit("test", "x", nil, map[string]string{"commit": "c1"})
		wait(time.Second)
		pipeline.InputTransformer = &types.InputTransformer{
			InputPathsMap: map[string]string{"c": "$.detail.commit"},
			InputTemplate: aws.String(`{"sourceRevisions": [{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "<c>"}], "variables": [{"name": "a", "value": "b"}]}`),
		}
		putTarget(t, s, pipeline)
		s.Emit("test", "x", nil, map[string]string{"commit": "c1"})
		wait(time.Second)
		if len(a.started) != 2 {
			t.Fatalf("%d started", len(a.started))
		}
		plain, pinned := a.started[0], a.started[1]
		if *plain.Name != "deploy" || len(plain.SourceRevisions) != 0 {
			t.Errorf("%+v", plain)
		}
		if *pinned.Name != "deploy" || len(pinned.SourceRevisions) != 1 || *pinned.SourceRevisions[0].RevisionValue != "c1" ||
			pinned.SourceRevisions[0].RevisionType != pipelinetypes.SourceRevisionTypeCommitId || *pinned.Variables[0].Value != "b" {
			t.Errorf("%+v", pinned)
		}
	})
}
