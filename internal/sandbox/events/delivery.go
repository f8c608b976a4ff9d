package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
)

// How often a call that failed is made again, if the target does not say: for 24
// hours and up to 185 times, with growing pauses. How they grow is ours.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
const (
	retriesMost = 185
	ageMost     = 24 * time.Hour
	firstPause  = time.Second
	lastPause   = 8 * time.Minute
)

// delivery is one call of a target that is not over. It is kept, so that an event
// that was accepted gets to its targets even after a kill: perhaps twice.
type delivery struct {
	ID       string
	Rule     rule // as it was, without its targets
	Target   target
	Event    json.RawMessage
	Accepted time.Time
	Attempts int
	Next     time.Time // when it is called again
}

// SetDeliveries has each event delivered so many times to each target from now
// on: EventBridge promises once at least.
func (s *Service) SetDeliveries(times int) error {
	if times < 1 || times > 10 {
		return fmt.Errorf("events are delivered 1 to 10 times: not %d", times)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries = times
	return nil
}

// Deliveries is how many times each event is delivered.
func (s *Service) Deliveries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deliveries
}

// deliver has an event delivered to all targets of a rule. The caller holds the
// lock.
func (s *Service) deliver(r *rule, event json.RawMessage) {
	as := rule{Rule: r.Rule}
	for _, t := range r.Targets {
		for range s.deliveries {
			now := time.Now()
			d := &delivery{ID: newID(), Rule: as, Target: t, Event: event, Accepted: now, Next: now}
			s.state.Deliveries[d.ID] = d
			s.carryLater(d)
		}
	}
}

// carryLater carries a delivery out in a goroutine of its own, once there is
// somebody to call. The caller holds the lock.
func (s *Service) carryLater(d *delivery) {
	if s.started && s.ctx.Err() == nil {
		s.work.Go(func() { s.carry(d) })
	}
}

// carry calls the target until it is over, or the service closes.
func (s *Service) carry(d *delivery) {
	for {
		s.mu.Lock()
		pause := time.Until(d.Next)
		s.mu.Unlock()
		if !wait(s.ctx, pause) {
			return
		}
		err := s.call(s.ctx, d.Rule, d.Target, d.Event)
		if s.ctx.Err() != nil {
			return // again after the next start
		}
		over := s.settle(d, err)
		s.options.Changed()
		if over {
			return
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settle says whether a delivery is over after a call with that error. One that
// failed for good goes to the dead letter queue.
func (s *Service) settle(d *delivery, err error) bool {
	described, failed := readTargetDocument(d.Target.Document)
	if failed != nil { // it was read when it was put
		described = &types.Target{}
	}
	s.mu.Lock()
	d.Attempts++
	exhausted := ""
	if err != nil && retryable(err) {
		pause := s.scaled(pause(d.Attempts))
		if exhausted = exhaustion(described.RetryPolicy, d.Attempts, time.Duration(float64(time.Since(d.Accepted)+pause)*s.scale)); exhausted == "" {
			d.Next = time.Now().Add(pause)
			s.mu.Unlock()
			s.options.Logger.Debug("a target's call failed and is made again", "rule", *d.Rule.Name, "target", d.Target.ID, "error", err)
			return false
		}
	}
	queues := s.targets.Queues
	s.mu.Unlock()

	if err != nil {
		s.options.Logger.Warn("a rule's invocation failed", "rule", *d.Rule.Name, "target", d.Target.ID, "error", err)
		if queue := deadLetters(described); queue != "" {
			s.bury(queues, queue, d, err, exhausted)
		}
	} else {
		s.options.Logger.Debug("a rule called its target", "rule", *d.Rule.Name, "target", d.Target.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state.Deliveries, d.ID)
	if r := s.state.Rules[key(*d.Rule.EventBusName, *d.Rule.Name)]; r != nil {
		r.Invocations.Add(err)
	}
	return true
}

// pause is how long to wait after so many calls.
func pause(attempts int) time.Duration {
	if attempts > 16 {
		return lastPause
	}
	return min(firstPause<<(attempts-1), lastPause)
}

// exhaustion names the limit that another call, at that age, would exceed; empty
// if none.
func exhaustion(policy *types.RetryPolicy, attempts int, age time.Duration) string {
	retries, most := retriesMost, ageMost
	if policy != nil && policy.MaximumRetryAttempts != nil {
		retries = int(*policy.MaximumRetryAttempts)
	}
	if policy != nil && policy.MaximumEventAgeInSeconds != nil {
		most = time.Duration(*policy.MaximumEventAgeInSeconds) * time.Second
	}
	switch {
	case attempts > retries:
		return "MaximumRetryAttempts"
	case age > most:
		return "MaximumEventAgeInSeconds"
	}
	return ""
}

// bury sends an event that was not delivered to a dead letter queue.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func (s *Service) bury(queues Queues, queue string, d *delivery, err error, exhausted string) {
	attributes := map[string]string{
		"RULE_ARN": aws.ToString(d.Rule.Arn), "TARGET_ARN": d.Target.ARN, "ERROR_CODE": errorCode(err), "ERROR_MESSAGE": err.Error(),
		"RETRY_ATTEMPTS": strconv.Itoa(d.Attempts - 1),
	}
	if exhausted != "" {
		attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
	}
	failed := errTarget("the sandbox has no queues")
	if queues != nil {
		failed = queues.Deliver(queue, string(d.Event), "", attributes)
	}
	if failed != nil {
		s.options.Logger.Error("an event is lost: its dead letter queue did not take it", "rule", *d.Rule.Name, "queue", queue, "error", failed)
	}
}

// Error codes of dead letters.
const (
	codeInvalidJSON  = "INVALID_JSON"
	codePermissions  = "NO_PERMISSIONS"
	codeResource     = "NO_RESOURCE"
	codeThrottling   = "THROTTLING"
	codeTarget       = "ERROR_FROM_TARGET"
	codeSDKClient    = "SDK_CLIENT_ERROR"
	codeUnknownError = "UNKNOWN"
)

// errorCode is EventBridge's code for a target's error.
func errorCode(err error) string {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return codeUnknownError
	}
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(api.ErrorCode(), part) {
				return true
			}
		}
		return false
	}
	switch {
	case api.ErrorCode() == codeInvalidJSON:
		return codeInvalidJSON
	case has("AccessDenied", "NotAuthorized"):
		return codePermissions
	case has("NotFound", "DoesNotExist", "NonExistent"):
		return codeResource
	case has("Throttl", "TooManyRequests", "LimitExceeded"):
		return codeThrottling
	case api.ErrorFault() == smithy.FaultServer, status(err) >= http.StatusInternalServerError:
		return codeTarget
	}
	return codeSDKClient
}

// retryable says whether a call may succeed later: one that lacks a permission or
// whose target does not exist is not made again.
func retryable(err error) bool {
	code := errorCode(err)
	return code == codeThrottling || code == codeTarget
}

// status is the HTTP status of an error that has one.
func status(err error) int {
	var coded interface{ HTTPStatusCode() int }
	if errors.As(err, &coded) {
		return coded.HTTPStatusCode()
	}
	return 0
}
