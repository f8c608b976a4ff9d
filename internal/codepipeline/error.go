package codepipeline

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway"
)

// ErrNoPipeline is in the chain of an error about an app that CodePipeline has no
// pipeline for.
var ErrNoPipeline = errors.New("no such pipeline")

// passing are the errors that the SDK tries again.
var passing = retry.IsErrorRetryables(retry.DefaultRetryables)

// explain says what to do about an error of CodePipeline's. Those that it names are
// documented for the actions,
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Operations.html.
func explain(err error, doing, action string) error {
	if known, ok := errors.AsType[*slipway.Error](err); ok {
		return known
	}
	e := &slipway.Error{Next: slipway.NextPerson, Message: "cannot " + doing, Err: err}
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		e.Err = answer
	}
	switch {
	case is[*types.PipelineNotFoundException](err):
		e.Kind, e.Hint = ErrNoPipeline, "apply the Terraform that makes the pipelines, or correct pipelineName in slipway.yaml, the region or the account"
	case is[*types.PipelineExecutionNotFoundException](err):
		e.Hint = "`slipway history CLUSTER/APP` shows executions"
	case is[*types.PipelineExecutionNotStoppableException](err), is[*types.StageNotRetryableException](err), is[*types.NotLatestPipelineExecutionException](err),
		is[*types.ApprovalAlreadyCompletedException](err), is[*types.InvalidApprovalTokenException](err), is[*types.DuplicatedStopRequestException](err):
		e.Hint = "`slipway show` says what the execution does"
	case is[*types.ConflictException](err), is[*types.ConcurrentPipelineExecutionsLimitExceededException](err),
		passing.IsErrorRetryable(err) == aws.TrueTernary:
		e.Next = slipway.NextRetry
	default:
		e.Hint = "check the AWS credentials and region, and that they allow " + action
	}
	return e
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
