//go:build e2e

package clients

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	path := need(t, "aws")
	_, env := world(t)
	aws := func(args ...string) map[string]any {
		t.Helper()
		out, errs, err := run(t, env, "", path, append(args, "--output", "json")...)
		if err != nil {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, errs)
		}
		answer := map[string]any{}
		if strings.TrimSpace(out) != "" {
			if err := json.Unmarshal([]byte(out), &answer); err != nil {
				t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
		return answer
	}
	const name = "deployment-main-cluster1-webapp1"
	state := func() any { return at(aws("codepipeline", "get-pipeline-state", "--name", name), "stageStates", 1) }
	// until looks for a minute at most.
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !done(); {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come: %v", what, state())
			}
		}
	}
	approve := func() {
		t.Helper()
		var token string
		until("the approval", func() bool {
			token, _ = at(state(), "actionStates", 0, "latestExecution", "token").(string)
			return token != ""
		})
		aws("codepipeline", "put-approval-result", "--pipeline-name", name, "--stage-name", "Deploy", "--action-name", "Approve",
			"--token", token, "--result", "status=Approved,summary=fine")
	}
	ended := func(id, want string) {
		t.Helper()
		until("the end", func() bool {
			got := at(aws("codepipeline", "get-pipeline-execution", "--pipeline-name", name, "--pipeline-execution-id", id), "pipelineExecution", "status")
			return got == want
		})
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
	if _, errs, err := run(t, env, "", path, "codepipeline", "retry-stage-execution", "--pipeline-name", name, "--stage-name", "Deploy",
		"--pipeline-execution-id", back, "--retry-mode", "FAILED_ACTIONS"); err == nil || !strings.Contains(errs, "(StageNotRetryableException)") {
		t.Errorf("a stage that succeeded is retried: %v\n%s", err, errs)
	}
	aws("codepipeline", "delete-pipeline", "--name", name)
}
