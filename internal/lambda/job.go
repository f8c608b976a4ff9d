package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// What CodePipeline takes of texts, in characters: API reference,
// PutJobSuccessResult, FailureDetails, ActionExecution.
const (
	tokenMost   = 2048
	summaryMost = 2048
	messageMost = 5000
)

// job is a job of CodePipeline's, as a function is called with it. Its credentials
// are for artifacts, which are not used.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
type job struct {
	ID   string `json:"id"`
	Data struct {
		ActionConfiguration struct {
			Configuration struct {
				UserParameters string `json:"UserParameters"`
			} `json:"configuration"`
		} `json:"actionConfiguration"`
		ContinuationToken string `json:"continuationToken"`
	} `json:"data"`
}

// parameters are the action's UserParameters.
type parameters struct {
	Repository string `json:"repository"` // the settings' if empty
	Cluster    string `json:"cluster"`
	App        string `json:"app"`
	Commit     string `json:"commit"`
	// Pipeline and Execution are asked for if empty.
	Pipeline  string `json:"pipeline"`
	Execution string `json:"execution"`
}

// example is what messages show of UserParameters.
const example = `{"repository":"deployment","cluster":"cluster1","app":"webapp1","commit":"#{SourceVariables.CommitId}","execution":"#{codepipeline.PipelineExecutionId}"}`

// read reads a job's UserParameters. An error is about the pipeline's
// definition.
func (f *Function) read(j job) (parameters, error) {
	var p parameters
	wrong := func(format string, args ...any) error {
		return &slipway.Error{
			Next: slipway.NextUsage, Message: "the action's UserParameters: " + fmt.Sprintf(format, args...),
			Hint: "write them like " + example + "; commit is the namespace SourceVariables of the Source action",
		}
	}
	in := json.NewDecoder(strings.NewReader(j.Data.ActionConfiguration.Configuration.UserParameters))
	in.DisallowUnknownFields()
	if err := in.Decode(&p); err != nil {
		return p, wrong("%v", err)
	}
	if p.Repository == "" {
		p.Repository = f.settings.Repository
	}
	if err := p.app().Validate(); err != nil {
		return p, wrong("%v", err)
	}
	if len(p.Commit) != 40 || strings.Trim(p.Commit, "0123456789abcdef") != "" {
		return p, wrong("commit is %q and no commit's full id", p.Commit)
	}
	if strings.Contains(p.Execution, "#{") {
		return p, wrong("execution is %q and was not replaced", p.Execution)
	}
	return p, nil
}

func (p parameters) app() slipway.App { return slipway.App{Cluster: p.Cluster, Name: p.App} }

// place fills in what UserParameters do not say of where a job is in its pipeline.
func (f *Function) place(ctx context.Context, id string, p parameters) (parameters, error) {
	if p.Pipeline != "" && p.Execution != "" {
		return p, nil
	}
	out, err := f.pipelines.GetJobDetails(ctx, &codepipeline.GetJobDetailsInput{JobId: &id})
	if err == nil && out.JobDetails != nil && out.JobDetails.Data != nil && out.JobDetails.Data.PipelineContext != nil {
		in := out.JobDetails.Data.PipelineContext
		p.Pipeline = aws.ToString(in.PipelineName)
		if p.Execution == "" {
			p.Execution = aws.ToString(in.PipelineExecutionId)
		}
	}
	if p.Execution != "" {
		return p, nil // the name alone is not worth failing for
	}
	return p, &slipway.Error{
		Next: slipway.NextPerson, Message: "the pipeline's execution cannot be found out", Err: err,
		Hint: `add "execution":"#{codepipeline.PipelineExecutionId}" to the action's UserParameters, or allow codepipeline:GetJobDetails`,
	}
}

// errOver says that a job takes no answer any more: another call of the function gave
// it, or the execution was stopped and abandoned. NextUsage keeps it from being tried
// again.
var errOver = slipway.Usagef("the job is over")

// over turns what CodePipeline answers about such a job into errOver.
func over(err error) error {
	_, state := errors.AsType[*types.InvalidJobStateException](err)
	_, gone := errors.AsType[*types.JobNotFoundException](err)
	if state || gone {
		return errOver
	}
	return err
}

// report is what a job answers.
type report struct {
	token   string // to be called again with; empty when it is over
	failure types.FailureType
	text    string // for a person
	percent int
	id      string            // of what it did
	outputs map[string]string // variables for later actions
}

// answer gives a job its answer, once.
func (f *Function) answer(ctx context.Context, id string, r report) error {
	var external *string
	if r.id != "" {
		external = &r.id
	}
	if r.failure != "" {
		_, err := f.pipelines.PutJobFailureResult(ctx, &codepipeline.PutJobFailureResultInput{JobId: &id, FailureDetails: &types.FailureDetails{
			Type: r.failure, Message: aws.String(cut(r.text, messageMost)), ExternalExecutionId: external,
		}})
		return over(err)
	}
	in := &codepipeline.PutJobSuccessResultInput{
		JobId: &id, OutputVariables: r.outputs,
		ExecutionDetails: &types.ExecutionDetails{PercentComplete: aws.Int32(int32(r.percent)), ExternalExecutionId: external},
	}
	if r.text != "" {
		in.ExecutionDetails.Summary = aws.String(cut(r.text, summaryMost))
	}
	if r.token != "" {
		in.ContinuationToken = &r.token
	}
	_, err := f.pipelines.PutJobSuccessResult(ctx, in)
	return over(err)
}

// cut shortens a text to a number of characters, at the end of one.
func cut(text string, most int) string {
	const mark = " …"
	characters := []rune(text)
	if len(characters) <= most {
		return text
	}
	return strings.TrimRight(string(characters[:most-len([]rune(mark))]), " \n") + mark
}
