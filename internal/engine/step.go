package engine

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

// steps takes the steps of executions: what the durable engine and the
// foreground Run have in common.
type steps struct {
	source Source
	target Target
	store  Executions
	log    *slog.Logger
	// woken returns a channel that gets a value when somebody asked something
	// of the app's running execution.
	woken func(slipway.App) <-chan struct{}
	// begin runs an execution that another one's end let begin.
	begin func(slipway.Execution)
}

// take takes one action of an execution and says which is next. It returns an
// error only when ctx ended first; then nothing is lost by taking it again.
func (s *steps) take(ctx context.Context, id string, action pipeline.Action) (next pipeline.Action, err error) {
	e, err := s.load(ctx, id)
	if err != nil {
		return pipeline.ActionNone, err
	}
	defer func() {
		if cause := recover(); cause != nil && action != pipeline.ActionFinish {
			next, err = s.crashed(ctx, e, cause)
		} else if cause != nil {
			panic(cause)
		}
	}()
	if next := pipeline.Next(e); next != action {
		return next, nil // it was taken before a restart
	}
	switch action {
	case pipeline.ActionSource:
		e, err = s.readSource(ctx, e)
	case pipeline.ActionPrepare:
		e, err = s.prepare(ctx, e)
	case pipeline.ActionRegister, pipeline.ActionStart:
		e, err = s.write(ctx, e, s.target.Advance)
	case pipeline.ActionRollBack:
		e, err = s.write(ctx, e, s.target.Rollback)
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
	return pipeline.Next(e), s.save(ctx, e)
}

// readSource reads the revision and the pipeline at the execution's commit.
func (s *steps) readSource(ctx context.Context, e slipway.Execution) (slipway.Execution, error) {
	err := s.persist(ctx, e, func() error {
		revision, err := s.source.Revision(ctx, e.App(), e.Revision.Commit)
		if err != nil {
			return err
		}
		e.Revision.Images = revision.Images
		e.Pipeline, err = s.source.Pipeline(ctx, e.App(), e.Revision.Commit)
		return err
	})
	if err != nil {
		return failed(ctx, e, err)
	}
	e.Stage = slipway.StageDeploy
	e.Deployment = slipway.Deployment{
		Execution: e.ID, App: e.App(), Commit: e.Revision.Commit,
		Images: e.Revision.Images, Place: e.Pipeline.Place,
	}
	return e, nil
}

// prepare looks at the service; it writes nothing to AWS.
func (s *steps) prepare(ctx context.Context, e slipway.Execution) (slipway.Execution, error) {
	reusable, err := s.store.TaskDefinitions(ctx, e.App(), e.Revision.Blob)
	if err != nil {
		s.log.WarnContext(ctx, "no task definition can be reused", keyExecution, e.ID, keyError, err)
	}
	e.Deployment.Reusable = reusable
	err = s.persist(ctx, e, func() error {
		d, err := s.target.Advance(ctx, e.Deployment)
		if err == nil {
			e.Deployment = d
		}
		return err
	})
	if err != nil {
		return failed(ctx, e, err)
	}
	return e, nil
}

// write takes a step that writes to AWS: the attempt is saved before it.
func (s *steps) write(ctx context.Context, e slipway.Execution, act func(context.Context, slipway.Deployment) (slipway.Deployment, error)) (slipway.Execution, error) {
	err := s.persist(ctx, e, func() error {
		e.Deployment.Attempt++
		if err := s.save(ctx, e); err != nil {
			return err
		}
		d, err := act(ctx, e.Deployment)
		if err == nil {
			e.Deployment = d
		}
		return err
	})
	if err != nil {
		return failed(ctx, e, err)
	}
	return e, nil
}

// crashed turns a bug of ours into an outcome, so that it holds up nobody else.
func (s *steps) crashed(ctx context.Context, e slipway.Execution, cause any) (pipeline.Action, error) {
	s.log.ErrorContext(ctx, "a step panicked", keyApp, e.App(), keyExecution, e.ID, keyError, cause, "stack", string(debug.Stack()))
	e = pipeline.End(e, slipway.OutcomeFailed, fmt.Sprintf("a bug in slipway stopped this execution: %v; look at the service before trying again", cause))
	return pipeline.Next(e), s.save(ctx, e)
}

// finish makes the outcome final and begins what waited.
func (s *steps) finish(ctx context.Context, e slipway.Execution) error {
	next, err := retry(ctx, s.log, func() ([]slipway.Execution, error) { return s.store.Finish(ctx, e, time.Now()) })
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "execution ended", keyApp, e.App(), keyExecution, e.ID, keyOutcome, e.Outcome, keyReason, e.Reason)
	for _, execution := range next {
		s.begin(execution)
	}
	return nil
}

// persist calls do until it succeeds, fails for good, or the execution's time
// is up.
func (s *steps) persist(ctx context.Context, e slipway.Execution, do func() error) error {
	timeout := e.Pipeline.Timeout
	if timeout <= 0 {
		timeout = slipway.DefaultTimeout
	}
	deadline := e.StartedAt.Add(timeout)
	for pause := (backoff{}); ; {
		err := do()
		if err == nil || slipway.NextOf(err) != slipway.NextRetry {
			return err
		}
		wait := pause.next(err)
		if time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("gave up after %s: %w", timeout, err)
		}
		s.log.WarnContext(ctx, "trying again", keyApp, e.App(), keyExecution, e.ID, keyWait, wait, keyError, err)
		if err := sleep(ctx, wait, nil); err != nil {
			return err
		}
	}
}

// failed turns an error that will not pass into the execution's outcome; the
// end of ctx is no outcome.
func failed(ctx context.Context, e slipway.Execution, err error) (slipway.Execution, error) {
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	reason := err.Error()
	if hint := slipway.HintOf(err); hint != "" {
		reason += "; " + hint
	}
	if e.Deployment.Phase == slipway.PhaseStarted || e.Deployment.Phase == slipway.PhaseRollingBack {
		reason = fmt.Sprintf("%s; putting back %s failed: %s", e.Deployment.RollbackReason, e.Deployment.Base, reason)
	}
	return pipeline.End(e, slipway.OutcomeFailed, reason), nil
}

func (s *steps) load(ctx context.Context, id string) (slipway.Execution, error) {
	return retry(ctx, s.log, func() (slipway.Execution, error) { return s.store.Execution(ctx, id) })
}

func (s *steps) save(ctx context.Context, e slipway.Execution) error {
	_, err := retry(ctx, s.log, func() (struct{}, error) { return struct{}{}, s.store.Save(ctx, e) })
	return err
}

// retry calls the store until it answers: without it no step can be taken,
// and giving up would leave the execution undecided. It ends with ctx.
func retry[T any](ctx context.Context, log *slog.Logger, do func() (T, error)) (T, error) {
	for pause := (backoff{}); ; {
		result, err := do()
		if err == nil || slipway.NextOf(err) == slipway.NextUsage {
			return result, err
		}
		wait := pause.next(err)
		if ctx.Err() == nil {
			log.ErrorContext(ctx, "the database does not answer", keyWait, wait, keyError, err)
		}
		if sleepErr := sleep(ctx, wait, nil); sleepErr != nil {
			return result, errors.Join(sleepErr, err)
		}
	}
}
