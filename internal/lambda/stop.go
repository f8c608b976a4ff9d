package lambda

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// stop asks whether the pipeline's execution is being stopped, and returns the request
// if it is. "Stop and wait" puts back what ran before, as `slipway stop` does on the
// built-in engine; with "stop and abandon", as with any other end of the execution,
// there is nobody to answer to any more, which is errOver: what was begun goes on
// unwatched. Where CodePipeline does not say, it is taken for no.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts.html#concepts-executions-stopped
func (d *deployment) stop(ctx context.Context) (*slipway.StopRequest, error) {
	if d.parameters.Pipeline == "" {
		return nil, nil
	}
	out, err := d.pipelines.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{
		PipelineName: &d.parameters.Pipeline, PipelineExecutionId: &d.parameters.Execution,
	})
	if err != nil || out.PipelineExecution == nil {
		d.log.WarnContext(ctx, "it cannot be found out whether the execution is being stopped", keyError, err)
		return nil, ctx.Err()
	}
	switch e := out.PipelineExecution; e.Status {
	case types.PipelineExecutionStatusInProgress, types.PipelineExecutionStatusFailed:
		// A failed one has an action that goes on beside the one that failed.
		return nil, nil
	case types.PipelineExecutionStatusStopping:
		return &slipway.StopRequest{At: time.Now(), Reason: aws.ToString(e.StatusSummary)}, nil
	default:
		d.log.InfoContext(ctx, "the execution is over", "status", e.Status)
		return nil, errOver
	}
}
