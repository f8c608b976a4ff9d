package pipeline

import (
	"time"

	"github.com/slipway-cd/slipway"
)

// Submission is everything that one look at git, or one person's request,
// makes of the pipelines.
type Submission struct {
	// Executions are to run: ID, Revision, Trigger, CreatedAt and Pipeline are
	// set; without images, Source reads the revision and the pipeline, and at
	// least Pipeline.Mode is set.
	Executions []slipway.Execution
	// Adopted revisions run already: they are remembered, nothing is executed.
	Adopted []slipway.Revision
	// Returned apps are in git again with what was last executed.
	Returned []slipway.App
	// Removed apps are no longer in git. What waits for them is superseded.
	Removed []slipway.App
	At      time.Time
}
