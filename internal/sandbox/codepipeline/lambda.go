package codepipeline

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// Times of an invoke action: how long a function may say nothing, and how long the
// action may take in all.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	replyTimeout  = 20 * time.Minute
	invokeTimeout = 24 * time.Hour
	// continueAfter is how soon a job is continued. Ours: AWS only says that it
	// does so periodically.
	continueAfter = 30 * time.Second
)

// job is what a Lambda function has to do at present.
type job struct {
	ID           string
	Continuation string    // what the function said of the job before
	Due          time.Time // when to call it
	Called       bool
}

// invoke has a Lambda function do a job. It is called asynchronously, as AWS's is
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html), and reports:
// it is called again with its continuation token for as long as it gives one.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
func (s *Service) invoke(_ context.Context, w *work) outcome {
	j := w.progress.Job
	switch {
	case w.ports.Functions == nil:
		return failure(codeConfiguration, "The sandbox has no Lambda")
	case j == nil:
		// The job is there before the function is called with it.
		return outcome{update: func(a *actionRun) {
			id := newUUID()
			a.Progress.Job, a.Progress.Jobs, a.ExternalID = &job{ID: id, Due: time.Now()}, []string{id}, id
		}}
	// A function takes its time, whatever the time scale is.
	case j.Called && time.Since(j.Due) >= replyTimeout:
		return failure(codeJobFailed, "The AWS Lambda function %s failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.", w.configuration["FunctionName"])
	case j.Called || time.Now().Before(j.Due):
		return later(nil)
	}
	payload, err := s.jobEvent(w, j)
	if err != nil {
		return failure(codeConfiguration, "%s", err)
	}
	if err := w.ports.Functions.InvokeEvent(s.function(w.configuration["FunctionName"]), payload); err != nil {
		return failure(codeConfiguration, "%s", message(err))
	}
	return later(func(a *actionRun) {
		if a.Progress.Job.ID == j.ID { // it may have reported already
			a.Progress.Job.Called = true
		}
	})
}

// function is the ARN of a function of the account, by its name or ARN.
func (s *Service) function(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:lambda:" + s.options.Region + ":" + s.options.Account + ":function:" + name
}

// jobEvent is what the function is called with.
func (s *Service) jobEvent(w *work, j *job) ([]byte, error) {
	data, err := awsjson.Marshal(s.jobData(w.configuration, w.inputs, w.outputs, j))
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"CodePipeline.job": map[string]any{
		"id": j.ID, "accountId": s.options.Account, "data": json.RawMessage(data),
	}})
}

// jobData is a job as the function, or GetJobDetails, shows it. The credentials
// are good for nothing here.
func (s *Service) jobData(configuration map[string]string, inputs, outputs []artifact, j *job) *types.JobData {
	return &types.JobData{
		ActionConfiguration: &types.ActionConfiguration{Configuration: configuration},
		InputArtifacts:      located(inputs), OutputArtifacts: located(outputs), ContinuationToken: optional(j.Continuation),
		ArtifactCredentials: &types.AWSSessionCredentials{
			AccessKeyId: aws.String("ASIAIOSFODNN7EXAMPLE"), SecretAccessKey: aws.String("sandbox"), SessionToken: aws.String("sandbox"),
		},
	}
}

// located are artifacts as jobs show them.
func located(artifacts []artifact) []types.Artifact {
	all := []types.Artifact{}
	for _, a := range artifacts {
		all = append(all, types.Artifact{Name: aws.String(a.Name), Revision: optional(a.Commit), Location: &types.ArtifactLocation{
			Type: types.ArtifactLocationTypeS3, S3Location: &types.S3ArtifactLocation{BucketName: aws.String(a.Bucket), ObjectKey: aws.String(a.Key)},
		}})
	}
	return all
}
