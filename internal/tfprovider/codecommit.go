package tfprovider

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codecommit"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// codeCommit is a repository of CodeCommit's at one commit.
type codeCommit struct {
	*codecommit.Repository
	head string
}

// openCodeCommit asks where the branch is, with the AWS SDK's own configuration, but for
// a region that is named.
func openCodeCommit(ctx context.Context, at place) (*codeCommit, error) {
	configured, err := config.LoadDefaultConfig(ctx, config.WithRegion(at.region))
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	c := &codeCommit{Repository: codecommit.New(configured, at.codeCommit)}
	c.head, err = c.Head(ctx, at.branch)
	return c, err
}

// Load reads one app at the head.
func (c *codeCommit) Load(ctx context.Context, app slipway.App) (deployrepo.Loaded, error) {
	return c.LoadAt(ctx, app, c.head)
}

// LoadAt reads one app at a commit, of which the API wants the whole id. Who touched the
// app last takes permissions of its own, without which that alone is missing.
func (c *codeCommit) LoadAt(ctx context.Context, app slipway.App, commit string) (deployrepo.Loaded, error) {
	revision, err := c.Revision(ctx, app, commit)
	loaded := deployrepo.Loaded{Revision: revision}
	switch {
	case errors.Is(err, codecommit.ErrNoFile), slipway.NextOf(err) == slipway.NextUsage:
		loaded.Err = err // which is about this app
		return loaded, nil
	case err != nil:
		return loaded, err
	}
	loaded.Commit, err = c.Touched(ctx, app, revision.Commit)
	if err != nil && slipway.NextOf(err) != slipway.NextRetry {
		err = untold{err}
	}
	return loaded, err
}
