package deployrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/git"
)

// Options say which deployment repository is meant.
type Options struct {
	// URL is a URL in any form that git knows, or a folder, bare or with a work
	// tree.
	URL string
	// Branch is the branch to follow; empty means the one that the
	// repository's HEAD names, or main.
	Branch string
	// MirrorDir is the folder of the bare mirror of a URL; empty means
	// slipway/<hash of the URL> in the user's cache folder. It is a cache: it
	// may be deleted while nothing uses it, and shared by processes.
	MirrorDir string
	// Git is the git program; empty means git in PATH.
	Git string
	// Logger is told each git command at debug level; nil means none.
	Logger *slog.Logger
}

// Repo is a deployment repository. Its methods may be called concurrently.
type Repo struct {
	git    git.Dir // the folder's git directory, or the mirror's
	asked  string  // Options.Branch
	bare   bool
	local  bool
	moving sync.Mutex // held by Refresh
	at     atomic.Pointer[position]
}

// position is a branch and the commit it is at, which is empty in a
// repository without commits.
type position struct{ branch, head string }

// errNotRepository is the kind of Open's error for a folder that is no git
// repository.
var errNotRepository = errors.New("not a git repository")

// ErrNoBranch is the kind of Open's error for a branch that the repository does not
// have.
var ErrNoBranch = errors.New("no such branch")

// Open finds the repository and the head of its branch; that of a URL is
// fetched. The errors are slipway.Errors and say what to do. A repository
// without any commit is no error: its head is empty.
func Open(ctx context.Context, o Options) (*Repo, error) {
	location, err := git.ParseLocation(o.URL)
	if err != nil {
		return nil, err
	}
	r := &Repo{
		asked: o.Branch,
		local: location.Folder(),
		git: git.Dir{
			Binary: cmp.Or(o.Git, "git"), Location: location,
			Logger: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		},
	}
	if r.local {
		err = r.openFolder(ctx, location.Arg())
	} else {
		err = r.openMirror(o.MirrorDir)
	}
	if err != nil {
		return nil, err
	}
	r.at.Store(&position{})
	if _, _, err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// openFolder finds the git directory of a folder that is itself a repository;
// one that merely lies inside another repository is none.
func (r *Repo) openFolder(ctx context.Context, folder string) error {
	resolved, err := filepath.EvalSymlinks(folder)
	if errors.Is(err, os.ErrNotExist) {
		return &slipway.Error{
			Next: slipway.NextUsage, Kind: errNotRepository, Message: fmt.Sprintf("%s: there is no such folder", r.git.Location),
			Hint: "check the path, or make a repository there with: slipway init " + r.git.Location.String(),
		}
	}
	if err != nil {
		return &slipway.Error{
			Next: slipway.NextUsage, Kind: errNotRepository, Message: fmt.Sprintf("%s cannot be opened", r.git.Location), Err: err,
			Hint: "check the path, and who may read it",
		}
	}
	r.git.Folder = resolved
	r.git.Path, r.bare, err = r.git.Discover(ctx)
	if failure, ok := errors.AsType[*git.Failure](err); ok && strings.Contains(failure.Stderr, errNotRepository.Error()) {
		return &slipway.Error{
			Next: slipway.NextUsage, Kind: errNotRepository, Message: fmt.Sprintf("%s is not a git repository", r.git.Location),
			Hint: "name the root of the deployment repository, or make one with: slipway init " + r.git.Location.String(),
		}
	}
	return git.Explain(err, r.git.Location)
}

// String is the repository for people, without secrets.
func (r *Repo) String() string { return r.git.Location.String() }

// Local reports whether the repository is a folder on this machine, so that
// looking at it costs next to nothing.
func (r *Repo) Local() bool { return r.local }

// Branch is the branch that is followed.
func (r *Repo) Branch() string { return r.at.Load().branch }

// Head is the commit that the last Refresh found, or Open; empty in a
// repository without commits.
func (r *Repo) Head() string { return r.at.Load().head }

// Refresh looks where the branch is now, forced updates included, and reports
// whether that is another commit than before. For a URL that costs one
// `git ls-remote`, and a fetch only when the branch has moved.
func (r *Repo) Refresh(ctx context.Context) (head string, changed bool, err error) {
	r.moving.Lock()
	defer r.moving.Unlock()
	was := r.at.Load()
	now, err := r.latest(ctx, *was)
	if err != nil {
		return was.head, false, err
	}
	r.at.Store(&now)
	return now.head, now.head != was.head, nil
}

// latest returns where the branch is, with its commits at hand.
func (r *Repo) latest(ctx context.Context, known position) (position, error) {
	now, err := r.locate(ctx, known.branch)
	if err != nil {
		return known, git.Explain(err, r.git.Location)
	}
	if !r.local && now.head != "" && (now.head != known.head || !isMirror(r.git.Path)) {
		if now, err = r.fetch(ctx, now); err != nil {
			return known, git.Explain(err, r.git.Location)
		}
	}
	return now, nil
}

// locate asks for the one branch, where it is known already, or for all of
// them.
func (r *Repo) locate(ctx context.Context, branch string) (position, error) {
	if branch = cmp.Or(branch, r.asked); branch != "" {
		head, err := r.branchHead(ctx, branch)
		if err != nil || head != "" {
			return position{branch, head}, err
		}
	}
	list := r.git.RemoteRefs
	if r.local {
		list = r.git.LocalRefs
	}
	refs, err := list(ctx)
	if err != nil {
		return position{}, err
	}
	return r.choose(refs)
}

func (r *Repo) branchHead(ctx context.Context, branch string) (string, error) {
	if r.local {
		return r.git.Lookup(ctx, "refs/heads/"+branch)
	}
	return r.git.RemoteBranch(ctx, branch)
}

// defaultBranch is followed where HEAD names none that exists.
const defaultBranch = "main"

// choose picks the branch to follow: the one asked for, else HEAD's, else main.
func (r *Repo) choose(refs git.Refs) (position, error) {
	if len(refs.Branches) == 0 {
		return position{branch: cmp.Or(r.asked, refs.Head, defaultBranch)}, nil
	}
	wanted := []string{refs.Head, defaultBranch}
	if r.asked != "" {
		wanted = []string{r.asked}
	}
	for _, branch := range wanted {
		if head, found := refs.Branches[branch]; found {
			return position{branch, head}, nil
		}
	}
	return position{}, &slipway.Error{
		Next: slipway.NextUsage, Kind: ErrNoBranch,
		Message: fmt.Sprintf("%s has no branch %q; it has: %s", r, cmp.Or(r.asked, refs.Head, defaultBranch), names(refs.Branches)),
		Hint:    "name one of them with --branch, or push the branch",
	}
}

// names lists branches for people, at most twenty.
func names(branches map[string]string) string {
	const most = 20
	sorted := slices.Sorted(maps.Keys(branches))
	if len(sorted) > most {
		sorted = append(sorted[:most], "…")
	}
	return strings.Join(sorted, ", ")
}

// Commit returns the id of the commit that a person names by its id or its
// beginning. There being none is an error about wrong input.
func (r *Repo) Commit(ctx context.Context, name string) (string, error) {
	id, err := r.git.Lookup(ctx, name)
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", &slipway.Error{
			Next: slipway.NextUsage, Message: fmt.Sprintf("%s has no commit %q on branch %s", r, name, r.Branch()),
			Hint: "slipway history CLUSTER/APP lists an app's commits",
		}
	}
	return id, nil
}

// isMirror reports whether there is a git directory at path.
func isMirror(path string) bool {
	_, err := os.Stat(filepath.Join(path, "HEAD"))
	return err == nil
}
