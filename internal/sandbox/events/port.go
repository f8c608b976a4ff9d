package events

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/ecstarget"
)

// Targets are what rules can call. One that is nil is a service that there is not:
// a call fails.
type Targets struct {
	ECS       ecstarget.Runner
	Functions Functions
	Queues    Queues
	Pipelines Pipelines
}

// Functions are the account's Lambda functions. InvokeEvent does not wait for the
// function; an error says that it could not be called.
type Functions interface {
	InvokeEvent(functionARN string, payload []byte) error
}

// Queues are the account's queues.
type Queues interface {
	// Deliver sends a message, with attributes of the type String; group is empty
	// for a queue without groups.
	Deliver(queueARN, body, group string, attributes map[string]string) error
}

// Pipelines are the account's CodePipeline pipelines. StartByRule does not wait for
// the execution.
type Pipelines interface {
	StartByRule(ctx context.Context, in *codepipeline.StartPipelineExecutionInput, ruleARN string) error
}

// call calls a target once. It may be called twice for one event.
func (s *Service) call(ctx context.Context, r rule, t target, event []byte) error {
	described, err := readTargetDocument(t.Document)
	if err != nil {
		return err
	}
	text, made, err := input(described, r, event)
	if err != nil {
		return err
	}
	parts := strings.SplitN(t.ARN, ":", 6)
	if len(parts) < 6 {
		return errTarget("the target %s has no ARN", t.ARN)
	}
	s.mu.Lock()
	targets := s.targets
	s.mu.Unlock()
	switch service := parts[2]; {
	case service == "ecs" && targets.ECS != nil:
		overrides := ""
		if made {
			overrides = string(text)
		}
		document, err := withInput(t.Document, overrides)
		if err != nil {
			return err
		}
		// The name with which EventBridge's tasks were seen to be started.
		return ecstarget.Run(ctx, targets.ECS, s.options.Calls, document, "events-rule/"+*r.Name)
	case service == "lambda" && targets.Functions != nil:
		if !json.Valid(text) {
			return errInput(text)
		}
		return targets.Functions.InvokeEvent(t.ARN, text)
	case service == "sqs" && targets.Queues != nil:
		group := ""
		if described.SqsParameters != nil {
			group = aws.ToString(described.SqsParameters.MessageGroupId)
		}
		return targets.Queues.Deliver(t.ARN, string(text), group, nil)
	case service == "codepipeline" && targets.Pipelines != nil:
		return start(ctx, targets.Pipelines, parts[5], *r.Arn, text, made)
	default:
		return errTarget("the sandbox has no targets of the service %s", service)
	}
}

// start starts a pipeline. Input that is not the event itself says with which
// source revisions and variables.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
func start(ctx context.Context, pipelines Pipelines, name, ruleARN string, text []byte, made bool) error {
	in := &codepipeline.StartPipelineExecutionInput{}
	if made {
		if err := awsjson.Unmarshal(text, in); err != nil {
			return errInput(text)
		}
	}
	in.Name = &name
	return pipelines.StartByRule(ctx, in, ruleARN)
}

// errInput is the error of input that its target cannot read.
func errInput(text []byte) error {
	return &awsjson.Error{Code: codeInvalidJSON, Message: "the target's input is not what it takes: " + string(text[:min(len(text), 200)])}
}

// errTarget is the error of a target that cannot be called.
func errTarget(format string, args ...any) error {
	return errNotFound(format, args...)
}

// deadLetters is the ARN of a target's dead letter queue, empty if it has none.
func deadLetters(t *types.Target) string {
	if t.DeadLetterConfig == nil {
		return ""
	}
	return aws.ToString(t.DeadLetterConfig.Arn)
}
