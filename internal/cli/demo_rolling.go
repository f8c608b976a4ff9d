package cli

import (
	"context"

	"github.com/slipway-cd/slipway"
)

// rolling tells of a deployment, one that crashes, and a rollback by a commit.
func (d *demo) rolling(ctx context.Context) error {
	app := slipway.App{Cluster: "cluster1", Name: "webapp1"}
	first, err := d.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	good, crash := d.deploys(app, "1.1.0"), d.deploys(app, "1.2.0-crash")
	crash.does += ", which exits as soon as it starts"
	crash.outcome, crash.by, crash.serves = slipway.OutcomeRolledBack, slipway.ByECS, "1.1.0"
	back := act{
		app: app, does: "a developer has had enough: slipway rollback " + app.String() + " --to " + slipway.ShortCommit(first),
		push:    func(ctx context.Context) (string, error) { return d.rollback(ctx, app, first) },
		outcome: slipway.OutcomeDeployed, serves: "1.0.0",
	}
	return d.underTraffic(ctx, app, func(t *traffic) error {
		for _, a := range []act{good, crash, back} {
			if _, err := d.play(ctx, a, t); err != nil {
				return err
			}
		}
		return nil
	})
}
