package engine

import (
	"context"
	"fmt"

	"github.com/slipway-cd/slipway"
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
	for _, taken := range execution.Decisions {
		switch {
		case decision.Hook == "" || taken.Hook != decision.Hook:
		case taken.Approve == decision.Approve:
			return execution, nil
		default:
			return execution, &slipway.Error{
				Next: slipway.NextPerson, Message: fmt.Sprintf("hook %s was answered already: %s", taken.Hook, said(taken)),
			}
		}
	}
	switch execution.Deployment.Phase {
	case slipway.PhaseStarted, slipway.PhaseRollingBack:
		if !execution.Status.Ended() {
			break
		}
		fallthrough
	default:
		return execution, &slipway.Error{
			Next: slipway.NextPerson, Message: fmt.Sprintf("execution %s waits for nobody: it is %s", id, execution.Status),
			Hint: "`slipway show` says what an execution does",
		}
	}
	if decision, err = e.target.Decide(ctx, execution.Deployment, decision); err != nil {
		return execution, err
	}
	// What was done is written down even if the caller has gone meanwhile.
	if execution, err = e.queue.RecordDecision(context.WithoutCancel(ctx), id, decision); err != nil {
		return execution, fmt.Errorf("AWS was told, but it could not be written down: %w", err)
	}
	e.bells.ring(execution.App())
	return execution, nil
}

// said is a decision for a person.
func said(decision slipway.Decision) string {
	if decision.Approve {
		return "approved by " + decision.By
	}
	return "rejected by " + decision.By
}
