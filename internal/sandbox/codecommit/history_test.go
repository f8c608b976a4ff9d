package codecommit_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestFileHistory: the versions of one file, page by page, as far as a commit.
func TestFileHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		client, ctx := w.CodeCommit(), t.Context()
		commits := []string{repository(t, client, "cluster1/webapp1/revision.json")}
		parent, want := commits[0], []string{"cluster1/webapp1/revision.json []"}
		for i := range 4 {
			wait(time.Minute)
			parent = put(t, client, "master", parent, "cluster1/webapp2/revision.json", fmt.Sprint(i))
			parent = put(t, client, "master", parent, "cluster1/webapp1/revision.json", fmt.Sprint(i))
			want[len(want)-1] = fmt.Sprintf("cluster1/webapp1/revision.json [%s]", parent)
			want, commits = append(want, "cluster1/webapp1/revision.json []"), append(commits, parent)
		}
		slices.Reverse(want)
		slices.Reverse(commits)

		list := func(in codecommit.ListFileCommitHistoryInput) (all []types.FileVersion, pages int) {
			t.Helper()
			in.RepositoryName, in.FilePath = deployment, aws.String("cluster1/webapp1/revision.json")
			p := codecommit.NewListFileCommitHistoryPaginator(client, &in)
			for ; p.HasMorePages(); pages++ {
				out, err := p.NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, out.RevisionDag...)
			}
			return all, pages
		}
		for _, in := range []codecommit.ListFileCommitHistoryInput{{}, {CommitSpecifier: aws.String("refs/heads/master")}, {CommitSpecifier: &parent, MaxResults: aws.Int32(2)}} {
			all, pages := list(in)
			if wantPages := map[bool]int{true: 1, false: 3}[in.MaxResults == nil]; pages != wantPages {
				t.Errorf("%d pages, want %d", pages, wantPages)
			}
			var got []string
			for i, v := range all {
				got = append(got, fmt.Sprint(*v.Path, " ", v.RevisionChildren))
				file, err := client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: deployment, FilePath: v.Path, CommitSpecifier: v.Commit.CommitId})
				if err != nil || *file.BlobId != *v.BlobId || *v.Commit.CommitId != commits[i] || *v.Commit.Author.Date == "" {
					t.Errorf("%d: %+v, %v", i, v, err)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
		if all, _ := list(codecommit.ListFileCommitHistoryInput{CommitSpecifier: &commits[3]}); len(all) != 2 || *all[0].Commit.CommitId != commits[3] || len(all[0].RevisionChildren) != 0 {
			t.Errorf("as far as the second commit: %+v", all)
		}

		in := func(change func(*codecommit.ListFileCommitHistoryInput)) error {
			in := &codecommit.ListFileCommitHistoryInput{RepositoryName: deployment, FilePath: aws.String("cluster1/webapp1/revision.json")}
			change(in)
			out, err := client.ListFileCommitHistory(ctx, in)
			if err == nil && (out.RevisionDag == nil || len(out.RevisionDag) != 0) {
				t.Errorf("%+v", out)
			}
			return err
		}
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"no such file":       {in(func(in *codecommit.ListFileCommitHistoryInput) { in.FilePath = aws.String("none") }), "<nil>"},
			"a folder":           {in(func(in *codecommit.ListFileCommitHistoryInput) { in.FilePath = aws.String("cluster1") }), "<nil>"},
			"no such repository": {in(func(in *codecommit.ListFileCommitHistoryInput) { in.RepositoryName = aws.String("none") }), "RepositoryDoesNotExistException"},
			"no such commit":     {in(func(in *codecommit.ListFileCommitHistoryInput) { in.CommitSpecifier = aws.String("none") }), "CommitDoesNotExistException"},
			"bad specifier":      {in(func(in *codecommit.ListFileCommitHistoryInput) { in.CommitSpecifier = aws.String("a:b") }), "InvalidCommitException"},
			"token":              {in(func(in *codecommit.ListFileCommitHistoryInput) { in.NextToken = aws.String("x") }), "InvalidContinuationTokenException"},
			"size":               {in(func(in *codecommit.ListFileCommitHistoryInput) { in.MaxResults = aws.Int32(0) }), "InvalidMaxResultsException"},
		} {
			if got := code(c.err); got != c.code {
				t.Errorf("%s: %v, want %s", what, c.err, c.code)
			}
		}
	})
}
