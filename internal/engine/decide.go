package engine

import (
	"context"
	"fmt"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/steps"
)

// Decide tells AWS what a person decided about a pause of an execution's
// deployment, writes down who did, and returns the execution as it is then.
// Deciding the same again changes nothing; an execution that waits for nobody is
// an error with NextPerson.
func (e *Engine) Decide(ctx context.Context, id string, decision slipway.Decision) (slipway.Execution, error) {
	execution, err := e.store.Execution(ctx, id)
	if err != nil {
		return execution, err
	}
	decision, known, err := steps.Decide(ctx, e.target, execution, decision)
	if err != nil || known {
		return execution, err
	}
	// What was done is written down even if the caller has gone meanwhile.
	if execution, err = e.queue.RecordDecision(context.WithoutCancel(ctx), id, decision); err != nil {
		return execution, fmt.Errorf("AWS was told, but it could not be written down: %w", err)
	}
	e.bells.ring(execution.App())
	return execution, nil
}
