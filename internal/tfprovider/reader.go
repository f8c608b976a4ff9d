package tfprovider

import (
	"context"
	"os"
	"sync"

	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// reader is a configured provider. A repository is opened once: all data sources
// of a plan see the same commit.
type reader struct {
	provider settings
	options  Options

	mu     sync.Mutex
	opened map[place]func() (*deployrepo.Snapshot, error)
}

func newReader(s settings, o Options) *reader {
	return &reader{provider: s, options: o, opened: make(map[place]func() (*deployrepo.Snapshot, error))}
}

// place is where a data source with these settings reads.
func (r *reader) place(s settings) (place, error) { return s.place(r.provider, os.Getenv) }

// snapshot opens the repository, or is the one that was opened.
func (r *reader) snapshot(ctx context.Context, at place) (*deployrepo.Snapshot, error) {
	r.mu.Lock()
	open, found := r.opened[at]
	if !found {
		open = sync.OnceValues(func() (*deployrepo.Snapshot, error) {
			return deployrepo.Look(ctx, deployrepo.Options{URL: at.repository, Branch: at.branch, Logger: r.options.Logger})
		})
		r.opened[at] = open
	}
	r.mu.Unlock()
	return open()
}
