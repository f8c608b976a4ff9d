//go:build e2e

package clients

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/slipway-cd/slipway/e2e/terraform/tf"
	"github.com/slipway-cd/slipway/internal/sandbox"
)

// TestTerraform has the AWS provider make things, find no drift, and destroy them.
// One provider serves all: to start it takes longer than what it does here.
func TestTerraform(t *testing.T) {
	providers := tf.Start(t)
	t.Run("services", func(t *testing.T) { terraformServices(t, providers) })
	t.Run("Lambda", func(t *testing.T) { terraformLambda(t, providers) })
}

// terraformServices makes a cluster, task definitions, a service, a repository,
// queues, rules with their targets, a schedule and the article's pipelines.
func terraformServices(t *testing.T, providers *tf.Providers) {
	w, _ := world(t)
	root := terraformIn(t, providers, w, t.TempDir(), "testdata/main.tf")
	root.Run(t, "init")
	root.Run(t, "apply", "-auto-approve")
	if got, want := made(t, w), []string{"cluster shop", "rule shop-batch", "rule shop-commits", "schedule shop-batch", "repository shop", "queue shop-commits", "queue shop-dead", "pipeline deployment-main-cluster1-tcpapp1", "pipeline deployment-main-cluster1-webapp1"}; !slices.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
	unchanged(t, root)
	root.Destroy(t)
	if got := made(t, w); len(got) > 0 {
		t.Errorf("there still is %v", got)
	}
}

// terraformLambda makes a function with its permission and the rule for its
// events, and changes it.
func terraformLambda(t *testing.T, providers *tf.Providers) {
	w, _ := world(t)
	dir := t.TempDir()
	root := terraformIn(t, providers, w, dir, "testdata/lambda/main.tf")
	function(t, dir)
	root.Run(t, "init")
	root.Run(t, "apply", "-auto-approve")
	unchanged(t, root)
	root.Run(t, "apply", "-auto-approve", "-var", "variable=other")
	unchanged(t, root, "-var", "variable=other")
	client := lambda.NewFromConfig(config(w))
	out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("shop"), Payload: []byte("{}")})
	if err != nil || !strings.Contains(string(out.Payload), `"Variable":"other"`) {
		t.Errorf("%+v %s, %v", out, out.Payload, err)
	}
	root.Destroy(t)
	listed, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil || len(listed.Functions) > 0 {
		t.Errorf("there still is %+v, %v", listed, err)
	}
}

// terraformIn prepares a folder for Terraform with one file of ours.
func terraformIn(t *testing.T, providers *tf.Providers, w *sandbox.World, dir, source string) *tf.Root {
	t.Helper()
	content, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	return providers.Root(t, dir, "TF_VAR_endpoint="+w.Endpoints().AWS)
}

// unchanged says what a plan would change.
func unchanged(t *testing.T, root *tf.Root, args ...string) {
	t.Helper()
	if changes := root.Changes(t, args...); changes != "" {
		t.Errorf("there is drift\n%s", changes)
	}
}

// config reaches a world.
func config(w *sandbox.World) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(w.Endpoints().AWS), Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	}
}

// made are the resources that are there and were not seeded.
func made(t *testing.T, w *sandbox.World) (names []string) {
	t.Helper()
	config := config(w)
	clusters, err := ecs.NewFromConfig(config).ListClusters(t.Context(), &ecs.ListClustersInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, arn := range clusters.ClusterArns {
		if name, ok := strings.CutPrefix(arn, "arn:aws:ecs:eu-west-1:111122223333:cluster/shop"); ok {
			names = append(names, "cluster shop"+name)
		}
	}
	rules, err := eventbridge.NewFromConfig(config).ListRules(t.Context(), &eventbridge.ListRulesInput{NamePrefix: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules.Rules {
		names = append(names, "rule "+*rule.Name)
	}
	schedules, err := scheduler.NewFromConfig(config).ListSchedules(t.Context(), &scheduler.ListSchedulesInput{NamePrefix: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	for _, schedule := range schedules.Schedules {
		names = append(names, "schedule "+*schedule.Name)
	}
	repository, err := codecommit.NewFromConfig(config).GetRepository(t.Context(), &codecommit.GetRepositoryInput{RepositoryName: aws.String("shop")})
	if err == nil {
		names = append(names, "repository "+*repository.RepositoryMetadata.RepositoryName)
	}
	queues, err := sqs.NewFromConfig(config).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range queues.QueueUrls {
		names = append(names, "queue "+url[strings.LastIndex(url, "/")+1:])
	}
	pipelines, err := codepipeline.NewFromConfig(config).ListPipelines(t.Context(), &codepipeline.ListPipelinesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pipeline := range pipelines.Pipelines {
		names = append(names, "pipeline "+*pipeline.Name)
	}
	return names
}
