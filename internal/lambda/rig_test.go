package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	commits "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const (
	deployARN = "arn:aws:lambda:" + sandboxtest.Region + ":" + sandboxtest.Account + ":function:slipway-deploy"
	images    = "registry.example.com/webapp1:"
)

var webapp1 = slipway.App{Cluster: "cluster1", Name: "webapp1"}

// rig is an account with a deployment repository, and the function.
type rig struct {
	*testing.T
	w        *sandboxtest.World
	function *lambda.Function
	log      *strings.Builder
	head     string // of master

	mu    sync.Mutex
	calls int // of the function by CodePipeline
	// around is called in place of the function's own code, if not nil; that takes the
	// network, nil for the account's own.
	around func(call int, payload []byte, handle func(network http.RoundTripper) error) error
}

// inBubble runs a test by a clock of its own.
func inBubble(t *testing.T, test func(r *rig), options ...sandboxtest.Option) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, log: &strings.Builder{}}
		r.w = sandboxtest.New(t, append(options, sandboxtest.Functions(r))...)
		r.function = r.made(nil, lambda.Settings{Repository: "deployment", Branch: "master", PipelineName: "{repository}-{branch}-{cluster}-{app}"})
		if _, err := r.w.CodeCommit().CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("deployment")}); err != nil {
			t.Fatal(err)
		}
		test(r)
		if t.Failed() {
			t.Log(r.log)
		}
	})
}

// made is a function in a process of its own: nothing is shared but AWS.
func (r *rig) made(network http.RoundTripper, settings lambda.Settings) *lambda.Function {
	configuration := r.w.Config()
	if network != nil {
		configuration.HTTPClient = &http.Client{Transport: network}
	}
	return lambda.New(lambda.Options{
		AWS: configuration, Settings: settings, Logger: slog.New(slog.NewJSONHandler(locked{&r.mu, r.log}, nil)),
		Target: func(context.Context, string) (aws.Config, error) { return configuration, nil },
	})
}

type locked struct {
	mu  *sync.Mutex
	out *strings.Builder
}

func (l locked) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(text)
}

// Invoke is how the sandbox calls functions. Each call is a process of its own: what
// the function remembers must be in the token.
func (r *rig) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, error) {
	if arn != deployARN {
		return nil, fmt.Errorf("no function %s", arn)
	}
	r.mu.Lock()
	r.calls++
	call, around := r.calls, r.around
	r.mu.Unlock()
	handle := func(network http.RoundTripper) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute) // the function's timeout
		defer cancel()
		_, err := r.made(network, lambda.Settings{}).Handle(ctx, payload)
		return err
	}
	if around == nil {
		around = func(_ int, _ []byte, handle func(http.RoundTripper) error) error { return handle(nil) }
	}
	// As asynchronously: CodePipeline learns nothing, and Lambda calls again after a
	// minute, and after two more.
	for retry := range 3 {
		if around(call, payload, handle) == nil {
			break
		}
		r.pass(time.Duration(retry+1) * time.Minute)
	}
	return nil, nil
}

// commit commits files, given as path and content in turn, on master, and returns the
// event that CodeCommit emits. The content "-" deletes a file.
func (r *rig) commit(files ...string) string {
	r.Helper()
	in := &codecommit.CreateCommitInput{RepositoryName: aws.String("deployment"), BranchName: aws.String("master")}
	if r.head != "" {
		in.ParentCommitId = &r.head
	}
	for i := 0; i < len(files); i += 2 {
		if files[i+1] == "-" {
			in.DeleteFiles = append(in.DeleteFiles, commits.DeleteFileEntry{FilePath: &files[i]})
			continue
		}
		in.PutFiles = append(in.PutFiles, commits.PutFileEntry{FilePath: &files[i], FileContent: []byte(files[i+1])})
	}
	out, err := r.w.CodeCommit().CreateCommit(r.Context(), in)
	if err != nil {
		r.Fatal(err)
	}
	before := r.head
	r.head = *out.CommitId
	return event("deployment", "branch", "master", before, r.head)
}

// event is what CodeCommit says of a reference.
func event(repository, kind, name, before, after string) string {
	what := map[bool]string{true: "referenceCreated", false: "referenceUpdated"}[before == ""]
	text, _ := json.Marshal(map[string]any{
		"version": "0", "id": "c0ffee00-0000-4000-8000-000000000000", "detail-type": "CodeCommit Repository State Change", "source": "aws.codecommit",
		"account": sandboxtest.Account, "region": sandboxtest.Region, "resources": []string{"arn:aws:codecommit:" + sandboxtest.Region + ":" + sandboxtest.Account + ":" + repository},
		"detail": map[string]string{
			"event": what, "repositoryName": repository, "referenceType": kind, "referenceName": name, "commitId": after, "oldCommitId": before,
		},
	})
	return string(text)
}

func revision(app, tag string) (path, content string) {
	return "cluster1/" + app + "/revision.json", fmt.Sprintf(`[{"name": %q, "imageUri": %q}]`, app, "registry.example.com/"+app+":"+tag)
}

// revisions are those of several apps of cluster1, as commit wants them.
func revisions(tag string, apps ...string) []string {
	var files []string
	for _, app := range apps {
		path, content := revision(app, tag)
		files = append(files, path, content)
	}
	return files
}

func pipelineOf(app string) string { return "deployment-master-cluster1-" + app }

func action(name string, category types.ActionCategory, provider string, configuration map[string]string) types.ActionDeclaration {
	return types.ActionDeclaration{Name: &name, Configuration: configuration, ActionTypeId: &types.ActionTypeId{
		Category: category, Owner: types.ActionOwnerAws, Provider: &provider, Version: aws.String("1"),
	}}
}

// byECS is CodePipeline's own action.
func byECS(app string) types.ActionDeclaration {
	return action("Deploy", types.ActionCategoryDeploy, "ECS", map[string]string{
		"ClusterName": "cluster1", "ServiceName": app, "FileName": "cluster1/" + app + "/revision.json",
	})
}

// byFunction is the function as an action.
func byFunction(app string) types.ActionDeclaration {
	return action("Deploy", types.ActionCategoryInvoke, "Lambda", map[string]string{
		"FunctionName":   "slipway-deploy",
		"UserParameters": `{"repository":"deployment","cluster":"cluster1","app":"` + app + `","commit":"#{SourceVariables.CommitId}"}`,
	})
}

// pipeline makes an app's pipeline.
func (r *rig) pipeline(app string, deploy types.ActionDeclaration) {
	r.Helper()
	source := action("Source", types.ActionCategorySource, "CodeCommit", map[string]string{"RepositoryName": "deployment", "BranchName": "master", "PollForSourceChanges": "false"})
	source.Namespace, source.OutputArtifacts = aws.String("SourceVariables"), []types.OutputArtifact{{Name: aws.String("source_output")}}
	deploy.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	if _, err := r.w.CodePipeline().CreatePipeline(r.Context(), &codepipeline.CreatePipelineInput{Pipeline: &types.PipelineDeclaration{
		Name: aws.String(pipelineOf(app)), RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/pipelines"), PipelineType: types.PipelineTypeV2,
		ExecutionMode: types.ExecutionModeQueued,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")},
		Stages: []types.StageDeclaration{
			{Name: aws.String("Source"), Actions: []types.ActionDeclaration{source}}, {Name: aws.String("Deploy"), Actions: []types.ActionDeclaration{deploy}},
		},
	}}); err != nil {
		r.Fatal(err)
	}
}

// trigger hands the function an event.
func (r *rig) trigger(event string) (lambda.Result, error) {
	r.Helper()
	result, err := r.function.Handle(r.Context(), json.RawMessage(event))
	told, _ := result.(lambda.Result)
	return told, err
}

// started are the commits that an app's pipeline was started at by StartPipelineExecution,
// newest first.
func (r *rig) started(app string) []string {
	r.Helper()
	out, err := r.w.CodePipeline().ListPipelineExecutions(r.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String(pipelineOf(app))})
	if err != nil {
		r.Fatal(err)
	}
	var all []string
	for _, e := range out.PipelineExecutionSummaries {
		if e.Trigger.TriggerType != types.TriggerTypeStartPipelineExecution {
			continue
		}
		at := "unknown"
		if len(e.SourceRevisions) > 0 {
			at = aws.ToString(e.SourceRevisions[0].RevisionId)
		}
		all = append(all, at)
	}
	return all
}

func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// names are apps without their cluster.
func names(apps []slipway.App) string {
	var all []string
	for _, app := range apps {
		all = append(all, app.Name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
