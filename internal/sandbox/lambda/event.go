package lambda

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// How long the events of functions are tried.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	retriesMost   = 2
	firstRetry    = time.Minute // and twice that before the next
	ageMost       = 6 * time.Hour
	throttleFirst = time.Second // and twice that each time
	throttleMost  = 5 * time.Minute
)

// event is an asynchronous invocation on its way.
type event struct {
	invocation
	// Function and Version are the function's; both empty for one elsewhere.
	Function, Version string
	Accepted          time.Time
	Next              time.Time // when it is tried
	Attempts          int       // that failed in the function
	Throttled         int       // since the last of those
}

// accept puts an event on its way; v is nil for a function elsewhere.
func (s *Service) accept(v *version, inv *invocation) {
	e := &event{invocation: *inv, Accepted: time.Now(), Next: time.Now()}
	if v != nil {
		e.Function, e.Version = *v.FunctionName, *v.Version
	}
	s.mu.Lock()
	closed := s.closed
	s.state.Events[e.ID] = e
	if !closed {
		s.work.Go(func() { s.carry(e) })
	}
	s.mu.Unlock()
	s.options.Changed()
}

// carry tries an event until it is done, or until Close.
func (s *Service) carry(e *event) {
	select {
	case <-s.started:
	case <-s.ctx.Done():
		return
	}
	for s.wait(time.Until(e.Next)) {
		got, rule, v, err := s.attempt(e)
		if s.ctx.Err() != nil {
			return // it is tried again after a restart
		}
		s.mu.Lock()
		condition := s.settle(e, got, rule, v, err)
		s.mu.Unlock()
		if condition != "" {
			s.report(e, condition, got, rule, v)
			s.mu.Lock()
			delete(s.state.Events, e.ID) // once it is told, or a kill would lose it
			s.mu.Unlock()
		}
		s.options.Changed()
		if condition != "" {
			return
		}
	}
}

// attempt runs the event's function once. The error says that it could not be run.
func (s *Service) attempt(e *event) (got result, rule *types.FunctionEventInvokeConfig, v *version, err error) {
	if e.Function == "" {
		answer, err := s.options.Elsewhere.Invoke(s.ctx, e.ARN, e.Payload)
		return fromElsewhere(answer, err), nil, nil, nil
	}
	s.mu.Lock()
	f, v, err := s.find(&e.Function, &e.Version)
	var reserved *int32
	if err == nil {
		rule, reserved = f.EventRules[e.Version], f.Reserved
	}
	s.mu.Unlock()
	if err != nil {
		return result{}, nil, nil, err
	}
	inv := e.invocation
	got, err = s.run(s.ctx, v, reserved, &inv)
	return got, rule, v, err
}

// fromElsewhere is the result of a function that was not run here.
func fromElsewhere(answer []byte, err error) result {
	var said struct {
		ErrorMessage *string `json:"errorMessage"`
	}
	switch {
	case err != nil:
		document, _ := json.Marshal(map[string]string{"errorMessage": err.Error()}) // a string
		return result{Payload: document, Failed: unhandled}
	case json.Unmarshal(answer, &said) == nil && said.ErrorMessage != nil:
		return result{Payload: answer, Failed: unhandled}
	}
	return result{Payload: answer}
}

// The conditions of an invocation that is over.
const (
	succeeded = "Success"
	exhausted = "RetriesExhausted"
	aged      = "EventAgeExceeded"
	gone      = "Gone" // the function is; nobody is told
)

// settle decides what follows from an attempt: it is over with a condition, or the
// event's Next is set. The caller holds the lock.
func (s *Service) settle(e *event, got result, rule *types.FunctionEventInvokeConfig, v *version, err error) (condition string) {
	retries, age := retriesMost, ageMost
	if rule != nil {
		if rule.MaximumRetryAttempts != nil {
			retries = int(*rule.MaximumRetryAttempts)
		}
		if rule.MaximumEventAgeInSeconds != nil {
			age = time.Duration(*rule.MaximumEventAgeInSeconds) * time.Second
		}
	}
	var delay time.Duration
	switch {
	case err != nil && v == nil:
		return gone
	case err != nil:
		// A function without any concurrency sends its events on, without a retry.
		// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
		if f := s.state.Functions[e.Function]; f != nil && f.Reserved != nil && *f.Reserved == 0 {
			return exhausted
		}
		delay = time.Duration(math.Min(float64(throttleMost), float64(throttleFirst)*math.Pow(2, float64(e.Throttled))))
		e.Throttled++
	case got.Failed == "":
		return succeeded
	default:
		e.Attempts++
		e.Throttled = 0
		if e.Attempts > retries {
			return exhausted
		}
		delay = firstRetry << (e.Attempts - 1)
	}
	e.Next = time.Now().Add(s.scaled(delay))
	if e.Next.Sub(e.Accepted) > s.scaled(age) {
		return aged
	}
	return ""
}

// report tells the function's destination and its dead letter queue what became
// of an event.
func (s *Service) report(e *event, condition string, got result, rule *types.FunctionEventInvokeConfig, v *version) {
	log := s.options.Logger.With("function", cmp.Or(e.Function, e.ARN), "request", e.ID)
	switch condition {
	case gone:
		log.Warn("an event's function is gone")
		return
	case succeeded:
		if to := onSuccess(rule); to != "" {
			s.deliver(log.Error, to, e.record(condition, got, v), nil)
		}
		return
	}
	log.Warn("a function did not process an event", "condition", condition, "answer", string(got.Payload))
	if to := onFailure(rule); to != "" {
		s.deliver(log.Error, to, e.record(condition, got, v), nil)
	}
	if v != nil && v.DeadLetterConfig != nil {
		// A dead letter queue gets the event itself.
		var said struct{ ErrorMessage string }
		_ = json.Unmarshal(got.Payload, &said) // none if it is no such document
		s.deliver(log.Error, aws.ToString(v.DeadLetterConfig.TargetArn), e.Payload, map[string]string{
			"RequestID": e.ID, "ErrorCode": strconv.Itoa(http.StatusOK), "ErrorMessage": clip(said.ErrorMessage, 1024),
		})
	}
}

// record is what a destination is told of an event.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func (e *event) record(condition string, got result, v *version) []byte {
	response := map[string]any{"statusCode": http.StatusOK, "executedVersion": *v.Version}
	if got.Failed != "" {
		response["functionError"] = got.Failed
	}
	attempts := e.Attempts
	if condition == succeeded {
		attempts++
	}
	record := map[string]any{
		"version": "1.0", "timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": map[string]any{
			"requestId": e.ID, "functionArn": *v.shown(v.Settled, true).FunctionArn, "condition": condition, "approximateInvokeCount": attempts,
		},
		"requestPayload": json.RawMessage(e.Payload), "responseContext": response,
	}
	if json.Valid(got.Payload) {
		record["responsePayload"] = json.RawMessage(got.Payload)
	}
	document, _ := json.Marshal(record) // nothing in it fails
	return document
}

// deliver brings a message to a queue or a function, by ARN. AWS counts what
// cannot be delivered in a metric; here it is logged.
func (s *Service) deliver(complain func(string, ...any), to string, body []byte, attributes map[string]string) {
	err := fmt.Errorf("the sandbox delivers to queues and functions")
	service := serviceOf(to)
	switch {
	case service == "sqs" && s.options.Queues == nil:
		err = errors.New("there are no queues")
	case service == "sqs":
		err = s.options.Queues.Deliver(to, string(body), "", attributes)
	case service == "lambda":
		err = s.InvokeEvent(to, body)
	}
	if err != nil {
		complain("what became of an event cannot be delivered", "to", to, "error", err)
	}
}
