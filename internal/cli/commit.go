package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// commitAnswer is the answer of the commands that commit; its JSON form is a
// promise to scripts.
type commitAnswer struct {
	App slipway.App `json:"app"`
	// Commit is the newest that touched the app.
	Commit string `json:"commit"`
	// Changed is false where git said so already, and no commit was made.
	Changed bool            `json:"changed"`
	Images  []slipway.Image `json:"images"`
	// Execution is what became of the commit, with --wait; nil without, and
	// where nothing had to be executed.
	Execution *slipway.ExecutionSummary `json:"execution"`
}

// commit writes to the repository and, with --wait, follows what becomes of it.
// Whoever cannot wait is told before anything is committed.
func (w waiting) commit(ctx context.Context, e *env, app slipway.App, write func(*deployrepo.Repo) (deployrepo.Written, error)) error {
	var backend api.Backend
	if w.Wait {
		var err error
		if backend, err = e.backend(ctx); err != nil {
			return err
		}
		if _, err := backend.Executions(ctx, api.ExecutionQuery{App: &app, Limit: 1}); err != nil {
			return err
		}
	}
	repository, err := e.openRepository(ctx)
	if err != nil {
		return err
	}
	written, err := write(repository)
	if err != nil {
		return err
	}
	revision, err := repository.Revision(ctx, app, written.Commit)
	if err != nil {
		return fmt.Errorf("read the commit %s: %w", slipway.ShortCommit(written.Commit), err)
	}
	answer := commitAnswer{App: app, Commit: revision.Commit, Changed: written.Changed, Images: revision.Images}
	if !w.Wait {
		return e.answer(answer, func(t *table) { t.row(answer.line()) })
	}
	e.note("%s", answer.line())
	return e.followCommit(ctx, backend, answer)
}

func (a commitAnswer) line() string {
	if !a.Changed {
		return fmt.Sprintf("%s: git says %s already, since commit %s", a.App, shortImages(a.Images), slipway.ShortCommit(a.Commit))
	}
	return fmt.Sprintf("%s: committed %s as %s", a.App, shortImages(a.Images), slipway.ShortCommit(a.Commit))
}

// followCommit finds the execution of a commit, follows it and answers with its
// end.
func (e *env) followCommit(ctx context.Context, backend api.Backend, a commitAnswer) error {
	execution, found, err := e.executionOf(ctx, backend, a)
	if err != nil {
		return err
	}
	if !found {
		return e.answer(a, func(t *table) {
			t.row(fmt.Sprintf("%s %s: %s (it runs already)", a.App, shortImages(a.Images), t.paint(green, "unchanged")))
		})
	}
	if execution, err = e.follow(ctx, backend, execution.ID); err != nil {
		return err
	}
	a.Execution = execution.Summary()
	if err := e.answer(a, executionLines(execution)); err != nil {
		return err
	}
	return endedAs(execution)
}

// executionOf waits until the controller has seen the commit and returns the
// execution that it started for it, or has under way where git said so before; none, where what git says runs already. A
// controller that does not know the commit after a while follows something else.
func (e *env) executionOf(ctx context.Context, backend api.Backend, a commitAnswer) (slipway.Execution, bool, error) {
	begun := e.now()
	server := patient{env: e, answered: true} // it was asked before
	for {
		execution, seen, err := look(ctx, backend, a)
		if ctx.Err() != nil {
			e.note("stopped waiting; the commit stays: `slipway history %s`", a.App)
			return execution, false, &ended{code: exitError}
		}
		if err := server.bear(err, e.note); err != nil {
			return slipway.Execution{}, false, err
		}
		if seen && err == nil {
			return execution, execution.ID != "", nil
		}
		if err == nil && e.now().Sub(begun) >= patience {
			return slipway.Execution{}, false, &slipway.Error{
				Next: slipway.NextPerson, Message: "the conductor has not seen commit " + slipway.ShortCommit(a.Commit),
				Hint: fmt.Sprintf("check that the server at %s, or the Lambda that triggers CodePipeline, follows this repository and branch: `slipway status %s`", masked(e.Server), a.App),
			}
		}
		_ = wait(ctx, statusInterval) // an end of ctx is told above
	}
}

// look asks once what became of a commit, and where none was made, what is under
// way for the one that says it already. Refresh returns when the executions
// exist that follow from what it saw; so where there is none although the
// controller is at the commit, there will be none.
func look(ctx context.Context, backend api.Backend, a commitAnswer) (execution slipway.Execution, seen bool, err error) {
	if err := backend.Refresh(ctx); err != nil {
		return execution, false, err
	}
	executions, err := backend.Executions(ctx, api.ExecutionQuery{App: &a.App, Commit: a.Commit, Limit: api.DefaultLimit})
	if err != nil {
		return execution, false, err
	}
	for _, execution := range executions {
		// What ended before a run that committed nothing is no outcome of it:
		// the service may have been changed since.
		if a.Changed || !execution.Status.Ended() {
			return execution, true, nil
		}
	}
	entries, err := backend.History(ctx, a.App, api.DefaultLimit)
	if err != nil {
		return execution, false, err
	}
	at := slices.IndexFunc(entries, func(entry slipway.HistoryEntry) bool { return entry.ID == a.Commit })
	switch {
	case at < 0:
		return execution, false, nil
	case at > 0:
		// A newer commit arrived together with ours, and took its turn.
		return slipway.Execution{}, false, superseded(a, entries[at-1])
	}
	seen, err = unexecuted(ctx, backend, a)
	return execution, seen, err
}

// superseded is the error about a commit that a newer one took over from before
// it was executed.
func superseded(a commitAnswer, by slipway.HistoryEntry) error {
	return &ended{code: exitReplaced, err: &slipway.Error{
		Next:    slipway.NextNever,
		Message: fmt.Sprintf("commit %s of %s was superseded by %s before it was deployed", slipway.ShortCommit(a.Commit), a.App, slipway.ShortCommit(by.ID)),
		Hint:    "see what became of that one: `slipway history " + a.App.String() + "`",
	}}
}

// unexecuted is about a commit that nothing was executed for: seen where nothing had
// to be because its images run, and not where CodePipeline, which nobody can ask what it
// has seen, may still start something. Otherwise it is an error.
func unexecuted(ctx context.Context, backend api.Backend, a commitAnswer) (seen bool, err error) {
	apps, err := backend.Apps(ctx)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(apps, func(status slipway.AppStatus) bool { return status.App == a.App })
	if at >= 0 && apps[at].Running != nil && !apps[at].Drift {
		return true, nil
	}
	if a.Changed && at >= 0 && apps[at].Conductor == slipway.ConductorCodePipeline {
		return false, nil
	}
	message := fmt.Sprintf("the server knows commit %s of %s and started nothing for it", slipway.ShortCommit(a.Commit), a.App)
	if !a.Changed {
		message = fmt.Sprintf("git has not changed since commit %s, but %s does not run what it says", slipway.ShortCommit(a.Commit), a.App)
	}
	return false, &slipway.Error{
		Next: slipway.NextPerson, Message: message,
		Hint: "start it with `slipway start " + a.App.String() + "`, or see `slipway status " + a.App.String() + "`",
	}
}
