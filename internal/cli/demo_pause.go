package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/slipway-cd/slipway"
)

// pause tells of a blue/green deployment that a person approves, after a look at the
// new version through the test listener.
func (d *demo) pause(ctx context.Context) error {
	app := slipway.App{Cluster: "cluster3", Name: "bluegreen1"}
	const version = "1.1.0"
	return d.underTraffic(ctx, app, func(t *traffic) error {
		a, approved := d.deploys(app, version), false
		a.during = func(ctx context.Context, x slipway.Execution) error {
			if approved || len(x.Awaits()) == 0 {
				return nil
			}
			approved = true
			answer, err := get(ctx, http.DefaultClient, d.sandbox.endpoints.Routing[app.String()].Test)
			if err != nil || !strings.Contains(answer, " "+version+" ") {
				return fmt.Errorf("the test listener answers %q: %w", answer, err)
			}
			if err := t.sees(ctx, "1.0.0"); err != nil {
				return err
			}
			d.say("the test listener answers with version %s, clients still see version 1.0.0", version)
			return d.approve(ctx, x, "looks good")
		}
		x, err := d.play(ctx, a, t)
		if err == nil && len(x.Decisions) != 1 {
			err = fmt.Errorf("it was deployed with %d approvals", len(x.Decisions))
		}
		return err
	})
}
