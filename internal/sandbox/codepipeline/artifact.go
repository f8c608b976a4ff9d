package codepipeline

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// place is where AWS would put an artifact: the names in the key are cut.
func (p *pipeline) place(name, region string) artifact {
	store := p.Declaration.ArtifactStore
	if regional, found := p.Declaration.ArtifactStores[region]; found {
		store = &regional
	}
	key := fmt.Sprintf("%.20s/%.10s/%s", *p.Declaration.Name, name, rand.Text()[:7])
	return artifact{Name: name, Bucket: aws.ToString(store.Location), Key: key}
}

// file reads a file of an artifact. The error is fs.ErrNotExist when it is not in
// there.
func (w *work) file(ctx context.Context, a artifact, path string) ([]byte, error) {
	w.by.object("GetObject", a)
	out, err := w.ports.CodeCommit.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: &a.Repository, CommitSpecifier: &a.Commit, FilePath: &path})
	switch codeOf(err) {
	case "FileDoesNotExistException":
		return nil, fs.ErrNotExist
	case "":
		if err == nil {
			return out.FileContent, nil
		}
	}
	// Also one that no source action made, and that a function put into S3.
	return nil, fmt.Errorf("Unable to access the artifact with Amazon S3 object key '%s' located in the Amazon S3 artifact bucket '%s'", a.Key, a.Bucket) //nolint:staticcheck // AWS's words
}

// details are artifacts as executions of actions are listed with.
func details(artifacts []artifact) []types.ArtifactDetail {
	all := []types.ArtifactDetail{}
	for _, a := range artifacts {
		all = append(all, types.ArtifactDetail{Name: aws.String(a.Name), S3location: &types.S3Location{Bucket: aws.String(a.Bucket), Key: aws.String(a.Key)}})
	}
	return all
}
