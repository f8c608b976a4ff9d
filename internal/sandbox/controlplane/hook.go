package controlplane

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// hook is a lifecycle hook of the stage at hand. Its status is shown in the
// service deployment's lifecycleHookDetails, under its id.
type hook struct {
	ID      string
	Target  string          // the function's ARN; empty for a PAUSE hook
	Details json.RawMessage // hookDetails for the next call
	Next    time.Time       // when the function is called
	Expires time.Time
	// OnTimeout is what happens then.
	OnTimeout types.DeploymentLifecycleHookAction
	Passed    bool
	Refusal   string // why the deployment is to be rolled back

	calling bool
}

// hooked says whether a hook is to run at a stage.
func hooked(h types.DeploymentLifecycleHook, at stage) bool {
	return slices.Contains(h.LifecycleStages, types.DeploymentLifecycleHookStage(at))
}

// beginHooks begins the hooks of the stage at hand, all at once.
func (c *ControlPlane) beginHooks(s *service) {
	k, record := s.Course, s.record()
	k.Hooks = nil
	for i, configured := range record.DeploymentConfiguration.LifecycleHooks {
		if !hooked(configured, k.step().Stage) {
			continue
		}
		h := &hook{Next: time.Now(), OnTimeout: types.DeploymentLifecycleHookActionRollback}
		timeout := hookTimeout
		if t := configured.TimeoutConfiguration; t != nil {
			if t.TimeoutInMinutes != nil {
				timeout = minutes(t.TimeoutInMinutes)
			}
			h.OnTimeout = orDefault(t.Action, h.OnTimeout)
		}
		h.Expires = time.Now().Add(time.Duration(float64(timeout) / c.scale))
		detail := types.DeploymentLifecycleHookDetail{
			TargetType: types.DeploymentLifecycleHookTargetTypePause, Status: types.DeploymentLifecycleHookStatusAwaitingAction,
			ExpiresAt: aws.Time(h.Expires), TimeoutAction: h.OnTimeout,
		}
		kind := "pause"
		if configured.TargetType != types.DeploymentLifecycleHookTargetTypePause {
			kind = "lambda"
			h.Target = aws.ToString(configured.HookTargetArn)
			if i < len(k.HookDetails) {
				h.Details = k.HookDetails[i]
			}
			detail.TargetType, detail.Status = types.DeploymentLifecycleHookTargetTypeAwsLambda, types.DeploymentLifecycleHookStatusInProgress
			detail.TargetArn = aws.String(h.Target)
		}
		h.ID = "ecs-" + kind + "-" + randomHook()
		detail.HookId = aws.String(h.ID)
		record.LifecycleHookDetails = append(record.LifecycleHookDetails, detail)
		k.Hooks = append(k.Hooks, h)
	}
	c.tendHooks(s)
}

// randomHook is the last part of a hook's id.
func randomHook() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// tendHooks calls the functions that are due, and ends the hooks that are out of
// time.
func (c *ControlPlane) tendHooks(s *service) {
	now := time.Now()
	for _, h := range s.Course.Hooks {
		switch {
		case h.Passed || h.Refusal != "":
		case !now.Before(h.Expires):
			if h.OnTimeout == types.DeploymentLifecycleHookActionContinue {
				h.Passed = true
			} else {
				h.Refusal = refusedByTimeout(s.Course.step().Stage, h.Target)
			}
			s.record().setHook(h.ID, types.DeploymentLifecycleHookStatusTimedOut)
		case h.Target != "" && !h.calling && !now.Before(h.Next):
			c.callHook(s, h)
		}
	}
}

// settle ends a hook.
func (h *hook) settle(r *record, refusal string) {
	h.Passed, h.Refusal = refusal == "", refusal
	status := types.DeploymentLifecycleHookStatusSucceeded
	if refusal != "" {
		status = types.DeploymentLifecycleHookStatusFailed
	}
	r.setHook(h.ID, status)
}

// callHook calls the hook's function, without the lock.
func (c *ControlPlane) callHook(s *service, h *hook) {
	h.calling = true
	k, event := s.Course, s.hookEvent(h)
	c.calls.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, max(leastCall, time.Duration(float64(hookCallMost)/c.scale)))
		defer cancel()
		answer, err := c.options.Functions.Invoke(ctx, h.Target, event)
		c.do(func() {
			h.calling = false
			if s.Course == k && slices.Contains(k.Hooks, h) && h.Refusal == "" && !h.Passed {
				c.hookAnswered(s, h, answer, err)
				c.kick(s)
			}
		})
	})
}

// hookAnswered is told what a hook's function answered.
func (c *ControlPlane) hookAnswered(s *service, h *hook, answer []byte, err error) {
	at := s.Course.step().Stage
	if err != nil {
		h.settle(s.record(), refusedByHook(at, "ECS was unable to invoke hook target "+h.Target+" due to "+err.Error()))
		return
	}
	var said struct {
		HookStatus    types.DeploymentLifecycleHookStatus
		CallBackDelay *float64
		HookDetails   map[string]any
	}
	trouble := ""
	if err := json.Unmarshal(answer, &said); err != nil {
		trouble = err.Error()
	}
	switch said.HookStatus {
	case types.DeploymentLifecycleHookStatusSucceeded:
		h.settle(s.record(), "")
		return
	case types.DeploymentLifecycleHookStatusFailed:
		h.settle(s.record(), refusedByHook(at, "Lifecycle hook target "+h.Target+" returned FAILED status."))
		return
	case types.DeploymentLifecycleHookStatusInProgress:
		delay := callBackDelay
		if said.CallBackDelay != nil {
			delay = time.Duration(*said.CallBackDelay * float64(time.Second))
		}
		h.Next = time.Now().Add(time.Duration(float64(delay) / c.scale))
		h.Details = mergeDetails(h.Details, said.HookDetails)
		return
	case "":
		if trouble == "" {
			trouble = "HookStatus must not be null."
		}
	default:
		trouble = "Invalid hookStatus " + string(said.HookStatus) + "."
	}
	h.settle(s.record(), refusedByHook(at, "ECS was unable to parse the response from "+h.Target+" due to: "+trouble))
}

// mergeDetails adds what a function returned to what it is given with the next
// call.
func mergeDetails(details json.RawMessage, returned map[string]any) json.RawMessage {
	merged := map[string]any{}
	_ = json.Unmarshal(details, &merged) // an object, or nothing
	for name, value := range returned {
		merged[name] = value
	}
	if len(merged) == 0 {
		return details
	}
	encoded, _ := json.Marshal(merged) // it was read as JSON
	return encoded
}

// hookEvent is what a hook's function is called with.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
func (s *service) hookEvent(h *hook) []byte {
	record := s.record()
	test, production := s.weights(s.Course.step().Stage)
	event := map[string]any{
		"executionId":    randomUUID(),
		"lifecycleStage": s.Course.step().Stage,
		"resourceArn":    record.ServiceDeploymentArn,
		"executionDetails": map[string]any{
			"serviceArn":               s.ServiceArn,
			"targetServiceRevisionArn": record.TargetServiceRevision.Arn,
			"testTrafficWeights":       test,
			"productionTrafficWeights": production,
		},
	}
	if h.Details != nil {
		event["hookDetails"] = h.Details
	}
	encoded, _ := json.Marshal(event) // nothing in it fails
	return encoded
}

// setHook changes the status that a hook shows.
func (r *record) setHook(id string, status types.DeploymentLifecycleHookStatus) {
	// A new list: an answer may hold the old one.
	r.LifecycleHookDetails = slices.Clone(r.LifecycleHookDetails)
	for i := range r.LifecycleHookDetails {
		if *r.LifecycleHookDetails[i].HookId == id {
			r.LifecycleHookDetails[i].Status = status
		}
	}
}

// closeHooks ends the hooks that nobody answers for any more (ours: their ids
// are invalid then, but no status of AWS's says so).
func (r *record) closeHooks() {
	for _, detail := range r.LifecycleHookDetails {
		switch detail.Status {
		case types.DeploymentLifecycleHookStatusAwaitingAction, types.DeploymentLifecycleHookStatusInProgress:
			r.setHook(*detail.HookId, types.DeploymentLifecycleHookStatusFailed)
		default:
		}
	}
}
