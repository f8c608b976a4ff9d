package steps

import (
	"context"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// Decide tells AWS what a person decided about a pause of e's deployment, and
// returns the decision with its hook filled in, for the caller to write down. The
// same decision again is known: nothing is done. An execution that waits for
// nobody, and the contrary of what was decided, are errors with NextPerson.
func Decide(ctx context.Context, target Target, e slipway.Execution, decision slipway.Decision) (taken slipway.Decision, known bool, err error) {
	for _, earlier := range e.Decisions {
		switch {
		case decision.Hook == "" || earlier.Hook != decision.Hook:
		case earlier.Approve == decision.Approve:
			return earlier, true, nil
		default:
			return decision, false, &slipway.Error{
				Next: slipway.NextPerson, Message: fmt.Sprintf("hook %s was answered already: %s", earlier.Hook, said(earlier)),
			}
		}
	}
	switch e.Deployment.Phase {
	case slipway.PhaseStarted, slipway.PhaseRollingBack:
		if !e.Status.Ended() {
			break
		}
		fallthrough
	default:
		return decision, false, &slipway.Error{
			Next: slipway.NextPerson, Message: fmt.Sprintf("execution %s waits for nobody: it is %s", e.ID, e.Status),
			Hint: "`slipway show` says what an execution does",
		}
	}
	taken, err = target.Decide(ctx, e.Deployment, decision)
	return taken, false, err
}

// said is a decision for a person.
func said(decision slipway.Decision) string {
	if decision.Approve {
		return "approved by " + decision.By
	}
	return "rejected by " + decision.By
}
