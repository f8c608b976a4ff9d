package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps"
)

// budget is how long one invocation takes steps; CodePipeline calls again, within half
// a minute or so. The function's own timeout has to be longer than a claim keeps it
// waiting, this and retiring together: a minute.
const budget = 10 * time.Second

// retiring is how long an invocation that gave its job the answer goes on to deregister
// old task definitions. It is enough for a hundred that are read, and twenty that go.
const retiring = 15 * time.Second

// deployment is one invocation's part of a deployment.
type deployment struct {
	*Function
	log        *slog.Logger
	job        string
	parameters parameters
	state      state
	memory     memory
	// stopping is the request to stop the pipeline's execution, or nil.
	stopping *slipway.StopRequest
	// doubtful says that the calls of a claim may have been made: that the deployment is
	// not known to be further than its phase does not mean that it is not.
	doubtful bool
}

// deploy does a part of a deployment, as much as fits into an invocation, and answers
// its job. An error has Lambda call the function again with the same job.
func (f *Function) deploy(ctx context.Context, j job) error {
	d := &deployment{Function: f, log: f.log.With(keyJob, j.ID), job: j.ID}
	d.memory.claim = d.claim
	err := d.begin(ctx, j)
	if err == nil {
		err = d.goOn(ctx)
	} else if !errors.Is(err, errOver) {
		err = f.answer(ctx, j.ID, report{failure: types.FailureTypeConfigurationError, text: reason(err)})
	}
	if errors.Is(err, errOver) {
		d.log.InfoContext(ctx, "another call answered the job, or its execution is over; nothing more is done")
		return nil
	}
	if err != nil {
		d.log.ErrorContext(ctx, "the job has no answer", keyError, err)
	}
	return err
}

// begin reads what the job says: whose deployment it is, and how far it came. An error
// is the job's failure.
func (d *deployment) begin(ctx context.Context, j job) (err error) {
	if d.parameters, err = d.read(j); err != nil {
		return err
	}
	if j.Data.ContinuationToken != "" {
		if d.state, err = decode(j.Data.ContinuationToken); err != nil {
			return err
		}
		d.parameters.Pipeline, d.parameters.Execution = d.state.Pipeline, d.state.Execution
	} else if d.parameters, err = d.place(ctx, j.ID, d.parameters); err != nil {
		return err
	}
	if d.state.StartedAt.IsZero() {
		d.state.StartedAt = time.Now()
	}
	p := d.parameters
	d.state.Pipeline, d.state.Execution = p.Pipeline, p.Execution
	d.log = d.log.With(keyApp, p.app().String(), keyExecution, p.Execution, keyPipeline, p.Pipeline, keyCommit, p.Commit)
	return nil
}

// goOn takes the steps that there is time for, and answers the job.
func (d *deployment) goOn(ctx context.Context) error {
	// Whoever claimed a job may be at work still.
	if err := steps.Wait(ctx, time.Until(d.state.Claimed.Add(lease)), nil); err != nil {
		return err
	}
	var err error
	if d.stopping, err = d.stop(ctx); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	err = d.load(within)
	if err == nil {
		err = d.take(within)
	}
	e := d.memory.execution
	switch {
	case errors.Is(err, errOver):
		return err
	case d.memory.claimed:
		return nil // the job has its answer
	case e.Outcome != slipway.OutcomeNone:
		return d.end(ctx, e)
	case err != nil && slipway.NextOf(err) != slipway.NextRetry && within.Err() == nil && !errors.Is(err, context.DeadlineExceeded):
		return d.end(ctx, pipeline.End(e, slipway.OutcomeFailed, d.unwatched(reason(err))))
	case err != nil && time.Since(d.since()) > pipeline.Timeout(e):
		return d.end(ctx, pipeline.End(e, slipway.OutcomeFailed, d.unwatched(fmt.Sprintf("gave up after %s: %s", pipeline.Timeout(e), reason(err)))))
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		d.log.WarnContext(ctx, "the next call tries again", keyError, err)
	}
	token, err := d.state.encode(tokenMost)
	if err != nil {
		return d.end(ctx, pipeline.End(e, slipway.OutcomeFailed, d.unwatched(err.Error())))
	}
	return d.answer(ctx, d.job, report{token: token, text: progress(e), percent: percent(e), id: external(e)})
}

// since is when what is tried was first tried, or last seen.
func (d *deployment) since() time.Time {
	if d.state.Since.IsZero() {
		return d.state.StartedAt
	}
	return d.state.Since
}

// load makes the execution of what the token and the app's files say. Without a token
// there is nothing to read yet: the first step does.
func (d *deployment) load(ctx context.Context) error {
	p, had := d.parameters, d.state.Deployment
	d.doubtful = had.Phase == slipway.PhasePrepared && had.Attempt > 0
	e := slipway.Execution{
		ID: p.Execution, Revision: slipway.Revision{App: p.app(), Commit: p.Commit}, Status: slipway.StatusInProgress,
		CreatedAt: d.state.StartedAt, StartedAt: d.state.StartedAt, Stage: slipway.StageDeploy, Observation: d.state.Seen,
	}
	d.memory.execution = e
	if !d.state.Begun {
		return nil
	}
	files := d.repository(p.Repository)
	revision, err := files.Revision(ctx, p.app(), p.Commit)
	if err != nil {
		return again(err)
	}
	if e.Pipeline, err = files.Pipeline(ctx, p.app(), p.Commit); err != nil {
		return again(err)
	}
	place := e.Pipeline.Place
	place.Kind, place.Family = had.Place.Kind, had.Place.Family
	had.Execution, had.App, had.Commit, had.Images, had.Place, had.TestRun = p.Execution, p.app(), p.Commit, revision.Images, place, e.Pipeline.TestRun
	e.Revision.Images, e.Revision.Blob, e.Deployment = revision.Images, revision.Blob, had
	d.memory.execution = e
	if d.state.Unnamed {
		if e.Deployment, err = d.recall(ctx, had); err != nil {
			return again(err)
		}
		d.memory.execution = e
	}
	return nil
}

// again has what could be read once be read again: a deployment in progress does not
// end because AWS, or a permission, fails for a while.
func again(err error) error {
	return &slipway.Error{Next: slipway.NextRetry, Hint: slipway.HintOf(err), Err: err}
}

// take takes steps until ctx ends, the deployment is over, or a claim is used up: what
// follows the calls that write is another job's. The state follows the execution.
func (d *deployment) take(ctx context.Context) error {
	taken := d.steps()
	for action := pipeline.Next(d.memory.execution); action != pipeline.ActionFinish && action != pipeline.ActionNone; {
		if d.memory.claimed && !writes(action) {
			return nil
		}
		if action != d.state.Action {
			d.state.Action, d.state.Since = action, time.Now()
		}
		taken.Since = d.state.Since
		d.heed()
		next, err := taken.Take(ctx, d.memory.execution.ID, action)
		d.follow(ctx)
		if err != nil {
			return err
		}
		action = next
	}
	return nil
}

func (d *deployment) steps() *steps.Steps {
	return &steps.Steps{
		Source: d.repository(d.parameters.Repository), Target: d.target, Store: &d.memory, Log: d.log,
		Woken: func(slipway.App) <-chan struct{} { return nil }, Begin: func(slipway.Execution) {},
	}
}

// heed lets the steps know of a request to stop. One claim is for registering and for
// starting: until it is found out what came of it, the deployment counts as one that
// may have been started, and each step of it as attempted.
func (d *deployment) heed() {
	e := &d.memory.execution
	e.Stop = d.stopping
	switch {
	case !d.doubtful:
	case e.Deployment.Phase == slipway.PhasePrepared:
		e.Stop = nil
	case e.Deployment.Phase == slipway.PhaseRegistered:
		e.Deployment.Attempt = max(e.Deployment.Attempt, 1)
	default:
		d.doubtful = false
	}
}

// writes reports whether an action makes calls that write to AWS.
func writes(action pipeline.Action) bool {
	return action == pipeline.ActionRegister || action == pipeline.ActionStart || action == pipeline.ActionRollBack
}

// follow takes into the state what became of the execution.
func (d *deployment) follow(ctx context.Context) {
	e := d.memory.execution
	if why := e.Deployment.RollbackReason; why != "" && d.state.Deployment.RollbackFor == slipway.OutcomeNone {
		d.log.WarnContext(ctx, "what ran before is put back", keyOutcome, e.Deployment.RollbackFor, keyReason, why)
	}
	d.state.Begun = d.state.Begun || e.Deployment.Execution != ""
	d.state.Deployment, d.state.Seen, d.state.Unnamed = e.Deployment, e.Observation, false
	if seen := e.Observation; seen != nil && seen.At.After(d.state.Since) {
		d.state.Since = seen.At
	}
}

// claim answers the job before a call that writes: the function is to be called again,
// by when it has to look whether the call was made. Only one call of the function can
// do that for a job, so only one goes on to write.
func (d *deployment) claim(ctx context.Context, e slipway.Execution) error {
	s := d.state
	s.Begun, s.Deployment, s.Seen, s.Claimed, s.Unnamed = true, e.Deployment, e.Observation, time.Now(), false
	most := tokenMost
	if e.Deployment.Phase == slipway.PhasePrepared {
		most -= reserve
	}
	token, err := s.encode(most)
	if err != nil {
		return &slipway.Error{Next: slipway.NextUsage, Err: err, Hint: "let the app's schedules run one task definition, or have fewer of them"}
	}
	return d.answer(ctx, d.job, report{token: token, text: progress(e), percent: percent(e), id: external(e)})
}

// end answers the job with the deployment's outcome, and cleans up behind it.
func (d *deployment) end(ctx context.Context, e slipway.Execution) error {
	level := slog.LevelInfo
	r := report{text: outcome(e), id: external(e)}
	if e.Outcome.Status() == slipway.StatusSucceeded {
		r.percent, r.outputs = 100, map[string]string{"outcome": string(e.Outcome)}
		if arn := e.Deployment.TaskDefinition; arn != "" {
			r.outputs["taskDefinition"] = arn
		}
	} else {
		level, r.failure = slog.LevelError, types.FailureTypeJobFailed
	}
	d.log.Log(ctx, level, "the deployment ended", keyOutcome, e.Outcome, keyReason, e.Reason)
	if err := d.answer(ctx, d.job, r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, retiring)
	defer cancel()
	d.steps().Retire(ctx, e)
	return nil
}

// unwatched adds to a reason what it means for a deployment that was begun.
func (d *deployment) unwatched(why string) string {
	switch e := d.memory.execution; {
	case d.state.Deployment.Phase == slipway.PhaseStarted, d.state.Deployment.Phase == slipway.PhaseRollingBack:
		return pipeline.Amend(why, "; the deployment %s goes on unwatched", d.state.Deployment.ID)
	case e.Deployment.Attempt > 0:
		return pipeline.Amend(why, "; an earlier attempt may have deployed all the same: look at it")
	}
	return pipeline.Amend(why, "; the service was not touched")
}
