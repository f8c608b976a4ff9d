package tfprovider

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// reader is a configured provider. A repository is opened once: all data sources
// of a plan see the same commit.
type reader struct {
	provider providerModel
	options  Options

	mu     sync.Mutex
	opened map[place]func() (revisions, error)
}

// revisions are those of a repository at one commit of its branch. An app that
// cannot be read has Loaded.Err; the error is about the repository, or of LoadAt
// about the commit that a person names. An untold error comes with all but
// Loaded.Commit.
type revisions interface {
	Load(ctx context.Context, app slipway.App) (deployrepo.Loaded, error)
	LoadAt(ctx context.Context, app slipway.App, commit string) (deployrepo.Loaded, error)
}

// untold is why it is not known who touched an app last.
type untold struct{ error }

// Unwrap returns the cause.
func (u untold) Unwrap() error { return u.error }

func newReader(m providerModel, o Options) *reader {
	return &reader{provider: m, options: o, opened: make(map[place]func() (revisions, error))}
}

// place is where a data source with these settings reads.
func (r *reader) place(s settings) (place, error) { return s.place(r.provider.settings, os.Getenv) }

// server is the client of the server that a data source names, or else its provider
// or the environment.
func (r *reader) server(own types.String) (*api.Client, error) {
	address, err := first("server", own, r.provider.Server, os.Getenv(serverVariable))
	if err != nil {
		return nil, err
	}
	return api.NewClient(cmp.Or(address, defaultServer), &http.Client{Timeout: time.Minute})
}

// revisions opens the repository, or is the one that was opened.
func (r *reader) revisions(ctx context.Context, at place) (revisions, error) {
	r.mu.Lock()
	open, found := r.opened[at]
	if !found {
		open = sync.OnceValues(func() (revisions, error) {
			if at.codeCommit != "" {
				return openCodeCommit(ctx, at)
			}
			return deployrepo.Look(ctx, deployrepo.Options{URL: at.repository, Branch: at.branch, Logger: r.options.Logger})
		})
		r.opened[at] = open
	}
	r.mu.Unlock()
	return open()
}
