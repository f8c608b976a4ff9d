package trigger

import (
	"context"
	"errors"

	"github.com/slipway-cd/slipway"
)

// adoption is what became of apps that were never seen before.
type adoption struct {
	adopted   []slipway.Revision // nothing is to be deployed
	execute   []slipway.App      // something is, or the files are broken
	undecided int                // AWS could not say; asked again at the next look
}

// adopt finds out which new apps run already what git says. A Slipway that
// starts on a repository of running services must not deploy any of them. At
// the first look of all, apps without a service are adopted too: git may hold
// the structure before the services are provisioned. Later, a new app without a
// service is executed, and so fails where its author sees it.
func (w *Watcher) adopt(ctx context.Context, apps []slipway.App, loaded map[slipway.App]Loaded) adoption {
	var found adoption
	var asked []slipway.Revision
	var places []slipway.Place
	for _, app := range apps {
		if of := loaded[app]; of.Err == nil {
			asked, places = append(asked, of.Revision), append(places, of.Pipeline.Place)
		} else {
			found.execute = append(found.execute, app) // its Source stage says what is wrong
		}
	}
	if len(asked) == 0 {
		return found
	}
	running, err := w.Inspector.Running(ctx, places)
	if err != nil {
		w.Logger.WarnContext(ctx, "new apps wait until what runs can be read", "apps", len(places), "error", err, "hint", slipway.HintOf(err))
		found.undecided += len(places)
		return found
	}
	for i, revision := range asked {
		err := running[i].Err
		missing := errors.Is(err, slipway.ErrNoService)
		switch {
		case err == nil && slipway.Runs(running[i].Images, revision.Images), missing && w.bootstrap:
			found.adopted = append(found.adopted, revision)
		case !missing && (slipway.NextOf(err) == slipway.NextRetry || slipway.NextOf(err) == slipway.NextPerson):
			w.Logger.WarnContext(ctx, "a new app waits until what runs can be read", "app", revision.App, "error", err, "hint", slipway.HintOf(err))
			found.undecided++
		default:
			found.execute = append(found.execute, revision.App)
		}
	}
	return found
}
