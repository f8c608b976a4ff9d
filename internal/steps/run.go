package steps

import (
	"context"
	"log/slog"
	"time"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/pipeline"
)

// Run runs one execution in the foreground, with no server and no database:
// the same steps as the durable engine takes. Its revision and its pipeline were read
// already. changed, if not nil, is called with the
// execution whenever it moved. When ctx ends first, Run returns the execution
// as it is then with ctx's error; what was started in AWS goes on.
func Run(ctx context.Context, target Target, log *slog.Logger, e slipway.Execution, changed func(slipway.Execution)) (slipway.Execution, error) {
	e.Status, e.Stage, e.StartedAt = slipway.StatusInProgress, slipway.StageSource, time.Now()
	kept := &one{execution: e, changed: changed}
	s := &Steps{
		Target: target, Store: kept, Log: log,
		Woken: func(slipway.App) <-chan struct{} { return nil },
		Begin: func(slipway.Execution) {},
	}
	for action := pipeline.ActionSource; action != pipeline.ActionNone; {
		next, err := s.Take(ctx, e.ID, action)
		if err != nil {
			return kept.execution, err
		}
		action = next
	}
	return kept.execution, nil
}

// one keeps a single execution in memory. Steps are taken one after the other,
// so it needs no lock.
type one struct {
	execution slipway.Execution
	changed   func(slipway.Execution)
}

func (o *one) Execution(context.Context, string) (slipway.Execution, error) { return o.execution, nil }

func (o *one) Save(_ context.Context, e slipway.Execution) error {
	o.execution = e
	if o.changed != nil {
		o.changed(e)
	}
	return nil
}

func (o *one) Finish(ctx context.Context, e slipway.Execution, at time.Time) ([]slipway.Execution, error) {
	e.Status, e.EndedAt = e.Outcome.Status(), at
	return nil, o.Save(ctx, e)
}

func (o *one) TaskDefinitions(context.Context, slipway.App, string) ([]string, error) {
	return nil, nil
}

func (o *one) Registered(context.Context, slipway.App) ([]string, error) { return nil, nil }
