package codepipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	commits "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// The article's pipeline of webapp1, and the file that it deploys.
const (
	name         = "deployment-master-cluster1-webapp1"
	revisionFile = "cluster1/webapp1/revision.json"
	role         = "arn:aws:iam::" + sandboxtest.Account + ":role/pipelines"
)

// repository is a repository "deployment" with the branch "master".
type repository struct {
	t       testing.TB
	client  *codecommit.Client
	commits []string // ids
}

// commit adds a commit that puts these files, and returns its id.
func (r *repository) commit(message string, files map[string]string) string {
	r.t.Helper()
	in := &codecommit.CreateCommitInput{RepositoryName: aws.String("deployment"), BranchName: aws.String("master"), CommitMessage: &message}
	for path, content := range files {
		in.PutFiles = append(in.PutFiles, commits.PutFileEntry{FilePath: aws.String(path), FileContent: []byte(content)})
	}
	if n := len(r.commits); n > 0 {
		in.ParentCommitId = &r.commits[n-1]
	}
	out, err := r.client.CreateCommit(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	r.commits = append(r.commits, *out.CommitId)
	return *out.CommitId
}

// rig is a service webapp1 of cluster1, and its repository.
type rig struct {
	*testing.T
	*sdk.Client
	w          *sandboxtest.World
	service    *sandboxtest.Service
	repository *repository
}

// in runs a test in a bubble.
func in(t *testing.T, test func(r *rig), options ...sandboxtest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t, options...)
		if _, err := w.CodeCommit().CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("deployment")}); err != nil {
			t.Fatal(err)
		}
		test(&rig{
			T: t, Client: w.CodePipeline(), w: w, repository: &repository{t: t, client: w.CodeCommit()}, service: w.Service("cluster1", "webapp1"),
		})
	})
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// image is webapp1's image with a tag, and revision the file that names it.
func image(tag string) string { return "registry.example.com/webapp1:" + tag }

func revision(tag string) map[string]string {
	return map[string]string{revisionFile: fmt.Sprintf(`[{"name": "webapp1", "imageUri": %q}]`, image(tag))}
}

func action(name string, category types.ActionCategory, provider string, configuration map[string]string) types.ActionDeclaration {
	return types.ActionDeclaration{
		Name: aws.String(name), Configuration: configuration,
		ActionTypeId: &types.ActionTypeId{Category: category, Owner: types.ActionOwnerAws, Provider: aws.String(provider), Version: aws.String("1")},
	}
}

func sourceAction() types.ActionDeclaration {
	a := action("Source", types.ActionCategorySource, "CodeCommit", map[string]string{"RepositoryName": "deployment", "BranchName": "master", "PollForSourceChanges": "false"})
	a.Namespace, a.OutputArtifacts = aws.String("SourceVariables"), []types.OutputArtifact{{Name: aws.String("source_output")}}
	return a
}

// deployAction is the article's Deploy action, with more of a configuration.
func deployAction(more map[string]string) types.ActionDeclaration {
	a := action("Deploy", types.ActionCategoryDeploy, "ECS", map[string]string{"ClusterName": "cluster1", "ServiceName": "webapp1", "FileName": revisionFile})
	for key, value := range more {
		a.Configuration[key] = value
	}
	a.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	return a
}

func stage(name string, actions ...types.ActionDeclaration) types.StageDeclaration {
	return types.StageDeclaration{Name: aws.String(name), Actions: actions}
}

// declaration is a pipeline of the stage Source and others.
func declaration(stages ...types.StageDeclaration) *types.PipelineDeclaration {
	return &types.PipelineDeclaration{
		Name: aws.String(name), RoleArn: aws.String(role), PipelineType: types.PipelineTypeV2,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")},
		Stages:        append([]types.StageDeclaration{stage("Source", sourceAction())}, stages...),
	}
}

// create makes a pipeline and returns the id of the execution that it begins at
// once.
func (r *rig) create(d *types.PipelineDeclaration) string {
	r.Helper()
	if _, err := r.CreatePipeline(r.Context(), &sdk.CreatePipelineInput{Pipeline: d}); err != nil {
		r.Fatal(err)
	}
	return *r.executions()[0].PipelineExecutionId
}

// ready makes a pipeline with the stages and lets its first execution end.
func (r *rig) ready(d *types.PipelineDeclaration) string {
	r.Helper()
	id := r.create(d)
	r.ends(id, types.PipelineExecutionStatusSucceeded)
	return id
}

// start begins an execution with a commit, or with the branch's head if it is
// empty.
func (r *rig) start(commit string) string {
	r.Helper()
	in := &sdk.StartPipelineExecutionInput{Name: aws.String(name)}
	if commit != "" {
		in.SourceRevisions = []types.SourceRevisionOverride{{ActionName: aws.String("Source"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &commit}}
	}
	out, err := r.StartPipelineExecution(r.Context(), in)
	if err != nil {
		r.Fatal(err)
	}
	return *out.PipelineExecutionId
}

func (r *rig) get(id string) *types.PipelineExecution {
	r.Helper()
	out, err := r.GetPipelineExecution(r.Context(), &sdk.GetPipelineExecutionInput{PipelineName: aws.String(name), PipelineExecutionId: &id})
	if err != nil {
		r.Fatal(err)
	}
	return out.PipelineExecution
}

// ends waits for an execution's end and says how long that took.
func (r *rig) ends(id string, want types.PipelineExecutionStatus) time.Duration {
	r.Helper()
	began := time.Now()
	for range 10_000 {
		switch got := r.get(id).Status; got {
		case want:
			return time.Since(began)
		case types.PipelineExecutionStatusInProgress, types.PipelineExecutionStatusStopping:
			if time.Since(began) < 2*time.Hour {
				pass(5 * time.Second)
			} else {
				pass(time.Minute)
			}
		default:
			r.Fatalf("the execution is %s, want %s: %v", got, want, r.failures(id))
		}
	}
	r.Fatalf("the execution does not end")
	return 0
}

// failures are the errors of an execution's actions.
func (r *rig) failures(id string) []string {
	r.Helper()
	var all []string
	for _, a := range r.actions(id) {
		if a.Output != nil && a.Output.ExecutionResult.ErrorDetails != nil {
			all = append(all, *a.ActionName+": "+*a.Output.ExecutionResult.ErrorDetails.Code+": "+*a.Output.ExecutionResult.ErrorDetails.Message)
		}
	}
	return all
}

// actions are the executions of actions of an execution, newest first.
func (r *rig) actions(id string) []types.ActionExecutionDetail {
	r.Helper()
	out, err := r.ListActionExecutions(r.Context(), &sdk.ListActionExecutionsInput{PipelineName: aws.String(name), Filter: &types.ActionExecutionFilter{PipelineExecutionId: &id}})
	if err != nil {
		r.Fatal(err)
	}
	return out.ActionExecutionDetails
}

func (r *rig) executions() []types.PipelineExecutionSummary {
	r.Helper()
	out, err := r.ListPipelineExecutions(r.Context(), &sdk.ListPipelineExecutionsInput{PipelineName: aws.String(name)})
	if err != nil {
		r.Fatal(err)
	}
	return out.PipelineExecutionSummaries
}

// state is the state of a stage.
func (r *rig) state(stage string) types.StageState {
	r.Helper()
	out, err := r.GetPipelineState(r.Context(), &sdk.GetPipelineStateInput{Name: aws.String(name)})
	if err != nil {
		r.Fatal(err)
	}
	for _, s := range out.StageStates {
		if *s.StageName == stage {
			return s
		}
	}
	r.Fatalf("no stage %s", stage)
	return types.StageState{}
}

// running is the tag of the image that the service's tasks run, once it is
// settled.
func (r *rig) running() string {
	r.Helper()
	service := r.service.Settle()
	out, err := r.w.ECS().DescribeTaskDefinition(r.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: service.TaskDefinition})
	if err != nil {
		r.Fatal(err)
	}
	return strings.TrimPrefix(*out.TaskDefinition.ContainerDefinitions[0].Image, image(""))
}

// refused checks an error's code, and the words in its message.
func (r *rig) refused(err error, want, words string, what ...string) {
	r.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != want || !strings.Contains(api.ErrorMessage(), words) {
		r.Errorf("%s: got %v, want %s: %s", what, err, want, words)
	}
}
