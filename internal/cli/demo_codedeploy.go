package cli

import (
	"context"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// codeDeploy tells of a service that CodeDeploy deploys: a second task set gets a
// tenth of the traffic first, then all, and the first one is not waited for.
func (d *demo) codeDeploy(ctx context.Context) error {
	app := slipway.App{Cluster: "cluster3", Name: "codedeploy1"}
	return d.underTraffic(ctx, app, func(t *traffic) error {
		a, approved := d.deploys(app, "1.1.0"), false
		count := d.counting(t, "1.1.0")
		a.during = func(ctx context.Context, x slipway.Execution) error {
			if !approved && len(x.Awaits()) > 0 {
				approved = true
				return d.approve(ctx, x, "the old tasks are not needed any more")
			}
			return count(ctx, x)
		}
		x, err := d.play(ctx, a, t)
		if err != nil {
			return err
		}
		if x.Deployment.Place.Kind != slipway.KindCodeDeploy {
			return fmt.Errorf("%s was not deployed by CodeDeploy", app)
		}
		return d.counted(app)
	})
}
