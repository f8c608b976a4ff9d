package codepipeline

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// How long a person has to approve, unless the action says otherwise in minutes.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	approvalTimeout = 7 * 24 * time.Hour
	approvalLeast   = 5
	approvalMost    = 86400
)

// approve waits for a person.
func (*Service) approve(context.Context, *work) outcome {
	return outcome{again: approvalMost * time.Minute}
}

// PutApprovalResult is what a person says. The texts of the errors are the API
// reference's.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-approve-or-reject.html
func (a api) PutApprovalResult(ctx context.Context, in *codepipeline.PutApprovalResultInput) (*codepipeline.PutApprovalResultOutput, error) {
	p, err := a.pipeline(in.PipelineName)
	if err != nil {
		return nil, err
	}
	_, declared, err := p.stage(in.StageName)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(declared.Actions, func(d types.ActionDeclaration) bool {
		return *d.Name == aws.ToString(in.ActionName) && isApproval(&d)
	}) {
		return nil, errCoded("ActionNotFoundException", "Stage '%s' does not have an approval action with name '%s'", *in.StageName, aws.ToString(in.ActionName))
	}
	if in.Result == nil || !slices.Contains(in.Result.Status.Values(), in.Result.Status) {
		return nil, errCoded("ValidationException", "1 validation error detected: Value at 'result.status' failed to satisfy constraint: Member must satisfy enum value set: [Approved, Rejected]")
	}
	e, run, action := p.approval(*in.StageName, *in.ActionName, aws.ToString(in.Token))
	switch {
	case action == nil, action.Status == types.ActionExecutionStatusAbandoned, action.Error != nil && aws.ToString(action.Error.Code) == codeTimedOut:
		return nil, errCoded("InvalidApprovalTokenException", "The approval request already received a response or has expired.")
	case action.Status != types.ActionExecutionStatusInProgress:
		return nil, errCoded("ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected.")
	}
	action.Summary, action.UpdatedBy = aws.ToString(in.Result.Summary), *a.caller(ctx)
	out := outcome{done: true}
	if in.Result.Status == types.ApprovalStatusRejected {
		out = failure(codeJobFailed, "%s", action.Summary)
	}
	a.settle(p, e, run, action, out)
	a.proceed(p, e)
	a.advance(p)
	return &codepipeline.PutApprovalResultOutput{ApprovedAt: aws.Time(action.Updated)}, nil
}

// approval finds the action's execution with a token.
func (p *pipeline) approval(stage, name, token string) (*execution, *stageRun, *actionRun) {
	for _, e := range slices.Backward(p.Executions) {
		for _, run := range e.Runs {
			if run.Stage != stage {
				continue
			}
			for _, a := range run.Actions {
				if a.Name == name && token != "" && a.Token == token {
					return e, run, a
				}
			}
		}
	}
	return nil, nil, nil
}
