package codepipeline_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/codepipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// bus notes the events that it is told of.
type bus struct {
	mu      sync.Mutex
	seen    []string
	details []map[string]any
}

// Emit implements codepipeline.Events.
func (b *bus) Emit(source, detailType string, resources []string, detail any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := detail.(map[string]any)
	what, _ := strings.CutSuffix(strings.TrimPrefix(detailType, "CodePipeline "), " Execution State Change")
	for _, name := range []string{"stage", "action"} {
		if d[name] != nil {
			what += " " + d[name].(string)
		}
	}
	b.seen = append(b.seen, what+" "+d["state"].(string))
	b.details = append(b.details, d)
	if source != "aws.codepipeline" || !slices.Equal(resources, []string{"arn:aws:codepipeline:ca-central-1:111122223333:" + name}) || d["pipeline"] != name || d["execution-id"] == "" {
		b.seen = append(b.seen, "not as documented")
	}
}

// TestEvents: EventBridge is told of each change of a pipeline's, a stage's and an
// action's execution, in order.
func TestEvents(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		s, err := codepipeline.New(codepipeline.Options{Region: sandboxtest.Region, Account: sandboxtest.Account})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		b := &bus{}
		s.Start(codepipeline.Ports{CodeCommit: r.w.Around().CodeCommit, Events: b})
		call := func(operation string, in any) {
			document, err := awsjson.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(document)))
			request.Header.Set("X-Amz-Target", codepipeline.TargetPrefix+"."+operation)
			answer := httptest.NewRecorder()
			s.Handler().ServeHTTP(answer, request)
			if answer.Code != http.StatusOK {
				t.Fatal(answer.Body)
			}
		}
		call("CreatePipeline", &sdk.CreatePipelineInput{Pipeline: declaration(stage("Approve", approvalAction("Manual")))})
		pass(time.Minute)
		id := b.details[0]["execution-id"].(string)
		call("StopPipelineExecution", &sdk.StopPipelineExecutionInput{PipelineName: aws.String(name), PipelineExecutionId: &id, Abandon: true})
		pass(time.Minute)
		want := []string{
			"Pipeline STARTED", "Stage Source STARTED", "Action Source Source STARTED", "Action Source Source SUCCEEDED", "Stage Source SUCCEEDED",
			"Stage Approve STARTED", "Action Approve Manual STARTED", "Action Approve Manual ABANDONED", "Stage Approve STOPPED", "Pipeline STOPPED",
		}
		if !slices.Equal(b.seen, want) {
			t.Errorf("told %q, want %q", b.seen, want)
		}
		if kind := b.details[2]["type"].(map[string]any); *kind["provider"].(*string) != "CodeCommit" {
			t.Errorf("%v", kind)
		}
	})
}

// TestRule: a rule of EventBridge on CodeCommit's events begins an execution, and
// its end is an event that another rule sends on.
func TestRule(t *testing.T) {
	in(t, func(r *rig) {
		t, ctx := r.T, r.Context()
		r.repository.commit("Deploy 1.1", revision("1.1"))
		r.ready(declaration(stage("Deploy", deployAction(nil))))
		queue, err := r.w.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("ended")})
		if err != nil {
			t.Fatal(err)
		}
		for rule, c := range map[string]struct{ pattern, target string }{
			"pushed": {`{"source": ["aws.codecommit"], "detail": {"event": ["referenceUpdated"], "referenceName": ["master"]}}`, "arn:aws:codepipeline:ca-central-1:111122223333:" + name},
			"ended":  {`{"source": ["aws.codepipeline"], "detail-type": ["CodePipeline Pipeline Execution State Change"], "detail": {"state": ["SUCCEEDED"]}}`, "arn:aws:sqs:ca-central-1:111122223333:ended"},
		} {
			if _, err := r.w.EventBridge().PutRule(ctx, &eventbridge.PutRuleInput{Name: &rule, EventPattern: aws.String(c.pattern)}); err != nil {
				t.Fatal(err)
			}
			if _, err := r.w.EventBridge().PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &rule, Targets: []eventtypes.Target{
				{Id: aws.String("one"), Arn: aws.String(c.target), RoleArn: aws.String("arn:aws:iam::111122223333:role/events")},
			}}); err != nil {
				t.Fatal(err)
			}
		}
		r.repository.commit("Deploy 1.2", revision("1.2"))
		pass(10 * time.Second)
		begun := r.executions()[0]
		if begun.Trigger.TriggerType != types.TriggerTypeCloudWatchEvent || *begun.Trigger.TriggerDetail != "arn:aws:events:ca-central-1:111122223333:rule/pushed" {
			t.Fatalf("%+v", begun.Trigger)
		}
		r.ends(*begun.PipelineExecutionId, succeeded)
		if got := r.running(); got != "1.2" {
			t.Errorf("runs %s", got)
		}
		got, err := r.w.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil || len(got.Messages) != 1 || !strings.Contains(*got.Messages[0].Body, *begun.PipelineExecutionId) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
