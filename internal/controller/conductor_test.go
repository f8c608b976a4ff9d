package controller_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/target"
)

// conductor is a way to run the pipelines of a repository of web and worker, whose
// services run what git says.
type conductor struct {
	*rig
	backend api.Backend
	// pushed has what watches the repository notice a push.
	pushed func()
	// aws is set where CodePipeline conducts.
	aws bool
}

// conductors runs a test on each conductor, in a bubble, in a mode.
func conductors(t *testing.T, mode slipway.Mode, test func(c *conductor)) {
	t.Run("builtin", func(t *testing.T) {
		inRig(t, func(r *rig) {
			c := builtIn(r)
			if mode != slipway.ModeSuperseded {
				c.write("another mode", "slipway.yaml", "defaults: {mode: "+string(mode)+"}\n")
			}
			test(c)
		})
	})
	t.Run("codepipeline", func(t *testing.T) { inCodePipeline(t, mode, test) })
}

func builtIn(r *rig) *conductor {
	return &conductor{rig: r, backend: r.controller.Backend(), pushed: r.refresh}
}

// inCodePipeline runs a test, in a bubble, on a repository of CodeCommit's whose
// pipelines are CodePipeline's, of type V2 and in that mode. There is no server: the
// trigger function starts them, which EventBridge calls.
func inCodePipeline(t *testing.T, mode slipway.Mode, test func(c *conductor)) {
	t.Helper()
	t.Setenv("HOME", t.TempDir()) // git's settings are not the user's
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	synctest.Test(t, func(t *testing.T) {
		c := &conductor{rig: &rig{T: t, world: sandboxtest.New(t, sandboxtest.DeregistrationDelay(30*time.Second)), services: map[slipway.App]*sandboxtest.Service{}}, aws: true}
		c.pushed = func() { c.world.Pushed("deployment") }
		options := deployrepo.Options{URL: c.world.Repository("deployment")}
		apps := map[slipway.App][]slipway.Image{}
		for _, app := range []slipway.App{web, worker} {
			apps[app] = []slipway.Image{{Container: app.Name, URI: image(app.Name, "1.0.0")}}
		}
		if _, err := deployrepo.Init(t.Context(), options, apps, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"}); err != nil {
			t.Fatal(err)
		}
		var err error
		if c.repository, err = deployrepo.Open(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		c.write("let CodePipeline conduct", "slipway.yaml", "conductor: codepipeline\n")
		for _, app := range []slipway.App{web, worker} {
			c.services[app] = c.world.Service(app.Cluster, app.Name, sandboxtest.Image(image(app.Name, "1.0.0")), sandboxtest.CircuitBreaker(true))
			c.createPipeline(pipelineOf(app, mode))
		}
		c.pass(10 * time.Minute) // each pipeline's creation is an execution
		c.install()
		if _, _, err := c.repository.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.backend = c.direct()
		test(c)
	})
}

// direct is a process that has asked nobody yet.
func (c *conductor) direct() api.Backend {
	config := func(context.Context, string) (aws.Config, error) { return c.world.Config(), nil }
	return controller.Direct(controller.Options{
		Repository: c.repository, Target: target.New(target.Options{Config: config}), AWS: config, Logger: slog.New(slog.DiscardHandler),
	})
}

// install has EventBridge call the trigger function of each push, as the Terraform
// module does.
func (c *conductor) install() {
	c.Helper()
	arn := c.function("slipway-trigger", lambda.Settings{Repository: "deployment", Branch: "main", PipelineName: slipway.DefaultPipelineName})
	c.pushed() // what was pushed before is nothing to it
	c.pass(time.Minute)
	bus := c.world.EventBridge()
	_, err := bus.PutRule(c.Context(), &eventbridge.PutRuleInput{Name: aws.String("slipway-trigger"), EventPattern: aws.String(
		`{"source": ["aws.codecommit"], "detail-type": ["CodeCommit Repository State Change"], "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceType": ["branch"]}}`,
	)})
	if err == nil {
		_, err = bus.PutTargets(c.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("slipway-trigger"), Targets: []events.Target{{Id: aws.String("trigger"), Arn: &arn}}})
	}
	if err != nil {
		c.Fatal(err)
	}
}

// function has Slipway's function run under a name, each call as a process of its own.
func (c *conductor) function(name string, settings lambda.Settings) (arn string) {
	c.Helper()
	arn = sandboxtest.FunctionARN(name)
	c.world.Function(arn, func(ctx context.Context, payload []byte) ([]byte, error) {
		result, err := lambda.New(lambda.Options{
			AWS: c.world.OthersConfig(), Settings: settings, Logger: slog.New(slog.DiscardHandler),
			Target: func(context.Context, string) (aws.Config, error) { return c.world.OthersConfig(), nil },
		}).Handle(ctx, payload)
		if err != nil {
			return nil, err
		}
		return json.Marshal(result)
	})
	return arn
}

// add adds an app with a service that runs what git says.
func (c *conductor) add(app slipway.App, options ...sandboxtest.ServiceOption) {
	c.Helper()
	c.services[app] = c.world.Service(app.Cluster, app.Name, append(options, sandboxtest.Image(image(app.Name, "1.0.0")))...)
	if c.aws {
		c.createPipeline(pipelineOf(app, slipway.ModeSuperseded))
		c.pass(time.Minute) // its creation is an execution, which fails
	}
	c.write("add "+app.String(), app.RevisionPath(), `[{"name": "`+app.Name+`", "imageUri": "`+image(app.Name, "1.0.0")+`"}]`)
	if c.aws {
		c.pass(10 * time.Minute) // it is started like any other
	}
	if err := c.backend.Refresh(c.Context()); err != nil {
		c.Fatal(err)
	}
}

// write commits one file; empty content removes it.
func (c *conductor) write(message, path, content string) {
	c.Helper()
	c.commit(message, deployrepo.FileChange{Path: path, Content: []byte(content)})
}

// commit commits files; one without content is removed.
func (c *conductor) commit(message string, files ...deployrepo.FileChange) (commit string) {
	c.Helper()
	for i := range files {
		if len(files[i].Content) == 0 {
			files[i].Content = nil
		}
	}
	written, err := c.repository.Write(c.Context(), deployrepo.WriteOptions{Author: "Ada <ada@example.com>"}, func(context.Context, *deployrepo.View) (deployrepo.Draft, error) {
		return deployrepo.Draft{Message: message, Files: files}, nil
	})
	if err != nil {
		c.Fatal(err)
	}
	if c.pushed != nil {
		c.pushed()
	}
	return written.Commit
}

func pipelineName(app slipway.App) *string {
	return aws.String("deployment-main-" + app.Cluster + "-" + app.Name)
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

// approval is a manual approval action.
func approval(name string) types.ActionDeclaration {
	return action(name, types.ActionCategoryApproval, "Manual", nil)
}

// deploy is CodePipeline's own deploy action of an app.
func deploy(app slipway.App) types.ActionDeclaration {
	a := action("Deploy", types.ActionCategoryDeploy, "ECS", map[string]string{"ClusterName": app.Cluster, "ServiceName": app.Name, "FileName": app.RevisionPath()})
	a.InputArtifacts = []types.InputArtifact{{Name: aws.String("source_output")}}
	return a
}

// pipelineOf is the article's pipeline of an app, with more stages before Deploy.
func pipelineOf(app slipway.App, mode slipway.Mode, before ...types.StageDeclaration) *types.PipelineDeclaration {
	source := action("Source", types.ActionCategorySource, "CodeCommit", map[string]string{"RepositoryName": "deployment", "BranchName": "main", "PollForSourceChanges": "false"})
	source.OutputArtifacts = []types.OutputArtifact{{Name: aws.String("source_output")}}
	execution := types.ExecutionModeSuperseded
	if mode == slipway.ModeQueued {
		execution = types.ExecutionModeQueued
	}
	return &types.PipelineDeclaration{
		Name: pipelineName(app), RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/pipelines"), PipelineType: types.PipelineTypeV2,
		ExecutionMode: execution,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")},
		Stages:        append(append([]types.StageDeclaration{stage("Source", source)}, before...), stage("Deploy", deploy(app))),
	}
}

func (c *conductor) createPipeline(declared *types.PipelineDeclaration) {
	c.Helper()
	if _, err := c.world.CodePipeline().CreatePipeline(c.Context(), &codepipeline.CreatePipelineInput{Pipeline: declared}); err != nil {
		c.Fatal(err)
	}
}

// replacePipeline is what Terraform does when a pipeline is another one: its history
// is gone.
func (c *conductor) replacePipeline(declared *types.PipelineDeclaration) {
	c.Helper()
	if _, err := c.world.CodePipeline().DeletePipeline(c.Context(), &codepipeline.DeletePipelineInput{Name: declared.Name}); err != nil {
		c.Fatal(err)
	}
	c.createPipeline(declared)
	c.pass(5 * time.Minute) // its creation is an execution
}

// push commits another version of an app, and has it executed.
func (c *conductor) push(app slipway.App, version string) (commit string) {
	c.Helper()
	written, err := c.repository.SetImages(c.Context(), app, map[string]string{"": image(app.Name, version)}, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"})
	if err != nil {
		c.Fatal(err)
	}
	c.pushed()
	return written.Commit
}

// of returns the newest execution of a commit, once there is one.
func (c *conductor) of(app slipway.App, commit string) slipway.Execution {
	c.Helper()
	for range 60 {
		if found := c.executions(app, commit); len(found) > 0 {
			return found[0]
		}
		c.pass(time.Second)
	}
	c.Fatalf("nothing was executed for commit %s of %s", commit, app)
	panic("unreachable")
}

// executions are those of a commit, newest first; of all commits where it is empty.
func (c *conductor) executions(app slipway.App, commit string) []slipway.Execution {
	c.Helper()
	found, err := c.backend.Executions(c.Context(), api.ExecutionQuery{App: &app, Commit: commit, Limit: 10})
	if err != nil {
		c.Fatal(err)
	}
	return found
}

// end waits until the newest execution of a commit has ended.
func (c *conductor) end(app slipway.App, commit string) slipway.Execution {
	c.Helper()
	return c.ended(c.of(app, commit).ID)
}

// ended waits until an execution has ended.
func (c *conductor) ended(id string) slipway.Execution {
	c.Helper()
	return c.until(id, func(e slipway.Execution) bool { return e.Status.Ended() })
}

// until waits until an execution is as it is wanted.
func (c *conductor) until(id string, as func(slipway.Execution) bool) slipway.Execution {
	c.Helper()
	for range 3600 / 5 {
		if e := c.get(id); as(e) {
			return e
		}
		c.pass(5 * time.Second)
	}
	c.Fatalf("execution %s stays %+v", id, c.get(id))
	panic("unreachable")
}

// get returns one execution.
func (c *conductor) get(id string) slipway.Execution {
	c.Helper()
	found, err := c.backend.Executions(c.Context(), api.ExecutionQuery{ID: id})
	if err != nil || len(found) != 1 {
		c.Fatalf("%d executions %s, %v", len(found), id, err)
	}
	return found[0]
}

func (c *conductor) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (c *conductor) status(app slipway.App) slipway.AppStatus {
	c.Helper()
	apps, err := c.backend.Apps(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for _, status := range apps {
		if status.App == app {
			return status
		}
	}
	c.Fatalf("there is no status of %s", app)
	panic("unreachable")
}

// history is an app's, of which there must be so many commits.
func (c *conductor) history(app slipway.App, commits int) []slipway.HistoryEntry {
	c.Helper()
	entries, err := c.backend.History(c.Context(), app, commits)
	if err != nil || len(entries) != commits {
		c.Fatalf("%d commits in the history of %s, %v", len(entries), app, err)
	}
	return entries
}

func (c *conductor) ask(command api.Command) (slipway.Execution, error) {
	command.By = "bo"
	return c.backend.Command(c.Context(), command)
}

// must asks for what cannot be refused.
func (c *conductor) must(command api.Command) slipway.Execution {
	c.Helper()
	e, err := c.ask(command)
	if err != nil {
		c.Fatalf("%s: %v", command.Action, err)
	}
	return e
}

// refused asks for what only a person can mend, and returns what they are told.
func (c *conductor) refused(command api.Command) string {
	c.Helper()
	_, err := c.ask(command)
	if slipway.NextOf(err) != slipway.NextPerson {
		c.Errorf("%s was not refused: %v", command.Action, err)
		return ""
	}
	return err.Error() + "\n" + slipway.HintOf(err)
}
