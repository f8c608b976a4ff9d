package cli

import (
	"context"
	"fmt"
	"math"

	"github.com/slipway-cd/slipway"
)

// demoShare is how much of the traffic a new version got, as clients saw it.
type demoShare struct {
	App     slipway.App `json:"app"`
	Version string      `json:"version"`
	// Weight is the percentage that AWS was to give it.
	Weight float64 `json:"weight"`
	// Share is the percentage of so many Requests that it answered.
	Share    float64 `json:"share"`
	Requests int     `json:"requests"`
}

const (
	// sample is how many answers tell a share.
	sample = 200
	// tolerance is how far, in percent, a share may be from the weight: requests that
	// were sent before the sample began are answered in it.
	tolerance = 3
)

// canary tells of a canary, and counts who answers the clients.
func (d *demo) canary(ctx context.Context) error {
	app := slipway.App{Cluster: "cluster3", Name: "canary1"}
	return d.underTraffic(ctx, app, func(t *traffic) error {
		a := d.deploys(app, "1.1.0")
		a.during = d.counting(t, "1.1.0")
		if _, err := d.play(ctx, a, t); err != nil {
			return err
		}
		return d.counted(app)
	})
}

// counting counts, while traffic is shifted, what share of it a version gets, until
// clients have seen the weight that AWS tells.
func (d *demo) counting(t *traffic, version string) func(context.Context, slipway.Execution) error {
	return func(ctx context.Context, x slipway.Execution) error {
		o := x.Observation
		if o == nil || o.Traffic == nil || *o.Traffic <= 0 || *o.Traffic >= 100 || d.counted(x.App()) == nil {
			return nil
		}
		answered, err := t.share(ctx, version, sample)
		if err != nil {
			return err
		}
		seen := demoShare{App: x.App(), Version: version, Weight: *o.Traffic, Share: 100 * float64(answered) / sample, Requests: sample}
		// What Slipway has seen may be over by now: then the next look tells.
		if math.Abs(seen.Share-seen.Weight) > tolerance {
			return nil
		}
		d.report.Shares = append(d.report.Shares, seen)
		d.say("clients were answered by version %s in %d of %d requests: %s", version, answered, sample, percent(seen.Share))
		return nil
	}
}

// counted reports whether clients have seen an app's traffic shared out.
func (d *demo) counted(app slipway.App) error {
	for _, share := range d.report.Shares {
		if share.App == app {
			return nil
		}
	}
	return fmt.Errorf("clients never saw the traffic of %s shared out as AWS told", app)
}
