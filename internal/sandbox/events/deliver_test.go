package events_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// writeRef has git name a commit, behind the server's back.
func writeRef(t *testing.T, path, ref, commit string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "git", "-C", path, "update-ref", ref, commit).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// queueARN is the ARN of a queue that is made.
func queueARN(t *testing.T, w *sandboxtest.World, name string) string {
	t.Helper()
	if _, err := w.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}); err != nil {
		t.Fatal(err)
	}
	return "arn:aws:sqs:ca-central-1:111122223333:" + name
}

// received are the messages of a queue, which are deleted.
func received(t *testing.T, w *sandboxtest.World, name string) (all []sqstypes.Message) {
	t.Helper()
	synctest.Wait()
	client, url := w.SQS(), aws.String("https://example.com/"+name)
	for {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
		for _, m := range out.Messages {
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func bodies(messages []sqstypes.Message) (all []string) {
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	slices.Sort(all)
	return all
}

// match makes a rule with an event pattern and its targets.
func match(t *testing.T, client *eventbridge.Client, name, pattern string, targets ...types.Target) {
	t.Helper()
	if _, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	if out, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: targets}); err != nil || out.FailedEntryCount != 0 {
		t.Fatal(out, err)
	}
}

// event puts an event of the source "test" on the default bus.
func event(t *testing.T, client *eventbridge.Client, detail string) (id string) {
	t.Helper()
	out, err := client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{Source: aws.String("test"), DetailType: aws.String("a test"), Detail: &detail, Resources: []string{"r"}},
	}})
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatal(out, err)
	}
	return *out.Entries[0].EventId
}

// TestCommitsAreTold: every branch that changes is an event, whoever changed it.
func TestCommitsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx, name := w.CodeCommit(), t.Context(), aws.String("deployment")
		match(t, w.EventBridge(), "commits", `{"source": ["aws.codecommit"], "detail-type": ["CodeCommit Repository State Change"]}`, types.Target{Id: aws.String("q"), Arn: aws.String(queueARN(t, w, "commits"))})
		created, err := client.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: name})
		if err != nil {
			t.Fatal(err)
		}
		put := func(parent *string, content string) string {
			out, err := client.PutFile(ctx, &codecommit.PutFileInput{
				RepositoryName: name, BranchName: aws.String("main"), FilePath: aws.String("a"), FileContent: []byte(content), ParentCommitId: parent,
			})
			if err != nil {
				t.Fatal(err)
			}
			return *out.CommitId
		}
		first := put(nil, "1")
		var got map[string]any
		messages := received(t, w, "commits")
		if len(messages) != 1 {
			t.Fatalf("%d events", len(messages))
		}
		if err := json.Unmarshal([]byte(*messages[0].Body), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"version": "0", "id": got["id"], "detail-type": "CodeCommit Repository State Change", "source": "aws.codecommit", "account": "111122223333",
			"time": time.Now().UTC().Format(time.RFC3339), "region": "ca-central-1", "resources": []any{"arn:aws:codecommit:ca-central-1:111122223333:deployment"},
			"detail": map[string]any{
				"event": "referenceCreated", "repositoryName": "deployment", "repositoryId": *created.RepositoryMetadata.RepositoryId, "referenceType": "branch",
				"referenceName": "main", "referenceFullName": "refs/heads/main", "commitId": first, "callerUserArn": "arn:aws:iam::111122223333:user/sandbox",
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}

		second := put(&first, "2")
		if _, err := client.CreateBranch(ctx, &codecommit.CreateBranchInput{RepositoryName: name, BranchName: aws.String("other/x"), CommitId: &first}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteBranch(ctx, &codecommit.DeleteBranchInput{RepositoryName: name, BranchName: aws.String("other/x")}); err != nil {
			t.Fatal(err)
		}
		told := func() (all []string) {
			for _, body := range bodies(received(t, w, "commits")) {
				var e struct {
					Detail struct{ Event, ReferenceType, ReferenceName, CommitID, OldCommitID string }
				}
				if err := json.Unmarshal([]byte(body), &e); err != nil {
					t.Fatal(err)
				}
				all = append(all, fmt.Sprint(e.Detail))
			}
			slices.Sort(all)
			return all
		}
		if diff := cmp.Diff([]string{
			"{referenceCreated branch other/x " + first + " }", "{referenceDeleted branch other/x  " + first + "}", "{referenceUpdated branch main " + second + " " + first + "}",
		}, told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}

		// What git changed while nobody looked is told after a restart, once.
		git, err := w.Around().CodeCommit.Adopt(ctx, "deployment", "")
		if err != nil {
			t.Fatal(err)
		}
		writeRef(t, git.Path(), "refs/tags/v1", second)
		writeRef(t, git.Path(), "refs/notes/x", second)
		w.Restart()
		if diff := cmp.Diff([]string{"{referenceCreated tag v1 " + second + " }"}, told()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		w.Restart()
		if all := told(); len(all) > 0 {
			t.Errorf("told again: %v", all)
		}
	})
}

// TestInput: what a target gets of an event.
func TestInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, arn := w.EventBridge(), queueARN(t, w, "q")
		transform := func(template string, paths map[string]string) types.Target {
			return types.Target{InputTransformer: &types.InputTransformer{InputTemplate: &template, InputPathsMap: paths}}
		}
		detail := `{"commit": "c1", "n": 1.50, "list": [{"a": "x"}, {"a": "y \"z\""}], "deep": {"er": true}}`
		for name, c := range map[string]struct {
			target types.Target
			want   string
		}{
			"constant":    {types.Target{Input: aws.String(`{"a":1}`)}, `{"a":1}`},
			"path":        {types.Target{InputPath: aws.String("$.detail.deep")}, `{"er":true}`},
			"index":       {types.Target{InputPath: aws.String("$.detail.list[0]")}, `{"a":"x"}`},
			"brackets":    {types.Target{InputPath: aws.String("$['detail-type']")}, `"a test"`},
			"nothing":     {types.Target{InputPath: aws.String("$.detail.x")}, `null`},
			"transformed": {transform(`{"c": <c>, "n": <n>, "text": "commit <c> by <who>", "deep": <d>}`, map[string]string{"c": "$.detail.commit", "n": "$.detail.n", "who": "$.source", "d": "$.detail.deep"}), `{"c": "c1", "n": 1.50, "text": "commit c1 by test", "deep": {"er":true}}`},
			"text":        {transform(`"<q> of <aws.events.rule-name>"`, map[string]string{"q": "$.detail.list[1].a"}), `"y \"z\" of text"`},
			"missing":     {transform(`{"x": <x>, "y": "a<x>b"}`, map[string]string{"x": "$.detail.x"}), `{"x": "", "y": "ab"}`},
			"markup":      {transform(`{"x": "<b>"}`, nil), `{"x": "<b>"}`},
		} {
			c.target.Id, c.target.Arn = aws.String("q"), &arn
			match(t, client, name, `{"source": ["test"]}`, c.target)
			event(t, client, detail)
			if got := bodies(received(t, w, "q")); !slices.Equal(got, []string{c.want}) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
			if _, err := client.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: &name}); err != nil {
				t.Fatal(err)
			}
		}
		event(t, client, detail)
		if got := received(t, w, "q"); len(got) > 0 {
			t.Errorf("disabled rules delivered %v", bodies(got))
		}
		for what, target := range map[string]types.Target{
			"two":       {Input: aws.String("1"), InputPath: aws.String("$")},
			"path":      {InputPath: aws.String("detail")},
			"template":  {InputTransformer: &types.InputTransformer{InputTemplate: aws.String("")}},
			"map":       {InputTransformer: &types.InputTransformer{InputTemplate: aws.String("<a>"), InputPathsMap: map[string]string{"a": "$..x"}}},
			"no JSON":   {Input: aws.String("{")},
			"no role":   {Arn: aws.String("arn:aws:codepipeline:ca-central-1:111122223333:p")},
			"too large": {Input: aws.String(`"` + strings.Repeat("x", 8192) + `"`)},
		} {
			target.Id = aws.String("q")
			if target.Arn == nil {
				target.Arn = &arn
			}
			if _, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("text"), Targets: []types.Target{target}}); code(err) != "ValidationException" {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestPutEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.EventBridge(), t.Context()
		created, err := client.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: aws.String("own"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
		if err != nil || *created.EventBusArn != "arn:aws:events:ca-central-1:111122223333:event-bus/own" {
			t.Fatal(created, err)
		}
		arn := queueARN(t, w, "q")
		put, err := client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventBusName: aws.String("own"), EventPattern: aws.String(`{"source": ["test"]}`)})
		if err != nil || *put.RuleArn != "arn:aws:events:ca-central-1:111122223333:rule/own/r" {
			t.Fatal(put, err)
		}
		if _, err := client.PutTargets(ctx, &eventbridge.PutTargetsInput{
			Rule: aws.String("r"), EventBusName: created.EventBusArn, Targets: []types.Target{{Id: aws.String("q"), Arn: &arn, InputPath: aws.String("$.detail.n")}},
		}); err != nil {
			t.Fatal(err)
		}
		event(t, client, `{"n": 1}`) // on the default bus
		out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
			{Source: aws.String("test"), DetailType: aws.String("x"), Detail: aws.String(`{"n": 2}`), EventBusName: aws.String("own")},
			{Source: aws.String("test"), DetailType: aws.String("x"), Detail: aws.String(`[]`)},
			{Source: aws.String("test"), Detail: aws.String(`{}`)},
			{Source: aws.String("aws.ecs"), DetailType: aws.String("x"), Detail: aws.String(`{}`)},
		}})
		if err != nil || out.FailedEntryCount != 3 || out.Entries[0].EventId == nil {
			t.Fatal(out, err)
		}
		for i, want := range []string{"MalformedDetail", "InvalidArgument", "NotAuthorizedForSourceException"} {
			if got := aws.ToString(out.Entries[i+1].ErrorCode); got != want {
				t.Errorf("entry %d: %s, want %s", i+1, got, want)
			}
		}
		if got := bodies(received(t, w, "q")); !slices.Equal(got, []string{"2"}) {
			t.Errorf("received %v", got)
		}

		buses, err := client.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{})
		if err != nil || len(buses.EventBuses) != 2 || *buses.EventBuses[0].Name != "default" {
			t.Error(buses, err)
		}
		tags, err := client.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: put.RuleArn})
		if err != nil || len(tags.Tags) != 0 {
			t.Error(tags, err)
		}
		if tags, err = client.ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: created.EventBusArn}); err != nil || len(tags.Tags) != 1 {
			t.Error(tags, err)
		}
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"schedule":     {second(client.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("s"), EventBusName: aws.String("own"), ScheduleExpression: aws.String("rate(1 hour)")})), "ValidationException"},
			"twice":        {second(client.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: aws.String("own")})), "ResourceAlreadyExistsException"},
			"with rules":   {second(client.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: aws.String("own")})), "ValidationException"},
			"no such bus":  {second(client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String("x")})), "ResourceNotFoundException"},
			"on no bus":    {second(client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("r")})), "ResourceNotFoundException"},
			"no entries":   {second(client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{}})), "ValidationException"},
			"the one":      {second(client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})), "<nil>"},
			"delete never": {second(client.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: aws.String("x")})), "<nil>"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
	})
}

// TestDeadLetters: what has no target goes to the dead letter queue at once.
func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		dead, gone := queueARN(t, w, "dead"), "arn:aws:sqs:ca-central-1:111122223333:gone"
		match(t, w.EventBridge(), "r", `{"source": ["test"]}`, types.Target{Id: aws.String("q"), Arn: &gone, DeadLetterConfig: &types.DeadLetterConfig{Arn: &dead}, Input: aws.String(`"x"`)})
		id := event(t, w.EventBridge(), `{}`)
		messages := received(t, w, "dead")
		if len(messages) != 1 || !strings.Contains(*messages[0].Body, id) {
			t.Fatalf("dead letters %v", bodies(messages))
		}
		got := map[string]string{}
		for name, value := range messages[0].MessageAttributes {
			got[name] = *value.StringValue
		}
		want := map[string]string{
			"RULE_ARN": "arn:aws:events:ca-central-1:111122223333:rule/r", "TARGET_ARN": gone, "ERROR_CODE": "NO_RESOURCE",
			"ERROR_MESSAGE": "QueueDoesNotExist: The specified queue does not exist.", "RETRY_ATTEMPTS": "0",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
		if i := w.Around().EventBridge.Invocations()["r"]; i.Count != 1 || i.Failed != 1 {
			t.Errorf("invocations %+v", i)
		}
	})
}

// TestTwice: at least once may be twice.
func TestTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		match(t, w.EventBridge(), "r", `{"source": ["test"]}`, types.Target{Id: aws.String("q"), Arn: aws.String(queueARN(t, w, "q")), InputPath: aws.String("$.id")})
		if err := w.Around().EventBridge.SetDeliveries(2); err != nil {
			t.Fatal(err)
		}
		id := event(t, w.EventBridge(), `{}`)
		if got := bodies(received(t, w, "q")); !slices.Equal(got, []string{`"` + id + `"`, `"` + id + `"`}) {
			t.Errorf("received %v", got)
		}
		if err := w.Around().EventBridge.SetDeliveries(0); err == nil {
			t.Error("no delivery at all")
		}
	})
}
