package trigger

import (
	"context"

	"github.com/slipway-cd/slipway"
)

// adoption is what became of apps that were never seen before.
type adoption struct {
	adopted   []slipway.Revision // the service runs what git says
	execute   []slipway.App      // it does not, or the files are broken
	undecided int                // AWS could not say; asked again at the next look
}

// adopt finds out which new apps run already what git says. A Slipway that
// starts on a repository of running services must not deploy any of them.
func (w *Watcher) adopt(ctx context.Context, apps []slipway.App, revisionOf func(slipway.App) slipway.Revision) adoption {
	var found adoption
	var asked []slipway.Revision
	var places []slipway.Place
	for _, app := range apps {
		at := revisionOf(app)
		revision, err := w.Repository.Revision(ctx, app, at.Commit)
		if err == nil {
			var p slipway.Pipeline
			if p, err = w.Repository.Pipeline(ctx, app, at.Commit); err == nil {
				at.Images = revision.Images
				asked, places = append(asked, at), append(places, p.Place)
				continue
			}
		}
		if slipway.NextOf(err) == slipway.NextRetry {
			found.undecided++
			continue
		}
		found.execute = append(found.execute, app) // its Source stage says what is wrong
	}
	running, err := w.Inspector.Running(ctx, places)
	if err != nil {
		w.Logger.WarnContext(ctx, "new apps wait until what runs can be read", "apps", len(places), "error", err, "hint", slipway.HintOf(err))
		found.undecided += len(places)
		return found
	}
	for i, revision := range asked {
		switch {
		case running[i].Err == nil && slipway.Runs(running[i].Images, revision.Images):
			found.adopted = append(found.adopted, revision)
		case running[i].Err != nil && slipway.NextOf(running[i].Err) == slipway.NextRetry:
			w.Logger.WarnContext(ctx, "a new app waits until what runs can be read", "app", revision.App, "error", running[i].Err)
			found.undecided++
		default:
			found.execute = append(found.execute, revision.App)
		}
	}
	return found
}
