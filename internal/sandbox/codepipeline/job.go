package codepipeline

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// What a job may say at most, in characters.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutJobSuccessResult.html
const (
	continuationMost = 2048
	outputsMost      = 122880
)

// PutJobSuccessResult ends a job well, or, with a continuation token, says that it
// goes on: the function is called again with the token, as a job of its own.
func (a api) PutJobSuccessResult(_ context.Context, in *codepipeline.PutJobSuccessResultInput) (*codepipeline.PutJobSuccessResultOutput, error) {
	p, e, run, action, err := a.open(in.JobId)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ContinuationToken)
	size := 0
	for name, value := range in.OutputVariables {
		size += len(name) + len(value)
	}
	switch {
	case len(token) > continuationMost:
		return nil, errConstraint(token, "continuationToken", "Member must have length less than or equal to 2048")
	case size > outputsMost:
		return nil, errCoded("OutputVariablesSizeExceededException", "Exceeded the total size limit for all variables in the pipeline.")
	case token != "" && size > 0:
		return nil, errCoded("ValidationException", "Output variables can be included only when there is no continuation token on the request")
	}
	if d := in.ExecutionDetails; d != nil {
		action.Summary, action.PercentComplete = aws.ToString(d.Summary), d.PercentComplete
		if id := aws.ToString(d.ExternalExecutionId); id != "" {
			action.ExternalID = id
		}
	}
	if token != "" {
		a.goOn(action, token)
		return &codepipeline.PutJobSuccessResultOutput{}, nil
	}
	action.OutputVariables = in.OutputVariables
	a.settle(p, e, run, action, outcome{done: true})
	a.proceed(p, e)
	a.advance(p)
	return &codepipeline.PutJobSuccessResultOutput{}, nil
}

// goOn has the function called again in a while.
func (s *Service) goOn(action *actionRun, token string) {
	id := newUUID()
	due := time.Now().Add(time.Duration(float64(continueAfter) / s.options.TimeScale))
	action.Progress.Job = &job{ID: id, Continuation: token, Due: due}
	action.Progress.Jobs = append(slices.Clone(action.Progress.Jobs), id)
	action.Updated = time.Now()
}

// PutJobFailureResult fails the action of a job.
func (a api) PutJobFailureResult(_ context.Context, in *codepipeline.PutJobFailureResultInput) (*codepipeline.PutJobFailureResultOutput, error) {
	p, e, run, action, err := a.open(in.JobId)
	if err != nil {
		return nil, err
	}
	d := in.FailureDetails
	if d == nil || aws.ToString(d.Message) == "" || !slices.Contains(d.Type.Values(), d.Type) {
		return nil, errRequired("failureDetails")
	}
	if id := aws.ToString(d.ExternalExecutionId); id != "" {
		action.ExternalID = id
	}
	a.settle(p, e, run, action, failure(string(d.Type), "%s", *d.Message))
	a.proceed(p, e)
	a.advance(p)
	return &codepipeline.PutJobFailureResultOutput{}, nil
}

// GetJobDetails tells of a job what its function was called with, and where it is
// in its pipeline.
func (a api) GetJobDetails(_ context.Context, in *codepipeline.GetJobDetailsInput) (*codepipeline.GetJobDetailsOutput, error) {
	p, e, run, action := a.job(aws.ToString(in.JobId))
	if action == nil {
		return nil, errNoJob(in.JobId)
	}
	j := action.Progress.Job
	if j.ID != *in.JobId { // its token is not kept
		j = &job{ID: *in.JobId}
	}
	data := a.jobData(action.Resolved, action.Inputs, action.Outputs, j)
	data.ActionTypeId = p.action(e, run.Stage, action.Name).ActionTypeId
	data.PipelineContext = &types.PipelineContext{
		PipelineName: p.Declaration.Name, PipelineArn: aws.String(a.arn(*p.Declaration.Name)), PipelineExecutionId: &e.ID,
		Stage: &types.StageContext{Name: &run.Stage}, Action: &types.ActionContext{Name: &action.Name, ActionExecutionId: &action.ID},
	}
	return &codepipeline.GetJobDetailsOutput{JobDetails: &types.JobDetails{Id: in.JobId, AccountId: aws.String(a.options.Account), Data: data}}, nil
}

// open finds what a job belongs to that is not over.
func (s *Service) open(id *string) (*pipeline, *execution, *stageRun, *actionRun, error) {
	p, e, run, action := s.job(aws.ToString(id))
	switch {
	case action == nil:
		return nil, nil, nil, nil, errNoJob(id)
	case action.Status != types.ActionExecutionStatusInProgress || action.Progress.Job.ID != *id:
		return nil, nil, nil, nil, errJobState(id, action)
	}
	return p, e, run, action, nil
}

// job finds the action's execution that a job belongs to, nil if there is none.
func (s *Service) job(id string) (*pipeline, *execution, *stageRun, *actionRun) {
	for _, p := range s.state.Pipelines {
		for _, e := range slices.Backward(p.Executions) {
			for _, run := range e.Runs {
				for _, a := range run.Actions {
					if slices.Contains(a.Progress.Jobs, id) {
						return p, e, run, a
					}
				}
			}
		}
	}
	return nil, nil, nil, nil
}

// errNoJob and errJobState are of jobs that are not there, and that are over. The
// texts are ours.
func errNoJob(id *string) error {
	return errCoded("JobNotFoundException", "Job '%s' does not exist", aws.ToString(id))
}

func errJobState(id *string, a *actionRun) error {
	return errCoded("InvalidJobStateException", "Job '%s' is not in progress: action '%s' is %s", aws.ToString(id), a.Name, a.Status)
}
