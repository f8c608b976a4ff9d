package codepipeline

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/uuid"

	"github.com/slipway-cd/slipway"
)

// Start runs an app's pipeline at a commit, and returns the new execution's id. A V1
// pipeline cannot be told a commit: it runs what the branch's head says.
func (c *Conductor) Start(ctx context.Context, app slipway.App, settings slipway.Pipeline, commit string) (id string, err error) {
	p, err := c.pipeline(ctx, app, settings)
	if err != nil {
		return "", err
	}
	in := &codepipeline.StartPipelineExecutionInput{Name: &p.name, ClientRequestToken: aws.String(uuid.NewString())}
	if p.pinned {
		in.SourceRevisions = []types.SourceRevisionOverride{{
			ActionName: &p.source, RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &commit,
		}}
	}
	err = c.do(ctx, "start the pipeline "+p.name, "codepipeline:StartPipelineExecution", func(api *codepipeline.Client) error {
		out, err := api.StartPipelineExecution(ctx, in)
		if err == nil {
			id = aws.ToString(out.PipelineExecutionId)
		}
		return err
	})
	return id, err
}

// Stop ends an execution early: it lets the action that runs end or, with Abandon,
// does not wait for it, nor for the answer of a manual approval where nothing else goes
// on. CodePipeline puts nothing back. To stop what is being stopped changes nothing.
func (c *Conductor) Stop(ctx context.Context, e slipway.Execution, stop slipway.StopRequest) error {
	p, err := c.pipeline(ctx, e.App(), e.Pipeline)
	if err != nil {
		return err
	}
	const most = 200 // StopPipelineExecution, reason
	reason := "stopped by " + stop.By
	if stop.Reason != "" {
		reason += ": " + stop.Reason
	}
	reason = cut(reason, most)
	now, err := c.actions(ctx, p, e.ID)
	if err != nil {
		return err
	}
	in := &codepipeline.StopPipelineExecutionInput{
		PipelineName: &p.name, PipelineExecutionId: &e.ID, Abandon: stop.Abandon || said{actions: now}.idle(), Reason: &reason,
	}
	return c.do(ctx, "stop execution "+e.ID, "codepipeline:StopPipelineExecution", func(api *codepipeline.Client) error {
		_, err := api.StopPipelineExecution(ctx, in)
		switch {
		case is[*types.DuplicatedStopRequestException](err):
			return nil
		case is[*types.PipelineExecutionNotStoppableException](err) && c.stopped(ctx, p, e.ID, reason):
			return nil
		}
		return err
	})
}

// stopped reports whether an execution was stopped for that very reason: an answer that
// was lost had its effect.
func (c *Conductor) stopped(ctx context.Context, p structure, id, reason string) bool {
	summaries, err := c.summaries(ctx, p, page)
	return err == nil && slices.ContainsFunc(summaries, func(s types.PipelineExecutionSummary) bool {
		return aws.ToString(s.PipelineExecutionId) == id && s.StopTrigger != nil && aws.ToString(s.StopTrigger.Reason) == reason
	})
}

// Retry runs the failed stage of an execution again, which goes on under its id. Where
// CodePipeline has no failed stage of it to run, nothing is done and retried is false.
// One that CodePipeline still works on is an error with NextPerson.
func (c *Conductor) Retry(ctx context.Context, e slipway.Execution) (retried bool, err error) {
	p, err := c.pipeline(ctx, e.App(), e.Pipeline)
	if err != nil {
		return false, err
	}
	err = c.do(ctx, "retry execution "+e.ID, "codepipeline:RetryStageExecution", func(api *codepipeline.Client) error {
		status := func() (types.PipelineExecutionStatus, error) {
			out, err := api.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: &p.name, PipelineExecutionId: &e.ID})
			if err != nil {
				return "", err
			}
			return out.PipelineExecution.Status, nil
		}
		now, err := status()
		if err != nil {
			return err
		}
		switch now {
		case types.PipelineExecutionStatusFailed:
		case types.PipelineExecutionStatusInProgress, types.PipelineExecutionStatusStopping:
			return &slipway.Error{
				Next: slipway.NextPerson, Message: "CodePipeline still waits for it", Hint: "end that first: `slipway stop " + e.ID + " --abandon`",
			}
		default:
			return nil
		}
		_, err = api.RetryStageExecution(ctx, &codepipeline.RetryStageExecutionInput{
			PipelineName: &p.name, PipelineExecutionId: &e.ID, StageName: aws.String(string(e.Stage)), RetryMode: types.StageRetryModeFailedActions,
		})
		if is[*types.NotLatestPipelineExecutionException](err) || is[*types.StageNotRetryableException](err) {
			// It has nothing to run again, or runs again already: an answer was lost.
			now, err = status()
			retried = now == types.PipelineExecutionStatusInProgress
			return err
		}
		retried = err == nil
		return err
	})
	return retried, err
}

// do calls CodePipeline to change something; what was listed before is not shown
// again.
func (c *Conductor) do(ctx context.Context, doing, action string, call func(*codepipeline.Client) error) error {
	api, err := c.client(ctx)
	if err != nil {
		return err
	}
	err = call(api)
	c.cache.listed.forget()
	if err != nil {
		return explain(err, doing, action)
	}
	return nil
}

// cut is a text of at most so many bytes.
func cut(text string, most int) string { return strings.ToValidUTF8(text[:min(len(text), most)], "") }
