package controller_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// A pipeline may wait for people before it deploys. An answer counts once, also where
// CodePipeline's is lost; a stop ends what nothing but a person is waited for.
func TestManualApproval(t *testing.T) {
	inCodePipeline(t, slipway.ModeSuperseded, func(c *conductor) {
		c.replacePipeline(pipelineOf(web, slipway.ModeSuperseded, stage("Approve", approval("Ask"))))
		c.must(api.Command{Action: api.ActionApprove, Execution: c.status(web).Execution.ID}) // the pipeline's creation waits too
		waits := func(version string) slipway.Execution {
			commit := c.push(web, version)
			e := c.until(c.of(web, commit).ID, func(e slipway.Execution) bool { return len(e.Awaits()) > 0 })
			if e.Status != slipway.StatusInProgress || e.Stage != "Approve" || len(e.Awaits()) != 1 || e.Awaits()[0].ID != "Approve/Ask" {
				c.Fatalf("it does not wait: %+v", e)
			}
			return e
		}
		for _, test := range []struct {
			version         string
			answer, another api.Action
			outcome         slipway.Outcome
			said            string
		}{
			{"1.1.0", api.ActionApprove, api.ActionReject, slipway.OutcomeDeployed, "approved by bo"},
			{"1.2.0", api.ActionReject, api.ActionApprove, slipway.OutcomeFailed, "rejected by bo"},
		} {
			e := waits(test.version)
			c.world.FaultOnce("PutApprovalResult", awsjson.Dropped(true))
			c.must(api.Command{Action: test.answer, Execution: e.ID, Reason: "as agreed"})
			c.must(api.Command{Action: test.answer, Execution: e.ID, Hook: "Approve/Ask"}) // it is so already
			if why := c.refused(api.Command{Action: test.another, Execution: e.ID, Hook: "Approve/Ask"}); !strings.Contains(why, test.said) {
				c.Errorf("the contrary of what was said: %s", why)
			}
			ended := c.ended(e.ID)
			if ended.Outcome != test.outcome || test.answer == api.ActionReject && !strings.Contains(ended.Reason, "as agreed") {
				c.Errorf("%s: %s: %s", test.answer, ended.Outcome, ended.Reason)
			}
			c.refused(api.Command{Action: test.answer, Execution: e.ID})
		}
		e := waits("1.3.0")
		c.must(api.Command{Action: api.ActionStop, Execution: e.ID, Reason: "wrong day"})
		c.pass(time.Second)
		if e := c.get(e.ID); e.Status != slipway.StatusStopped || !strings.Contains(e.Reason, "wrong day") {
			c.Errorf("stop: %s: %s", e.Status, e.Reason)
		}
	})
}

// A V1 pipeline cannot be started at a commit: the trigger says so and starts nothing,
// and whoever starts it by hand has the branch's head deployed.
func TestV1(t *testing.T) {
	inCodePipeline(t, slipway.ModeSuperseded, func(c *conductor) {
		declared := pipelineOf(web, slipway.ModeSuperseded)
		declared.PipelineType, declared.ExecutionMode = types.PipelineTypeV1, ""
		c.replacePipeline(declared)
		before := len(c.executions(web, ""))
		first := c.push(web, "1.1.0")
		c.pass(10 * time.Minute) // and the function's retries
		if found := c.executions(web, ""); len(found) != before {
			c.Errorf("a push started %+v", found[0])
		}
		e := c.ended(c.must(api.Command{Action: api.ActionStart, App: web}).ID)
		if e.Outcome != slipway.OutcomeDeployed || e.Revision.Commit != first {
			c.Errorf("start: %s at %s: %s", e.Outcome, e.Revision.Commit, e.Reason)
		}
		second := c.push(web, "1.2.0-crash")
		e = c.ended(c.must(api.Command{Action: api.ActionStart, App: web}).ID)
		if e.Outcome != slipway.OutcomeRolledBack || e.Revision.Commit != second {
			c.Errorf("start of a crash: %s at %s: %s", e.Outcome, e.Revision.Commit, e.Reason)
		}
		if why := c.refused(api.Command{Action: api.ActionRetry, Execution: e.ID}); !strings.Contains(why, "--abandon") {
			c.Errorf("retry of what CodePipeline still waits for: %s", why)
		}
		c.must(api.Command{Action: api.ActionStop, Execution: e.ID, Abandon: true})
		again := c.must(api.Command{Action: api.ActionRetry, Execution: e.ID})
		if again.ID == e.ID || c.ended(again.ID).Outcome != slipway.OutcomeRolledBack {
			c.Errorf("retry: %+v", c.get(again.ID))
		}
	})
}

// Where Slipway's function deploys, what CodePipeline does not know of its own action
// is known to it, and is told the same: a stop puts back what ran before.
func TestFunctionDeploys(t *testing.T) {
	inCodePipeline(t, slipway.ModeSuperseded, func(c *conductor) {
		c.function("slipway-deploy", lambda.Settings{})
		declared := pipelineOf(web, slipway.ModeSuperseded)
		declared.Stages[0].Actions[0].Namespace = aws.String("SourceVariables")
		declared.Stages[1] = stage("Deploy", action("Deploy", types.ActionCategoryInvoke, "Lambda", map[string]string{
			"FunctionName":   "slipway-deploy",
			"UserParameters": `{"repository":"deployment","cluster":"shop","app":"web","commit":"#{SourceVariables.CommitId}","execution":"#{codepipeline.PipelineExecutionId}","pipeline":"` + *pipelineName(web) + `"}`,
		}))
		c.replacePipeline(declared)
		if e := c.ended(c.must(api.Command{Action: api.ActionStart, App: web}).ID); e.Outcome != slipway.OutcomeUnchanged {
			c.Errorf("start of what runs: %s: %s", e.Outcome, e.Reason)
		}
		for _, test := range []struct {
			version string
			stop    bool
			status  slipway.Status
			outcome slipway.Outcome
			reason  string
		}{
			{"1.1.0", false, slipway.StatusSucceeded, slipway.OutcomeDeployed, ""},
			{"1.2.0-crash", false, slipway.StatusFailed, slipway.OutcomeRolledBack, "exit code 1"},
			{"1.3.0", true, slipway.StatusStopped, slipway.OutcomeStopped, "wrong day"},
		} {
			commit := c.push(web, test.version)
			if test.stop {
				e := c.until(c.of(web, commit).ID, func(e slipway.Execution) bool { return e.Deployment.Phase == slipway.PhaseStarted })
				c.must(api.Command{Action: api.ActionStop, Execution: e.ID, Reason: "wrong day"})
			}
			e := c.end(web, commit)
			c.pass(5 * time.Minute)
			if e := c.get(e.ID); e.Status != test.status || e.Outcome != test.outcome || !strings.Contains(e.Reason, test.reason) {
				c.Errorf("%s: %s %s: %s", test.version, e.Status, e.Outcome, e.Reason)
			}
			if runs := c.status(web).Running; runs == nil || runs.Images[0].URI != image("web", "1.1.0") {
				c.Errorf("after %s it runs %+v", test.version, runs)
			}
		}
		c.services[web].Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true}}
		})
		if e := c.end(web, c.push(web, "1.4.0-crash")); e.Outcome != slipway.OutcomeRolledBack || e.RolledBackBy != slipway.BySlipway || !strings.Contains(e.Reason, "exit code 1") {
			c.Errorf("a circuit breaker that rolls nothing back: %s by %s: %s", e.Outcome, e.RolledBackBy, e.Reason)
		}
	})
}

// A name that fits two apps acts on neither's pipeline for the other, and an app
// without a pipeline says so.
func TestPipelineOfAnother(t *testing.T) {
	inCodePipeline(t, slipway.ModeSuperseded, func(c *conductor) {
		c.write("another pattern", "slipway.yaml", "conductor: codepipeline\npipelineName: \"deployment-main-{cluster}-web{app}\"\n")
		if err := c.backend.Refresh(c.Context()); err != nil {
			c.Fatal(err)
		}
		if s := c.status(worker); !strings.Contains(s.Problem, "deployment-main-shop-webworker") {
			c.Errorf("an app without a pipeline: %q", s.Problem)
		}
		// shop/web and shopweb/er have one name, whichever is asked about first.
		c.write("a pattern with too little in it", "slipway.yaml", "conductor: codepipeline\npipelineName: \"deployment-main-{cluster}{app}\"\n")
		other := slipway.App{Cluster: "shopweb", Name: "er"}
		declared := pipelineOf(worker, slipway.ModeSuperseded)
		declared.Name = aws.String("deployment-main-shopweber")
		declared.Stages[1].Actions[0].Configuration["FileName"] = "shop/weber/revision.json"
		c.createPipeline(declared)
		for _, app := range []slipway.App{{Cluster: "shop", Name: "weber"}, other} {
			c.write("add "+app.String(), app.RevisionPath(), `[{"name": "x", "imageUri": "registry.example.com/x:1"}]`)
		}
		if err := c.backend.Refresh(c.Context()); err != nil {
			c.Fatal(err)
		}
		if s := c.status(slipway.App{Cluster: "shop", Name: "weber"}); strings.Contains(s.Problem, "is not one of") {
			c.Errorf("the pipeline's own app: %+v", s)
		}
		if why := c.refused(api.Command{Action: api.ActionStart, App: other}); !strings.Contains(why, "it deploys shop/weber") {
			c.Errorf("the pipeline of another app: %s", why)
		}
	})
}

// A server that has another conductor for a folder starts nothing there, and an app
// that comes back to it is not deployed again.
func TestConductorChanges(t *testing.T) {
	inRig(t, func(r *rig) {
		c := builtIn(r)
		c.end(web, c.push(web, "1.1.0"))
		c.write("to CodePipeline", "slipway.yaml", "clusters: {shop: {conductor: codepipeline}}\n")
		r.world.ForgetCalls()
		commit := c.push(web, "1.2.0")
		c.pass(3 * time.Minute)
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
		if e := c.end(web, commit); e.Outcome != slipway.OutcomeUnchanged {
			r.Errorf("back on the engine: %s: %s", e.Outcome, e.Reason)
		}
		if writes := r.world.Calls().Writes(); len(writes) > 0 {
			r.Errorf("the way back wrote to AWS: %v", writes.Operations())
		}
		if entries := c.history(web, 3); entries[1].Execution == nil || entries[1].Execution.Outcome != slipway.OutcomeDeployed {
			r.Errorf("the history was lost: %+v", entries)
		}
	})
}
