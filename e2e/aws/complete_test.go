//go:build e2e

package aws

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway/e2e/terraform/tf"
)

// stateBucket is where the example's states are.
const stateBucket = "example-state"

// TestComplete applies two clusters of four applications with their state in S3,
// delivers two of them in one push, and one by CodeDeploy in both ways that there are.
func TestComplete(t *testing.T) {
	t.Parallel()
	account := open(t, "eu-west-1")
	account.others(t, "s3api", "create-bucket", "--bucket", stateBucket, "--create-bucket-configuration", "LocationConstraint="+account.region)
	example := account.example(t, "complete")
	backend := filepath.Join(t.TempDir(), "backend.hcl")
	if err := os.WriteFile(backend, []byte(account.backend("")), 0o644); err != nil {
		t.Fatal(err)
	}
	foundation := example.root(t, "foundation", "", "artifact_bucket=example-artifacts", "force_destroy=true", "deletion_protection=false", "nat_gateways=single")
	foundation.Run(t, "init", "-backend-config="+backend, "-backend-config=key=foundation.tfstate")
	foundation.Run(t, "apply", "-auto-approve")
	account.seed(t, foundation)
	configured := func(variables ...string) *tf.Root {
		return example.root(t, "applications", fmt.Sprintf("\ndata \"terraform_remote_state\" \"foundation\" {\n  config = {\n    key = \"foundation.tfstate\"\n%s  }\n}\n", account.backend("    ")),
			slices.Concat(lambdaVariables(t), []string{`foundation_state={bucket="` + stateBucket + `", key="foundation.tfstate", region="eu-west-1"}`}, variables)...)
	}
	applications := configured()
	applications.Run(t, "init", "-backend-config="+backend, "-backend-config=key=applications.tfstate")
	applications.Run(t, "apply", "-auto-approve")
	account.settled(t)
	unchanged(t, "provisioned", foundation, applications)

	const pipeline = "deployment-main-"
	clone := account.clone(t, "main")
	before := account.started(t)
	commit := clone.push(t, "Deploy webapp1 and service1", map[string]string{
		"cluster1/webapp1": image("webapp1", "1.1.0"), "cluster2/service1": image("service1", "1.1.0"),
	})
	account.delivers(t, before, commit, types.PipelineExecutionStatusSucceeded, pipeline+"cluster1-webapp1", pipeline+"cluster2-service1")
	if got, want := account.runs(t, "cluster1", "webapp1"), image("webapp1", "1.1.0"); got != want {
		t.Errorf("webapp1 of cluster1 runs %q, want %q", got, want)
	}
	if got, want := account.runs(t, "cluster2", "service1"), image("service1", "1.1.0"); got != want {
		t.Errorf("service1 of cluster2 runs %q, want %q", got, want)
	}
	unchanged(t, "two were deployed", foundation, applications)

	// The function looks for the reason of a failure, which takes calls of its own.
	before = account.started(t)
	commit = clone.push(t, "Deploy service1 1.2.0, which crashes", map[string]string{"cluster2/service1": image("service1", "1.2.0-crash")})
	account.delivers(t, before, commit, types.PipelineExecutionStatusFailed, pipeline+"cluster2-service1")
	if why := account.why(t, pipeline+"cluster2-service1"); !strings.Contains(why, "rolled back by ECS") {
		t.Errorf("the function does not say why the deployment failed: %s", why)
	}
	unchanged(t, "one was rolled back", applications)

	canary := clone.canary(t)
	canary.deploys(t, image("webapp1", "1.1.0"), nil, applications)
	// The same by CodePipeline's own action.
	applications = configured("codedeploy_action=CodeDeployToECS")
	applications.Run(t, "apply", "-auto-approve")
	canary.deploys(t, image("webapp1", "1.2.0"), canary.templates(t, image("webapp1", "1.1.0"), image("webapp1", "1.2.0")), applications)

	account.permitted(t, path.Base(person), "slipway-trigger", "slipway-deploy", "deployment-main-pipelines")
	applications.Destroy(t)
	foundation.Destroy(t)
	account.isEmpty(t, stateBucket)
}

// backend tells S3's place, for the states.
func (a *anAccount) backend(indent string) string {
	var text string
	for _, line := range []string{
		`bucket = "` + stateBucket + `"`, `region = "` + a.region + `"`, `access_key = "sandbox"`, `secret_key = "sandbox"`, `use_path_style = true`,
		`skip_credentials_validation = true`, `skip_metadata_api_check = true`, `skip_requesting_account_id = true`,
		`endpoints = { s3 = "` + a.moto + `" }`,
	} {
		text += indent + line + "\n"
	}
	return text
}
