package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
)

// forgetful is a queue whose answers to Submit are lost behind the commit.
type forgetful struct{ engine.Queue }

var errLost = errors.New("connection reset by peer")

func (q forgetful) Submit(ctx context.Context, in pipeline.Submission) ([]slipway.Execution, error) {
	if _, err := q.Queue.Submit(ctx, in); err != nil {
		return nil, err
	}
	return nil, errLost
}

// What the tables call in progress is run, though nobody was told that it begins.
func TestLostAnswerOfTheDatabase(t *testing.T) {
	t.Parallel()
	path := database(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := inFile(path).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, on: inFile(path), cloud: &stepstest.Cloud{}}
		if err := r.openWith(forgetful{s}); err != nil {
			t.Fatal(err)
		}
		defer r.close()
		defer func() { _ = s.Close() }()
		e := many(1)[0]
		err = r.engine.Submit(t.Context(), pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()})
		if !errors.Is(err, errLost) {
			t.Fatalf("submitting gave %v", err)
		}
		if ended := r.wait(e.ID); ended.Outcome != slipway.OutcomeDeployed {
			t.Errorf("it ended as %s", stepstest.Ended(ended))
		}
	})
}
