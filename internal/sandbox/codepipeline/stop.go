package codepipeline

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// reasonMost is how many characters a reason to stop has at most.
const reasonMost = 200

// StopPipelineExecution stops an execution: once the actions that run have ended,
// or at once, when they are abandoned. The texts of the errors are the API
// reference's.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html
func (a api) StopPipelineExecution(_ context.Context, in *codepipeline.StopPipelineExecutionInput) (*codepipeline.StopPipelineExecutionOutput, error) {
	p, e, err := a.both(in.PipelineName, in.PipelineExecutionId)
	switch {
	case err != nil:
		return nil, err
	case len(aws.ToString(in.Reason)) > reasonMost:
		return nil, errConstraint(*in.Reason, "reason", "Member must have length less than or equal to 200")
	case e.over():
		return nil, errCoded("PipelineExecutionNotStoppableException", "Unable to stop the pipeline execution. The execution might already be in a Stopped state, or it might no longer be in progress.")
	case e.Status == types.PipelineExecutionStatusStopping && !in.Abandon:
		return nil, errCoded("DuplicatedStopRequestException", "The pipeline execution is already in a Stopping state. If you already chose to stop and wait, you cannot make that request again.")
	}
	e.StopReason = in.Reason
	switch {
	case in.Abandon:
		a.abandon(p, e)
		a.end(p, e, types.PipelineExecutionStatusStopped)
	case e.Waiting: // nothing of it runs
		a.end(p, e, types.PipelineExecutionStatusStopped)
	default:
		e.Status, e.Updated = types.PipelineExecutionStatusStopping, time.Now()
		e.run(e.Stage).Status = types.StageExecutionStatusStopping
		a.emitStage(p, e, e.Stage, "STOPPING")
		a.emitPipeline(p, e, "STOPPING")
	}
	a.advance(p)
	return &codepipeline.StopPipelineExecutionOutput{PipelineExecutionId: &e.ID}, nil
}
