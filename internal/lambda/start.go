package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway"
	conductor "github.com/slipway-cd/slipway/internal/codepipeline"
)

// start starts an app's pipeline at a commit. CodePipeline answers a token that it
// knows with the execution that it started then, so that the same commit starts no
// second one. Pinning the commit takes a pipeline of type V2,
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html.
func (f *Function) start(ctx context.Context, p push, app slipway.App) (Started, error) {
	name := slipway.NamePipeline(p.names, p.repository.Name(), p.branch, app)
	out, err := f.pipelines.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{
		Name: &name, ClientRequestToken: aws.String(requestToken(p.repository.Name(), p.branch, app, p.commit)),
		SourceRevisions: []types.SourceRevisionOverride{{
			ActionName: aws.String(conductor.SourceAction), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &p.commit,
		}},
	})
	if err == nil {
		return Started{App: app, Pipeline: name, Execution: aws.ToString(out.PipelineExecutionId)}, nil
	}
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		err = answer
	}
	e := &slipway.Error{Next: slipway.NextPerson, Message: fmt.Sprintf("cannot start the pipeline %s of app %s", name, app), Err: err}
	if _, missing := errors.AsType[*types.PipelineNotFoundException](err); missing {
		e.Message = fmt.Sprintf("app %s has no pipeline: there is no %s in CodePipeline", app, name)
		e.Hint = "provision the pipeline, or correct pipelineName in slipway.yaml or SLIPWAY_PIPELINE_NAME; then start it, or have the event delivered again"
	}
	if answer, ok := errors.AsType[smithy.APIError](err); ok && answer.ErrorCode() == "ValidationException" {
		e.Hint = "its type must be V2 and its source action " + conductor.SourceAction + " one of CodeCommit's: no other pipeline can be started at a commit. Until then, `slipway start " + app.String() + "` runs what the branch's head says"
	}
	return Started{}, e
}

// requestToken is the same whenever the same app is started at the same commit. A
// client request token has at most 128 letters, digits and hyphens: API reference,
// StartPipelineExecution.
func requestToken(repository, branch string, app slipway.App, commit string) string {
	sum := sha256.Sum256([]byte(repository + "\n" + branch + "\n" + app.String() + "\n" + commit))
	return hex.EncodeToString(sum[:])
}
