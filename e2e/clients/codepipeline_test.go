//go:build e2e

package clients

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// pipelineJSON is the article's pipeline of webapp1, with an approval before the
// deployment.
const pipelineJSON = `{"pipeline": {
	"name": "deployment-main-cluster1-webapp1", "roleArn": "arn:aws:iam::111122223333:role/pipelines", "pipelineType": "V2",
	"artifactStore": {"type": "S3", "location": "build-bucket"},
	"stages": [
		{"name": "Source", "actions": [{"name": "Source", "namespace": "SourceVariables", "outputArtifacts": [{"name": "source_output"}],
			"actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"},
			"configuration": {"RepositoryName": "deployment", "BranchName": "main", "PollForSourceChanges": "false"}}]},
		{"name": "Deploy", "actions": [
			{"name": "Approve", "runOrder": 1, "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
				"configuration": {"CustomData": "Deploy #{SourceVariables.CommitId}?"}},
			{"name": "Deploy", "runOrder": 2, "inputArtifacts": [{"name": "source_output"}],
				"actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "ECS", "version": "1"},
				"configuration": {"ClusterName": "cluster1", "ServiceName": "webapp1", "FileName": "cluster1/webapp1/revision.json"}}]}
	]}}`

// TestAWSCLIPipeline has the AWS CLI make a pipeline, approve, deploy a commit with
// it, and look at all that it tells.
func TestAWSCLIPipeline(t *testing.T) {
	c := newCLI(t)
	aws, client := c.ask, codepipeline.NewFromConfig(config(c.w))
	const name = "deployment-main-cluster1-webapp1"
	approve := func() {
		t.Helper()
		c.until("the approval", func(ctx context.Context) (bool, error) {
			state, err := client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: new(name)})
			if err != nil {
				return false, err
			}
			latest := state.StageStates[1].ActionStates[0].LatestExecution
			return latest != nil && latest.Token != nil, nil
		})
		token, _ := at(aws("codepipeline", "get-pipeline-state", "--name", name), "stageStates", 1, "actionStates", 0, "latestExecution", "token").(string)
		aws("codepipeline", "put-approval-result", "--pipeline-name", name, "--stage-name", "Deploy", "--action-name", "Approve",
			"--token", token, "--result", "status=Approved,summary=fine")
	}
	ended := func(id, want string) {
		t.Helper()
		c.until("the end", func(ctx context.Context) (bool, error) {
			out, err := client.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: new(name), PipelineExecutionId: &id})
			return err == nil && out.PipelineExecution.Status != types.PipelineExecutionStatusInProgress, err
		})
		c.same("status", want, at(aws("codepipeline", "get-pipeline-execution", "--pipeline-name", name, "--pipeline-execution-id", id), "pipelineExecution", "status"))
	}

	file := filepath.Join(t.TempDir(), "pipeline.json")
	if err := os.WriteFile(file, []byte(pipelineJSON), 0o644); err != nil {
		t.Fatal(err)
	}
	created := aws("codepipeline", "create-pipeline", "--cli-input-json", "file://"+file, "--tags", "key=team,value=shop")
	if got := at(created, "pipeline", "version"); got != 1.0 {
		t.Errorf("created %v", created)
	}
	arn := at(aws("codepipeline", "get-pipeline", "--name", name), "metadata", "pipelineArn").(string)
	if got := at(aws("codepipeline", "list-tags-for-resource", "--resource-arn", arn), "tags", 0, "value"); got != "shop" {
		t.Errorf("tag %v", got)
	}
	first := at(aws("codepipeline", "list-pipeline-executions", "--pipeline-name", name), "pipelineExecutionSummaries", 0, "pipelineExecutionId").(string)
	approve()
	ended(first, "Succeeded")

	head := at(aws("codecommit", "get-branch", "--repository-name", "deployment", "--branch-name", "main"), "branch", "commitId").(string)
	if err := os.WriteFile(file, []byte(`[{"name": "webapp1", "imageUri": "registry.example.com/webapp1:2.0.0"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	commit := at(aws("codecommit", "put-file", "--repository-name", "deployment", "--branch-name", "main", "--parent-commit-id", head, "--commit-message", "Deploy 2.0.0",
		"--file-path", "cluster1/webapp1/revision.json", "--file-content", "fileb://"+file), "commitId").(string)
	var id string
	for range 2 { // with the same token, the same execution
		id = at(aws("codepipeline", "start-pipeline-execution", "--name", name, "--client-request-token", commit,
			"--source-revisions", "actionName=Source,revisionType=COMMIT_ID,revisionValue="+commit), "pipelineExecutionId").(string)
	}
	approve()
	ended(id, "Succeeded")
	listed := aws("codepipeline", "list-pipeline-executions", "--pipeline-name", name)["pipelineExecutionSummaries"].([]any)
	if len(listed) != 2 || at(listed, 0, "sourceRevisions", 0, "revisionId") != commit || at(listed, 0, "sourceRevisions", 0, "revisionSummary") != "Deploy 2.0.0" {
		t.Errorf("executions %v", listed)
	}
	actions := aws("codepipeline", "list-action-executions", "--pipeline-name", name, "--filter", "pipelineExecutionId="+id)
	if at(actions, "actionExecutionDetails", 0, "actionName") != "Deploy" || at(actions, "actionExecutionDetails", 1, "input", "resolvedConfiguration", "CustomData") != "Deploy "+commit+"?" {
		t.Errorf("actions %v", actions)
	}
	definition := at(aws("ecs", "describe-services", "--cluster", "cluster1", "--services", "webapp1"), "services", 0, "taskDefinition").(string)
	if got := at(aws("ecs", "describe-task-definition", "--task-definition", definition), "taskDefinition", "containerDefinitions", 0, "image"); got != "registry.example.com/webapp1:2.0.0" {
		t.Errorf("runs %v", got)
	}

	// Back to the first, by a rollback of the stage.
	back := at(aws("codepipeline", "rollback-stage", "--pipeline-name", name, "--stage-name", "Deploy", "--target-pipeline-execution-id", first), "pipelineExecutionId").(string)
	approve()
	ended(back, "Succeeded")
	c.refused("(StageNotRetryableException)", "codepipeline", "retry-stage-execution", "--pipeline-name", name, "--stage-name", "Deploy",
		"--pipeline-execution-id", back, "--retry-mode", "FAILED_ACTIONS")
	aws("codepipeline", "delete-pipeline", "--name", name)
}
