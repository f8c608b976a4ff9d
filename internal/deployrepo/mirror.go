package deployrepo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-cd/slipway"
)

// The mirror is a bare repository with one ref of ours, which keeps the
// fetched commits from git's garbage collection and tells the next fetch what
// is here. It may be shared by processes and survives the death of any at any
// time, for want of anything to be left half done:
//
//   - it is made under another name and renamed when it is whole;
//   - git writes objects atomically, and the ref only after all its objects;
//   - nothing is read by the name of the ref, only by the commit's id;
//   - a lock that a killed git left on the ref is removed once it is old.

// staleLock is the age from which a lock file on the ref is left over: git
// holds one for milliseconds.
const staleLock = time.Minute

// openMirror decides where the mirror is; fetch makes it.
func (r *Repo) openMirror(dir string) error {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return &slipway.Error{
				Next: slipway.NextPerson, Message: "there is no cache folder for the repository's mirror", Err: err,
				Hint: "set HOME or XDG_CACHE_HOME, or say where with MirrorDir",
			}
		}
		sum := sha256.Sum256([]byte(r.git.Location.String()))
		dir = filepath.Join(cache, "slipway", hex.EncodeToString(sum[:8])+".git")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fmt.Errorf("mirror of %s: %w", r, err)
	}
	if r.git.Folder, err = filepath.EvalSymlinks(parent); err != nil {
		return fmt.Errorf("mirror of %s: %w", r, err)
	}
	r.git.Path = filepath.Join(r.git.Folder, filepath.Base(dir))
	return nil
}

// ensureMirror makes the mirror unless it is there. idLength is how many hex
// digits the repository's ids have.
func (r *Repo) ensureMirror(ctx context.Context, idLength int) error {
	if isMirror(r.git.Path) {
		return nil
	}
	fresh, err := os.MkdirTemp(r.git.Folder, filepath.Base(r.git.Path)+".new-")
	if err != nil {
		return fmt.Errorf("mirror of %s: %w", r, err)
	}
	defer os.RemoveAll(fresh) //nolint:errcheck // an empty repository may stay
	format := "sha1"
	if idLength == sha256.Size*2 {
		format = "sha256"
	}
	outside := r.git
	outside.Path = ""
	if _, err := outside.Run(ctx, "", "init", "--quiet", "--bare", "--template=", "--object-format="+format, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, r.git.Path); err != nil && !isMirror(r.git.Path) {
		return &slipway.Error{
			Next: slipway.NextUsage, Message: fmt.Sprintf("%s cannot be the mirror of %s", r.git.Path, r), Err: err,
			Hint: "name a folder that is empty or does not exist",
		}
	}
	return nil
}

// fetch brings the branch's commits into the mirror and returns the position
// whose commit is at hand: where the branch was when we looked.
func (r *Repo) fetch(ctx context.Context, to position) (position, error) {
	if err := r.ensureMirror(ctx, len(to.head)); err != nil {
		return position{}, err
	}
	// The name is flat: branches a and a/b could not both be files.
	keep := "refs/slipway/" + strings.ReplaceAll(to.branch, "/", "%2F")
	for range 3 {
		if kept, err := r.git.Lookup(ctx, keep); err != nil || kept == to.head {
			return to, err
		}
		if _, err := r.git.Run(ctx, "", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
			"--", r.git.Location.Arg(), "refs/heads/"+to.branch); err != nil {
			return position{}, err
		}
		if _, err := r.git.Run(ctx, "", "update-ref", keep, to.head); err == nil {
			return to, nil
		}
		// Either somebody else writes the ref now, which does no harm, or the
		// branch was forced away between our two looks: look again.
		r.dropStaleLock(keep)
		found, err := r.git.Lookup(ctx, to.head)
		if err != nil || found != "" {
			return to, err
		}
		if to, err = r.locate(ctx, to.branch); err != nil {
			return position{}, err
		}
	}
	return position{}, &slipway.Error{
		Next: slipway.NextRetry, Message: fmt.Sprintf("%s: branch %s moves faster than it can be fetched", r, to.branch),
	}
}

// dropStaleLock removes the lock that a git left which was killed while it
// wrote the ref.
func (r *Repo) dropStaleLock(ref string) {
	lock := filepath.Join(r.git.Path, filepath.FromSlash(ref)+".lock")
	if info, err := os.Stat(lock); err == nil && time.Since(info.ModTime()) > staleLock {
		_ = os.Remove(lock)
	}
}
