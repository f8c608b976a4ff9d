package cli

import (
	"context"

	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// rollbackCmd commits an earlier revision.
type rollbackCmd struct {
	App     appArg `arg:"" name:"cluster/app" help:"Which app."`
	To      string `placeholder:"COMMIT" help:"The commit to go back to; by default the newest whose revision.json differs."`
	Message string `short:"m" placeholder:"TEXT" help:"The commit's message; by default one that says what was rolled back."`
	waiting
}

func (*rollbackCmd) Help() string {
	return `Commits the app's revision.json as it was, byte for byte, and pushes the commit; the controller deploys it. So git still says what should run.

Examples:

    slipway rollback cluster1/webapp1 --wait
    slipway rollback cluster1/webapp1 --to 3f2a9c1e`
}

// Run needs the repository, and the controller only with --wait.
func (c *rollbackCmd) Run(ctx context.Context, e *env) error {
	return c.commit(ctx, e, c.App.App, func(repository *deployrepo.Repo) (deployrepo.Written, error) {
		return repository.Rollback(ctx, c.App.App, c.To, deployrepo.WriteOptions{Message: c.Message})
	})
}
