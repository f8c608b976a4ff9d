//go:build e2e

package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// delivery is what there is in CodePipeline, Lambda and SQS.
func (a *anAccount) delivery(t *testing.T) (names []string) {
	t.Helper()
	ctx := t.Context()
	for _, name := range a.pipelines(t) {
		names = append(names, "pipeline "+name)
	}
	functions, err := lambda.NewFromConfig(a.aws).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range functions.Functions {
		names = append(names, *function.FunctionArn)
	}
	queues, err := sqs.NewFromConfig(a.aws).ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	return append(names, queues.QueueUrls...)
}

func (a *anAccount) pipelines(t *testing.T) (names []string) {
	t.Helper()
	out, err := codepipeline.NewFromConfig(a.aws).ListPipelines(t.Context(), &codepipeline.ListPipelinesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pipeline := range out.Pipelines {
		names = append(names, *pipeline.Name)
	}
	return names
}

// executions are those of a pipeline, the newest first.
func (a *anAccount) executions(t *testing.T, pipeline string) []types.PipelineExecutionSummary {
	t.Helper()
	out, err := codepipeline.NewFromConfig(a.aws).ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: &pipeline})
	if err != nil {
		t.Fatal(err)
	}
	return out.PipelineExecutionSummaries
}

// started is how many executions each pipeline has had.
func (a *anAccount) started(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, pipeline := range a.pipelines(t) {
		counts[pipeline] = len(a.executions(t, pipeline))
	}
	return counts
}

// delivers waits until exactly the pipelines named have an execution of the
// commit that ended as wanted, and fails if any other was started since before.
func (a *anAccount) delivers(t *testing.T, before map[string]int, commit string, want types.PipelineExecutionStatus, pipelines ...string) {
	t.Helper()
	for _, pipeline := range pipelines {
		eventually(t, pipeline+" ends", func() (bool, error) {
			newest := a.executions(t, pipeline)
			if len(newest) == before[pipeline] {
				return false, nil
			}
			if revisions := newest[0].SourceRevisions; len(revisions) != 1 || *revisions[0].RevisionId != commit {
				if newest[0].Status == types.PipelineExecutionStatusInProgress {
					return false, nil // Source has not run yet
				}
				return false, fmt.Errorf("an execution of another revision: %+v", newest[0])
			}
			switch newest[0].Status {
			case want:
				return true, nil
			case types.PipelineExecutionStatusInProgress:
				return false, nil
			default:
				return false, fmt.Errorf("it is %s: %s", newest[0].Status, a.why(t, pipeline))
			}
		})
	}
	wanted := maps.Clone(before)
	for _, pipeline := range pipelines {
		wanted[pipeline]++
	}
	if after := a.started(t); !maps.Equal(after, wanted) {
		t.Fatalf("a push to %v started other pipelines too, or one twice: %v, before %v", pipelines, after, before)
	}
}

// settled waits until no pipeline runs any more: a new one runs at once, as on
// AWS.
func (a *anAccount) settled(t *testing.T) {
	t.Helper()
	for _, pipeline := range a.pipelines(t) {
		eventually(t, pipeline+" has run", func() (bool, error) {
			executions := a.executions(t, pipeline)
			if len(executions) == 0 {
				return false, nil
			}
			switch executions[0].Status {
			case types.PipelineExecutionStatusSucceeded:
				return true, nil
			case types.PipelineExecutionStatusInProgress:
				return a.waitsForApproval(t, pipeline), nil
			default:
				return false, fmt.Errorf("it is %s: %s", executions[0].Status, a.why(t, pipeline))
			}
		})
	}
}

func (a *anAccount) waitsForApproval(t *testing.T, pipeline string) bool {
	t.Helper()
	out, err := codepipeline.NewFromConfig(a.aws).GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: &pipeline})
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range out.StageStates {
		for _, action := range stage.ActionStates {
			if stage.StageName != nil && *stage.StageName == "Approval" && action.LatestExecution != nil && action.LatestExecution.Token != nil {
				return true
			}
		}
	}
	return false
}

// why is what a pipeline's actions say of their failure.
func (a *anAccount) why(t *testing.T, pipeline string) string {
	t.Helper()
	out, err := codepipeline.NewFromConfig(a.aws).GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: &pipeline})
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, stage := range out.StageStates {
		for _, action := range stage.ActionStates {
			if last := action.LatestExecution; last != nil {
				reason := *action.ActionName + " " + string(last.Status)
				if last.ErrorDetails != nil {
					reason += ": " + aws.ToString(last.ErrorDetails.Message)
				}
				reasons = append(reasons, reason)
			}
		}
	}
	return strings.Join(reasons, "; ")
}

// runs is the image that a service's running tasks have, of the container named
// like it; empty while they differ.
func (a *anAccount) runs(t *testing.T, cluster, service string) string {
	t.Helper()
	client := ecs.NewFromConfig(a.aws)
	listed, err := client.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: &cluster, ServiceName: &service})
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.TaskArns) == 0 {
		return ""
	}
	out, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: listed.TaskArns})
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]bool{}
	for _, task := range out.Tasks {
		for _, container := range task.Containers {
			if *container.Name == service {
				images[*container.Image] = true
			}
		}
	}
	if len(images) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(images))[0]
}

// scheduled is the image of the task definition that a rule's only target runs.
func (a *anAccount) scheduled(t *testing.T, rule string) string {
	t.Helper()
	targets, err := eventbridge.NewFromConfig(a.aws).ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: &rule})
	if err != nil {
		t.Fatal(err)
	}
	if len(targets.Targets) != 1 {
		t.Fatalf("the rule %s has %d targets", rule, len(targets.Targets))
	}
	out, err := ecs.NewFromConfig(a.aws).DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: targets.Targets[0].EcsParameters.TaskDefinitionArn})
	if err != nil {
		t.Fatal(err)
	}
	return *out.TaskDefinition.ContainerDefinitions[0].Image
}

// revision is the content of an app's revision.json.
func revision(t *testing.T, app, image string) []byte {
	t.Helper()
	content, err := json.MarshalIndent([]map[string]string{{"name": app, "imageUri": image}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(content, '\n')
}
