package codecommit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
)

// TargetPrefix is what the X-Amz-Target headers of CodeCommit begin with.
const TargetPrefix = "CodeCommit_20150413"

// Options are how a CodeCommit is made. Region, Account and Dir are required.
type Options struct {
	Region, Account string
	// Dir is the folder of the bare repositories, which may have other things in it.
	Dir string
	// Branch is what HEAD names in a repository without branches; main if empty.
	Branch string
	// Webhooks are URLs that are told of each push, by the repository's name.
	Webhooks map[string][]string
	// State is what Snapshot of an earlier one returned; nil begins with nothing.
	State   []byte
	Changed func()       // called after each change, with no lock held
	Logger  *slog.Logger // discards if nil
}

// Events takes events, as an event bus does. It may be called from any goroutine
// and does not wait for those who get them.
type Events interface {
	Emit(source, detailType string, resources []string, detail any)
}

// Service is a CodeCommit. Its operations are methods in the SDK's shape.
type Service struct {
	options Options

	mu           sync.Mutex
	address      string // base URL of what is served; AWS's own if empty
	events       Events // nil until Start
	repositories map[string]*repository

	opening sync.Mutex                       // before mu
	open    map[string]*gitserver.Repository // by id
}

// repository is what is kept of a repository beside git.
type repository struct {
	ID, Name, Description, KMSKeyID string
	Folder                          string // in Options.Dir
	Created, Modified               time.Time
	Tags                            map[string]string
	Refs                            map[string]string // as last told; nil for what they are
}

// New makes a CodeCommit that tells nobody until Start. The error says that the
// state cannot be read.
func New(options Options) (*Service, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Changed == nil {
		options.Changed = func() {}
	}
	s := &Service{options: options, repositories: map[string]*repository{}, open: map[string]*gitserver.Repository{}}
	if options.State != nil {
		if err := json.Unmarshal(options.State, &s.repositories); err != nil {
			return nil, fmt.Errorf("read CodeCommit's state: %w", err)
		}
	}
	return s, nil
}

// Start has events told from now on, those first of what changed since the
// snapshot. A repository that cannot be opened is logged, and tried again when it is used.
func (s *Service) Start(events Events) {
	s.mu.Lock()
	s.events = events
	known := slices.Collect(maps.Values(s.repositories))
	s.mu.Unlock()
	for _, r := range known {
		git, err := s.git(context.Background(), r)
		if err == nil {
			err = git.Look(context.Background(), s.cloneURL(r))
		}
		if err != nil {
			s.options.Logger.Error("a repository cannot be looked at", "repository", r.Name, "error", err)
		}
	}
}

// Serve says at which base URL the handlers are served, for clone URLs.
func (s *Service) Serve(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = address
}

// Close gives up the webhooks that are still under way.
func (s *Service) Close() {
	s.opening.Lock()
	defer s.opening.Unlock()
	for _, git := range s.open {
		git.Close()
	}
}

// Handler serves the operations.
func (s *Service) Handler() http.Handler { return awsjson.Handler(TargetPrefix, s) }

// Snapshot is the whole state beside git's, for Options.State. What it says of
// refs was told before.
func (s *Service) Snapshot() ([]byte, error) {
	s.opening.Lock()
	seen := map[string]map[string]string{}
	for id, git := range s.open {
		seen[id] = git.Seen()
	}
	s.opening.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.repositories {
		if refs, ok := seen[r.ID]; ok {
			r.Refs = refs
		}
	}
	return json.Marshal(s.repositories)
}

// git opens a repository.
func (s *Service) git(ctx context.Context, r *repository) (*gitserver.Repository, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if git := s.open[r.ID]; git != nil {
		return git, nil
	}
	s.mu.Lock()
	folder, options := filepath.Join(s.options.Dir, r.Folder), gitserver.Options{
		Branch: s.options.Branch, Refs: r.Refs, Webhooks: s.options.Webhooks[r.Name], Logger: s.options.Logger,
	}
	s.mu.Unlock()
	git, err := gitserver.Open(ctx, folder, options)
	if err != nil {
		return nil, err
	}
	git.OnPush(func(update gitserver.Update) { s.pushed(r.ID, update) })
	s.open[r.ID] = git
	return git, nil
}

// Adopt finds a repository, or makes it: of the folder NAME.git, if there is one.
func (s *Service) Adopt(ctx context.Context, name, description string) (*gitserver.Repository, error) {
	s.mu.Lock()
	r := s.repositories[name]
	if r == nil {
		r = s.newRepository(name, name+".git")
		r.Description = description
		s.repositories[name] = r
	}
	s.mu.Unlock()
	s.options.Changed()
	return s.git(ctx, r)
}

// ServeHTTP serves the repositories to git, under AWS's paths: /v1/repos/NAME/….
func (s *Service) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v1/repos/"), "/")
	s.mu.Lock()
	r := s.repositories[name]
	s.mu.Unlock()
	if r == nil || rest == "" {
		http.NotFound(w, request)
		return
	}
	git, err := s.git(request.Context(), r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	inner := request.Clone(request.Context())
	inner.URL.Path, inner.URL.RawPath = "/"+filepath.Base(r.Folder)+"/"+rest, ""
	git.ServeHTTP(w, inner)
}

// find is the repository of a name with its git.
func (s *Service) find(ctx context.Context, name *string) (*repository, *gitserver.Repository, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	r := s.repositories[*name]
	s.mu.Unlock()
	if r == nil {
		return nil, nil, fail("RepositoryDoesNotExistException", "%s does not exist", *name)
	}
	git, err := s.git(ctx, r)
	return r, git, err
}

// newRepository is a repository that begins now, in a folder of Options.Dir.
func (s *Service) newRepository(name, folder string) *repository {
	now := time.Now().UTC()
	return &repository{ID: newID(), Name: name, Folder: folder, Created: now, Modified: now, KMSKeyID: s.defaultKey(), Tags: map[string]string{}}
}

// folder is where a new repository of that name can be: what a deleted or renamed
// one has left is not taken.
func (s *Service) folder(name string) string {
	folder := name + ".git"
	if _, err := os.Stat(filepath.Join(s.options.Dir, folder)); errors.Is(err, os.ErrNotExist) {
		return folder
	}
	return name + "-" + newID() + ".git"
}

// cloneURL is where git finds the repository.
func (s *Service) cloneURL(r *repository) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cloneURLLocked(r)
}

func (s *Service) cloneURLLocked(r *repository) string {
	if s.address == "" {
		return "https://git-codecommit." + s.options.Region + ".amazonaws.com/v1/repos/" + r.Name
	}
	return s.address + "/v1/repos/" + r.Name
}

func (s *Service) arn(r *repository) string {
	return "arn:aws:codecommit:" + s.options.Region + ":" + s.options.Account + ":" + r.Name
}
