package codepipeline_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestDeploy: the article's pipeline deploys the branch's head when it is created
// and when it is started, and a commit when it is started with one.
func TestDeploy(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		first := r.create(declaration(stage("Deploy", deployAction(nil))))
		if took := r.ends(first, types.PipelineExecutionStatusSucceeded); took > 10*time.Minute {
			t.Errorf("it took %s", took)
		}
		if got := r.running(); got != "1.1" {
			t.Errorf("runs %s", got)
		}
		second := r.repository.commit("Deploy 1.2", revision("1.2"))
		r.repository.commit("Deploy 1.3", revision("1.3"))
		pinned := r.start(second)
		r.ends(pinned, types.PipelineExecutionStatusSucceeded)
		if got := r.running(); got != "1.2" {
			t.Errorf("runs %s, want the commit that it was started with", got)
		}
		r.ends(r.start(""), types.PipelineExecutionStatusSucceeded)
		if got := r.running(); got != "1.3" {
			t.Errorf("runs %s, want the head", got)
		}

		got := r.get(pinned)
		if len(got.ArtifactRevisions) != 1 || *got.ArtifactRevisions[0].Name != "source_output" || *got.ArtifactRevisions[0].RevisionId != second ||
			*got.ArtifactRevisions[0].RevisionSummary != "Deploy 1.2" || got.Trigger.TriggerType != types.TriggerTypeStartPipelineExecution {
			t.Errorf("%+v", got)
		}
		listed := r.executions()
		if len(listed) != 3 || *listed[1].PipelineExecutionId != pinned || *listed[1].SourceRevisions[0].ActionName != "Source" || *listed[1].SourceRevisions[0].RevisionId != second ||
			listed[2].Trigger.TriggerType != types.TriggerTypeCreatePipeline {
			t.Errorf("%+v", listed)
		}
		actions := r.actions(pinned)
		if len(actions) != 2 || *actions[0].ActionName != "Deploy" || *actions[1].ActionName != "Source" || actions[0].Status != types.ActionExecutionStatusSucceeded {
			t.Fatalf("%+v", actions)
		}
		vars := actions[1].Output.OutputVariables
		if vars["CommitId"] != second || vars["CommitMessage"] != "Deploy 1.2" || vars["BranchName"] != "master" || vars["RepositoryName"] != "deployment" || vars["AuthorDate"] == "" {
			t.Errorf("variables %v", vars)
		}
		if location := actions[0].Input.InputArtifacts[0].S3location; *location.Bucket != "build-bucket" || !strings.HasPrefix(*location.Key, "deployment-master-cl/source_out/") {
			t.Errorf("artifact at %s %s", *location.Bucket, *location.Key)
		}
		state := r.state("Deploy")
		if state.LatestExecution.Status != types.StageExecutionStatusSucceeded || state.ActionStates[0].LatestExecution.Status != types.ActionExecutionStatusSucceeded || !state.InboundTransitionState.Enabled {
			t.Errorf("%+v", state)
		}
		if source := r.state("Source").ActionStates[0]; *source.CurrentRevision.RevisionId != r.repository.commits[2] || source.RevisionUrl == nil {
			t.Errorf("%+v", source)
		}
	})
}

// TestClone: of the task definition nothing but the images changes, and the base is
// the revision that the service runs.
func TestClone(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		post := func(operation, body string) map[string]any {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://sandbox.example.com/", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
			response, err := r.w.HTTPClient().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			content, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			var answer map[string]any
			if err := json.Unmarshal(content, &answer); err != nil {
				t.Fatal(err)
			}
			return answer
		}
		describe := func(definition string) map[string]any {
			answer := post("DescribeTaskDefinition", `{"taskDefinition": "`+definition+`", "include": ["TAGS"]}`)
			members := answer["taskDefinition"].(map[string]any)
			for _, name := range []string{"taskDefinitionArn", "revision", "registeredAt"} {
				delete(members, name)
			}
			return answer
		}
		registered := post("RegisterTaskDefinition", `{"family": "webapp1", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
			"newerThanUs": {"a": [1]}, "tags": [{"key": "team", "value": "a"}], "containerDefinitions": [
				{"name": "webapp1", "image": "registry.example.com/webapp1:1.0.1", "portMappings": [{"containerPort": 8080}], "alsoNewer": true},
				{"name": "proxy", "image": "registry.example.com/proxy:1", "essential": false}]}`)
		base := registered["taskDefinition"].(map[string]any)["taskDefinitionArn"].(string)
		r.service.Update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String(base) })
		r.service.Settle()
		// One that nobody deployed is not looked at.
		post("RegisterTaskDefinition", `{"family": "webapp1", "containerDefinitions": [{"name": "webapp1", "image": "x", "memory": 5}]}`)

		r.repository.commit("Deploy 1.1", revision("1.1"))
		r.ready(declaration(stage("Deploy", deployAction(nil))))
		want, got := describe(base), describe(*r.service.Settle().TaskDefinition)
		want["taskDefinition"].(map[string]any)["containerDefinitions"].([]any)[0].(map[string]any)["image"] = image("1.1")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the clone (-want +got):\n%s", diff)
		}
	})
}

// TestDeployErrors: what the action says when it cannot deploy.
func TestDeployErrors(t *testing.T) {
	for what, c := range map[string]struct {
		files         map[string]string
		configuration map[string]string
		want          string
	}{
		"no file":      {map[string]string{"README.md": "nothing"}, nil, "ConfigurationError: Did not find the image definition file cluster1/webapp1/revision.json in the input artifacts ZIP file. Verify the file is stored in your pipeline's Amazon S3 artifact bucket: build-bucket key: deployment-master-cl/source_out/"},
		"no container": {map[string]string{revisionFile: `[{"name": "other", "imageUri": "x"}]`}, nil, "ConfigurationError: The AWS ECS container other does not exist"},
		"not JSON":     {map[string]string{revisionFile: `{`}, nil, "invalid JSON"},
		"no service":   {revision("1.1"), map[string]string{"ServiceName": "other"}, "Service not found"},
		"no cluster":   {revision("1.1"), map[string]string{"ClusterName": "other"}, "Cluster not found."},
	} {
		t.Run(what, func(t *testing.T) {
			in(t, func(r *rig) {
				t := r.T
				r.repository.commit("Deploy", c.files)
				id := r.create(declaration(stage("Deploy", deployAction(c.configuration))))
				r.ends(id, types.PipelineExecutionStatusFailed)
				if got := r.failures(id); len(got) != 1 || !strings.Contains(got[0], c.want) {
					t.Errorf("%q, want %q", got, c.want)
				}
				if state := r.state("Deploy"); state.LatestExecution.Status != types.StageExecutionStatusFailed || state.ActionStates[0].LatestExecution.ErrorDetails == nil {
					t.Errorf("%+v", state)
				}
				if got := r.running(); got != "1.0.0" {
					t.Errorf("runs %s", got)
				}
			})
		})
	}
}

// TestNoBranch: a source that is not there.
func TestNoBranch(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		d := declaration(stage("Deploy", deployAction(nil)))
		d.Stages[0].Actions[0].Configuration["BranchName"] = "other"
		id := r.create(d)
		r.ends(id, types.PipelineExecutionStatusFailed)
		if got := r.failures(id); !slices.Equal(got, []string{"Source: RevisionUnavailable: The action failed because no branch named other was found in the selected AWS CodeCommit repository deployment. Make sure you are using the correct branch name, and then try again. Error: null"}) {
			t.Errorf("%q", got)
		}
	})
}

// TestRolledBackByECS: the circuit breaker's rollback is not noticed; the action
// goes on until its time is over.
func TestRolledBackByECS(t *testing.T) {
	for what, c := range map[string]struct {
		configuration map[string]string
		least, most   time.Duration
		text          string
	}{
		"by default":    {nil, time.Hour, time.Hour + time.Minute, "Deploy: TimedOut: The action timed out after 60 minutes."},
		"as configured": {map[string]string{"DeploymentTimeout": "20"}, 20 * time.Minute, 21 * time.Minute, "Deploy: TimedOut: The action timed out after 20 minutes."},
	} {
		t.Run(what, func(t *testing.T) {
			in(t, func(r *rig) {
				t := r.T
				r.service = r.w.Service("cluster1", "tcpapp1", sandboxtest.CircuitBreaker(true))
				r.repository.commit("Deploy a crash", map[string]string{revisionFile: `[{"name": "tcpapp1", "imageUri": "registry.example.com/tcpapp1:2-crash"}]`})
				d := deployAction(c.configuration)
				d.Configuration["ServiceName"] = "tcpapp1"
				id := r.create(declaration(stage("Deploy", d)))
				if took := r.ends(id, types.PipelineExecutionStatusFailed); took < c.least || took > c.most {
					t.Errorf("it took %s", took)
				}
				if got := r.failures(id); !slices.Equal(got, []string{c.text}) {
					t.Errorf("%q", got)
				}
				if got := r.service.Settle(); !strings.HasSuffix(*got.TaskDefinition, ":1") {
					t.Errorf("runs %s", *got.TaskDefinition)
				}
			})
		})
	}
}

// TestRestart: an execution that is under way goes on, and deploys once.
func TestRestart(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy 1.1", revision("1.1"))
		id := r.create(declaration(stage("Deploy", deployAction(nil))))
		for range 4 {
			pass(5 * time.Second)
			r.w.Restart()
		}
		r.ends(id, types.PipelineExecutionStatusSucceeded)
		if got := *r.service.Settle().TaskDefinition; !strings.HasSuffix(got, ":2") {
			t.Errorf("runs %s, want the second revision and no other", got)
		}
		out, err := r.StartPipelineExecution(t.Context(), &sdk.StartPipelineExecutionInput{Name: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		r.ends(*out.PipelineExecutionId, types.PipelineExecutionStatusSucceeded)
	})
}

// TestTimeScale: all times are divided, but those of functions.
func TestTimeScale(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		r.repository.commit("Deploy what is not there", revision("2-missing"))
		id := r.create(declaration(stage("Deploy", deployAction(nil))))
		if took := r.ends(id, types.PipelineExecutionStatusFailed); took < time.Minute || took > 70*time.Second {
			t.Errorf("an hour took %s", took)
		}
	}, sandboxtest.TimeScale(60))
}
