package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// Options are how a Repository is served. The zero value is fine.
type Options struct {
	// Branch is what HEAD names in a repository that Open creates; "main" when
	// empty. An existing repository keeps its own.
	Branch string
	// Refs are the refs that were last seen, if somebody remembers: Look then tells
	// of what has changed since. Nil is what they are now.
	Refs map[string]string
	// Webhooks are URLs that get a POST with each Update as JSON.
	Webhooks []string
	// Client posts the webhooks; http.DefaultClient when nil.
	Client *http.Client
	// Logger is told what git complains of; nil for silence.
	Logger *slog.Logger
}

// Repository is a bare git repository and the http.Handler that serves it,
// under its folder's name: /deployment.git/… for …/deployment.git.
type Repository struct {
	path     string
	backend  string
	webhooks []string
	client   *http.Client
	logger   *slog.Logger

	// deliveries are the webhooks under way; cancel gives them up.
	deliveries sync.WaitGroup
	ctx        context.Context
	cancel     context.CancelFunc

	mu     sync.Mutex
	refs   map[string]string // as last seen
	onPush []func(Update)
}

// Open opens the bare repository in the folder path, and creates it when there
// is none. An error says what git said; git itself must be installed.
func Open(ctx context.Context, path string, options Options) (*Repository, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	r := &Repository{path: path, webhooks: options.Webhooks, client: options.Client, logger: options.Logger}
	if r.client == nil {
		r.client = http.DefaultClient
	}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	if err := r.create(ctx, options.Branch); err != nil {
		return nil, err
	}
	libexec, err := r.git(ctx, nil, "--exec-path")
	if err != nil {
		return nil, err
	}
	r.backend = filepath.Join(libexec, "git-http-backend")
	if r.refs = maps.Clone(options.Refs); r.refs == nil {
		if r.refs, err = r.readRefs(ctx); err != nil {
			return nil, err
		}
	}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return r, nil
}

// create makes the repository unless it is there, and sets what serving it
// needs: pushes without a login, and no housekeeping that would go on in the
// background after its push.
func (r *Repository) create(ctx context.Context, branch string) error {
	if branch == "" {
		branch = "main"
	}
	if _, err := os.Stat(filepath.Join(r.path, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(r.path, 0o755); err != nil {
			return err
		}
		if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+branch, r.path); err != nil {
			return fmt.Errorf("cannot create the repository %s: %w", r.path, err)
		}
	} else if err != nil {
		return err
	}
	for _, setting := range [][2]string{
		{"http.receivepack", "true"},
		{"receive.autogc", "false"},
		{"gc.auto", "0"},
	} {
		if _, err := r.git(ctx, nil, "config", setting[0], setting[1]); err != nil {
			return fmt.Errorf("cannot set up the repository %s: %w", r.path, err)
		}
	}
	return nil
}

// Path is the repository's folder, absolute, for those who read it directly.
func (r *Repository) Path() string { return r.path }

// OnPush has f called for each ref that a push or a change changed, before git
// push returns: f must be quick, and must not call the repository. It is called
// from the goroutine of the request, by one push at a time. What changes the refs
// without this server is first seen with the next push, or by Look.
func (r *Repository) OnPush(f func(Update)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onPush = append(r.onPush, f)
}

// Close gives up the webhooks that are still under way and returns when they
// have ended. Requests are the business of the http.Server.
func (r *Repository) Close() {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.deliveries.Wait()
}
