package controlplane_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const hookARN = "arn:aws:lambda:ca-central-1:111122223333:function:check"

// functions answer as the test says, and keep what they were called with.
type functions struct {
	mu     sync.Mutex
	events []event
	answer func(e event) (string, error)
}

// event is what a hook's function is called with.
type event struct {
	ExecutionID, LifecycleStage, ResourceArn string
	HookDetails                              map[string]any
	ExecutionDetails                         struct {
		ServiceArn, TargetServiceRevisionArn         string
		TestTrafficWeights, ProductionTrafficWeights map[string]float64
	}
}

func (f *functions) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil || arn != hookARN {
		return nil, fmt.Errorf("%s: %w", arn, err)
	}
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	answer, err := f.answer(e)
	if answer == "never" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []byte(answer), err
}

// calls are the stages that the functions were called in, each with the share of
// production traffic that it was told for the new revision.
func (f *functions) calls() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, e := range f.events {
		call := e.LifecycleStage
		if share, told := e.ExecutionDetails.ProductionTrafficWeights[e.ExecutionDetails.TargetServiceRevisionArn]; told {
			call += fmt.Sprintf(" %v", share)
		}
		all = append(all, call)
	}
	return strings.Join(all, ", ")
}

// lambda is a hook that calls a function at those stages.
func lambda(stages ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{
		HookTargetArn: aws.String(hookARN), RoleArn: aws.String("arn:aws:iam::111122223333:role/hooks"), LifecycleStages: stages,
	}
}

// pause is a hook that waits for a person.
func pause(minutes int32, action types.DeploymentLifecycleHookAction, stages ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{
		TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: stages,
		TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(minutes), Action: action},
	}
}

// TestHookAnswers has functions answer in all ways.
func TestHookAnswers(t *testing.T) {
	const failed = "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. "
	for _, c := range []struct {
		name   string
		answer func(call int, e event) (string, error)
		hook   func(*types.DeploymentLifecycleHook)
		status types.ServiceDeploymentStatus
		reason string
		calls  int
		after  time.Duration // of the last call since the first
		hooks  string
	}{
		{
			name: "in progress, then succeeded", calls: 4, after: 2*30*time.Second + 90*time.Second, hooks: "SUCCEEDED",
			answer: func(call int, e event) (string, error) {
				switch call {
				case 1:
					return `{"hookStatus": "IN_PROGRESS", "hookDetails": {"seen": 1}}`, nil
				case 2:
					return `{"hookStatus": "IN_PROGRESS"}`, nil
				case 3:
					return `{"hookStatus": "IN_PROGRESS", "callBackDelay": 90}`, nil
				}
				if fmt.Sprint(e.HookDetails) != "map[bucket:approvals seen:1]" {
					return "", fmt.Errorf("hookDetails %v", e.HookDetails)
				}
				return `{"hookStatus": "SUCCEEDED"}`, nil
			},
			hook: func(h *types.DeploymentLifecycleHook) {
				h.HookDetails = document.NewLazyDocument(map[string]any{"bucket": "approvals"})
			},
			status: types.ServiceDeploymentStatusSuccessful,
		}, {
			name: "no hookStatus", calls: 1, hooks: "FAILED",
			answer: func(int, event) (string, error) { return `{"errorMessage": "it broke"}`, nil },
			status: types.ServiceDeploymentStatusRollbackSuccessful,
			reason: failed + "ECS was unable to parse the response from " + hookARN + " due to: HookStatus must not be null.",
		}, {
			name: "cannot be called", calls: 1, hooks: "FAILED",
			answer: func(int, event) (string, error) { return "", errors.New("it is not there") },
			status: types.ServiceDeploymentStatusRollbackSuccessful,
			reason: failed + "ECS was unable to invoke hook target " + hookARN + " due to it is not there",
		}, {
			name: "for ever in progress", calls: 12, after: 5*time.Minute + 30*time.Second, hooks: "TIMED_OUT",
			answer: func(int, event) (string, error) { return `{"hookStatus": "IN_PROGRESS"}`, nil },
			hook: func(h *types.DeploymentLifecycleHook) {
				h.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(6)}
			},
			status: types.ServiceDeploymentStatusRollbackSuccessful,
			reason: failed + "Lifecycle hook target " + hookARN + " timed out.",
		}, {
			name: "for ever in progress, and on", calls: 4, after: 90 * time.Second, hooks: "TIMED_OUT",
			answer: func(int, event) (string, error) { return `{"hookStatus": "IN_PROGRESS"}`, nil },
			hook: func(h *types.DeploymentLifecycleHook) {
				h.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(2), Action: "CONTINUE"}
			},
			status: types.ServiceDeploymentStatusSuccessful,
		}, {
			name: "never answers", calls: 1, hooks: "FAILED",
			answer: func(int, event) (string, error) { return "never", nil },
			status: types.ServiceDeploymentStatusRollbackSuccessful,
			reason: failed + "ECS was unable to invoke hook target " + hookARN + " due to context deadline exceeded",
		},
	} {
		inBubble(c.name, t, func(t *testing.T) {
			var began, last time.Time
			calls := 0
			f := &functions{answer: func(e event) (string, error) {
				if calls == 0 {
					began = time.Now()
				}
				calls++
				last = time.Now()
				return c.answer(calls, e)
			}}
			w := sandboxtest.New(t, sandboxtest.Functions(f))
			s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0))
			hook := lambda("POST_SCALE_UP")
			if c.hook != nil {
				c.hook(&hook)
			}
			s.Update(func(in *ecs.UpdateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{hook}}
			})
			r := embark(t, w, s, "2.0.0").until(ended)
			same(t, "status", c.status, r.Status)
			same(t, "reason", c.reason, aws.ToString(r.StatusReason))
			same(t, "calls", c.calls, calls)
			same(t, "hooks", c.hooks, hookStatuses(r))
			if took := last.Sub(began); took < c.after || took > c.after+time.Duration(c.calls)*6*time.Second {
				t.Errorf("the calls took %s, want %s", took, c.after)
			}
		})
	}
}

// TestHookDetailsReadBack: what a hook is given to pass on survives, a restart
// too.
func TestHookDetailsReadBack(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		hook := lambda("POST_SCALE_UP")
		hook.HookDetails = document.NewLazyDocument(map[string]any{"bucket": "approvals", "tries": 3})
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0), sandboxtest.DesiredCount(0), sandboxtest.Unsettled(),
			sandboxtest.Hooks(pause(5, "CONTINUE", "PRE_SCALE_UP"), hook))
		w.Restart()
		hooks := s.Describe().DeploymentConfiguration.LifecycleHooks
		var got map[string]any
		if err := hooks[1].HookDetails.UnmarshalSmithyDocument(&got); err != nil {
			t.Fatal(err)
		}
		same(t, "hookDetails", "map[bucket:approvals tries:3]", fmt.Sprint(got))
		same(t, "the other hook's", true, hooks[0].HookDetails == nil)
		same(t, "the other hook", "PAUSE 5 CONTINUE", fmt.Sprintf("%s %d %s", hooks[0].TargetType, *hooks[0].TimeoutConfiguration.TimeoutInMinutes, hooks[0].TimeoutConfiguration.Action))
	})
}

// TestPause has a PAUSE hook approved, refused, and left alone.
func TestPause(t *testing.T) {
	answer := func(action types.DeploymentLifecycleHookAction) func(*testing.T, *voyage, types.ServiceDeployment) {
		return func(t *testing.T, v *voyage, r types.ServiceDeployment) {
			out, err := v.w.ECS().ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
				ServiceDeploymentArn: r.ServiceDeploymentArn, HookId: aws.String(awaiting(r)), Action: action,
			})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "answer", *r.ServiceDeploymentArn, *out.ServiceDeploymentArn)
		}
	}
	for _, c := range []struct {
		name           string
		onTimeout      types.DeploymentLifecycleHookAction
		act            func(*testing.T, *voyage, types.ServiceDeployment)
		status         types.ServiceDeploymentStatus
		reason, hooks  string
		least, longest time.Duration
	}{
		{"approved", "ROLLBACK", answer(""), types.ServiceDeploymentStatusSuccessful, "", "SUCCEEDED", 0, 10 * time.Minute},
		{
			"refused", "CONTINUE", answer(types.DeploymentLifecycleHookActionRollback), types.ServiceDeploymentStatusRollbackSuccessful,
			"Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook was rolled back.", "FAILED", 0, 10 * time.Minute,
		},
		{
			"out of time", "ROLLBACK", nil, types.ServiceDeploymentStatusRollbackSuccessful,
			"Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook timed out.", "TIMED_OUT", 10 * time.Minute, 20 * time.Minute,
		},
		{"out of time, and on", "CONTINUE", nil, types.ServiceDeploymentStatusSuccessful, "", "TIMED_OUT", 10 * time.Minute, 20 * time.Minute},
	} {
		inBubble(c.name, t, func(t *testing.T) {
			w := sandboxtest.New(t)
			s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0))
			s.Update(func(in *ecs.UpdateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{pause(10, c.onTimeout, "POST_TEST_TRAFFIC_SHIFT")}}
			})
			v := embark(t, w, s, "2.0.0")
			r := v.until(paused)
			same(t, "stage and weights", "IN_PROGRESS POST_TEST_TRAFFIC_SHIFT 0/100 0/100", v.seen[len(v.seen)-1][3:])
			h := r.LifecycleHookDetails[0]
			same(t, "hook", fmt.Sprintf("PAUSE %s", c.onTimeout), fmt.Sprintf("%s %s", h.TargetType, h.TimeoutAction))
			if !strings.HasPrefix(*h.HookId, "ecs-pause-") || len(*h.HookId) != len("ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw") {
				t.Errorf("hookId %s", *h.HookId)
			}
			if left := time.Until(*h.ExpiresAt); left > 10*time.Minute || left < 9*time.Minute {
				t.Errorf("the hook expires in %s", left)
			}
			if c.name == "approved" {
				w.Restart() // in the middle of it
			}
			if c.act != nil {
				sleep(time.Minute)
				c.act(t, v, r)
			}
			r = v.until(ended)
			same(t, "status", c.status, r.Status)
			same(t, "reason", c.reason, aws.ToString(r.StatusReason))
			same(t, "hooks", c.hooks, hookStatuses(r))
			if took := time.Since(v.began); took < c.least || took > c.longest {
				t.Errorf("it took %s", took)
			}
		})
	}
	inBubble("each step of a linear one", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.Linear(25, 1, 0))
		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{
				pause(10, "ROLLBACK", "PRE_PRODUCTION_TRAFFIC_SHIFT"), pause(10, "ROLLBACK", "PRE_PRODUCTION_TRAFFIC_SHIFT"),
			}}
		})
		v := embark(t, w, s, "2.0.0")
		ids := map[string]bool{}
		for range 8 { // two hooks at each of four steps, all of them to be continued
			r := v.until(paused)
			ids[awaiting(r)] = true
			answer(types.DeploymentLifecycleHookActionContinue)(t, v, r)
		}
		same(t, "status", types.ServiceDeploymentStatusSuccessful, v.until(ended).Status)
		same(t, "ids", 8, len(ids))
	})
	inBubble("stopped while it waits", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0))
		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{pause(10, "CONTINUE", "PRE_SCALE_UP")}}
		})
		v := embark(t, w, s, "2.0.0")
		r := v.until(paused)
		if _, err := w.ECS().StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn}); err != nil {
			t.Fatal(err)
		}
		r = v.until(ended)
		same(t, "end", "ROLLBACK_SUCCESSFUL FAILED", fmt.Sprintf("%s %s", r.Status, hookStatuses(r)))
		same(t, "tasks", 1, len(s.Tasks())) // no new one was ever started
	})
	inBubble("rolling", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		st := tell(t, s)
		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{pause(10, "ROLLBACK", "PRE_SCALE_UP", "POST_SCALE_UP")}}
		})
		v := embark(t, w, s, "2.0.0")
		r := v.until(paused)
		sleep(5 * time.Minute)
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 0/0/1, D1 ACTIVE COMPLETED 1/0/1", named(st))
		answer("")(t, v, r)
		same(t, "end", types.ServiceDeploymentStatusSuccessful, v.until(ended).Status)
		v = embark(t, w, s, "3.0.0")
		answer(types.DeploymentLifecycleHookActionRollback)(t, v, v.until(paused))
		same(t, "end", types.ServiceDeploymentStatusRollbackSuccessful, v.until(ended).Status)
	})
}

// TestContinueRefuses has the refusals of ContinueServiceDeployment, in ECS's
// words.
func TestContinueRefuses(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0))
		done := newest(t, w, s)
		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{pause(60, "CONTINUE", "PRE_SCALE_UP")}}
		})
		v := embark(t, w, s, "2.0.0")
		r := v.until(paused)
		for _, c := range []struct{ arn, hook, code, message string }{
			{*r.ServiceDeploymentArn, "mine", "InvalidParameterException", "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}"},
			{*r.ServiceDeploymentArn, "ecs-pause-other", "InvalidParameterException", "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"},
			{*done.ServiceDeploymentArn, awaiting(r), "InvalidParameterException", "Continuing a service deployment is not allowed for service deployment in terminal states."},
			{*r.ServiceDeploymentArn + "x", awaiting(r), "ServiceDeploymentNotFoundException", "The service deployment does not exist."},
			{*r.ServiceDeploymentArn, awaiting(r), "", ""},
			{*r.ServiceDeploymentArn, awaiting(r), "InvalidParameterException", "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"},
		} {
			_, err := w.ECS().ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: &c.arn, HookId: &c.hook})
			api, _ := errors.AsType[smithy.APIError](err)
			if err == nil && c.code == "" {
				continue
			}
			if api == nil || api.ErrorCode() != c.code || api.ErrorMessage() != c.message {
				t.Errorf("%s: %v, want %s: %s", c.hook, err, c.code, c.message)
			}
		}
	})
}

// TestFirstDeploymentRefused: a hook that fails when the service is created
// leaves nothing to roll back to.
func TestFirstDeploymentRefused(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		f := &functions{answer: func(event) (string, error) { return `{"hookStatus": "FAILED"}`, nil }}
		w := sandboxtest.New(t, sandboxtest.Functions(f))
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(0), sandboxtest.Hooks(lambda("PRE_SCALE_UP")), sandboxtest.Unsettled())
		st := tell(t, s)
		st.until(over)
		r := newest(t, w, s)
		same(t, "end", "ROLLBACK_FAILED No rollback candidate was found to run the rollback", fmt.Sprintf("%s %s", r.Status, *r.StatusReason))
		same(t, "tasks", 0, len(s.Tasks()))
		same(t, "events", ") (deployment D1) deployment failed: Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed. Lifecycle hook target "+hookARN+" returned FAILED status.",
			strings.TrimPrefix(st.named(*s.Describe().Events[0].Message), "(service webapp1"))
	})
}
