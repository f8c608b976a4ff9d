package trigger_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/trigger"
)

// world is everything that a Watcher works with, in memory. A submission is
// remembered as the store remembers it.
type world struct {
	head     string
	apps     map[slipway.App]string // app -> blob
	settings string                 // the content of the other files
	broken   map[slipway.App]error  // of its files
	modes    map[slipway.App]slipway.Mode
	known    map[slipway.App]pipeline.Known
	services map[string]slipway.Running // by the service's name
	failing  map[string]error           // by the method's name
	hang     chan struct{}              // if not nil, Refresh waits for its closing

	calls     []string
	submitted []pipeline.Submission
	looks     []time.Time
	ids       int
}

func newWorld() *world {
	return &world{
		head: "head1", apps: map[slipway.App]string{}, broken: map[slipway.App]error{}, modes: map[slipway.App]slipway.Mode{},
		known: map[slipway.App]pipeline.Known{}, services: map[string]slipway.Running{}, failing: map[string]error{},
	}
}

func (w *world) watcher() *trigger.Watcher {
	return trigger.NewWatcher(trigger.Options{
		Repository: w, Pipelines: w, Inspector: w, Submitter: w, Interval: time.Minute, Logger: slog.New(slog.DiscardHandler),
		NewID: func() string { w.ids++; return fmt.Sprintf("id%d", w.ids) },
	})
}

func (w *world) call(name string) error {
	w.calls = append(w.calls, name)
	return w.failing[name]
}

func (w *world) Refresh(ctx context.Context) (string, error) {
	w.looks = append(w.looks, time.Now())
	if w.hang != nil {
		select {
		case <-w.hang:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return w.head, w.call("Refresh")
}

func (w *world) Apps(_ context.Context, commit string) (map[slipway.App]pipeline.Content, error) {
	if commit != w.head {
		return nil, fmt.Errorf("apps at %s, not at the head %s", commit, w.head)
	}
	apps := make(map[slipway.App]pipeline.Content, len(w.apps))
	for app, blob := range w.apps {
		apps[app] = pipeline.Content{Blob: blob, Files: blob + w.settings}
	}
	return apps, w.call("Apps")
}

// touched is the newest commit that touched an app.
func touched(app slipway.App) string { return "commit-of-" + app.Name }

func (w *world) Load(_ context.Context, head string, apps []slipway.App) (map[slipway.App]trigger.Loaded, error) {
	if head != w.head {
		return nil, fmt.Errorf("load at %s, not at the head %s", head, w.head)
	}
	loaded := map[slipway.App]trigger.Loaded{}
	for _, app := range apps {
		of := trigger.Loaded{
			Revision: slipway.Revision{App: app, Commit: touched(app), Blob: w.apps[app]},
			Author:   "Ada <ada@example.com>", Err: w.broken[app],
		}
		if of.Err != nil {
			of.Revision.Blob = pipeline.Content{Files: w.apps[app] + w.settings}.Broken()
		} else {
			of.Revision.Images = images(app, w.apps[app])
			of.Pipeline = slipway.DefaultPipeline(app)
			of.Pipeline.Mode = w.modes[app]
		}
		loaded[app] = of
	}
	return loaded, w.call("Load")
}

// images are those of a revision whose content is blob.
func images(app slipway.App, blob string) []slipway.Image {
	return []slipway.Image{{Container: app.Name, URI: "example.com/" + app.Name + ":" + blob}}
}

func (w *world) Known(context.Context) (map[slipway.App]pipeline.Known, error) {
	return maps.Clone(w.known), w.call("Known")
}

func (w *world) Running(_ context.Context, places []slipway.Place) ([]slipway.Running, error) {
	if err := w.call("Running"); err != nil {
		return nil, err
	}
	answers := make([]slipway.Running, len(places))
	for i, place := range places {
		answer, has := w.services[place.Service]
		if !has {
			answer.Err = &slipway.Error{Next: slipway.NextPerson, Message: "there is no service " + place.Service, Err: slipway.ErrNoService}
		}
		answers[i] = answer
	}
	return answers, nil
}

func (w *world) Submit(_ context.Context, in pipeline.Submission) error {
	if err := w.call("Submit"); err != nil {
		return err
	}
	w.submitted = append(w.submitted, in)
	for _, e := range in.Executions {
		w.known[e.App()] = pipeline.Known{Blob: e.Revision.Blob}
	}
	for _, revision := range in.Adopted {
		w.known[revision.App] = pipeline.Known{Blob: revision.Blob}
	}
	for _, app := range in.Returned {
		w.known[app] = pipeline.Known{Blob: w.known[app].Blob}
	}
	for _, app := range in.Removed {
		w.known[app] = pipeline.Known{Blob: w.known[app].Blob, Removed: true}
	}
	return nil
}

// runs makes the app's service run the content of a blob, beside a sidecar.
func (w *world) runs(app slipway.App, blob string) {
	w.services[app.Name] = slipway.Running{Images: append(images(app, blob), slipway.Image{Container: "sidecar", URI: "example.com/sidecar:1"})}
}

// told is what the last submission said, in words.
func (w *world) told() string {
	if len(w.submitted) == 0 {
		return "nothing"
	}
	in := w.submitted[len(w.submitted)-1]
	var words []string
	for _, e := range in.Executions {
		words = append(words, "execute "+e.App().Name)
	}
	for _, r := range in.Adopted {
		words = append(words, "adopt "+r.App.Name)
	}
	for _, app := range in.Returned {
		words = append(words, "return "+app.Name)
	}
	for _, app := range in.Removed {
		words = append(words, "remove "+app.Name)
	}
	return strings.Join(words, ", ")
}

func app(name string) slipway.App { return slipway.App{Cluster: "cluster1", Name: name} }

func look(t *testing.T, w *trigger.Watcher) {
	t.Helper()
	if err := w.Look(t.Context(), slipway.TriggerPush); err != nil {
		t.Fatal(err)
	}
}
