package steps

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Steps takes the steps of executions. All its fields must be set, but for Source
// where every execution's files were read before.
type Steps struct {
	Source Source
	Target Target
	Store  Executions
	Log    *slog.Logger
	// Woken returns a channel that gets a value when somebody asked something
	// of the app's running execution.
	Woken func(slipway.App) <-chan struct{}
	// Begin runs an execution that another one's end let begin.
	Begin func(slipway.Execution)
	// Since is when the action that is taken was first tried or, where it only looks,
	// when it last saw anything: what keeps failing is given up when the pipeline's
	// timeout is over since then. Zero is the time at which it is taken.
	Since time.Time
}

// since is Since, or now.
func (s *Steps) since() time.Time {
	if s.Since.IsZero() {
		return time.Now()
	}
	return s.Since
}

// Take takes one action of an execution and says which is next. With an error,
// ctx ended first or nothing could be decided; nothing is lost by taking the
// action again.
func (s *Steps) Take(ctx context.Context, id string, action pipeline.Action) (next pipeline.Action, err error) {
	e, err := s.load(ctx, id)
	if err != nil {
		return pipeline.ActionNone, err
	}
	defer func() {
		if cause := recover(); cause != nil {
			next, err = s.crashed(ctx, e, action, cause)
		}
	}()
	before := e.Outcome
	e = pipeline.Advance(e) // somebody may have asked for a stop since the last action
	if next := pipeline.Next(e); next != action {
		if e.Outcome == before {
			return next, nil // it was taken before a restart
		}
		return next, s.save(ctx, e)
	}
	switch action {
	case pipeline.ActionSource:
		e, err = s.readSource(ctx, e)
	case pipeline.ActionPrepare:
		e, err = s.prepare(ctx, e)
	case pipeline.ActionRegister, pipeline.ActionStart:
		e, err = s.write(ctx, e, s.Target.Advance)
	case pipeline.ActionRollBack:
		e, err = s.write(ctx, e, s.Target.Rollback)
	case pipeline.ActionObserve, pipeline.ActionObserveRollBack:
		e, err = s.observe(ctx, e, action)
	case pipeline.ActionFinish:
		return pipeline.ActionNone, s.finish(ctx, e)
	case pipeline.ActionNone:
		return pipeline.ActionNone, nil
	}
	if err != nil {
		return pipeline.ActionNone, err
	}
	e = pipeline.Advance(e)
	if err := s.save(ctx, e); err != nil {
		return pipeline.ActionNone, err
	}
	if next = pipeline.Next(e); next == action {
		return action, fmt.Errorf("action %s of execution %s did nothing: its deployment is in phase %q", action, id, e.Deployment.Phase)
	}
	return next, nil
}

// readSource reads the revision and the pipeline at the execution's commit,
// unless whoever submitted it has read them already.
func (s *Steps) readSource(ctx context.Context, e slipway.Execution) (slipway.Execution, error) {
	e, err := s.persist(ctx, e, func(e *slipway.Execution) error {
		if len(e.Revision.Images) > 0 {
			return nil
		}
		revision, err := s.Source.Revision(ctx, e.App(), e.Revision.Commit)
		if err != nil {
			return err
		}
		p, err := s.Source.Pipeline(ctx, e.App(), e.Revision.Commit)
		if err != nil {
			return err
		}
		e.Revision.Images, e.Pipeline = revision.Images, p
		return nil
	})
	if err != nil || e.Outcome != slipway.OutcomeNone {
		return e, err
	}
	e.Stage = slipway.StageDeploy
	e.Deployment = slipway.Deployment{
		Execution: e.ID, App: e.App(), Commit: e.Revision.Commit,
		Images: e.Revision.Images, Place: e.Pipeline.Place, TestRun: e.Pipeline.TestRun,
	}
	return e, nil
}

// prepare looks at the service; it writes nothing to AWS.
func (s *Steps) prepare(ctx context.Context, e slipway.Execution) (slipway.Execution, error) {
	reusable, err := s.Store.TaskDefinitions(ctx, e.App(), e.Revision.Blob)
	if err != nil {
		s.Log.WarnContext(ctx, "no task definition can be reused", keyExecution, e.ID, keyError, err)
	}
	e.Deployment.Reusable = reusable
	return s.persist(ctx, e, func(e *slipway.Execution) error {
		d, err := s.Target.Advance(ctx, e.Deployment)
		if err == nil {
			e.Deployment = d
		}
		return err
	})
}

// unsaved is an error of the Store's, which says nothing about the deployment.
type unsaved struct{ error }

func (u unsaved) Unwrap() error { return u.error }

// write takes a step that writes to AWS: the attempt is saved before it, or it is not
// taken.
func (s *Steps) write(ctx context.Context, e slipway.Execution, act func(context.Context, slipway.Deployment) (slipway.Deployment, error)) (slipway.Execution, error) {
	return s.persist(ctx, e, func(e *slipway.Execution) error {
		e.Deployment.Attempt++
		if err := s.save(ctx, *e); err != nil {
			return unsaved{err}
		}
		d, err := act(ctx, e.Deployment)
		if err == nil {
			e.Deployment = d
		}
		return err
	})
}

// crashed turns a bug of ours into an outcome, so that it holds up nobody else.
// Only the last action, which has one already, is for the caller to try again.
func (s *Steps) crashed(ctx context.Context, e slipway.Execution, action pipeline.Action, cause any) (pipeline.Action, error) {
	s.Log.ErrorContext(ctx, "a step panicked", keyApp, e.App(), keyExecution, e.ID, keyError, cause, "stack", string(debug.Stack()))
	if action == pipeline.ActionFinish {
		return action, fmt.Errorf("finish execution %s: panic: %v", e.ID, cause)
	}
	e = pipeline.End(e, slipway.OutcomeFailed, fmt.Sprintf("a bug in slipway stopped this execution: %v; look at the service before trying again", cause))
	return pipeline.Next(e), s.save(ctx, e)
}

// finish makes the outcome final and begins what waited.
func (s *Steps) finish(ctx context.Context, e slipway.Execution) error {
	next, err := retry(ctx, s.Log, func() ([]slipway.Execution, error) { return s.Store.Finish(context.WithoutCancel(ctx), e, time.Now()) })
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "execution ended", keyApp, e.App(), keyExecution, e.ID, keyOutcome, e.Outcome, keyReason, e.Reason)
	for _, execution := range next {
		s.Begin(execution)
	}
	s.Retire(ctx, e)
	return nil
}

// Retire has old task definitions deregistered once an execution has ended, as its
// pipeline says. It comes after all else, and nothing depends on it: what it leaves,
// the next deployment finds.
func (s *Steps) Retire(ctx context.Context, e slipway.Execution) {
	if e.Outcome != slipway.OutcomeDeployed || e.Pipeline.Keep <= 0 {
		return
	}
	mine, err := s.Store.Registered(ctx, e.App())
	if err == nil && (mine == nil || len(mine) > e.Pipeline.Keep) {
		_, err = s.Target.Retire(ctx, e.Deployment, e.Pipeline.Keep, mine)
	}
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		s.Log.WarnContext(ctx, "old task definitions stay registered", keyApp, e.App(), keyExecution, e.ID, keyError, err)
	}
}

// persist calls do until it succeeds, fails for good, has failed for the
// pipeline's timeout, or a request to stop makes it needless. All but the first
// give the execution its outcome; an error means that ctx ended, or that an attempt
// could not be saved. The time does not
// count from the execution's beginning: a restart after a long downtime deserves
// more than one attempt, and so does a rollback that is due because the
// deployment's time is over.
func (s *Steps) persist(ctx context.Context, e slipway.Execution, do func(*slipway.Execution) error) (slipway.Execution, error) {
	woken := s.Woken(e.App())
	giveUp := s.since().Add(pipeline.Timeout(e))
	for pause := (Backoff{}); ; {
		err := do(&e)
		if err == nil {
			return e, nil
		}
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		if _, is := errors.AsType[unsaved](err); is {
			return e, err
		}
		if slipway.NextOf(err) != slipway.NextRetry {
			return failed(e, err), nil
		}
		wait := pause.Next(err)
		if time.Now().Add(wait).After(giveUp) {
			return failed(e, fmt.Errorf("gave up after %s: %w", pipeline.Timeout(e), err)), nil
		}
		s.Log.WarnContext(ctx, "trying again", keyApp, e.App(), keyExecution, e.ID, keyWait, wait, keyError, err)
		if err := Wait(ctx, wait, woken); err != nil {
			return e, err
		}
		row, err := s.load(ctx, e.ID)
		if err != nil {
			return e, err
		}
		e.Stop, e.Decisions = row.Stop, row.Decisions
		if e = pipeline.Advance(e); e.Outcome != slipway.OutcomeNone {
			return e, nil
		}
	}
}

// failed turns an error that will not pass into the execution's outcome.
func failed(e slipway.Execution, err error) slipway.Execution {
	reason := err.Error()
	if hint := slipway.HintOf(err); hint != "" {
		reason += "; " + hint
	}
	switch d := e.Deployment; {
	case d.Phase == slipway.PhaseStarted:
		reason = pipeline.Amend(d.RollbackReason, "; putting back %s failed: %s", pipeline.Short(d.Base), reason)
	case (d.Phase == slipway.PhaseRegistered || d.Phase == slipway.PhaseTesting) && d.Attempt > 1:
		reason += "; an earlier attempt may have updated the service all the same: look at it"
	}
	return pipeline.End(e, slipway.OutcomeFailed, reason)
}

func (s *Steps) load(ctx context.Context, id string) (slipway.Execution, error) {
	return retry(ctx, s.Log, func() (slipway.Execution, error) { return s.Store.Execution(ctx, id) })
}

// save writes down how far e came. What was done is written down even if ctx
// ended meanwhile, so that a restart need not find it out.
func (s *Steps) save(ctx context.Context, e slipway.Execution) error {
	_, err := retry(ctx, s.Log, func() (struct{}, error) { return struct{}{}, s.Store.Save(context.WithoutCancel(ctx), e) })
	return err
}

// retry calls the store until it answers: without it no step can be taken,
// and giving up would leave the execution undecided. It ends with ctx.
func retry[T any](ctx context.Context, log *slog.Logger, do func() (T, error)) (T, error) {
	for pause := (Backoff{}); ; {
		result, err := do()
		if err == nil || slipway.NextOf(err) == slipway.NextUsage {
			return result, err
		}
		wait := pause.Next(err)
		if ctx.Err() == nil {
			log.ErrorContext(ctx, "the execution cannot be read or written down", keyWait, wait, keyError, err)
		}
		if waitErr := Wait(ctx, wait, nil); waitErr != nil {
			return result, errors.Join(waitErr, err)
		}
	}
}
