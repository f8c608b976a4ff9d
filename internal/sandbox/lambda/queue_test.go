package lambda_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/lambda"
)

// queue is a queue of a test's.
type queue struct{ sent []message }

type message struct {
	to, body   string
	attributes map[string]string
}

func (q *queue) Deliver(to, body, _ string, attributes map[string]string) error {
	q.sent = append(q.sent, message{to, body, attributes})
	return nil
}

// TestDeadLetter: the event itself goes to the dead letter queue.
func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const arn, dead = "arn:aws:lambda:eu-west-1:111122223333:function:f", "arn:aws:sqs:eu-west-1:111122223333:dead"
		q := &queue{}
		s, err := lambda.New(lambda.Options{Region: "eu-west-1", Account: "111122223333", TimeScale: 60, Queues: q})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Start("http://sandbox.example.com")
		if err := s.Register(arn, func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no") }); err != nil {
			t.Fatal(err)
		}
		document, err := awsjson.Marshal(&client.UpdateFunctionConfigurationInput{
			FunctionName: aws.String("f"), DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String(dead)},
		})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, s, "UpdateFunctionConfiguration", document)
		if err := s.InvokeEvent("g", []byte(`{}`)); fmt.Sprint(err) != "Function not found: arn:aws:lambda:eu-west-1:111122223333:function:g" {
			t.Error(err)
		}
		if err := s.InvokeEvent("f", []byte(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		wait(4 * time.Second) // three minutes and more
		if len(q.sent) != 1 {
			t.Fatalf("sent %v", q.sent)
		}
		m := q.sent[0]
		if m.to != dead || m.body != `{"a":1}` || m.attributes["ErrorCode"] != "200" || m.attributes["ErrorMessage"] != "no" || m.attributes["RequestID"] == "" {
			t.Errorf("sent %+v", m)
		}
	})
}

// ask has the service do an operation.
func ask(t *testing.T, s *lambda.Service, operation string, document []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(document))
	r.Header.Set("X-Amz-Target", lambda.TargetPrefix+"."+operation)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatal(w.Body.String())
	}
}
