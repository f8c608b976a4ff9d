package codecommit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codecommit"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

var webapp1 = slipway.App{Cluster: "cluster1", Name: "webapp1"}

// rig is a repository in the sandbox's CodeCommit.
type rig struct {
	t      *testing.T
	world  *sandboxtest.World
	client *sdk.Client
	*codecommit.Repository
	folder string // for git
	head   string
}

// inBubble runs a test on an empty repository, by a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		test(t, &rig{t: t, world: w, client: w.CodeCommit(), Repository: codecommit.New(w.Config(), "deployment"), folder: w.Repository("deployment")})
	})
}

// commit commits files, given as path and content in turn, on master; the content "-"
// deletes the file. CodeCommit takes at most a hundred at a time.
func (r *rig) commit(files ...string) string {
	r.t.Helper()
	for len(files) > 0 {
		some := files[:min(200, len(files))]
		files = files[len(some):]
		in := &sdk.CreateCommitInput{RepositoryName: aws.String("deployment"), BranchName: aws.String("master")}
		if r.head != "" {
			in.ParentCommitId = &r.head
		}
		for i := 0; i < len(some); i += 2 {
			if some[i+1] == "-" {
				in.DeleteFiles = append(in.DeleteFiles, types.DeleteFileEntry{FilePath: &some[i]})
				continue
			}
			in.PutFiles = append(in.PutFiles, types.PutFileEntry{FilePath: &some[i], FileContent: []byte(some[i+1])})
		}
		out, err := r.client.CreateCommit(r.t.Context(), in)
		if err != nil {
			r.t.Fatal(err)
		}
		r.head = *out.CommitId
	}
	return r.head
}

func revision(image string) string {
	return fmt.Sprintf(`[{"name": "webapp1", "imageUri": %q}]`, image)
}

func TestRevisionAndPipeline(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		first := r.commit("cluster1/webapp1/revision.json", revision("example.com/webapp1:1"))
		second := r.commit("cluster1/webapp1/revision.json", revision("example.com/webapp1:2"),
			"slipway.yaml", "defaults: {timeout: 10m}", "cluster1/webapp1/pipeline.yaml", "target: {service: web}")
		for _, at := range []struct {
			commit, image string
			is            string
			pipeline      slipway.Pipeline
		}{
			{first, "example.com/webapp1:1", first, slipway.DefaultPipeline(webapp1)},
			{second, "example.com/webapp1:2", second, slipway.Pipeline{
				Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(10 * time.Minute), Place: slipway.Place{Cluster: "cluster1", Service: "web"},
			}},
		} {
			got, err := r.Revision(t.Context(), webapp1, at.commit)
			if err != nil || got.Commit != at.is || got.Blob == "" || len(got.Images) != 1 || got.Images[0].URI != at.image {
				t.Errorf("at %s: %+v, %v", at.commit, got, err)
			}
			pipeline, err := r.Pipeline(t.Context(), webapp1, at.commit)
			if diff := cmp.Diff(at.pipeline, pipeline); err != nil || diff != "" {
				t.Errorf("at %s: %v (-want +got)\n%s", at.commit, err, diff)
			}
		}
		// By branch, and by nothing.
		for _, at := range []string{"master", ""} {
			if got, err := r.Revision(t.Context(), webapp1, at); err != nil || got.Commit != second || got.Images[0].URI != "example.com/webapp1:2" {
				t.Errorf("at %q: %+v, %v", at, got, err)
			}
			if head, err := r.Head(t.Context(), at); err != nil || head != second {
				t.Errorf("the head of %q is %s, %v", at, head, err)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		if _, err := r.Head(t.Context(), ""); !errors.Is(err, codecommit.ErrNoBranch) {
			t.Errorf("the head of an empty repository: %v", err)
		}
		commit := r.commit("cluster1/webapp1/revision.json", `[{"name": "webapp1"}]`, "cluster1/webapp1/pipeline.yaml", "timeouts: 3m", "slipway.yaml", "default: {}",
			"cluster1/large/revision.json", strings.Repeat(" ", 101<<10))
		for name, test := range map[string]struct {
			do   func(context.Context) error
			kind error
			next slipway.Next
			says []string
		}{
			"no file": {
				do: func(ctx context.Context) error {
					return second(r.Revision(ctx, slipway.App{Cluster: "cluster1", Name: "gone"}, commit))
				},
				kind: codecommit.ErrNoFile, next: slipway.NextPerson, says: []string{"cluster1/gone/revision.json", "deployment"},
			},
			"no commit": {
				do:   func(ctx context.Context) error { return second(r.Revision(ctx, webapp1, strings.Repeat("0", 39)+"1")) },
				kind: codecommit.ErrNoCommit, next: slipway.NextPerson,
			},
			"no branch": {
				do:   func(ctx context.Context) error { return second(r.Head(ctx, "main")) },
				kind: codecommit.ErrNoBranch, next: slipway.NextPerson, says: []string{"branch main"},
			},
			"no app's name": {
				do: func(ctx context.Context) error {
					return second(r.Revision(ctx, slipway.App{Cluster: "..", Name: "x"}, commit))
				},
				next: slipway.NextUsage,
			},
			"a broken revision": {
				do:   func(ctx context.Context) error { return second(r.Revision(ctx, webapp1, commit)) },
				next: slipway.NextUsage, says: []string{"cluster1/webapp1/revision.json:1:2"},
			},
			"a large revision": {
				do: func(ctx context.Context) error {
					return second(r.Revision(ctx, slipway.App{Cluster: "cluster1", Name: "large"}, commit))
				},
				next: slipway.NextUsage, says: []string{"100 KB"},
			},
			"broken settings, all of them": {
				do:   func(ctx context.Context) error { return second(r.Pipeline(ctx, webapp1, commit)) },
				next: slipway.NextUsage, says: []string{"slipway.yaml:1:1", "cluster1/webapp1/pipeline.yaml:1:1"},
			},
		} {
			err := test.do(t.Context())
			if err == nil || test.kind != nil && !errors.Is(err, test.kind) || slipway.NextOf(err) != test.next {
				t.Errorf("%s: %v, next %s", name, err, slipway.NextOf(err))
				continue
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: %q does not say %q", name, err, part)
				}
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// More files than CodeCommit hands out at a time, commits that are not related, and
// a branch's first commit.
func TestDifferences(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var files []string
		for i := range 150 {
			files = append(files, fmt.Sprintf("cluster1/app%d/revision.json", i), revision("example.com/app:1"))
		}
		first := r.commit(files...)
		for i := 1; i < len(files); i += 2 {
			files[i] = revision("example.com/app:2")
		}
		then := r.commit(append(files, "cluster1/app0/revision.json", "-")[2:]...)
		for _, test := range []struct {
			before, after    string
			changed, deleted int
		}{{"", first, 150, 0}, {first, then, 149, 1}, {then, first, 150, 0}, {first, first, 0, 0}} {
			all, err := r.Differences(t.Context(), test.before, test.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := codecommit.Changed(all); len(got.Changed) != test.changed || len(got.Deleted) != test.deleted || got.Broken != nil {
				t.Errorf("from %.7s to %.7s: changed %d, deleted %v, broken %v", test.before, test.after, len(got.Changed), got.Deleted, got.Broken)
			}
		}
	})
}

func TestChanged(t *testing.T) {
	file := func(id string) codecommit.Blob { return codecommit.Blob{ID: id, Mode: "100644"} }
	link := codecommit.Blob{ID: "1", Mode: "120000"}
	none := codecommit.Blob{}
	for _, test := range []struct {
		name string
		d    codecommit.Difference
		want string
	}{
		{"new", codecommit.Difference{Path: "a/b/revision.json", After: file("1")}, "[a/b] [] [] []"},
		{"changed", codecommit.Difference{Path: "a/b/revision.json", Before: file("1"), After: file("2")}, "[a/b] [] [] []"},
		{"deleted", codecommit.Difference{Path: "a/b/revision.json", Before: file("1"), After: none}, "[] [a/b] [] []"},
		{"made executable", codecommit.Difference{Path: "a/b/revision.json", Before: file("1"), After: codecommit.Blob{ID: "1", Mode: "100755"}}, "[] [] [] []"},
		{"made a link", codecommit.Difference{Path: "a/b/revision.json", Before: file("1"), After: link}, "[] [] [a/b/revision.json: is a symlink, which is not followed: commit the file itself] []"},
		{"made a file of a link", codecommit.Difference{Path: "a/b/revision.json", Before: link, After: file("1")}, "[a/b] [] [] []"},
		{"too deep", codecommit.Difference{Path: "a/b/c/revision.json", After: file("1")}, "[] [] [] []"},
		{"not deep enough", codecommit.Difference{Path: "b/revision.json", After: file("1")}, "[] [] [] []"},
		{"hidden", codecommit.Difference{Path: ".a/b/revision.json", After: file("1")}, "[] [] [] []"},
		{"another file", codecommit.Difference{Path: "a/b/revision.yaml", After: file("1")}, "[] [] [] []"},
		{"settings of an app", codecommit.Difference{Path: "a/b/pipeline.yaml", After: file("1")}, "[] [] [] [a/b/pipeline.yaml]"},
		{"settings of all", codecommit.Difference{Path: "slipway.yaml", After: file("1")}, "[] [] [] [slipway.yaml]"},
		{"no app's name", codecommit.Difference{Path: "a/b c/revision.json", After: file("1")}, `[] [] [a/b c/revision.json: the app name "b c" has the character ' '; only letters, digits, '-' and '_' are allowed; rename the folder] []`},
		{"no app's name, deleted", codecommit.Difference{Path: "a/b c/revision.json", Before: file("1")}, "[] [] [] []"},
	} {
		c := codecommit.Changed([]codecommit.Difference{test.d})
		if got := fmt.Sprint(c.Changed, c.Deleted, c.Broken, c.Settings); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
