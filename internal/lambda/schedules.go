package lambda

import (
	"context"
	"slices"

	"github.com/slipway-cd/slipway"
)

// others are the targets of a batch app that cannot be recalled: those that ran
// something else than Base, or could not be moved.
func others(d slipway.Deployment) []slipway.ScheduledTarget {
	return slices.DeleteFunc(slices.Clone(d.Targets), func(t slipway.ScheduledTarget) bool { return t.Before == d.Base && t.Problem == "" })
}

// recall reads the targets again whose names did not fit into the token. All of them
// ran Base when the deployment was prepared. One that came since, or that somebody else
// moved, is taken for one of them: it does not run Base, so it is left alone, and told.
func (f *Function) recall(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	now, err := f.target.Advance(ctx, slipway.Deployment{
		Execution: d.Execution, App: d.App, Commit: d.Commit, Images: d.Images, Place: d.Place,
	})
	if err != nil {
		return d, err
	}
	known := map[string]slipway.ScheduledTarget{}
	for _, t := range d.Targets {
		known[t.Name] = t
	}
	for _, t := range now.Targets {
		if _, there := known[t.Name]; !there {
			known[t.Name] = slipway.ScheduledTarget{Name: t.Name, Before: d.Base}
			d.Targets = append(slices.Clip(d.Targets), known[t.Name])
		}
	}
	return d, nil
}
