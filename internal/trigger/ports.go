package trigger

import (
	"context"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Repository is the deployment repository. Its methods only read.
type Repository interface {
	// Refresh looks at the branch and returns its head, having fetched it.
	Refresh(ctx context.Context) (head string, err error)
	// Apps returns what identifies the content of every app at commit, broken
	// files included.
	Apps(ctx context.Context, commit string) (map[slipway.App]pipeline.Content, error)
	// Load reads apps' files at head. What is wrong with one app is its Err.
	Load(ctx context.Context, head string, apps []slipway.App) (map[slipway.App]Loaded, error)
}

// Loaded is what git says of one app.
type Loaded struct {
	// Revision is the app's at head; its Commit is the newest that touched the
	// app's folder. With Err, App and Commit are set nevertheless, and Blob is
	// pipeline.Content's Broken.
	Revision slipway.Revision
	// Author made that commit.
	Author   string
	Pipeline slipway.Pipeline
	// Err says what is wrong with the app's files, or slipway.yaml.
	Err error
}

// Pipelines remembers what was executed.
type Pipelines interface {
	Known(ctx context.Context) (map[slipway.App]pipeline.Known, error)
}

// Inspector reads what runs, in as few calls as it can. Each answer has its own
// error; the error beside them means that there is no answer at all.
type Inspector interface {
	Running(ctx context.Context, places []slipway.Place) ([]slipway.Running, error)
}

// Submitter takes what is to be executed or remembered.
type Submitter interface {
	Submit(ctx context.Context, in pipeline.Submission) error
}
