package cli

import (
	"encoding/json"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// pipelinesWorld is three services with pipelines of the article's kind, one of which is
// called otherwise and one of which deploys nothing.
func pipelinesWorld(t *testing.T) *sandboxtest.World {
	t.Helper()
	world := sandboxtest.New(t, sandboxtest.TimeScale(10_000))
	amazon(t, &httputil.ReverseProxy{
		Transport: world.HTTPClient().Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "sandbox.example.com"}) },
	})
	world.Repository("deployment")
	for _, name := range []string{"webapp1", "service1", "canary1"} {
		options := []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(true)}
		if name == "canary1" {
			options = []sandboxtest.ServiceOption{sandboxtest.Managed(), sandboxtest.Canary(10, 1, 1)}
		}
		world.Service("cluster1", name, options...)
	}
	create := func(name string, deploy types.ActionDeclaration) {
		t.Helper()
		source := types.ActionDeclaration{
			Name: aws.String("Source"), OutputArtifacts: []types.OutputArtifact{{Name: aws.String("source_output")}},
			ActionTypeId:  &types.ActionTypeId{Category: types.ActionCategorySource, Owner: types.ActionOwnerAws, Provider: aws.String("CodeCommit"), Version: aws.String("1")},
			Configuration: map[string]string{"RepositoryName": "deployment", "BranchName": "main"},
		}
		_, err := world.CodePipeline().CreatePipeline(t.Context(), &codepipeline.CreatePipelineInput{Pipeline: &types.PipelineDeclaration{
			Name: &name, RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/pipelines"),
			ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")},
			Stages: []types.StageDeclaration{
				{Name: aws.String("Source"), Actions: []types.ActionDeclaration{source}},
				{Name: aws.String("Deploy"), Actions: []types.ActionDeclaration{deploy}},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	ecs := func(service, file string) types.ActionDeclaration {
		return types.ActionDeclaration{
			Name: aws.String("Deploy"), InputArtifacts: []types.InputArtifact{{Name: aws.String("source_output")}},
			ActionTypeId:  &types.ActionTypeId{Category: types.ActionCategoryDeploy, Owner: types.ActionOwnerAws, Provider: aws.String("ECS"), Version: aws.String("1")},
			Configuration: map[string]string{"ClusterName": "cluster1", "ServiceName": service, "FileName": file},
		}
	}
	create("deployment-main-cluster1-webapp1", ecs("webapp1", "cluster1/webapp1/revision.json"))
	create("release-service1", ecs("service1", "imagedefinitions.json"))
	create("release-gone", ecs("gone", "imagedefinitions.json"))
	create("only-a-person", types.ActionDeclaration{
		Name:         aws.String("Approve"),
		ActionTypeId: &types.ActionTypeId{Category: types.ActionCategoryApproval, Owner: types.ActionOwnerAws, Provider: aws.String("Manual"), Version: aws.String("1")},
	})
	return world
}

// From CodePipeline to a repository, on to the Terraform module's variables, and to
// slipway serve: ECS is only read.
func TestMigrate(t *testing.T) {
	world := pipelinesWorld(t)
	gitIdentity(t)
	folder := filepath.Join(t.TempDir(), "deployment")
	world.ForgetCalls()

	dry := slipwayCommand(t, "migrate", "--from-codepipeline", folder, "--dry-run")
	if _, err := os.Stat(folder); dry.code != 0 || !os.IsNotExist(err) || !strings.Contains(dry.out, `{"name": "webapp1", "imageUri": "registry.example.com/webapp1:1.0.0"}`) {
		t.Fatalf("dry run: code %d, %v: %s%s", dry.code, err, dry.out, dry.err)
	}
	made := slipwayCommand(t, "migrate", "--from-codepipeline", folder, "-o", "json")
	if made.code != 0 || !strings.Contains(made.err, "left out cluster1/gone of pipeline release-gone: there is no service gone in cluster cluster1") {
		t.Fatalf("code %d: %s", made.code, made.err)
	}
	if want := "to do: the pipeline release-service1 of cluster1/service1: it is of type V1, which a push cannot start at its commit: make it V2; " +
		"its action Deploy reads imagedefinitions.json: have it read cluster1/service1/revision.json; it is looked for as deployment-main-cluster1-service1: make it again by that name"; !strings.Contains(made.err, want) {
		t.Errorf("it says\n%s, not %q", made.err, want)
	}
	for path, want := range map[string]string{
		"cluster1/webapp1/revision.json":  `registry.example.com/webapp1:1.0.0`,
		"cluster1/service1/revision.json": `registry.example.com/service1:1.0.0`,
		"slipway.yaml":                    "conductor: codepipeline\n",
	} {
		if text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path))); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	if added := slipwayCommand(t, "deploy", "cluster1/canary1", "--image", "canary1=registry.example.com/canary1:1.0.0", "--create", "--repository", folder); added.code != 0 {
		t.Fatal(added.err)
	}

	out := filepath.Join(t.TempDir(), "pipelines.auto.tfvars.json")
	if back := slipwayCommand(t, "migrate", "--to-builtin", folder); back.code != 0 || !strings.Contains(back.out, "commit") {
		t.Fatalf("to builtin: %s%s", back.out, back.err)
	}
	if again := slipwayCommand(t, "migrate", "--to-codepipeline", folder, "--out", out); again.code != 0 {
		t.Fatal(again.err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var variables pipelineVariables
	if err := json.Unmarshal(text, &variables); err != nil {
		t.Fatal(err)
	}
	if got := variables.Pipelines["cluster1-canary1"].Action + " " + variables.Pipelines["cluster1-webapp1"].Action; got != "Lambda ECS" || variables.Repository != "deployment" || variables.Branch != "main" {
		t.Errorf("the variables: %s", text)
	}
	if settings, err := os.ReadFile(filepath.Join(folder, "slipway.yaml")); err != nil || string(settings) != "conductor: codepipeline\n" {
		t.Errorf("slipway.yaml: %q, %v", settings, err)
	}
	for _, call := range world.Calls().Writes() {
		t.Errorf("AWS was written to: %s", call.Operation)
	}
}
