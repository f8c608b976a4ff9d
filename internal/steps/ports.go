package steps

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway"
)

// Source reads the deployment repository at a commit. Both methods only read
// and may be repeated. An error that is a slipway.Error with NextRetry is tried
// again; any other ends the execution as failed.
type Source interface {
	// Revision returns the app's revision.json at commit.
	Revision(ctx context.Context, app slipway.App, commit string) (slipway.Revision, error)
	// Pipeline returns how the app is deployed, as the files at commit say.
	Pipeline(ctx context.Context, app slipway.App, commit string) (slipway.Pipeline, error)
}

// Target acts on what runs in AWS. No method waits for AWS to finish anything;
// each takes one step and returns, and any may be called again after a crash.
// An error with NextRetry is tried again until the pipeline's timeout is over.
// Any other ends the execution as failed, but for one from Observe, which is
// tried again for as long: what was started goes on.
type Target interface {
	// Advance takes the one step out of d.Phase and returns d in its next
	// phase, with Attempt 0. With d.Attempt above 1 an earlier attempt may have
	// had its effect: Advance looks before it acts. It may return an earlier
	// phase than d's to say that the ground moved and that Deploy starts over.
	Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error)
	// Observe looks at a deployment in PhaseStarted or PhaseRollingBack.
	Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error)
	// Rollback puts d.Base back and returns d in PhaseRollingBack. Attempt
	// means the same as for Advance.
	Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error)
	// Decide answers a pause of a deployment in PhaseStarted or PhaseRollingBack and
	// returns the decision with its hook filled in. A hook that waits for nobody is
	// an error with NextPerson.
	Decide(ctx context.Context, d slipway.Deployment, decision slipway.Decision) (slipway.Decision, error)
	// Retire deregisters, of the task definitions that the app registered, those that
	// it does not need after d went well, and returns them. mine are what Registered
	// returned; nil has the target find them. It may be called again.
	Retire(ctx context.Context, d slipway.Deployment, keep int, mine []string) ([]string, error)
}

// Executions keeps executions while they run. Each method is one transaction.
type Executions interface {
	Execution(ctx context.Context, id string) (slipway.Execution, error)
	// Save writes down how far an execution came; it leaves its status, a request to
	// stop and what people decided alone.
	Save(ctx context.Context, e slipway.Execution) error
	// Finish ends an execution and returns the one of the same app that begins
	// with it, if any. Repeating it changes nothing more.
	Finish(ctx context.Context, e slipway.Execution, at time.Time) (next []slipway.Execution, err error)
	// TaskDefinitions returns the ARNs that the app registered for this
	// content before, newest first.
	TaskDefinitions(ctx context.Context, app slipway.App, blob string) ([]string, error)
	// Registered returns the ARNs that the app's executions ran, whatever content; nil
	// where there are no books of that.
	Registered(ctx context.Context, app slipway.App) ([]string, error)
}
