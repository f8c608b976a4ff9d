package codepipeline_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// templates are the files of a CodeDeployToECS action.
func templates(tag string) map[string]string {
	return map[string]string{
		"imageDetail.json": `{"ImageURI": "` + image(tag) + `"}`,
		"taskdef.json": `{"family": "shop", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
			"containerDefinitions": [{"name": "shop", "image": "<IMAGE1_NAME>", "portMappings": [{"containerPort": 8080}]}]}`,
		"appspec.yaml": `version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: shop, ContainerPort: 8080}
`,
	}
}

func codeDeployAction() types.ActionDeclaration {
	a := action("Deploy", types.ActionCategoryDeploy, "CodeDeployToECS", map[string]string{
		"ApplicationName": "AppECS-cluster1-shop", "DeploymentGroupName": "DgpECS-cluster1-shop", "AppSpecTemplateArtifact": "source_output",
		"TaskDefinitionTemplateArtifact": "source_output", "Image1ArtifactName": "source_output", "Image1ContainerName": "IMAGE1_NAME",
	})
	a.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	return a
}

// TestCodeDeploy: the templates become a deployment of CodeDeploy's, and its end is
// the action's.
func TestCodeDeploy(t *testing.T) {
	in(t, func(r *rig) {
		t := r.T
		service := r.w.Service("cluster1", "shop", sandboxtest.ByCodeDeploy())
		r.repository.commit("Deploy 1.1", templates("1.1"))
		id := r.create(declaration(stage("Deploy", codeDeployAction())))
		pass(30 * time.Second)
		r.w.Restart()
		r.ends(id, succeeded)
		sets := service.Settle().TaskSets
		if len(sets) != 1 || !strings.HasSuffix(*sets[0].TaskDefinition, ":2") {
			t.Errorf("%+v", sets)
		}
		got := r.actions(id)[0].Output.ExecutionResult
		if !strings.HasPrefix(*got.ExternalExecutionId, "d-") || *got.ExternalExecutionSummary != "Deployment "+*got.ExternalExecutionId+" succeeded" {
			t.Errorf("%+v", got)
		}
		r.repository.commit("Deploy what is not there", templates("1.2-missing"))
		id = r.start("")
		r.ends(id, failed)
		if got := r.failures(id); len(got) != 1 || !strings.HasPrefix(got[0], "Deploy: JobFailed: ") {
			t.Errorf("%q", got)
		}
	})
}

// TestCodeDeployFiles: what the action says of files that are not there.
func TestCodeDeployFiles(t *testing.T) {
	for missing, want := range map[string]string{
		"taskdef.json":     "Exception while trying to read the task definition artifact file from: source_output",
		"imageDetail.json": "Exception while trying to read the image artifact file from the artifact: source_output",
		"appspec.yaml":     "Exception while trying to read the appspec artifact file from: source_output",
	} {
		t.Run(missing, func(t *testing.T) {
			in(t, func(r *rig) {
				r.w.Service("cluster1", "shop", sandboxtest.ByCodeDeploy())
				files := templates("1.1")
				maps.DeleteFunc(files, func(name, _ string) bool { return name == missing })
				r.repository.commit("Deploy 1.1", files)
				id := r.create(declaration(stage("Deploy", codeDeployAction())))
				r.ends(id, failed)
				if got := r.failures(id); len(got) != 1 || got[0] != "Deploy: ConfigurationError: "+want {
					r.Errorf("%q", got)
				}
			})
		})
	}
}
