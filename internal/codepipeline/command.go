package codepipeline

import (
	"context"
	"fmt"
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
// does not wait for it. CodePipeline puts nothing back.
func (c *Conductor) Stop(ctx context.Context, e slipway.Execution, stop slipway.StopRequest) error {
	p, err := c.pipeline(ctx, e.App(), e.Pipeline)
	if err != nil {
		return err
	}
	reason := "stopped by " + stop.By
	if stop.Reason != "" {
		reason += ": " + stop.Reason
	}
	const most = 200 // StopPipelineExecution, reason
	return c.do(ctx, "stop execution "+e.ID, "codepipeline:StopPipelineExecution", func(api *codepipeline.Client) error {
		_, err := api.StopPipelineExecution(ctx, &codepipeline.StopPipelineExecutionInput{
			PipelineName: &p.name, PipelineExecutionId: &e.ID, Abandon: stop.Abandon, Reason: aws.String(cut(reason, most)),
		})
		return err
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
		now, err := api.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: &p.name, PipelineExecutionId: &e.ID})
		if err != nil {
			return err
		}
		switch now.PipelineExecution.Status {
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
			return nil
		}
		retried = err == nil
		return err
	})
	if retried {
		c.cache.ended.drop(e.ID)
	}
	return retried, err
}

// Decide answers a pause of an execution: a manual approval of CodePipeline's, or what
// the deployment in ECS or CodeDeploy itself waits for. One that waits for nobody, or
// for more than one while the decision names no hook, is an error with NextPerson.
func (c *Conductor) Decide(ctx context.Context, e slipway.Execution, decision slipway.Decision) error {
	approvals, err := c.waiting(ctx, e)
	if err != nil {
		return err
	}
	var hooks []slipway.Hook
	if e.Observation != nil {
		hooks = e.Observation.Hooks
	}
	if decision.Hook == "" {
		if len(hooks) != 1 {
			return &slipway.Error{
				Next: slipway.NextPerson, Message: fmt.Sprintf("execution %s waits for %d decisions", e.ID, len(hooks)),
				Hint: "`slipway show " + e.ID + "` lists them; name one with --hook",
			}
		}
		decision.Hook = hooks[0].ID
	}
	if approval, ok := approvals[decision.Hook]; ok {
		return c.approve(ctx, e, approval, decision)
	}
	if e.Deployment.Phase != slipway.PhaseStarted {
		return &slipway.Error{Next: slipway.NextPerson, Message: fmt.Sprintf("execution %s does not wait for %s", e.ID, decision.Hook), Hint: "`slipway show " + e.ID + "` lists what it waits for"}
	}
	_, err = c.options.Deployments.Decide(ctx, e.Deployment, decision)
	c.cache.listed.forget()
	return err
}

// approval is a manual approval that waits.
type approval struct{ stage, action, token string }

// waiting are the manual approvals that an execution waits for, with the tokens that
// answer them, by their hooks' ids.
func (c *Conductor) waiting(ctx context.Context, e slipway.Execution) (map[string]approval, error) {
	p, err := c.pipeline(ctx, e.App(), e.Pipeline)
	if err != nil {
		return nil, err
	}
	api, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	state, err := api.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &p.name})
	if err != nil {
		return nil, explain(err, "read the state of the pipeline "+p.name, "codepipeline:GetPipelineState")
	}
	waits := map[string]approval{}
	for _, stage := range state.StageStates {
		if stage.LatestExecution == nil || aws.ToString(stage.LatestExecution.PipelineExecutionId) != e.ID {
			continue
		}
		for _, action := range stage.ActionStates {
			if now := action.LatestExecution; now != nil && now.Status == types.ActionExecutionStatusInProgress && aws.ToString(now.Token) != "" {
				a := approval{aws.ToString(stage.StageName), aws.ToString(action.ActionName), *now.Token}
				waits[approvalID(a.stage, a.action)] = a
			}
		}
	}
	return waits, nil
}

func (c *Conductor) approve(ctx context.Context, e slipway.Execution, a approval, decision slipway.Decision) error {
	p, err := c.pipeline(ctx, e.App(), e.Pipeline)
	if err != nil {
		return err
	}
	status, word := types.ApprovalStatusRejected, "rejected"
	if decision.Approve {
		status, word = types.ApprovalStatusApproved, "approved"
	}
	summary := word + " by " + decision.By
	if decision.Reason != "" {
		summary += ": " + decision.Reason
	}
	const most = 512 // ApprovalResult, summary
	return c.do(ctx, "answer the approval "+decision.Hook, "codepipeline:PutApprovalResult", func(api *codepipeline.Client) error {
		_, err := api.PutApprovalResult(ctx, &codepipeline.PutApprovalResultInput{
			PipelineName: &p.name, StageName: &a.stage, ActionName: &a.action, Token: &a.token,
			Result: &types.ApprovalResult{Status: status, Summary: aws.String(cut(summary, most))},
		})
		return err
	})
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
