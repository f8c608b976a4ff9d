package codecommit

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// Difference is one file that two commits do not have alike. A file that moved is two.
type Difference struct {
	Path          string
	Before, After Blob
}

// Blob is a file's content; the zero Blob is that of a file that is not there.
type Blob struct {
	ID string
	// Mode is git's: 100644, 100755, 120000 for a symlink, 160000 for a submodule.
	Mode string
}

// Differences returns all files that differ between two commits, related or not, in
// as many calls as it takes: CodeCommit hands out a page at a time. An empty before
// stands for an empty tree.
func (r *Repository) Differences(ctx context.Context, before, after string) ([]Difference, error) {
	input := &codecommit.GetDifferencesInput{RepositoryName: &r.name, AfterCommitSpecifier: &after}
	if before != "" {
		input.BeforeCommitSpecifier = &before
	}
	var all []Difference
	for pages := codecommit.NewGetDifferencesPaginator(r.client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.explain(err, "compare commits", "codecommit:GetDifferences")
		}
		for _, d := range page.Differences {
			before, after := blob(d.BeforeBlob), blob(d.AfterBlob)
			path := ""
			for _, side := range []*types.BlobMetadata{d.AfterBlob, d.BeforeBlob} {
				if side != nil && path == "" {
					path = aws.ToString(side.Path)
				}
			}
			all = append(all, Difference{Path: path, Before: before, After: after})
		}
	}
	return all, nil
}

func blob(b *types.BlobMetadata) Blob {
	if b == nil {
		return Blob{}
	}
	return Blob{ID: aws.ToString(b.BlobId), Mode: aws.ToString(b.Mode)}
}

// Changes are what differences mean for apps.
type Changes struct {
	// Changed are the apps whose revision.json has other content or is new; Deleted
	// those that have none any more.
	Changed, Deleted []slipway.App
	// Broken are files that are meant to be a revision.json and are none, by their
	// name or mode.
	Broken files.Problems
	// Settings are the pipeline.yaml and slipway.yaml that differ. They alone start
	// nothing: only a revision.json is an approval.
	Settings []string
}

// Changed says what differences mean for apps. Only <cluster>/<app>/revision.json
// counts, hidden folders do not, and a change of the mode alone is none.
func Changed(differences []Difference) Changes {
	var c Changes
	for _, d := range differences {
		parts := strings.Split(d.Path, "/")
		name := parts[len(parts)-1]
		switch {
		case slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, ".") }):
		case d.Path == files.RepositoryPath, len(parts) == 3 && name == files.PipelineName:
			c.Settings = append(c.Settings, d.Path)
		case len(parts) == 3 && name == files.RevisionName:
			c.add(d, slipway.App{Cluster: parts[0], Name: parts[1]})
		}
	}
	slices.SortFunc(c.Changed, slipway.App.Compare)
	slices.SortFunc(c.Deleted, slipway.App.Compare)
	return c
}

func (c *Changes) add(d Difference, app slipway.App) {
	invalid := app.Validate()
	switch {
	case d.After == (Blob{}):
		if invalid == nil {
			c.Deleted = append(c.Deleted, app)
		}
	case invalid != nil:
		c.Broken = append(c.Broken, files.Problem{File: d.Path, Message: invalid.Error() + "; rename the folder"})
	case strings.HasPrefix(d.After.Mode, "12"):
		c.Broken = append(c.Broken, symlink(d.Path))
	case d.Before.ID != d.After.ID || strings.HasPrefix(d.Before.Mode, "12"):
		c.Changed = append(c.Changed, app)
	}
}
