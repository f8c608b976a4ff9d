package gitserver

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cgi"
	"path/filepath"
	"slices"
	"strings"
)

// Update is one ref that a push, or a change through [Repository.Commit] and
// [Repository.SetRef], created, moved or deleted. Its JSON form is the body of a
// webhook.
type Update struct {
	// Repository is the URL to clone.
	Repository string `json:"repository"`
	// Ref is the full name, like refs/heads/main.
	Ref string `json:"ref"`
	// Before and After are object ids; all zeros where there is no object.
	Before string `json:"before"`
	After  string `json:"after"`
}

// ServeHTTP serves git's smart HTTP protocol, and 404 for all that is not under
// the repository's name.
func (r *Repository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	root, name := filepath.Split(r.path)
	if !strings.HasPrefix(req.URL.Path, "/"+name+"/") {
		http.NotFound(w, req)
		return
	}
	logs := slog.NewLogLogger(r.logger.Handler(), slog.LevelWarn)
	backend := cgi.Handler{
		Path:   r.backend,
		Dir:    root,
		Env:    append(environment(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1"),
		Logger: logs,
		Stderr: logs.Writer(),
	}
	// CGI has no word for a body of unknown length, which is how git sends a
	// push of more than a megabyte (http.postBuffer), and net/http/cgi refuses
	// it. http-backend reads to the end when no length is given.
	plain := *req
	plain.TransferEncoding = nil
	backend.ServeHTTP(w, &plain)

	if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
		// Even when the client went away: the refs may have moved.
		r.landed(context.WithoutCancel(req.Context()), "http://"+req.Host+"/"+name)
	}
}

// landed tells of the refs that changed since they were last seen. With pushes
// at the same time, the first to get here tells of both.
func (r *Repository) landed(ctx context.Context, url string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.tell(ctx, url); err != nil {
		r.logger.Error("cannot read the refs after a push", "repository", r.path, "error", err)
	}
}

// tell tells of the refs that changed since they were last seen. The caller holds
// the lock.
func (r *Repository) tell(ctx context.Context, url string) error {
	refs, err := r.readRefs(ctx)
	if err != nil {
		return err
	}
	updates := compare(url, r.refs, refs)
	r.refs = refs
	if err := r.settleHead(ctx); err != nil {
		return err
	}
	for _, update := range updates {
		for _, f := range r.onPush {
			f(update)
		}
		r.deliver(update)
	}
	return nil
}

// Look tells of what changed, other than through this server, since the refs were
// last seen, as of pushes to url.
func (r *Repository) Look(ctx context.Context, url string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tell(ctx, url)
}

// Seen are the refs that were last seen, which are told of: for Options.Refs.
func (r *Repository) Seen() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refs)
}

// compare lists what differs between two sets of refs, in order of name.
func compare(url string, before, after map[string]string) []Update {
	names := maps.Clone(before)
	maps.Copy(names, after)
	var updates []Update
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] == after[name] {
			continue
		}
		zero := strings.Repeat("0", len(names[name]))
		update := Update{Repository: url, Ref: name, Before: zero, After: zero}
		if id, found := before[name]; found {
			update.Before = id
		}
		if id, found := after[name]; found {
			update.After = id
		}
		updates = append(updates, update)
	}
	return updates
}
