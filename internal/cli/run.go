package cli

import (
	"context"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/steps"
)

// runCmd runs one execution here.
type runCmd struct {
	App    appArg `arg:"" name:"cluster/app" help:"Whose pipeline."`
	Commit string `placeholder:"COMMIT" help:"Run what git says at this commit, instead of at the branch's head."`
}

func (*runCmd) Help() string {
	return `Does in the foreground, with no server and nothing kept, what the controller does with a commit: for a job of a CI system, or a first try. The exit code is the outcome's. Ctrl-C stops watching, not the deployment.

Examples:

    slipway run production/web --repository https://git.example.com/deployment.git
    slipway run production/web --repository . --commit 8f2c1d0a`
}

// Run needs git and AWS, and no controller.
func (c *runCmd) Run(ctx context.Context, e *env) error {
	repository, err := e.openRepository(ctx)
	if err != nil {
		return err
	}
	commit := repository.Head()
	if c.Commit != "" {
		if commit, err = repository.Commit(ctx, c.Commit); err != nil {
			return err
		}
	}
	revision, err := repository.Revision(ctx, c.App.App, commit)
	if err != nil {
		return err
	}
	// The settings are those of the commit that is asked for, even where the
	// app's own files are older.
	pipeline, err := repository.Pipeline(ctx, c.App.App, commit)
	if err != nil {
		return err
	}
	at := e.now().UTC()
	execution := slipway.Execution{
		ID: engine.NewID(), CreatedAt: at,
		Revision: revision, Pipeline: pipeline,
		Trigger: slipway.Trigger{Kind: slipway.TriggerManual, By: who(), At: at},
	}
	log := e.warnings()
	line := &progressLine{env: e, moves: isTerminal(e.Err) && !e.Quiet}
	execution, err = steps.Run(ctx, e.target(log), log, execution, line.show)
	line.end()
	if ctx.Err() != nil {
		e.note("stopped watching; what was started in ECS goes on")
		return &ended{code: exitError}
	}
	if err != nil {
		return err
	}
	if err := e.answerExecution(execution); err != nil {
		return err
	}
	return endedAs(execution)
}
