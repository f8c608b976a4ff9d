package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// What an invocation carries at most, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	payloadMost = 6 << 20 // with an answer at once
	eventMost   = 1 << 20
	answerMost  = payloadMost + 100
	tailMost    = 4 << 10 // of the log in an answer
)

// invocation is one run of a function.
type invocation struct {
	ID            string
	ARN           string // as it was invoked
	Payload       []byte
	ClientContext []byte // JSON, nil if there is none
}

// result is what became of an invocation.
type result struct {
	Payload []byte
	// Failed is what the header X-Amz-Function-Error says; empty if it went well.
	Failed string
	Tail   []byte // of what was printed meanwhile
}

// failure is the result of a function that Lambda could not run to its end.
func failure(inv *invocation, kind, format string, args ...any) result {
	document, _ := json.Marshal(struct { // two strings
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, "RequestId: " + inv.ID + " Error: " + fmt.Sprintf(format, args...)})
	return result{Payload: document, Failed: unhandled}
}

// unhandled is how all errors of functions are called: "Handled" is what runtimes
// of long ago reported.
const unhandled = "Unhandled"

// Invoke runs a function, or has it run later.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (a api) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	v, reserved, err := a.invoked(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	inv := &invocation{ID: uuid.NewString(), ARN: *v.shown(time.Now(), in.Qualifier != nil).FunctionArn, Payload: in.Payload}
	if len(inv.Payload) == 0 {
		inv.Payload = []byte("{}")
	}
	if in.ClientContext != nil {
		if inv.ClientContext, err = base64.StdEncoding.DecodeString(*in.ClientContext); err != nil {
			return nil, errContent("Client context must be a valid Base64-encoded JSON object.")
		}
	}
	if err := inv.check(in.InvocationType); err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case types.InvocationTypeDryRun:
		return &lambda.InvokeOutput{StatusCode: http.StatusNoContent}, nil
	case types.InvocationTypeEvent:
		a.accept(v, inv)
		return &lambda.InvokeOutput{StatusCode: http.StatusAccepted}, nil
	default:
	}
	got, err := a.run(ctx, v, reserved, inv)
	if err != nil {
		return nil, err
	}
	out := &lambda.InvokeOutput{StatusCode: http.StatusOK, ExecutedVersion: v.Version, Payload: got.Payload}
	if got.Failed != "" {
		out.FunctionError = &got.Failed
	}
	if in.LogType == types.LogTypeTail {
		out.LogResult = aws.String(base64.StdEncoding.EncodeToString(got.Tail))
	}
	return out, nil
}

// invoked is the version that an invocation is for. The error says that it is not
// there, or not yet.
func (s *Service) invoked(function, qualifier *string) (v *version, reserved *int32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, v, err := s.find(function, qualifier)
	if err != nil {
		return nil, nil, err
	}
	if time.Now().Before(v.Ready) {
		return nil, nil, errConflict("The operation cannot be performed at this time. The function is currently in the following state: %s", types.StatePending)
	}
	return v, f.Reserved, nil
}

// check says what is wrong with what is to be invoked.
func (inv *invocation) check(kind types.InvocationType) error {
	most := payloadMost
	if kind == types.InvocationTypeEvent {
		most = eventMost
	}
	switch {
	case kind != "" && kind != types.InvocationTypeDryRun && kind != types.InvocationTypeEvent && kind != types.InvocationTypeRequestResponse:
		return errValidation("Value '%s' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]", kind)
	case len(inv.Payload) > most:
		return &awsjson.Error{
			Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)", len(inv.Payload), kind, most),
		}
	case !json.Valid(inv.Payload):
		return errContent("Could not parse request body into json.")
	}
	return nil
}

func errContent(message string) error {
	return &awsjson.Error{Code: "InvalidRequestContentException", Message: message}
}

// run runs a version once. The error says that there is no room, or that ctx
// ended: the function itself goes on then.
func (s *Service) run(ctx context.Context, v *version, reserved *int32, inv *invocation) (result, error) {
	done := make(chan result, 1)
	s.mu.Lock()
	err := s.admit(*v.FunctionName, reserved)
	if err == nil {
		s.work.Go(func() { //nolint:contextcheck // it goes on without who asked for it
			defer s.leave(*v.FunctionName)
			done <- s.execute(v, inv)
		})
	}
	s.mu.Unlock()
	if err != nil {
		return result{}, err
	}
	select {
	case got := <-done:
		return got, nil
	case <-ctx.Done():
		return result{}, ctx.Err()
	}
}

// execute runs a version once, in this process or in one of its own.
func (s *Service) execute(v *version, inv *invocation) result {
	s.mu.Lock()
	handler := s.handlers[*v.FunctionName]
	s.mu.Unlock()
	switch {
	case v.CodeSize > 0 && s.options.Dir != "":
		return s.executeProgram(v, inv)
	case handler != nil:
		return s.executeHandler(v, inv, handler)
	default:
		return failure(inv, "Sandbox.NoCode", "the code of %s is not kept here: register a function of that name", *v.FunctionName)
	}
}

// executeHandler runs a function of this process.
func (s *Service) executeHandler(v *version, inv *invocation, handler Handler) result {
	timeout := time.Duration(*v.Timeout) * time.Second
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	answer, err := handler(ctx, inv.Payload)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return timedOut(inv, timeout)
	case err != nil:
		document, _ := json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": "errorString"}) // two strings
		return result{Payload: document, Failed: unhandled}
	case len(answer) > answerMost:
		return tooLarge(len(answer))
	case len(answer) == 0:
		answer = []byte("null")
	}
	return result{Payload: answer}
}

func timedOut(inv *invocation, timeout time.Duration) result {
	return failure(inv, "Sandbox.Timedout", "Task timed out after %.2f seconds", timeout.Seconds())
}

func tooLarge(size int) result {
	return result{Failed: unhandled, Payload: fmt.Appendf(nil,
		`{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes)."}`, size, answerMost)}
}

// Invoke runs a function, of that ARN or name, for another service and returns
// its answer: for a function that failed a document with an errorMessage. The
// error says that it could not be called. The function itself goes on when ctx
// ends.
func (s *Service) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	v, reserved, err := s.invoked(&function, nil)
	if err != nil {
		if s.options.Elsewhere != nil && isNotFound(err) {
			return s.options.Elsewhere.Invoke(ctx, function, payload)
		}
		return nil, plain(err)
	}
	got, err := s.run(ctx, v, reserved, &invocation{ID: uuid.NewString(), ARN: *v.FunctionArn, Payload: payload})
	if s.ctx.Err() != nil {
		// Nothing is said of a function that ended with the Service: whoever called
		// it ends as well, and is not to note a failure.
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return got.Payload, plain(err)
}

// InvokeEvent has a function, of that ARN or name, run for another service, which
// does not wait for it: what fails is tried again. The error says that there is no
// such function.
func (s *Service) InvokeEvent(function string, payload []byte) error {
	inv := &invocation{ID: uuid.NewString(), ARN: function, Payload: payload}
	if err := inv.check(types.InvocationTypeEvent); err != nil {
		return plain(err)
	}
	v, _, err := s.invoked(&function, nil)
	switch {
	case err == nil:
		inv.ARN = *v.FunctionArn
	case s.options.Elsewhere == nil || !isNotFound(err):
		return plain(err)
	}
	s.accept(v, inv)
	return nil
}

func isNotFound(err error) bool {
	api, ok := errors.AsType[*awsjson.Error](err)
	return ok && api.Status == http.StatusNotFound
}

// plain is an error without its code, as services quote it.
func plain(err error) error {
	if api, ok := errors.AsType[*awsjson.Error](err); ok {
		return errors.New(api.Message)
	}
	return err
}
