package sqs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// create makes a queue and returns its URL.
func create(t *testing.T, client *sqs.Client, name string, attributes map[string]string) *string {
	t.Helper()
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes, Tags: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl
}

func send(t *testing.T, client *sqs.Client, url *string, body string) {
	t.Helper()
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
}

// receive is what can be received, at most ten messages.
func receive(t *testing.T, client *sqs.Client, url *string, wait int32) []types.Message {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func bodies(messages []types.Message) (all []string) {
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return all
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	synctest.Wait()
}

// code is the error's code.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func second[T any](_ T, err error) error { return err }

// TestVisibility: what is received is hidden until its time is up, or it is
// deleted.
func TestVisibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.SQS(), t.Context()
		url := create(t, client, "q", nil)
		send(t, client, url, "one")
		send(t, client, url, "two")
		first := receive(t, client, url, 0)
		if !slices.Equal(bodies(first), []string{"one", "two"}) || first[0].Attributes["ApproximateReceiveCount"] != "1" {
			t.Fatalf("received %v", bodies(first))
		}
		if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: first[1].ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
		wait(29 * time.Second)
		if got := receive(t, client, url, 0); len(got) > 0 {
			t.Errorf("received %v, hidden", bodies(got))
		}
		attributes, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
		if err != nil || attributes.Attributes["ApproximateNumberOfMessages"] != "0" || attributes.Attributes["ApproximateNumberOfMessagesNotVisible"] != "1" {
			t.Error(attributes, err)
		}
		w.Restart()
		client = w.SQS()
		wait(time.Second)
		again := receive(t, client, url, 0)
		if !slices.Equal(bodies(again), []string{"one"}) || again[0].Attributes["ApproximateReceiveCount"] != "2" {
			t.Fatalf("received %v", again)
		}
		// An older handle deletes nothing.
		if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: first[0].ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: again[0].ReceiptHandle, VisibilityTimeout: 100}); err != nil {
			t.Fatal(err)
		}
		wait(99 * time.Second)
		if got := receive(t, client, url, 0); len(got) > 0 {
			t.Errorf("received %v, hidden for longer", bodies(got))
		}
		if got := receive(t, client, url, 20); !slices.Equal(bodies(got), []string{"one"}) {
			t.Errorf("received %v", bodies(got))
		}
		if _, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: again[0].ReceiptHandle}); code(err) != "MessageNotInflight" && !strings.Contains(fmt.Sprint(err), "MessageNotInflight") {
			t.Error(err)
		}
		wait(5 * 24 * time.Hour)
		if got := receive(t, client, url, 0); len(got) > 0 {
			t.Errorf("received %v after the retention period", bodies(got))
		}
	})
}

// TestLongPolling: a receiver waits as long as it says, and no longer than until
// a message comes.
func TestLongPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client := w.SQS()
		url := create(t, client, "q", map[string]string{"DelaySeconds": "2"})
		began := time.Now()
		if got := receive(t, client, url, 20); len(got) > 0 || time.Since(began) != 20*time.Second {
			t.Errorf("%v after %s", bodies(got), time.Since(began))
		}
		began = time.Now()
		go func() {
			wait5 := time.NewTimer(5 * time.Second)
			<-wait5.C
			send(t, client, url, "late")
		}()
		if got := receive(t, client, url, 20); !slices.Equal(bodies(got), []string{"late"}) || time.Since(began) != 7*time.Second {
			t.Errorf("%v after %s", bodies(got), time.Since(began))
		}
		// The queue's own wait.
		if _, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"ReceiveMessageWaitTimeSeconds": "3"}}); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		if got := receive(t, client, url, 0); len(got) > 0 || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %s", bodies(got), time.Since(began))
		}
	})
}

// TestRedrive: a message that is received too often goes to the dead letter queue.
func TestRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.SQS(), t.Context()
		dead := create(t, client, "dead", nil)
		policy := `{"deadLetterTargetArn":"arn:aws:sqs:ca-central-1:111122223333:dead","maxReceiveCount":2}`
		url := create(t, client, "q", map[string]string{"RedrivePolicy": policy, "VisibilityTimeout": "10"})
		send(t, client, url, "poison")
		for range 2 {
			if got := receive(t, client, url, 0); len(got) != 1 {
				t.Fatalf("received %v", bodies(got))
			}
			wait(10 * time.Second)
		}
		if got := receive(t, client, url, 0); len(got) > 0 {
			t.Errorf("received %v a third time", bodies(got))
		}
		got := receive(t, client, dead, 0)
		if !slices.Equal(bodies(got), []string{"poison"}) || got[0].Attributes["DeadLetterQueueSourceArn"] != "arn:aws:sqs:ca-central-1:111122223333:q" {
			t.Errorf("dead letters %+v", got)
		}
		sources, err := client.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dead})
		if err != nil || !slices.Equal(sources.QueueUrls, []string{*url}) {
			t.Error(sources, err)
		}
	})
}

// TestAttributes: the SDK checks digests itself.
func TestMessageAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.SQS(), t.Context()
		url := create(t, client, "q", nil)
		values := map[string]types.MessageAttributeValue{
			"text.a": {DataType: aws.String("String"), StringValue: aws.String("é")}, "number": {DataType: aws.String("Number.int"), StringValue: aws.String("1")},
			"bytes": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}},
		}
		if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("b"), MessageAttributes: values}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			ask  []string
			want int
		}{{nil, 0}, {[]string{"All"}, 3}, {[]string{".*"}, 3}, {[]string{"text.*"}, 1}, {[]string{"bytes", "number", "x"}, 2}} {
			out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MessageAttributeNames: c.ask, VisibilityTimeout: 1})
			if err != nil || len(out.Messages) != 1 || len(out.Messages[0].MessageAttributes) != c.want {
				t.Errorf("%v: %+v, %v", c.ask, out, err)
			}
			wait(time.Second)
		}
	})
}

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.SQS(), t.Context()
		url := create(t, client, "q", nil)
		out, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("a"), MessageBody: aws.String("1")}, {Id: aws.String("b"), MessageBody: aws.String("2"), DelaySeconds: 901}, {Id: aws.String("c"), MessageBody: aws.String("3"), DelaySeconds: 1},
		}})
		if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" || *out.Failed[0].Code != "InvalidParameterValue" {
			t.Fatal(out, err)
		}
		wait(time.Second)
		got := receive(t, client, url, 0)
		if !slices.Equal(bodies(got), []string{"1", "3"}) {
			t.Fatalf("received %v", bodies(got))
		}
		hidden, err := client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("b"), ReceiptHandle: aws.String("x")},
		}})
		if err != nil || len(hidden.Successful) != 1 || *hidden.Failed[0].Code != "ReceiptHandleIsInvalid" {
			t.Error(hidden, err)
		}
		deleted, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: got[1].ReceiptHandle}, {Id: aws.String("b"), ReceiptHandle: aws.String("x")},
		}})
		if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 {
			t.Error(deleted, err)
		}
		if got := receive(t, client, url, 0); !slices.Equal(bodies(got), []string{"1"}) {
			t.Errorf("received %v", bodies(got))
		}
		wait(time.Minute)
		if _, err := client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url}); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, client, url, 0); len(got) > 0 {
			t.Errorf("received %v after a purge", bodies(got))
		}
		twice := []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("1")}, {Id: aws.String("a"), MessageBody: aws.String("1")}}
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"no entries":   {second(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{}})), "EmptyBatchRequest"},
			"an id twice":  {second(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: twice})), "BatchEntryIdsNotDistinct"},
			"purged twice": {second(client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url})), "PurgeQueueInProgress"},
		} {
			if !strings.HasSuffix(code(c.err), c.code) {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
	})
}

func TestQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.SQS(), t.Context()
		url := create(t, client, "jobs", map[string]string{"VisibilityTimeout": "60", "Policy": `{"Version":"2012-10-17","Statement":[]}`})
		if *url != "http://sandbox.example.com/111122223333/jobs" {
			t.Errorf("URL %s", *url)
		}
		// The same again is no error.
		if again := create(t, client, "jobs", map[string]string{"VisibilityTimeout": "60", "MaximumMessageSize": "1048576"}); *again != *url {
			t.Errorf("URL %s", *again)
		}
		found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
		if err != nil || *found.QueueUrl != *url {
			t.Error(found, err)
		}
		all, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"QueueArn": "arn:aws:sqs:ca-central-1:111122223333:jobs", "VisibilityTimeout": "60", "DelaySeconds": "0", "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "true",
			"Policy": `{"Version":"2012-10-17","Statement":[]}`, "ApproximateNumberOfMessages": "0", "CreatedTimestamp": fmt.Sprint(time.Now().Unix()),
		} {
			if got := all.Attributes[name]; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if _, err := client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"Policy": "", "KmsMasterKeyId": "alias/aws/sqs"}}); err != nil {
			t.Fatal(err)
		}
		all, err = client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
		if _, policy := all.Attributes["Policy"]; err != nil || policy || all.Attributes["SqsManagedSseEnabled"] != "false" || all.Attributes["KmsDataKeyReusePeriodSeconds"] != "300" {
			t.Error(all.Attributes, err)
		}
		if _, err := client.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"c": "d"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		tags, err := client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url})
		if err != nil || len(tags.Tags) != 1 || tags.Tags["c"] != "d" {
			t.Error(tags, err)
		}
		for i := range 3 {
			create(t, client, fmt.Sprint("other", i), nil)
		}
		var urls []string
		pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("other"), MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			urls = append(urls, page.QueueUrls...)
		}
		if len(urls) != 3 {
			t.Errorf("queues %v", urls)
		}
		// What the client names its members is what SQS names them.
		var members map[string]json.RawMessage
		if err := json.Unmarshal(w.RawBodies("CreateQueue")[0], &members); err != nil || members["QueueName"] == nil || members["tags"] == nil {
			t.Errorf("%s, %v", w.RawBodies("CreateQueue")[0], err)
		}

		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"no queue":       {second(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("x")})), "AWS.SimpleQueueService.NonExistentQueue"},
			"other settings": {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs"), Attributes: map[string]string{"VisibilityTimeout": "61"}})), "QueueNameExists"},
			"bad name":       {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("a b")})), "InvalidParameterValue"},
			"fifo":           {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("a.fifo")})), "AWS.SimpleQueueService.UnsupportedOperation"},
			"bad attribute":  {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("a"), Attributes: map[string]string{"X": "1"}})), "InvalidAttributeName"},
			"bad value":      {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("a"), Attributes: map[string]string{"DelaySeconds": "901"}})), "InvalidAttributeValue"},
			"bad policy":     {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("a"), Attributes: map[string]string{"Policy": "x"}})), "InvalidAttributeValue"},
			"no dead letters": {second(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("a"), Attributes: map[string]string{
				"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:ca-central-1:111122223333:x","maxReceiveCount":"2"}`,
			}})), "InvalidParameterValue"},
			"no body":    {second(client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("")})), "MissingParameter"},
			"too much":   {second(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 11})), "InvalidParameterValue"},
			"too long":   {second(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 21})), "InvalidParameterValue"},
			"bad handle": {second(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: aws.String("x")})), "ReceiptHandleIsInvalid"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
		if _, missing := errors.AsType[*types.QueueDoesNotExist](second(client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("x")}))); !missing {
			t.Error("the SDK does not know the error of a queue that there is not")
		}

		if _, err := client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs")}); !strings.HasSuffix(code(err), "QueueDeletedRecently") {
			t.Error(err)
		}
		wait(time.Minute)
		create(t, client, "jobs", nil)
	})
}
