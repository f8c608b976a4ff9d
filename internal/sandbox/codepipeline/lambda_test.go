package codepipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const functionARN = "arn:aws:lambda:" + sandboxtest.Region + ":" + sandboxtest.Account + ":function:deploy"

// jobEvent is what a function gets, as the AWS Lambda libraries read it.
type jobEvent struct {
	Job struct {
		ID        string `json:"id"`
		AccountID string `json:"accountId"`
		Data      struct {
			ActionConfiguration struct {
				Configuration map[string]string `json:"configuration"`
			} `json:"actionConfiguration"`
			InputArtifacts []struct {
				Name     string `json:"name"`
				Location struct {
					S3Location struct {
						BucketName string `json:"bucketName"`
						ObjectKey  string `json:"objectKey"`
					} `json:"s3Location"`
					Type string `json:"type"`
				} `json:"location"`
			} `json:"inputArtifacts"`
			OutputArtifacts     []json.RawMessage `json:"outputArtifacts"`
			ContinuationToken   string            `json:"continuationToken"`
			ArtifactCredentials struct {
				AccessKeyID string `json:"accessKeyId"`
			} `json:"artifactCredentials"`
		} `json:"data"`
	} `json:"CodePipeline.job"`
}

// function is the account's function "deploy": what it does is set before it is
// called.
type function struct{ do func(e jobEvent) error }

// Invoke implements controlplane.Functions.
func (f *function) Invoke(_ context.Context, arn string, payload []byte) ([]byte, error) {
	if arn != functionARN {
		return nil, errors.New("Function not found: " + arn)
	}
	var e jobEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	return nil, f.do(e)
}

func lambdaAction(function, parameters string) types.ActionDeclaration {
	a := action("Deploy", types.ActionCategoryInvoke, "Lambda", map[string]string{"FunctionName": function, "UserParameters": parameters})
	a.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	a.Namespace = aws.String("deployed")
	return a
}

// TestInvoke: a function is called until it has reported, with what it said.
func TestInvoke(t *testing.T) {
	f := &function{}
	in(t, func(r *rig) {
		t := r.T
		var tokens, ids []string
		f.do = func(e jobEvent) error {
			tokens, ids = append(tokens, e.Job.Data.ContinuationToken), append(ids, e.Job.ID)
			in := &sdk.PutJobSuccessResultInput{JobId: &e.Job.ID, ExecutionDetails: &types.ExecutionDetails{
				Summary: aws.String(fmt.Sprint("step ", len(tokens))), ExternalExecutionId: aws.String("ecs-svc/1"), PercentComplete: aws.Int32(int32(len(tokens) * 30)),
			}}
			if len(tokens) < 3 {
				in.ContinuationToken = aws.String(fmt.Sprint("token", len(tokens)))
			} else {
				in.OutputVariables = map[string]string{"Image": image("1.1")}
			}
			if len(tokens) == 1 {
				commit := r.repository.commits[0]
				c, artifact := e.Job.Data.ActionConfiguration.Configuration, e.Job.Data.InputArtifacts[0]
				if e.Job.AccountID != sandboxtest.Account || c["UserParameters"] != `{"app":"webapp1","commit":"`+commit+`"}` || c["FunctionName"] != "deploy" ||
					artifact.Name != "source_output" || artifact.Location.Type != "S3" || artifact.Location.S3Location.BucketName != "build-bucket" || artifact.Location.S3Location.ObjectKey == "" ||
					e.Job.Data.OutputArtifacts == nil || e.Job.Data.ArtifactCredentials.AccessKeyID == "" {
					t.Errorf("%+v", e)
				}
				details, err := r.GetJobDetails(t.Context(), &sdk.GetJobDetailsInput{JobId: &e.Job.ID})
				if err != nil || *details.JobDetails.Data.PipelineContext.PipelineName != name || *details.JobDetails.Data.PipelineContext.Stage.Name != "Deploy" || *details.JobDetails.Data.ActionTypeId.Provider != "Lambda" {
					t.Error(details, err)
				}
			}
			_, err := r.PutJobSuccessResult(t.Context(), in)
			return err
		}
		r.repository.commit("Deploy 1.1", revision("1.1"))
		after := action("After", types.ActionCategoryApproval, "Manual", map[string]string{"CustomData": "#{deployed.Image} by #{codepipeline.PipelineExecutionId}"})
		id := r.create(declaration(stage("Deploy", lambdaAction("deploy", `{"app":"webapp1","commit":"#{SourceVariables.CommitId}"}`)), stage("After", after)))
		pass(20 * time.Second)
		if got := r.state("Deploy").ActionStates[0].LatestExecution; *got.Summary != "step 1" || *got.PercentComplete != 30 || *got.ExternalExecutionId != "ecs-svc/1" {
			t.Errorf("%+v", got)
		}
		r.w.Restart()
		pass(2 * time.Minute)
		if want := []string{"", "token1", "token2"}; !slices.Equal(tokens, want) {
			t.Errorf("tokens %q, want %q", tokens, want)
		}
		if got := r.actions(id)[0].Input.ResolvedConfiguration["CustomData"]; got != image("1.1")+" by "+id {
			t.Errorf("resolved to %q", got)
		}
		// Jobs are over once they have reported.
		for i, job := range append(ids, "11111111-abcd-1111-abcd-111111abcdef") {
			want := "InvalidJobStateException"
			if i == len(ids) {
				want = "JobNotFoundException"
			}
			_, err := r.PutJobSuccessResult(t.Context(), &sdk.PutJobSuccessResultInput{JobId: &job})
			r.refused(err, want, "")
		}
	}, sandboxtest.Functions(f))
}

// TestInvokeFails: a function that fails its job, that says nothing, that says
// nothing but that it goes on, and one that is not there.
func TestInvokeFails(t *testing.T) {
	var r *rig
	say := func(id string) error {
		_, err := r.PutJobFailureResult(r.Context(), &sdk.PutJobFailureResultInput{JobId: &id, FailureDetails: &types.FailureDetails{
			Type: types.FailureTypeJobFailed, Message: aws.String("rolled back"), ExternalExecutionId: aws.String("x"),
		}})
		return err
	}
	for what, c := range map[string]struct {
		function    string
		do          func(e jobEvent) error
		want        string
		least, most time.Duration
	}{
		"fails": {"deploy", func(e jobEvent) error { return say(e.Job.ID) }, "Deploy: JobFailed: rolled back", 0, time.Minute},
		"says nothing": {"deploy", func(jobEvent) error { return nil },
			"Deploy: JobFailed: The AWS Lambda function deploy failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.",
			20 * time.Minute, 21 * time.Minute},
		"goes on for ever": {"deploy", func(e jobEvent) error {
			_, err := r.PutJobSuccessResult(r.Context(), &sdk.PutJobSuccessResultInput{JobId: &e.Job.ID, ContinuationToken: aws.String("more")})
			return err
		}, "Deploy: TimedOut", 24 * time.Hour, 24*time.Hour + time.Minute},
		"is not there": {functionARN + "s", nil, "Deploy: ConfigurationError: Function not found: " + functionARN + "s", 0, time.Minute},
	} {
		t.Run(what, func(t *testing.T) {
			var options []sandboxtest.Option
			if c.do != nil {
				options = append(options, sandboxtest.Functions(&function{do: c.do}))
			}
			in(t, func(it *rig) {
				r = it
				r.repository.commit("Deploy 1.1", revision("1.1"))
				id := r.create(declaration(stage("Deploy", lambdaAction(c.function, "x"))))
				if took := r.ends(id, failed); took < c.least || took > c.most {
					r.Errorf("it took %s", took)
				}
				if got := r.failures(id); len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
					r.Errorf("%q, want %q", got, c.want)
				}
			}, options...)
		})
	}
}

// TestAnswerInTime: a function has AWS's time to answer at any time scale, since what
// it does takes its own.
func TestAnswerInTime(t *testing.T) {
	silent := sandboxtest.Functions(&function{do: func(jobEvent) error { return nil }})
	in(t, func(r *rig) {
		r.repository.commit("Deploy 1.1", revision("1.1"))
		id := r.create(declaration(stage("Deploy", lambdaAction("deploy", "x"))))
		if took := r.ends(id, failed); took < 20*time.Minute || took > 21*time.Minute {
			r.Errorf("it took %s", took)
		}
	}, sandboxtest.TimeScale(60), silent)
}

// TestUnresolved: a variable that nobody has set fails the action.
func TestUnresolved(t *testing.T) {
	in(t, func(r *rig) {
		r.repository.commit("Deploy 1.1", revision("1.1"))
		id := r.create(declaration(stage("Deploy", lambdaAction("deploy", "#{SourceVariables.Other}"))))
		r.ends(id, failed)
		if got := r.failures(id); len(got) != 1 || !strings.Contains(got[0], "#{SourceVariables.Other}") {
			r.Errorf("%q", got)
		}
	})
}
