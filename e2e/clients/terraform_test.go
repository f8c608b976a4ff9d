//go:build e2e

package clients

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// TestTerraform has the AWS provider create a cluster, task definitions, a
// service, a repository, queues, rules with their targets, a schedule and the article's pipelines, find no
// drift, and destroy them.
func TestTerraform(t *testing.T) {
	w, env := world(t)
	run := terraformIn(t, w, env, t.TempDir(), "testdata/main.tf")
	run("init")
	run("apply", "-auto-approve")
	if got, want := made(t, w), []string{"cluster shop", "rule shop-batch", "rule shop-commits", "schedule shop-batch", "repository shop", "queue shop-commits", "queue shop-dead", "pipeline deployment-main-cluster1-tcpapp1", "pipeline deployment-main-cluster1-webapp1"}; !slices.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
	run("plan", "-detailed-exitcode")
	run("destroy", "-auto-approve")
	if got := made(t, w); len(got) > 0 {
		t.Errorf("there still is %v", got)
	}
}

// TestTerraformLambda has the AWS provider create a function with its permission
// and the rule for its events, change it, and destroy it.
func TestTerraformLambda(t *testing.T) {
	w, env := world(t)
	dir := t.TempDir()
	run := terraformIn(t, w, env, dir, "testdata/lambda/main.tf")
	function(t, dir)
	run("init")
	run("apply", "-auto-approve")
	run("plan", "-detailed-exitcode")
	run("apply", "-auto-approve", "-var", "variable=other")
	run("plan", "-detailed-exitcode", "-var", "variable=other")
	client := lambda.NewFromConfig(config(w))
	out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("shop"), Payload: []byte("{}")})
	if err != nil || !strings.Contains(string(out.Payload), `"Variable":"other"`) {
		t.Errorf("%+v %s, %v", out, out.Payload, err)
	}
	run("destroy", "-auto-approve")
	listed, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil || len(listed.Functions) > 0 {
		t.Errorf("there still is %+v, %v", listed, err)
	}
}

// terraformIn prepares a folder for Terraform with one file of ours, and returns
// what runs it there.
func terraformIn(t *testing.T, w *sandbox.World, env []string, dir, source string) func(args ...string) {
	t.Helper()
	terraform := need(t, "terraform")
	content, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "settings.tfrc")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	env = append(env, "TF_CLI_CONFIG_FILE="+settings, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1", "TF_VAR_endpoint="+w.Endpoints().AWS)
	return func(args ...string) {
		t.Helper()
		out, errs, err := run(t, env, dir, terraform, args...)
		exit, exited := errors.AsType[*exec.ExitError](err)
		switch {
		case err == nil:
		case exited && exit.ExitCode() == 2: // of plan -detailed-exitcode: there is something to change
			t.Errorf("terraform %v: there is drift\n%s", args, out)
		default:
			t.Fatalf("terraform %v: %v\n%s%s", args, err, out, errs)
		}
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

// mirror is a folder of providers that has the one that is wanted, in one of the
// places where they are kept. The test is skipped without: it is large, and not
// fetched for a test.
func mirror(t *testing.T) string {
	t.Helper()
	home, _ := os.UserHomeDir() // none is one place less
	places := []string{
		os.Getenv("TF_PLUGIN_CACHE_DIR"), filepath.Join(home, ".terraform.d", "plugins"), filepath.Join(home, ".terraform.d", "plugin-cache"),
		"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins",
	}
	others, err := filepath.Glob("/opt/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range append(places, others...) {
		// The folder below a place is named after where the provider comes from.
		found, err := filepath.Glob(filepath.Join(place, "*/hashicorp/aws/5.100.0/*/terraform-provider-aws*"))
		if place != "" && err == nil && len(found) > 0 {
			return place
		}
	}
	t.Skip("the provider hashicorp/aws 5.100.0 is in no folder of providers here")
	return ""
}
