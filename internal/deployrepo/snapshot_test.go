package deployrepo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-cd/slipway"
)

func TestLook(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	first := commit(t, dir, "first", revision(webapp1, "web:1"))
	second := commit(t, dir, "second", revision(webapp1, "web:2"))
	commit(t, dir, "of another app", revision(slipway.App{Cluster: "cluster1", Name: "other"}, "other:1"))
	work := filepath.Join(t.TempDir(), "work")
	run(t, ".", "clone", "--quiet", dir, work)
	plain := copyWithoutGit(t, work)
	if err := os.WriteFile(filepath.Join(work, webapp1.RevisionPath()), []byte(revisionText(webapp1, "not:committed")), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{"bare": dir, "url": "file://" + dir, "work tree": work, "plain": plain} {
		s, err := Look(t.Context(), Options{URL: url, MirrorDir: filepath.Join(t.TempDir(), "mirror.git")})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := s.Load(t.Context(), webapp1)
		if err != nil || got.Err != nil || len(got.Revision.Images) != 1 || got.Revision.Images[0].URI != "web:2" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		none, err := s.Load(t.Context(), slipway.App{Cluster: "cluster1", Name: "none"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantError(t, none.Err, slipway.NextUsage, "there is no app cluster1/none")
		_, err = s.Load(t.Context(), slipway.App{Cluster: "cluster1", Name: "no/app"})
		wantError(t, err, slipway.NextUsage, "character '/'")

		earlier, err := s.LoadAt(t.Context(), webapp1, first[:10])
		if name == "plain" {
			wantError(t, err, slipway.NextUsage, "not a git repository")
			if got.Commit.ID != "" || !got.Commit.Time.IsZero() {
				t.Errorf("a folder has the commit %+v", got.Commit)
			}
			continue
		}
		if got.Commit.ID != second || got.Commit.Time.IsZero() || got.Commit.Author == "" {
			t.Errorf("%s: the commit is %+v", name, got.Commit)
		}
		if err != nil || earlier.Err != nil || earlier.Commit.ID != first || earlier.Revision.Images[0].URI != "web:1" {
			t.Errorf("%s: at the first commit: %+v, %v", name, earlier, err)
		}
		_, err = s.LoadAt(t.Context(), webapp1, "0123456789")
		wantError(t, err, slipway.NextUsage, `has no commit "0123456789"`)
	}
	_, err := Look(t.Context(), Options{URL: filepath.Join(plain, "none")})
	wantError(t, err, slipway.NextUsage, "no such folder")
}

// A repository without commits has no app.
func TestLookAtNothing(t *testing.T) {
	t.Parallel()
	s, err := Look(t.Context(), Options{URL: newBare(t)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), webapp1)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, got.Err, slipway.NextUsage, "there is no app")
}
