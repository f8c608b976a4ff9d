package controller_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// A commit is deployed, one that crashes is told as rolled back by ECS whoever
// conducts, and the history tells both.
func TestConductorsTellTheTruth(t *testing.T) {
	conductors(t, slipway.ModeSuperseded, func(c *conductor) {
		if s := c.status(web); s.Drift || s.Running == nil || !c.aws && s.Execution != nil {
			c.Errorf("an app that runs what git says was not simply adopted: %+v", s)
		}
		good := c.push(web, "1.1.0")
		// What was seen of ECS a moment ago is not shown once the service was updated.
		e := c.until(c.of(web, good).ID, func(e slipway.Execution) bool { return !e.Deployment.StartedAt.IsZero() })
		if s := c.status(web); s.Running.TaskDefinition != e.Deployment.TaskDefinition {
			c.Errorf("status shows %s, and the service was updated to %s", s.Running.TaskDefinition, e.Deployment.TaskDefinition)
		}
		e = c.end(web, good)
		if !c.aws && e.Trigger.By != "Ada <ada@example.com>" {
			c.Errorf("it was triggered by %s", e.Trigger.By)
		}
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
		if s := c.status(worker); !c.aws && s.Execution != nil {
			c.Errorf("another app was executed: %+v", s.Execution)
		}
		if s := c.status(web); !s.Drift || s.Running == nil || s.Running.Images[0].URI != image("web", "1.1.0") || s.Execution.Outcome != slipway.OutcomeRolledBack {
			c.Errorf("git and ECS differ, and status says %+v", s)
		}
		if entries := c.history(web, 2); entries[0].Execution == nil || entries[1].Execution == nil ||
			entries[0].Execution.Outcome != slipway.OutcomeRolledBack || entries[1].Execution.Outcome != slipway.OutcomeDeployed {
			c.Errorf("the history is %+v", entries)
		}
		for _, of := range []string{good, bad} {
			if found := c.executions(worker, of); len(found) > 0 {
				c.Errorf("another app was executed: %+v", found)
			}
		}
	})
}

// Of the commits that arrive while one is deployed, the newest is deployed next and the
// others are superseded.
func TestConductorsSupersede(t *testing.T) {
	conductors(t, slipway.ModeSuperseded, func(c *conductor) {
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
	conductors(t, slipway.ModeSuperseded, func(c *conductor) {
		commit := c.push(web, "1.1.0")
		c.end(web, commit)
		// The built-in conductor has nothing to change; CodePipeline's action deploys again.
		again, by := slipway.OutcomeUnchanged, "bo"
		if c.aws {
			again, by = slipway.OutcomeDeployed, "arn:aws:"
		}
		started := c.must(api.Command{Action: api.ActionStart, App: web})
		if e := c.ended(started.ID); e.Revision.Commit != commit || e.Outcome != again || e.Trigger.Kind != slipway.TriggerManual || !strings.HasPrefix(e.Trigger.By, by) {
			c.Errorf("start: %+v", e)
		}
		// Stop puts back what ran before, where CodePipeline would wait for its action.
		commit = c.push(web, "1.2.0")
		c.pass(30 * time.Second)
		running := c.of(web, commit)
		c.refused(api.Command{Action: api.ActionRetry, Execution: running.ID})
		c.must(api.Command{Action: api.ActionStop, Execution: running.ID[:18], Reason: "wrong day", Abandon: c.aws})
		stopped := c.end(web, commit)
		if stopped.Status != slipway.StatusStopped || stopped.Outcome != slipway.OutcomeStopped || !strings.Contains(stopped.Reason, "wrong day") {
			c.Errorf("stop: %s %s: %s", stopped.Status, stopped.Outcome, stopped.Reason)
		}
		retried := c.must(api.Command{Action: api.ActionRetry, Execution: stopped.ID})
		if e := c.ended(retried.ID); e.Revision.Commit != commit || e.Status != slipway.StatusSucceeded {
			c.Errorf("retry: %+v", e)
		}
		commit = c.push(web, "1.3.0")
		if why := c.refused(api.Command{Action: api.ActionRetry, Execution: stopped.ID}); !strings.Contains(why, "moved on") {
			c.Errorf("a retry of what git no longer says: %s", why)
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

// In mode queued every commit is deployed, in order, but for one that is stopped while
// it waits.
func TestConductorsQueue(t *testing.T) {
	conductors(t, slipway.ModeQueued, func(c *conductor) {
		var commits []string
		for _, version := range []string{"1.1.0", "1.2.0", "1.3.0"} {
			commits = append(commits, c.push(web, version))
			c.pass(5 * time.Second)
		}
		waits := c.of(web, commits[1])
		if e := c.must(api.Command{Action: api.ActionStop, Execution: waits.ID, Reason: "not this one"}); e.Status != slipway.StatusStopped || e.Deployment.Phase != slipway.PhaseNew {
			c.Errorf("stop of the one that waits: %+v", e)
		}
		first, last := c.end(web, commits[0]), c.end(web, commits[2])
		if first.Outcome != slipway.OutcomeDeployed || last.Outcome != slipway.OutcomeDeployed || last.EndedAt.Before(first.EndedAt) {
			c.Errorf("%s at %s, then %s at %s", first.Outcome, first.EndedAt, last.Outcome, last.EndedAt)
		}
		if e := c.get(waits.ID); e.Outcome != slipway.OutcomeStopped && e.Outcome != slipway.OutcomeNone || !strings.Contains(e.Reason, "not this one") {
			c.Errorf("the stopped one: %+v", e)
		}
		if runs := c.status(web).Running; runs == nil || runs.Images[0].URI != image("web", "1.3.0") {
			c.Errorf("it runs %+v", runs)
		}
	})
}

// What somebody else deploys meanwhile is told as that, never as a success.
func TestConductorsAreReplaced(t *testing.T) {
	conductors(t, slipway.ModeSuperseded, func(c *conductor) {
		commit := c.push(web, "1.1.0")
		c.until(c.of(web, commit).ID, func(e slipway.Execution) bool { return e.Deployment.Phase == slipway.PhaseStarted })
		c.services[web].Deploy(image("web", "9.9.9"))
		if e := c.end(web, commit); e.Status != slipway.StatusSuperseded || e.Outcome != slipway.OutcomeReplaced || e.Reason == "" {
			c.Errorf("%s %s: %s", e.Status, e.Outcome, e.Reason)
		}
	})
}

// A pause inside ECS's own deployment waits for a person, who lets it go on or has ECS
// roll it back.
func TestConductorsPause(t *testing.T) {
	conductors(t, slipway.ModeSuperseded, func(c *conductor) {
		shift := slipway.App{Cluster: "shop", Name: "shift"}
		c.add(shift, sandboxtest.Managed(), sandboxtest.BlueGreen(0))
		c.services[shift].Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &ecstypes.DeploymentConfiguration{LifecycleHooks: []ecstypes.DeploymentLifecycleHook{{
				TargetType:           ecstypes.DeploymentLifecycleHookTargetTypePause,
				LifecycleStages:      []ecstypes.DeploymentLifecycleHookStage{ecstypes.DeploymentLifecycleHookStagePostScaleUp},
				TimeoutConfiguration: &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(600)},
			}}}
		})
		for _, test := range []struct {
			version string
			answer  api.Action
			status  slipway.Status
			outcome slipway.Outcome
			by      string
		}{
			{"1.1.0", api.ActionApprove, slipway.StatusSucceeded, slipway.OutcomeDeployed, ""},
			{"1.2.0", api.ActionReject, slipway.StatusFailed, slipway.OutcomeRolledBack, slipway.ByECS},
		} {
			commit := c.push(shift, test.version)
			paused := c.until(c.of(shift, commit).ID, func(e slipway.Execution) bool { return len(e.Awaits()) > 0 })
			if hooks := paused.Awaits(); len(hooks) != 1 || hooks[0].Stage != "POST_SCALE_UP" {
				c.Errorf("it waits for %+v", hooks)
			}
			if why := c.refused(api.Command{Action: test.answer, Execution: paused.ID, Hook: "another"}); !strings.Contains(why, "another") {
				c.Errorf("the answer to another hook: %s", why)
			}
			c.must(api.Command{Action: test.answer, Execution: paused.ID, Reason: "as agreed"})
			e := c.ended(paused.ID)
			if e.Status != test.status || e.Outcome != test.outcome || e.RolledBackBy != test.by {
				c.Errorf("%s: %s %s by %s: %s", test.answer, e.Status, e.Outcome, e.RolledBackBy, e.Reason)
			}
			c.refused(api.Command{Action: test.answer, Execution: paused.ID})
		}
	})
}

// A broken revision.json is its app's alone, and what ran before it can still be told
// and stopped. An app that is removed from git goes on in ECS, and its history stays.
func TestConductorsOnBrokenAndRemoved(t *testing.T) {
	conductors(t, slipway.ModeSuperseded, func(c *conductor) {
		first := c.push(web, "1.1.0")
		c.pass(20 * time.Second)
		second := c.commit("one broken, one good",
			deployrepo.FileChange{Path: web.RevisionPath(), Content: []byte("[{\"name\": \"web\"}]\n")},
			deployrepo.FileChange{Path: worker.RevisionPath(), Content: []byte(`[{"name": "worker", "imageUri": "` + image("worker", "1.1.0") + `"}]`)})
		c.must(api.Command{Action: api.ActionStop, Execution: c.of(web, first).ID, Abandon: true})
		if e := c.end(web, first); e.Status != slipway.StatusStopped {
			c.Errorf("the one before: %s %s: %s", e.Status, e.Outcome, e.Reason)
		}
		if e := c.end(worker, second); e.Outcome != slipway.OutcomeDeployed {
			c.Errorf("the good one: %s: %s", e.Outcome, e.Reason)
		}
		conductor := map[bool]slipway.Conductor{true: slipway.ConductorCodePipeline}[c.aws]
		if s := c.status(web); s.Revision != nil || !strings.Contains(s.Problem, "revision.json:1:") || s.Conductor != conductor || s.Execution == nil {
			c.Errorf("status of the broken one: %+v", s)
		}
		if entries := c.history(web, 2); entries[0].Problem == "" || entries[1].Execution == nil {
			c.Errorf("history of the broken one: %+v", entries)
		}
		if c.aws {
			if _, err := c.ask(api.Command{Action: api.ActionStart, App: web}); err == nil || !strings.Contains(err.Error(), "revision.json:1:") {
				c.Errorf("start of the broken one: %v", err)
			}
			if found := c.executions(web, second); len(found) > 0 {
				c.Errorf("the broken one was started: %+v", found)
			}
		} else if e := c.end(web, second); e.Outcome != slipway.OutcomeFailed || !strings.Contains(e.Reason, "revision.json:1:") {
			c.Errorf("the broken one: %s: %s", e.Outcome, e.Reason)
		}
		c.world.ForgetCalls()
		c.write("remove worker", worker.RevisionPath(), "")
		c.pass(2 * time.Minute)
		if writes := c.world.Calls().Writes(); len(writes) > 0 {
			c.Errorf("the removal wrote to AWS: %v", writes.Operations())
		}
		if entries := c.history(worker, 2); !entries[0].Removed || entries[1].Execution == nil || entries[1].Execution.Outcome != slipway.OutcomeDeployed {
			c.Errorf("history of the removed one: %+v", entries)
		}
		if !c.aws { // without a server, nobody remembers it
			if s := c.status(worker); !s.Removed || s.Running == nil {
				c.Errorf("status of the removed one: %+v", s)
			}
		}
	})
}
