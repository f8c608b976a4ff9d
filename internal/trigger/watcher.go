package trigger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Options are what a Watcher works with.
type Options struct {
	Repository Repository
	Pipelines  Pipelines
	Inspector  Inspector
	Submitter  Submitter
	// NewID makes the id of an execution.
	NewID func() string
	// Interval is the time between two polls; each is up to a tenth longer or
	// shorter, so that many watchers do not poll in step.
	Interval time.Duration
	Logger   *slog.Logger
}

// Watcher looks at the deployment repository, by the clock and on request.
type Watcher struct {
	Options
	news chan slipway.TriggerKind
	// turn is held by the one that looks: a token, so that a waiter can stop
	// waiting for it.
	turn      chan struct{}
	head      string // of the last look that left nothing undone; guarded by turn
	bootstrap bool   // nothing is done yet but looks that left something undone; guarded by turn
	told      string // why apps are undecided, as it was last logged; guarded by turn
	last      atomic.Pointer[result]
}

// result is how a look ended.
type result struct{ err error }

// NewWatcher makes a Watcher; Run makes it look.
func NewWatcher(o Options) *Watcher {
	w := &Watcher{Options: o, news: make(chan slipway.TriggerKind, 1), turn: make(chan struct{}, 1)}
	w.last.Store(&result{errors.New("the deployment repository has not been read yet")})
	return w
}

// Notify says that there may be news. It never blocks; news that arrives while
// other news waits is one look.
func (w *Watcher) Notify(kind slipway.TriggerKind) {
	select {
	case w.news <- kind:
	default:
	}
}

// Run looks at once, then at every interval and on every Notify, until ctx
// ends. A look that failed is logged and made again.
func (w *Watcher) Run(ctx context.Context) {
	kind := slipway.TriggerPoll
	for {
		if err := w.Look(ctx, kind); err != nil && ctx.Err() == nil {
			w.Logger.ErrorContext(ctx, "cannot read the deployment repository", "error", err, "hint", slipway.HintOf(err))
		}
		timer := time.NewTimer(w.Interval + time.Duration((rand.Float64()-0.5)/5*float64(w.Interval)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			kind = slipway.TriggerPoll
		case kind = <-w.news:
			timer.Stop()
		}
	}
}

// Err returns why the last look failed: nil if it did not.
func (w *Watcher) Err() error { return w.last.Load().err }

// lookTimeout bounds one look: a connection that hangs must not end the looking.
// Fetching a large repository for the first time is done before.
const lookTimeout = 5 * time.Minute

// Look compares git with what was executed and submits the difference. With an
// unmoved head it costs one Refresh.
func (w *Watcher) Look(ctx context.Context, kind slipway.TriggerKind) error {
	return w.Between(ctx, func() error {
		err := w.look(ctx, kind)
		w.last.Store(&result{err})
		return err
	})
}

// Between calls do while nobody looks: what it reads at the head and submits is
// neither older than what a look submits meanwhile, nor submitted twice.
func (w *Watcher) Between(ctx context.Context, do func() error) error {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.turn }()
	return do()
}

func (w *Watcher) look(ctx context.Context, kind slipway.TriggerKind) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	at := time.Now()
	head, err := w.Repository.Refresh(ctx)
	if err != nil || head == w.head {
		return err
	}
	git, err := w.Repository.Apps(ctx, head)
	if err != nil {
		return err
	}
	known, err := w.Pipelines.Known(ctx)
	if err != nil {
		return err
	}
	changes := pipeline.Compare(git, known)
	if changes.Empty() {
		w.head = head
		return nil
	}
	w.bootstrap = w.bootstrap || len(known) == 0
	in := pipeline.Submission{Returned: changes.Returned, Removed: changes.Removed, At: at}
	loaded, err := w.Repository.Load(ctx, head, slices.Concat(changes.New, changes.Changed))
	if err != nil {
		return err
	}
	found := w.adopt(ctx, changes.New, loaded)
	w.tell(ctx, found)
	in.Adopted = found.adopted
	execute := slices.Concat(changes.Changed, found.execute)
	for _, app := range execute {
		in.Executions = append(in.Executions, NewExecution(w.NewID(), loaded[app], slipway.Trigger{Kind: kind, By: loaded[app].Author, At: at}))
	}
	if err := w.Submitter.Submit(ctx, in); err != nil {
		return fmt.Errorf("submit what changed at %s: %w", slipway.ShortCommit(head), err)
	}
	w.Logger.InfoContext(ctx, "looked at the deployment repository", "head", slipway.ShortCommit(head), "trigger", kind,
		"executed", len(in.Executions), "adopted", len(in.Adopted), "removed", len(in.Removed), "undecided", found.undecided())
	if found.undecided() == 0 {
		w.head, w.bootstrap = head, false
	}
	return nil
}

// NewExecution makes the execution of what git says of an app. An app whose
// files are broken gets one too: its Source stage says what is wrong.
func NewExecution(id string, of Loaded, trigger slipway.Trigger) slipway.Execution {
	e := slipway.Execution{ID: id, Revision: of.Revision, Pipeline: of.Pipeline, Trigger: trigger, CreatedAt: trigger.At}
	if of.Err != nil {
		e.Revision.Images, e.Pipeline = nil, slipway.Pipeline{Mode: slipway.ModeSuperseded}
	}
	return e
}
