package trigger

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// adoption is what became of apps that were never seen before.
type adoption struct {
	adopted []slipway.Revision // nothing is to be deployed
	execute []slipway.App      // something is, or the files are broken
	// waits are the apps that AWS could say nothing about, by why: they are asked
	// about again at the next look.
	waits map[string][]slipway.App
}

func (a *adoption) wait(app slipway.App, err error) {
	why := err.Error()
	if hint := slipway.HintOf(err); hint != "" {
		why += "; " + hint
	}
	if a.waits == nil {
		a.waits = make(map[string][]slipway.App)
	}
	a.waits[why] = append(a.waits[why], app)
}

func (a *adoption) undecided() int {
	count := 0
	for _, apps := range a.waits {
		count += len(apps)
	}
	return count
}

// tell logs why apps are undecided, unless it did so at the last look.
func (w *Watcher) tell(ctx context.Context, found adoption) {
	told := fmt.Sprint(found.waits) // maps are printed in order
	if told == w.told {
		return
	}
	w.told = told
	for why, apps := range found.waits {
		w.Logger.WarnContext(ctx, "new apps wait until what runs can be read", "apps", len(apps), "first", apps[0], "error", why)
	}
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
		for _, revision := range asked {
			found.wait(revision.App, err)
		}
		return found
	}
	for i, revision := range asked {
		err := running[i].Err
		missing := errors.Is(err, slipway.ErrNoService)
		switch {
		case err == nil && slipway.Runs(running[i].Images, revision.Images), missing && w.bootstrap:
			found.adopted = append(found.adopted, revision)
		case !missing && (slipway.NextOf(err) == slipway.NextRetry || slipway.NextOf(err) == slipway.NextPerson):
			found.wait(revision.App, err)
		default:
			found.execute = append(found.execute, revision.App)
		}
	}
	return found
}
