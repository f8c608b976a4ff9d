package codepipeline_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	commits "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	repository "github.com/slipway-cd/slipway/internal/codecommit"
	"github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/target"
)

var web = slipway.App{Cluster: "shop", Name: "web"}

func settings(app slipway.App) slipway.Pipeline {
	p := slipway.DefaultPipeline(app)
	p.Conductor = slipway.ConductorCodePipeline
	return p
}

// rig is an account with a repository in CodeCommit, and a Conductor that lives as long
// as a server's.
type rig struct {
	*testing.T
	w         *sandboxtest.World
	conductor *codepipeline.Conductor
	head      string // of main
}

// in runs a test in a bubble.
func in(t *testing.T, test func(r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, w: sandboxtest.New(t)}
		if _, err := r.w.CodeCommit().CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("deployment")}); err != nil {
			t.Fatal(err)
		}
		r.conductor = r.made(r.source(), nil)
		test(r)
	})
}

// source reads the repository as the trigger function does.
func (r *rig) source() codepipeline.Source { return repository.New(r.w.OthersConfig(), "deployment") }

// made is a Conductor that has asked nobody yet; network is nil for the account's own.
func (r *rig) made(source codepipeline.Source, network http.RoundTripper) *codepipeline.Conductor {
	config := r.w.Config()
	if network != nil {
		config.HTTPClient = &http.Client{Transport: network}
	}
	configured := func(context.Context, string) (aws.Config, error) { return config, nil }
	return codepipeline.New(codepipeline.Options{
		Config: configured, Repository: "deployment", Branch: "main", Source: source,
		Deployments: target.New(target.Options{Config: configured}), Logger: slog.New(slog.DiscardHandler),
	})
}

// commit commits a version of an app and returns the commit.
func (r *rig) commit(app slipway.App, version string) string {
	r.Helper()
	in := &codecommit.CreateCommitInput{RepositoryName: aws.String("deployment"), BranchName: aws.String("main"), PutFiles: []commits.PutFileEntry{{
		FilePath: aws.String(app.RevisionPath()), FileContent: []byte(`[{"name": "` + app.Name + `", "imageUri": "registry.example.com/` + app.Name + `:` + version + `"}]`),
	}}}
	if r.head != "" {
		in.ParentCommitId = &r.head
	}
	out, err := r.w.CodeCommit().CreateCommit(r.Context(), in)
	if err != nil {
		r.Fatal(err)
	}
	r.head = *out.CommitId
	return r.head
}

func action(name string, category types.ActionCategory, provider string, configuration map[string]string) types.ActionDeclaration {
	return types.ActionDeclaration{
		Name: &name, Configuration: configuration,
		ActionTypeId: &types.ActionTypeId{Category: category, Owner: types.ActionOwnerAws, Provider: &provider, Version: aws.String("1")},
	}
}

func stage(name string, actions ...types.ActionDeclaration) types.StageDeclaration {
	return types.StageDeclaration{Name: &name, Actions: actions}
}

func approval(name string) types.ActionDeclaration {
	return action(name, types.ActionCategoryApproval, "Manual", nil)
}

func deploy(app slipway.App) types.ActionDeclaration {
	a := action("Deploy", types.ActionCategoryDeploy, "ECS", map[string]string{"ClusterName": app.Cluster, "ServiceName": app.Name, "FileName": app.RevisionPath()})
	a.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	return a
}

// declaration is a pipeline of an app's name with those stages behind its source.
func declaration(app slipway.App, stages ...types.StageDeclaration) *types.PipelineDeclaration {
	source := action("Source", types.ActionCategorySource, "CodeCommit", map[string]string{"RepositoryName": "deployment", "BranchName": "main", "PollForSourceChanges": "false"})
	source.OutputArtifacts = []types.OutputArtifact{{Name: aws.String("source_output")}}
	return &types.PipelineDeclaration{
		Name: aws.String("deployment-main-" + app.Cluster + "-" + app.Name), RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/pipelines"),
		PipelineType: types.PipelineTypeV2, ExecutionMode: types.ExecutionModeSuperseded,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")},
		Stages:        append([]types.StageDeclaration{stage("Source", source)}, stages...),
	}
}

// create makes an app's service, its file in the repository, and its pipeline, whose
// creation is an execution.
func (r *rig) create(declared *types.PipelineDeclaration, app slipway.App) {
	r.Helper()
	r.w.Service(app.Cluster, app.Name, sandboxtest.CircuitBreaker(true))
	r.commit(app, "1.0.0")
	if _, err := r.w.CodePipeline().CreatePipeline(r.Context(), &sdk.CreatePipelineInput{Pipeline: declared}); err != nil {
		r.Fatal(err)
	}
	r.pass(3 * time.Minute)
}

// start starts web's pipeline at a commit.
func (r *rig) start(commit string) (id string) {
	r.Helper()
	id, err := r.conductor.Start(r.Context(), web, settings(web), commit)
	if err != nil {
		r.Fatal(err)
	}
	return id
}

// tells is what the Conductor tells of an execution of web's in a list.
func (r *rig) tells(id string) slipway.Execution {
	r.Helper()
	executions, err := r.conductor.Executions(r.Context(), web, settings(web), 20)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range executions {
		if e.ID == id {
			return e
		}
	}
	r.Fatalf("there is no execution %s", id)
	panic("unreachable")
}

// wants lets time pass and says what is told of an execution otherwise than wanted.
func (r *rig) wants(after time.Duration, id string, status slipway.Status, outcome slipway.Outcome) slipway.Execution {
	r.Helper()
	r.pass(after)
	e := r.tells(id)
	if e.Status != status || e.Outcome != outcome {
		r.Errorf("%s %s: %s; want %s %s", e.Status, e.Outcome, e.Reason, status, outcome)
	}
	return e
}

func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
