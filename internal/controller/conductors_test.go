package controller_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/target"
)

// conductor is a way to run the pipelines of a repository of web and worker, whose
// services run what git says.
type conductor struct {
	*rig
	backend api.Backend
	// trigger starts what a push of an app asks for.
	trigger func(app slipway.App, commit string)
}

// conductors runs a test on each conductor, in a bubble.
func conductors(t *testing.T, test func(c *conductor)) {
	t.Run("builtin", func(t *testing.T) {
		inRig(t, func(r *rig) {
			test(&conductor{rig: r, backend: r.controller.Backend(), trigger: func(slipway.App, string) { r.refresh() }})
		})
	})
	t.Run("codepipeline", func(t *testing.T) { inCodePipeline(t, test) })
}

// inCodePipeline runs a test, in a bubble, on a repository of CodeCommit's whose
// pipelines are CodePipeline's. There is no server.
func inCodePipeline(t *testing.T, test func(c *conductor)) {
	t.Helper()
	t.Setenv("HOME", t.TempDir()) // git's settings are not the user's
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	synctest.Test(t, func(t *testing.T) {
		c := &conductor{rig: &rig{T: t, world: sandboxtest.New(t)}}
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
			c.world.Service(app.Cluster, app.Name, sandboxtest.Image(image(app.Name, "1.0.0")), sandboxtest.CircuitBreaker(true))
			c.createPipeline(app)
		}
		c.pass(10 * time.Minute) // each pipeline's creation is an execution
		if _, _, err := c.repository.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.trigger = c.startPipeline
		config := func(context.Context, string) (aws.Config, error) { return c.world.Config(), nil }
		c.backend = controller.Direct(controller.Options{
			Repository: c.repository, Target: target.New(target.Options{Config: config}), AWS: config, Logger: slog.New(slog.DiscardHandler),
		})
		test(c)
	})
}

// write commits one file.
func (c *conductor) write(message, path, content string) {
	c.Helper()
	_, err := c.repository.Write(c.Context(), deployrepo.WriteOptions{Author: "Ada <ada@example.com>"}, func(context.Context, *deployrepo.View) (deployrepo.Draft, error) {
		return deployrepo.Draft{Message: message, Files: []deployrepo.FileChange{{Path: path, Content: []byte(content)}}}, nil
	})
	if err != nil {
		c.Fatal(err)
	}
}

func pipelineName(app slipway.App) *string {
	return aws.String("deployment-main-" + app.Cluster + "-" + app.Name)
}

// createPipeline makes the article's pipeline of an app, with more actions in the
// stage before Deploy, and lets the execution end that this begins.
func (c *conductor) createPipeline(app slipway.App, before ...types.ActionDeclaration) {
	c.Helper()
	action := func(category types.ActionCategory, provider string, configuration map[string]string) types.ActionDeclaration {
		return types.ActionDeclaration{
			Configuration: configuration,
			ActionTypeId:  &types.ActionTypeId{Category: category, Owner: types.ActionOwnerAws, Provider: &provider, Version: aws.String("1")},
		}
	}
	source := action(types.ActionCategorySource, "CodeCommit", map[string]string{"RepositoryName": "deployment", "BranchName": "main", "PollForSourceChanges": "false"})
	source.Name, source.OutputArtifacts = aws.String("Source"), []types.OutputArtifact{{Name: aws.String("source_output")}}
	deploy := action(types.ActionCategoryDeploy, "ECS", map[string]string{"ClusterName": app.Cluster, "ServiceName": app.Name, "FileName": app.RevisionPath()})
	deploy.Name, deploy.InputArtifacts = aws.String("Deploy"), []types.InputArtifact{{Name: aws.String("source_output")}}
	stages := []types.StageDeclaration{{Name: aws.String("Source"), Actions: []types.ActionDeclaration{source}}}
	if len(before) > 0 {
		stages = append(stages, types.StageDeclaration{Name: aws.String("Approve"), Actions: before})
	}
	stages = append(stages, types.StageDeclaration{Name: aws.String("Deploy"), Actions: []types.ActionDeclaration{deploy}})
	_, err := c.world.CodePipeline().CreatePipeline(c.Context(), &codepipeline.CreatePipelineInput{Pipeline: &types.PipelineDeclaration{
		Name: pipelineName(app), RoleArn: aws.String("arn:aws:iam::" + sandboxtest.Account + ":role/pipelines"), PipelineType: types.PipelineTypeV2,
		ExecutionMode: types.ExecutionModeSuperseded,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: aws.String("build-bucket")}, Stages: stages,
	}})
	if err != nil {
		c.Fatal(err)
	}
}

// startPipeline does what the trigger Lambda does about a push.
func (c *conductor) startPipeline(app slipway.App, commit string) {
	c.Helper()
	_, err := c.world.CodePipeline().StartPipelineExecution(c.Context(), &codepipeline.StartPipelineExecutionInput{
		Name: pipelineName(app), ClientRequestToken: aws.String(commit),
		SourceRevisions: []types.SourceRevisionOverride{{ActionName: aws.String("Source"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &commit}},
	})
	if err != nil {
		c.Fatal(err)
	}
}

// push commits another version of an app, and has it executed.
func (c *conductor) push(app slipway.App, version string) (commit string) {
	c.Helper()
	written, err := c.repository.SetImages(c.Context(), app, map[string]string{"": image(app.Name, version)}, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"})
	if err != nil {
		c.Fatal(err)
	}
	c.trigger(app, written.Commit)
	return written.Commit
}

// of returns the newest execution of a commit, once there is one.
func (c *conductor) of(app slipway.App, commit string) slipway.Execution {
	c.Helper()
	for range 60 {
		found, err := c.backend.Executions(c.Context(), api.ExecutionQuery{App: &app, Commit: commit, Limit: 10})
		if err != nil {
			c.Fatal(err)
		}
		if len(found) > 0 {
			return found[0]
		}
		c.pass(time.Second)
	}
	c.Fatalf("nothing was executed for commit %s of %s", commit, app)
	panic("unreachable")
}

// end waits until the newest execution of a commit has ended.
func (c *conductor) end(app slipway.App, commit string) slipway.Execution {
	c.Helper()
	for range 3600 / 5 {
		if e := c.of(app, commit); e.Status.Ended() {
			return e
		}
		c.pass(5 * time.Second)
	}
	c.Fatalf("%s has not ended: %+v", app, c.of(app, commit))
	panic("unreachable")
}

// ended waits until an execution has ended.
func (c *conductor) ended(id string) slipway.Execution {
	c.Helper()
	for range 3600 / 5 {
		found, err := c.backend.Executions(c.Context(), api.ExecutionQuery{ID: id})
		if err != nil || len(found) != 1 {
			c.Fatalf("%d executions %s, %v", len(found), id, err)
		}
		if found[0].Status.Ended() {
			return found[0]
		}
		c.pass(5 * time.Second)
	}
	c.Fatalf("execution %s has not ended", id)
	panic("unreachable")
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

func (c *conductor) ask(command api.Command) (slipway.Execution, error) {
	command.By = "bo"
	return c.backend.Command(c.Context(), command)
}

// A commit is deployed, one that crashes is told as rolled back by ECS whoever
// conducts, and the history tells both.
func TestConductorsTellTheTruth(t *testing.T) {
	conductors(t, func(c *conductor) {
		good := c.push(web, "1.1.0")
		e := c.end(web, good)
		if e.Status != slipway.StatusSucceeded || e.Outcome != slipway.OutcomeDeployed || e.Stage != slipway.StageDeploy || e.Revision.Images[0].URI != image("web", "1.1.0") {
			c.Errorf("the good commit: %+v", e)
		}
		c.pass(5 * time.Second)
		if s := c.status(web); s.Drift || s.Problem != "" || s.Execution == nil || s.Execution.ID != e.ID {
			c.Errorf("its status: %+v", s)
		}
		begun := time.Now()
		bad := c.push(web, "1.2.0-crash")
		e = c.end(web, bad)
		if e.Status != slipway.StatusFailed || e.Outcome != slipway.OutcomeRolledBack || e.RolledBackBy != slipway.ByECS || !strings.Contains(e.Reason, "exit code 1") {
			c.Errorf("the crash: %s %s by %s: %s", e.Status, e.Outcome, e.RolledBackBy, e.Reason)
		}
		if took := time.Since(begun); took > 20*time.Minute {
			c.Errorf("the rollback was told after %s", took)
		}
		c.pass(5 * time.Second)
		if s := c.status(web); !s.Drift || s.Running == nil || s.Running.Images[0].URI != image("web", "1.1.0") || s.Execution.Outcome != slipway.OutcomeRolledBack {
			c.Errorf("git and ECS differ, and status says %+v", s)
		}
		entries, err := c.backend.History(c.Context(), web, 2)
		if err != nil || len(entries) != 2 || entries[0].Execution == nil || entries[1].Execution == nil ||
			entries[0].Execution.Outcome != slipway.OutcomeRolledBack || entries[1].Execution.Outcome != slipway.OutcomeDeployed {
			c.Errorf("the history is %+v, %v", entries, err)
		}
		for _, of := range []string{good, bad} {
			if found, err := c.backend.Executions(c.Context(), api.ExecutionQuery{App: &worker, Commit: of}); len(found) > 0 || err != nil {
				c.Errorf("another app was executed: %+v, %v", found, err)
			}
		}
	})
}

// Of the commits that arrive while one is deployed, the newest is deployed next and the
// others are superseded.
func TestConductorsSupersede(t *testing.T) {
	conductors(t, func(c *conductor) {
		var commits []string
		for _, version := range []string{"1.1.0", "1.2.0", "1.3.0"} {
			commits = append(commits, c.push(web, version))
			c.pass(20 * time.Second)
		}
		for i, want := range []slipway.Status{slipway.StatusSucceeded, slipway.StatusSuperseded, slipway.StatusSucceeded} {
			if e := c.end(web, commits[i]); e.Status != want {
				c.Errorf("commit %d: %s %s: %s", i, e.Status, e.Outcome, e.Reason)
			}
		}
	})
}

// What a person asks for by name.
func TestConductorsObey(t *testing.T) {
	conductors(t, func(c *conductor) {
		commit := c.push(web, "1.1.0")
		c.end(web, commit)
		started, err := c.ask(api.Command{Action: api.ActionStart, App: web})
		if err != nil {
			c.Fatal(err)
		}
		if e := c.ended(started.ID); e.Revision.Commit != commit || e.Status != slipway.StatusSucceeded || e.Trigger.Kind != slipway.TriggerManual {
			c.Errorf("start: %+v", e)
		}
		commit = c.push(web, "1.2.0")
		c.pass(30 * time.Second)
		running := c.of(web, commit)
		if _, err := c.ask(api.Command{Action: api.ActionRetry, Execution: running.ID}); slipway.NextOf(err) != slipway.NextPerson {
			c.Errorf("a retry of what runs: %v", err)
		}
		if _, err := c.ask(api.Command{Action: api.ActionStop, Execution: running.ID[:18], Reason: "wrong day", Abandon: true}); err != nil {
			c.Fatal(err)
		}
		stopped := c.end(web, commit)
		if stopped.Status != slipway.StatusStopped || stopped.Outcome != slipway.OutcomeStopped || !strings.Contains(stopped.Reason, "wrong day") {
			c.Errorf("stop: %s %s: %s", stopped.Status, stopped.Outcome, stopped.Reason)
		}
		c.pass(20 * time.Minute) // what was abandoned goes on in ECS
		retried, err := c.ask(api.Command{Action: api.ActionRetry, Execution: stopped.ID})
		if err != nil {
			c.Fatal(err)
		}
		if e := c.ended(retried.ID); e.Revision.Commit != commit || e.Status != slipway.StatusSucceeded {
			c.Errorf("retry: %+v", e)
		}
		commit = c.push(web, "1.3.0")
		if _, err := c.ask(api.Command{Action: api.ActionRetry, Execution: stopped.ID}); slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), "moved on") {
			c.Errorf("a retry of what git no longer says: %v", err)
		}
		c.end(web, commit)
		for _, command := range []api.Command{
			{Action: api.ActionStart, App: slipway.App{Cluster: "shop", Name: "nope"}},
			{Action: api.ActionStop, Execution: "ffffffff"},
			{Action: api.ActionRetry, Execution: ""},
		} {
			if _, err := c.ask(command); slipway.NextOf(err) != slipway.NextUsage || !errors.Is(err, api.ErrNotFound) {
				c.Errorf("%+v: %v", command, err)
			}
		}
		if _, err := c.backend.History(c.Context(), slipway.App{Cluster: "shop", Name: "nope"}, 1); !errors.Is(err, api.ErrNotFound) {
			c.Errorf("history of no app: %v", err)
		}
	})
}

// A pipeline may wait for people before it deploys.
func TestManualApproval(t *testing.T) {
	inCodePipeline(t, func(c *conductor) {
		_, err := c.world.CodePipeline().DeletePipeline(c.Context(), &codepipeline.DeletePipelineInput{Name: pipelineName(web)})
		if err != nil {
			c.Fatal(err)
		}
		c.createPipeline(web, types.ActionDeclaration{
			Name:         aws.String("Ask"),
			ActionTypeId: &types.ActionTypeId{Category: types.ActionCategoryApproval, Owner: types.ActionOwnerAws, Provider: aws.String("Manual"), Version: aws.String("1")},
		})
		c.pass(5 * time.Minute)
		if _, err := c.ask(api.Command{Action: api.ActionApprove, Execution: c.status(web).Execution.ID}); err != nil {
			c.Fatal(err) // the pipeline's creation is an execution, which waits too
		}
		for _, approve := range []bool{true, false} {
			version, action := "1.1.0", api.ActionApprove
			if !approve {
				version, action = "1.2.0", api.ActionReject
			}
			commit := c.push(web, version)
			c.pass(5 * time.Minute)
			waits := c.of(web, commit)
			if waits.Status != slipway.StatusInProgress || waits.Stage != "Approve" || waits.Observation == nil || len(waits.Observation.Hooks) != 1 || waits.Observation.Hooks[0].ID != "Approve/Ask" {
				c.Fatalf("it does not wait: %+v", waits)
			}
			if _, err := c.ask(api.Command{Action: action, Execution: waits.ID, Reason: "as agreed"}); err != nil {
				c.Fatal(err)
			}
			e := c.end(web, commit)
			if want := map[bool]slipway.Outcome{true: slipway.OutcomeDeployed, false: slipway.OutcomeFailed}[approve]; e.Outcome != want {
				c.Errorf("approve %t: %s: %s", approve, e.Outcome, e.Reason)
			}
			if !approve && !strings.Contains(e.Reason, "as agreed") {
				c.Errorf("the refusal: %s", e.Reason)
			}
			if _, err := c.ask(api.Command{Action: action, Execution: waits.ID}); slipway.NextOf(err) != slipway.NextPerson {
				c.Errorf("an answer to nothing: %v", err)
			}
		}
	})
}

// A name that fits two apps acts on neither's pipeline for the other, and an app
// without a pipeline says so.
func TestPipelineOfAnother(t *testing.T) {
	inCodePipeline(t, func(c *conductor) {
		c.write("another pattern", "slipway.yaml", "conductor: codepipeline\npipelineName: \"deployment-main-{cluster}-web{app}\"\n")
		if err := c.backend.Refresh(c.Context()); err != nil {
			c.Fatal(err)
		}
		if s := c.status(worker); !strings.Contains(s.Problem, "deployment-main-shop-webworker") {
			c.Errorf("an app without a pipeline: %q", s.Problem)
		}
		c.write("a pattern with too little in it", "slipway.yaml", "conductor: codepipeline\npipelineName: \"deployment-main-shop-web{cluster}{app}\"\n")
		_, err := c.world.CodePipeline().CreatePipeline(c.Context(), c.renamed(web, "deployment-main-shop-webshopworker"))
		if err != nil {
			c.Fatal(err)
		}
		if err := c.backend.Refresh(c.Context()); err != nil {
			c.Fatal(err)
		}
		_, err = c.ask(api.Command{Action: api.ActionStart, App: worker})
		if slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), "it deploys shop/web") {
			c.Errorf("the pipeline of another app: %v", err)
		}
	})
}

// renamed is an app's pipeline under another name.
func (c *conductor) renamed(app slipway.App, name string) *codepipeline.CreatePipelineInput {
	c.Helper()
	out, err := c.world.CodePipeline().GetPipeline(c.Context(), &codepipeline.GetPipelineInput{Name: pipelineName(app)})
	if err != nil {
		c.Fatal(err)
	}
	out.Pipeline.Name = &name
	return &codepipeline.CreatePipelineInput{Pipeline: out.Pipeline}
}

// A server that has another conductor for a folder starts nothing there, and an app
// that comes back to it is not deployed again.
func TestConductorChanges(t *testing.T) {
	inRig(t, func(r *rig) {
		c := &conductor{rig: r, backend: r.controller.Backend(), trigger: func(slipway.App, string) { r.refresh() }}
		c.end(web, c.push(web, "1.1.0"))
		c.write("to CodePipeline", "slipway.yaml", "clusters: {shop: {conductor: codepipeline}}\n")
		r.refresh()
		r.world.ForgetCalls()
		commit := c.push(web, "1.2.0")
		c.pass(10 * time.Minute)
		if writes := r.world.Calls().Writes(); len(writes) > 0 {
			r.Errorf("the engine wrote to AWS for an app of CodePipeline's: %v", writes.Operations())
		}
		if s := c.status(web); !strings.Contains(s.Problem, "pipeline") || s.Conductor != slipway.ConductorCodePipeline || s.Removed {
			r.Errorf("status: %+v", s)
		}
		r.services[web].Deploy(image("web", "1.2.0")) // what CodePipeline would have done
		r.services[web].Settle()
		r.world.ForgetCalls()
		c.write("and back", "slipway.yaml", "clusters: {shop: {conductor: builtin}}\n")
		r.refresh()
		if e := c.end(web, commit); e.Outcome != slipway.OutcomeUnchanged {
			r.Errorf("back on the engine: %s: %s", e.Outcome, e.Reason)
		}
		if writes := r.world.Calls().Writes(); len(writes) > 0 {
			r.Errorf("the way back wrote to AWS: %v", writes.Operations())
		}
		entries, err := c.backend.History(r.Context(), web, 5)
		if err != nil || len(entries) < 2 || entries[1].Execution == nil || entries[1].Execution.Outcome != slipway.OutcomeDeployed {
			r.Errorf("the history was lost: %+v, %v", entries, err)
		}
	})
}
