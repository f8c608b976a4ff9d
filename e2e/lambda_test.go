//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	functions "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// conducted is a sandbox whose CodePipeline conducts, with the function as Lambda runs
// it.
type conducted struct {
	*system
	configuration aws.Config
	pipelines     *codepipeline.Client
	functions     *lambda.Client
	clone         string
}

// TestLambda has the real function, in the sandbox's Lambda, start the pipeline of the
// app that a push changed, and deploy for it.
func TestLambda(t *testing.T) {
	c, branch := newConducted(t, runtime.GOARCH)
	for _, app := range []string{"webapp1", "service1"} {
		c.pipeline(branch, app)
		c.await("the first execution of "+app, func() error { return c.ended(branch, app, 1) })
	}

	event := c.push("webapp1", "2.0.0")
	c.waitFor(branch, "webapp1", 2)
	if status, says := c.last(branch, "webapp1"); status != types.PipelineExecutionStatusSucceeded {
		t.Fatalf("%s: %s", status, says)
	}
	if by := c.executions(branch, "webapp1")[0].Trigger; by.TriggerType != types.TriggerTypeStartPipelineExecution ||
		aws.ToString(by.TriggerDetail) != "arn:aws:sts::111122223333:assumed-role/slipway/slipway-trigger" {
		t.Errorf("it was started by %s, %s", by.TriggerType, aws.ToString(by.TriggerDetail))
	}
	if n := len(c.executions(branch, "service1")); n != 1 {
		t.Errorf("service1, which did not change, has %d executions", n)
	}

	// The event is delivered again: the answer is the same, and nothing starts.
	if said := c.trigger(branch, event); !strings.Contains(said, *c.executions(branch, "webapp1")[0].PipelineExecutionId) {
		t.Errorf("delivered again: %s", said)
	}
	if n := len(c.executions(branch, "webapp1")); n != 2 {
		t.Errorf("delivered again: webapp1 has %d executions", n)
	}

	c.push("webapp1", "3.0.0-crash")
	c.waitFor(branch, "webapp1", 3)
	if status, says := c.last(branch, "webapp1"); status != types.PipelineExecutionStatusFailed || !strings.HasPrefix(says, "rolled-back by ") || !strings.Contains(says, "exit code 1") {
		t.Errorf("%s: %s", status, says)
	}
}

// TestLambdaEmulated has the function that is built for the other architecture, arm64 on
// most machines, do a little of the same, where qemu runs it: a job of CodePipeline, and
// an event.
func TestLambdaEmulated(t *testing.T) {
	other, emulator := "arm64", "qemu-aarch64"
	if runtime.GOARCH == "arm64" {
		other, emulator = "amd64", "qemu-x86_64"
	}
	_, err := exec.LookPath(emulator)
	if _, static := exec.LookPath(emulator + "-static"); err != nil && static != nil {
		t.Skipf("the function for %s is not run: there is neither %s nor %s-static; install qemu-user-static", other, emulator, emulator)
	}
	c, branch := newConducted(t, other)
	c.pipeline(branch, "webapp1")
	c.waitFor(branch, "webapp1", 1)
	if status, says := c.last(branch, "webapp1"); status != types.PipelineExecutionStatusSucceeded || !strings.HasPrefix(says, "unchanged: ") {
		t.Errorf("%s: %s", status, says)
	}
	said := c.trigger(branch, c.push("webapp1", "2.0.0"))
	if started := c.executions(branch, "webapp1"); len(started) != 2 || !strings.Contains(said, *started[0].PipelineExecutionId) {
		t.Errorf("an event: %s, %d executions", said, len(started))
	}
}

// newConducted is a sandbox with the function that is built for an architecture.
func newConducted(t *testing.T, goarch string) (c *conducted, branch string) {
	t.Helper()
	c = &conducted{system: newSystem(t, "60")}
	c.configuration = aws.Config{
		Region: "eu-west-1", BaseEndpoint: &c.aws, Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	}
	c.pipelines, c.functions = codepipeline.NewFromConfig(c.configuration), lambda.NewFromConfig(c.configuration)
	c.clone = filepath.Join(c.dir, "deployment")
	c.git("", "clone", "-q", c.repository, c.clone)
	branch = c.git(c.clone, "branch", "--show-current")
	c.provision(branch, goarch)
	return c, branch
}

// trigger hands the trigger the event of a push, and returns its answer.
func (c *conducted) trigger(branch string, p pushed) string {
	c.tb.Helper()
	event, err := json.Marshal(map[string]any{"id": "again", "detail-type": "CodeCommit Repository State Change", "source": "aws.codecommit", "detail": map[string]string{
		"event": "referenceUpdated", "repositoryName": "deployment", "referenceType": "branch", "referenceName": branch, "commitId": p.after, "oldCommitId": p.before,
	}})
	if err != nil {
		c.tb.Fatal(err)
	}
	out, err := c.functions.Invoke(c.tb.Context(), &lambda.InvokeInput{FunctionName: aws.String("slipway-trigger"), Payload: event})
	if err != nil || out.FunctionError != nil {
		c.tb.Fatalf("%v, %+v", err, out)
	}
	return string(out.Payload)
}

// provision makes both functions of the one zip file, and the rule that calls the
// trigger.
func (c *conducted) provision(branch, goarch string) {
	c.tb.Helper()
	archive := filepath.Join("..", "dist", "lambda-"+goarch+".zip")
	made := exec.Command("make", "-C", "..", "dist/lambda-"+goarch+".zip")
	if out, err := made.CombinedOutput(); err != nil {
		c.tb.Fatalf("make %s: %v\n%s", archive, err, out)
	}
	zip, err := os.ReadFile(archive)
	if err != nil {
		c.tb.Fatal(err)
	}
	architecture := map[string]functions.Architecture{"amd64": functions.ArchitectureX8664, "arm64": functions.ArchitectureArm64}[goarch]
	var arn *string
	for _, name := range []string{"slipway-deploy", "slipway-trigger"} {
		out, err := c.functions.CreateFunction(c.tb.Context(), &lambda.CreateFunctionInput{
			FunctionName: &name, Runtime: functions.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Architectures: []functions.Architecture{architecture},
			Role: aws.String("arn:aws:iam::111122223333:role/slipway"), Code: &functions.FunctionCode{ZipFile: zip}, MemorySize: aws.Int32(256), Timeout: aws.Int32(60),
			Environment: &functions.Environment{Variables: map[string]string{"SLIPWAY_REPOSITORY": "deployment", "SLIPWAY_BRANCH": branch}},
		})
		if err != nil {
			c.tb.Fatal(err)
		}
		arn = out.FunctionArn
		c.await(name, func() error {
			out, err := c.functions.GetFunctionConfiguration(c.tb.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
			if err == nil && out.State != functions.StateActive {
				err = fmt.Errorf("it is %s", out.State)
			}
			return err
		})
	}
	client := eventbridge.NewFromConfig(c.configuration)
	rule, err := client.PutRule(c.tb.Context(), &eventbridge.PutRuleInput{Name: aws.String("pushes"), EventPattern: aws.String(
		`{"source": ["aws.codecommit"], "detail-type": ["CodeCommit Repository State Change"], "detail": {"referenceType": ["branch"], "referenceName": ["` + branch + `"]}}`,
	)})
	if err != nil {
		c.tb.Fatal(err)
	}
	if _, err := c.functions.AddPermission(c.tb.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("slipway-trigger"), StatementId: aws.String("events"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("events.amazonaws.com"), SourceArn: rule.RuleArn,
	}); err != nil {
		c.tb.Fatal(err)
	}
	if out, err := client.PutTargets(c.tb.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("pushes"), Targets: []events.Target{{Id: aws.String("trigger"), Arn: arn}}}); err != nil || out.FailedEntryCount > 0 {
		c.tb.Fatalf("%v: %+v", err, out)
	}
}

func pipelineName(branch, app string) *string {
	return aws.String("deployment-" + branch + "-cluster1-" + app)
}

// pipeline makes an app's pipeline with the function as its Deploy action.
func (c *conducted) pipeline(branch, app string) {
	c.tb.Helper()
	action := func(name string, category types.ActionCategory, provider string, configuration map[string]string) types.ActionDeclaration {
		return types.ActionDeclaration{Name: &name, Configuration: configuration, ActionTypeId: &types.ActionTypeId{
			Category: category, Owner: types.ActionOwnerAws, Provider: &provider, Version: aws.String("1"),
		}}
	}
	source := action("Source", types.ActionCategorySource, "CodeCommit", map[string]string{"RepositoryName": "deployment", "BranchName": branch, "PollForSourceChanges": "false"})
	source.Namespace, source.OutputArtifacts = aws.String("SourceVariables"), []types.OutputArtifact{{Name: aws.String("source_output")}}
	deploy := action("Deploy", types.ActionCategoryInvoke, "Lambda", map[string]string{
		"FunctionName": "slipway-deploy",
		"UserParameters": `{"repository":"deployment","cluster":"cluster1","app":"` + app + `","commit":"#{SourceVariables.CommitId}",` +
			`"pipeline":"` + *pipelineName(branch, app) + `","execution":"#{codepipeline.PipelineExecutionId}"}`,
	})
	deploy.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	if _, err := c.pipelines.CreatePipeline(c.tb.Context(), &codepipeline.CreatePipelineInput{Pipeline: &types.PipelineDeclaration{
		Name: pipelineName(branch, app), RoleArn: aws.String("arn:aws:iam::111122223333:role/pipelines"), PipelineType: types.PipelineTypeV2,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")},
		Stages: []types.StageDeclaration{
			{Name: aws.String("Source"), Actions: []types.ActionDeclaration{source}}, {Name: aws.String("Deploy"), Actions: []types.ActionDeclaration{deploy}},
		},
	}}); err != nil {
		c.tb.Fatal(err)
	}
}

func (c *conducted) executions(branch, app string) []types.PipelineExecutionSummary {
	c.tb.Helper()
	out, err := c.pipelines.ListPipelineExecutions(c.tb.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: pipelineName(branch, app)})
	if err != nil {
		c.tb.Fatal(err)
	}
	return out.PipelineExecutionSummaries
}

// ended says whether there are n executions of an app, all over.
func (c *conducted) ended(branch, app string, n int) error {
	all := c.executions(branch, app)
	if len(all) != n {
		return fmt.Errorf("%d executions", len(all))
	}
	if status := all[0].Status; status == types.PipelineExecutionStatusInProgress {
		return fmt.Errorf("it is %s", status)
	}
	return nil
}

// waitFor waits for the end of an app's nth execution, which takes longer than a
// command: the function waits out each claim by the real clock.
func (c *conducted) waitFor(branch, app string, n int) {
	c.tb.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; {
		err := c.ended(branch, app, n)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			_, says := c.last(branch, app)
			c.tb.Fatalf("execution %d of %s: %v; %s", n, app, err, says)
		}
		time.Sleep(500 * time.Millisecond) //nolint:forbidigo // waits for another process
	}
}

// last is how an app's newest execution ended, and what its Deploy action says.
func (c *conducted) last(branch, app string) (types.PipelineExecutionStatus, string) {
	c.tb.Helper()
	newest := c.executions(branch, app)[0]
	out, err := c.pipelines.ListActionExecutions(c.tb.Context(), &codepipeline.ListActionExecutionsInput{
		PipelineName: pipelineName(branch, app), Filter: &types.ActionExecutionFilter{PipelineExecutionId: newest.PipelineExecutionId},
	})
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, a := range out.ActionExecutionDetails {
		if *a.ActionName == "Deploy" && a.Output != nil && a.Output.ExecutionResult != nil {
			if e := a.Output.ExecutionResult.ErrorDetails; e != nil {
				return newest.Status, aws.ToString(e.Message)
			}
			return newest.Status, aws.ToString(a.Output.ExecutionResult.ExternalExecutionSummary)
		}
	}
	return newest.Status, ""
}

var tag = regexp.MustCompile(`:[^:"/]+"\s*}`)

// pushed are the commits before and after a push.
type pushed struct{ before, after string }

// push pushes another tag of an app's image.
func (c *conducted) push(app, to string) pushed {
	c.tb.Helper()
	file := filepath.Join(c.clone, "cluster1", app, "revision.json")
	text, err := os.ReadFile(file)
	if err != nil {
		c.tb.Fatal(err)
	}
	if err := os.WriteFile(file, tag.ReplaceAll(text, []byte(":"+to+`"}`)), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	before := c.git(c.clone, "rev-parse", "HEAD")
	c.git(c.clone, "commit", "-qam", "Deploy "+app+" "+to)
	c.git(c.clone, "push", "-q")
	return pushed{before, c.git(c.clone, "rev-parse", "HEAD")}
}

// git runs git in a folder and returns what it prints.
func (c *conducted) git(dir string, args ...string) string {
	c.tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, c.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.tb.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
