//go:build e2e

package aws

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/slipway-cd/slipway/e2e/terraform/tf"
)

// TestArticle applies the article's system, delivers with it by git and by the API,
// and never finds anything that Terraform would change. Two applications have their
// image by the article's own data source.
func TestArticle(t *testing.T) {
	t.Parallel()
	account := open(t, "ca-central-1")
	example := account.example(t, "article")
	foundation := example.root(t, "foundation", "", "build_bucket=example-build-bucket", "registry="+registry)
	foundation.Run(t, "init")
	foundation.Run(t, "apply", "-auto-approve")
	account.seed(t, foundation)
	article(t, account, example, foundation)
}

// article goes on from the foundation: it provisions the applications, delivers them
// in every way, and destroys everything.
func article(t *testing.T, account *anAccount, example *anExample, foundation *tf.Root) {
	t.Helper()
	external := example.external(t, "applications")
	applications := example.root(t, "applications", "", append(lambdaVariables(t), "service1_image="+image("service1", "1.0.0"), external)...)
	applications.Run(t, "init")
	applications.Run(t, "apply", "-auto-approve")
	account.settled(t)
	unchanged(t, "provisioned", foundation, applications)

	const pipeline = "deployment-master-cluster1-"
	clone := account.clone(t, "master")

	before := account.started(t)
	commit := clone.push(t, "Deploy webapp1 and tcpapp1 1.1.0", map[string]string{
		"cluster1/webapp1": image("webapp1", "1.1.0"), "cluster1/tcpapp1": image("tcpapp1", "1.1.0"),
	})
	account.delivers(t, before, commit, types.PipelineExecutionStatusSucceeded, pipeline+"tcpapp1", pipeline+"webapp1")
	for _, app := range []string{"tcpapp1", "webapp1"} {
		want := image(app, "1.1.0")
		if got := account.runs(t, "cluster1", app); got != want {
			t.Errorf("%s runs %q, want %q", app, got, want)
		}
		if got := answered(t, applications, app); got != want {
			t.Errorf("the external data source of %s answers %q, want %q", app, got, want)
		}
	}
	unchanged(t, "webapp1 and tcpapp1 were deployed by git", applications)

	before = account.started(t)
	redelivered := commit
	commit = account.putFile(t, "master", "cluster1/service1", image("service1", "1.1.0"))
	account.delivers(t, before, commit, types.PipelineExecutionStatusSucceeded, pipeline+"service1")
	if got, want := account.runs(t, "cluster1", "service1"), image("service1", "1.1.0"); got != want {
		t.Errorf("service1 runs %q, want %q", got, want)
	}
	unchanged(t, "service1 was deployed by the API", applications)

	before = account.started(t)
	commit = clone.push(t, "Deploy batchapp1 1.1.0", map[string]string{"cluster1/batchapp1": image("batchapp1", "1.1.0")},
		aFile{"cluster1/batchapp1/pipeline.yaml", []byte("testRun: true\n")})
	account.delivers(t, before, commit, types.PipelineExecutionStatusSucceeded, pipeline+"batchapp1")
	if got, want := account.scheduled(t, "cluster1-batchapp1"), image("batchapp1", "1.1.0"); got != want {
		t.Errorf("the rule runs %q, want %q", got, want)
	}
	account.runsNow(t, "cluster1-batchapp1", "cluster1-batchapp1-events")
	unchanged(t, "batchapp1 was deployed by the function, and run", applications)

	account.redelivers(t, redelivered)

	for i := range 10 {
		before = account.started(t)
		commit = clone.push(t, "Deploy webapp1", map[string]string{"cluster1/webapp1": image("webapp1", fmt.Sprintf("2.%d.0", i))})
		account.delivers(t, before, commit, types.PipelineExecutionStatusSucceeded, pipeline+"webapp1")
	}
	unchanged(t, "ten deployments", applications)

	before = account.started(t)
	commit = clone.push(t, "Deploy webapp1 3.0.0, which crashes", map[string]string{"cluster1/webapp1": image("webapp1", "3.0.0-crash")})
	account.delivers(t, before, commit, types.PipelineExecutionStatusFailed, pipeline+"webapp1")
	eventually(t, "ECS has rolled back", func() (bool, error) {
		return account.runs(t, "cluster1", "webapp1") == image("webapp1", "2.9.0"), nil
	})
	unchanged(t, "a rollback by ECS", applications)
	clone.tells(t)

	account.changeByHand(t, "cluster1", "webapp1", image("webapp1", "2.9.1-console"))
	account.changeByHand(t, "cluster1", "service1", image("service1", "1.1.1-console"))
	unchanged(t, "a change in the console", applications)

	account.permitted(t, path.Base(person), "slipway-trigger", "slipway-deploy", "deployment-master-pipelines", "cluster1-batchapp1-events")
	applications.Destroy(t)
	foundation.Destroy(t)
	account.isEmpty(t)
}

// registry is where the images are said to be; there are none in a sandbox.
const registry = account + ".dkr.ecr.example.com"

func image(app, version string) string { return registry + "/" + app + ":" + version }

// seed pushes the repository's first commit, by the script that the module writes.
func (a *anAccount) seed(t *testing.T, foundation *tf.Root) {
	t.Helper()
	script := foundation.Run(t, "output", "-raw", "seed_script")
	a.run(t, t.TempDir(), "sh", "-c", script)
}

// unchanged fails where Terraform would change anything.
func unchanged(t *testing.T, after string, roots ...*tf.Root) {
	t.Helper()
	for _, root := range roots {
		if changes := root.Changes(t); changes != "" {
			t.Fatalf("after %s Terraform would change:\n%s", after, changes)
		}
	}
}

// redelivers has the trigger told of a commit again, as EventBridge may, and
// fails where that starts anything.
func (a *anAccount) redelivers(t *testing.T, commit string) {
	t.Helper()
	before := a.started(t)
	parent := strings.TrimSpace(a.run(t, t.TempDir(), "aws", "codecommit", "get-commit", "--repository-name", "deployment", "--commit-id", commit,
		"--query", "commit.parents[0]", "--output", "text"))
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": "11111111-2222-3333-4444-555555555555", "detail-type": "CodeCommit Repository State Change", "source": "aws.codecommit",
		"account": account, "time": time.Now().UTC().Format(time.RFC3339), "region": a.region,
		"resources": []string{"arn:aws:codecommit:" + a.region + ":" + account + ":deployment"},
		"detail": map[string]string{
			"event": "referenceUpdated", "repositoryName": "deployment", "referenceType": "branch", "referenceName": "master",
			"referenceFullName": "refs/heads/master", "commitId": commit, "oldCommitId": parent, "callerUserArn": "arn:aws:iam::" + account + ":user/ada",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := lambda.NewFromConfig(a.aws).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("slipway-trigger"), Payload: event})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError != nil {
		t.Fatalf("the trigger failed: %s", out.Payload)
	}
	if after := a.started(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a redelivered event started something: %v, before %v", after, before)
	}
}

// changeByHand gives a service another image, as a person does in the console.
func (a *anAccount) changeByHand(t *testing.T, cluster, service, image string) {
	t.Helper()
	client := ecs.NewFromConfig(a.aws)
	services, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{service}})
	if err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: services.Services[0].TaskDefinition})
	if err != nil {
		t.Fatal(err)
	}
	runs := described.TaskDefinition
	runs.ContainerDefinitions[0].Image = &image
	registered, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: runs.Family, ContainerDefinitions: runs.ContainerDefinitions, Cpu: runs.Cpu, Memory: runs.Memory, NetworkMode: runs.NetworkMode,
		RequiresCompatibilities: runs.RequiresCompatibilities, ExecutionRoleArn: runs.ExecutionRoleArn, TaskRoleArn: runs.TaskRoleArn, RuntimePlatform: runs.RuntimePlatform,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Cluster: &cluster, Service: &service, TaskDefinition: registered.TaskDefinition.TaskDefinitionArn,
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, service+" runs what was chosen in the console", func() (bool, error) {
		return a.runs(t, cluster, service) == image, nil
	})
}
