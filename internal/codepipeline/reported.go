package codepipeline

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// report is how a deployment ended by the word of Slipway's function, which watched it
// to its end and knows what it put back itself.
type report struct {
	outcome slipway.Outcome
	by      string // who rolled it back
	reason  string
}

// isFunction reports whether an action is a Lambda function.
func isFunction(a types.ActionExecutionDetail) bool {
	return a.Input != nil && a.Input.ActionTypeId != nil && aws.ToString(a.Input.ActionTypeId.Provider) == "Lambda"
}

// reported is what an action that has ended said of its deployment: "<outcome>[ by
// <whom>][: <reason>]" where it is a function, and the function is Slipway's.
func reported(a types.ActionExecutionDetail) (report, bool) {
	if !isFunction(a) {
		return report{}, false
	}
	var r report
	text := summary(a)
	switch a.Status {
	case types.ActionExecutionStatusFailed:
		text = failure(a)
	case types.ActionExecutionStatusSucceeded:
	default:
		return report{}, false
	}
	text, r.reason, _ = strings.Cut(text, ": ")
	text, r.by, _ = strings.Cut(text, " by ")
	r.outcome = slipway.Outcome(text)
	switch r.outcome {
	case slipway.OutcomeDeployed, slipway.OutcomeUnchanged:
		return r, a.Status == types.ActionExecutionStatusSucceeded
	case slipway.OutcomeRolledBack, slipway.OutcomeReplaced, slipway.OutcomeTimedOut, slipway.OutcomeStopped, slipway.OutcomeFailed:
		return r, a.Status == types.ActionExecutionStatusFailed
	case slipway.OutcomeNone:
	}
	return report{}, false
}
