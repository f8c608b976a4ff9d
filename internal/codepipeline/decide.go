package codepipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

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
	if known, err := c.answered(ctx, e, decision); known || err != nil {
		return err
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
		if is[*types.ApprovalAlreadyCompletedException](err) || is[*types.InvalidApprovalTokenException](err) {
			if known, other := c.answered(ctx, e, decision); known || other != nil {
				return other
			}
		}
		return err
	})
}

// answered reports whether a manual approval was answered just so already, maybe by us
// where the answer was lost. One that was answered otherwise is an error with NextPerson.
func (c *Conductor) answered(ctx context.Context, e slipway.Execution, decision slipway.Decision) (known bool, err error) {
	p, err := c.pipeline(ctx, e.App(), e.Pipeline)
	if err != nil {
		return false, err
	}
	actions, err := c.actions(ctx, p, e.ID)
	if err != nil {
		return false, err
	}
	for _, a := range slices.Backward(actions) {
		if !isApproval(a) || approvalID(aws.ToString(a.StageName), aws.ToString(a.ActionName)) != decision.Hook {
			continue
		}
		switch a.Status {
		case types.ActionExecutionStatusSucceeded, types.ActionExecutionStatusFailed:
			if decision.Approve == (a.Status == types.ActionExecutionStatusSucceeded) {
				return true, nil
			}
			return false, &slipway.Error{
				Next: slipway.NextPerson, Message: fmt.Sprintf("%s was answered already: %s", decision.Hook, cmp.Or(summary(a), failure(a), string(a.Status))),
			}
		default:
			return false, nil
		}
	}
	return false, nil
}
