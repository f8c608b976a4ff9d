package codecommit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway"
)

// Touched returns the newest commit, up to one, that touched an app's folder: what
// git log says of it, but for commits that only removed files from the folder, which
// CodeCommit does not list. It takes a call for each folder and each file. The zero
// Commit is that of a folder of which CodeCommit lists no commits.
func (r *Repository) Touched(ctx context.Context, app slipway.App, commit string) (slipway.Commit, error) {
	if err := app.Validate(); err != nil {
		return slipway.Commit{}, err
	}
	var newest version
	for folders := []string{app.String()}; len(folders) > 0; folders = folders[1:] {
		out, err := r.client.GetFolder(ctx, &codecommit.GetFolderInput{RepositoryName: &r.name, CommitSpecifier: &commit, FolderPath: &folders[0]})
		if err != nil {
			return slipway.Commit{}, r.explain(err, "read the folder "+folders[0], "codecommit:GetFolder")
		}
		for _, folder := range out.SubFolders {
			folders = append(folders, aws.ToString(folder.AbsolutePath))
		}
		var paths []*string
		for _, file := range out.Files {
			paths = append(paths, file.AbsolutePath)
		}
		for _, link := range out.SymbolicLinks {
			paths = append(paths, link.AbsolutePath)
		}
		for _, path := range paths {
			last, err := r.last(ctx, aws.ToString(path), commit)
			if err != nil {
				return slipway.Commit{}, err
			}
			newest = newer(newest, last)
		}
	}
	return newest.Commit, nil
}

// version is a commit that made a version of a file, and when it was committed: that
// is what git log goes by, not when it was authored.
type version struct {
	slipway.Commit
	committed time.Time
}

// last is the newest version of a file; zero, where CodeCommit lists none. AWS does not say in which order versions come,
// but that the newest has no children; two sides of a merge may both have none.
func (r *Repository) last(ctx context.Context, path, commit string) (newest version, err error) {
	input := &codecommit.ListFileCommitHistoryInput{RepositoryName: &r.name, CommitSpecifier: &commit, FilePath: &path}
	for pages := codecommit.NewListFileCommitHistoryPaginator(r.client, input); pages.HasMorePages() && newest.ID == ""; {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return version{}, r.explain(err, "list who changed "+path, "codecommit:ListFileCommitHistory")
		}
		for _, v := range page.RevisionDag {
			if v.Commit != nil && len(v.RevisionChildren) == 0 {
				newest = newer(newest, read(v.Commit))
			}
		}
	}
	return newest, nil
}

// newer is the newer of two versions, of which either may be zero.
func newer(a, b version) version {
	if a.ID == "" || b.committed.After(a.committed) {
		return b
	}
	return a
}

func read(c *types.Commit) version {
	v := version{Commit: slipway.Commit{ID: aws.ToString(c.CommitId), Message: strings.TrimRight(aws.ToString(c.Message), "\n")}}
	if author := c.Author; author != nil {
		v.Author = fmt.Sprintf("%s <%s>", aws.ToString(author.Name), aws.ToString(author.Email))
		v.Time = date(author)
	}
	if c.Committer != nil {
		v.committed = date(c.Committer)
	}
	return v
}

// date reads the time of "1484167798 -0800".
func date(who *types.UserInfo) time.Time {
	seconds, _, _ := strings.Cut(aws.ToString(who.Date), " ")
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
