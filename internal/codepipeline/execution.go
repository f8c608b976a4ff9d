package codepipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
)

// said is what CodePipeline says of one execution.
type said struct {
	summary types.PipelineExecutionSummary
	actions []types.ActionExecutionDetail // of this execution, oldest first
	kept    bool                          // it is kept as one that has ended: actions is empty
	// timeouts are how long the pipeline's approvals wait, by their hooks' ids.
	timeouts map[string]time.Duration
}

// key names what is said of an execution of an app's: a retry has it go on under its id.
func (s said) key(app slipway.App) string {
	return fmt.Sprintf("%s %s %s %d", app, aws.ToString(s.summary.PipelineExecutionId), s.summary.Status, aws.ToTime(s.summary.LastUpdateTime).UnixNano())
}

// deploy is the newest execution of the action that deploys an app, or nil where it did
// not begin. It is known by what it was to do then: people rename stages and actions.
func (s said) deploy(app slipway.App) *types.ActionExecutionDetail {
	for i := range slices.Backward(s.actions) {
		in := s.actions[i].Input
		if in == nil || in.ActionTypeId == nil {
			continue
		}
		if of, deploys := target(types.ActionDeclaration{ActionTypeId: in.ActionTypeId, Configuration: in.Configuration}); deploys && of == app {
			return &s.actions[i]
		}
	}
	return nil
}

// going is the action that goes on or, where none does, the newest; nil before the
// first.
func (s said) going() *types.ActionExecutionDetail {
	for i := range slices.Backward(s.actions) {
		if s.actions[i].Status == types.ActionExecutionStatusInProgress {
			return &s.actions[i]
		}
	}
	if n := len(s.actions); n > 0 {
		return &s.actions[n-1]
	}
	return nil
}

// commit is the source revision that it runs; empty before its source was read.
func (s said) commit() string {
	for _, revision := range s.summary.SourceRevisions {
		if id := aws.ToString(revision.RevisionId); id != "" {
			return id
		}
	}
	return ""
}

// ended reports whether CodePipeline has nothing more to do for it.
func (s said) ended() bool {
	return s.summary.Status != types.PipelineExecutionStatusInProgress && s.summary.Status != types.PipelineExecutionStatusStopping
}

// execution is what CodePipeline says, in our words. What was really deployed, it does
// not know.
func (s said) execution(app slipway.App, revision slipway.Revision, settings slipway.Pipeline) slipway.Execution {
	e := slipway.Execution{
		ID: aws.ToString(s.summary.PipelineExecutionId), Revision: revision, Pipeline: settings,
		Trigger: s.trigger(), CreatedAt: aws.ToTime(s.summary.StartTime).UTC(), StartedAt: aws.ToTime(s.summary.StartTime).UTC(),
	}
	e.Revision.App = app
	if a := s.going(); a != nil {
		e.Stage = slipway.Stage(aws.ToString(a.StageName))
	}
	if s.ended() {
		e.EndedAt = aws.ToTime(s.summary.LastUpdateTime).UTC()
	}
	e.Status, e.Outcome = status(s.summary.Status)
	e.Reason = s.reason(e.Outcome)
	if a := s.deploy(app); a != nil && s.ended() {
		// A stage behind the deployment may have failed: then its word stands.
		if r, ok := reported(*a); ok && (e.Status == slipway.StatusSucceeded || a.Status == types.ActionExecutionStatusFailed) {
			e.Outcome, e.RolledBackBy, e.Reason, e.Status = r.outcome, r.by, r.reason, r.outcome.Status()
		}
	}
	if stop := s.summary.StopTrigger; stop != nil {
		e.Stop = &slipway.StopRequest{Reason: aws.ToString(stop.Reason)}
	}
	if waits := s.approvals(); len(waits) > 0 {
		e.Observation = &slipway.Observation{
			At: aws.ToTime(s.summary.LastUpdateTime).UTC(), State: slipway.StateProgressing, Hooks: waits,
			Waiting: "a person's approval at " + waits[0].Stage,
		}
	}
	return e
}

// status is an execution's status, and the outcome that CodePipeline gives it.
//
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecutionSummary.html
func status(of types.PipelineExecutionStatus) (slipway.Status, slipway.Outcome) {
	switch of {
	case types.PipelineExecutionStatusInProgress:
		return slipway.StatusInProgress, slipway.OutcomeNone
	case types.PipelineExecutionStatusStopping:
		return slipway.StatusStopping, slipway.OutcomeNone
	case types.PipelineExecutionStatusStopped, types.PipelineExecutionStatusCancelled:
		return slipway.StatusStopped, slipway.OutcomeStopped
	case types.PipelineExecutionStatusSucceeded:
		return slipway.StatusSucceeded, slipway.OutcomeDeployed
	case types.PipelineExecutionStatusSuperseded:
		return slipway.StatusSuperseded, slipway.OutcomeNone
	case types.PipelineExecutionStatusFailed:
		return slipway.StatusFailed, slipway.OutcomeFailed
	}
	return slipway.Status(of), slipway.OutcomeNone // newer than this build
}

// reason is why it ended as it did, in CodePipeline's words.
func (s said) reason(outcome slipway.Outcome) string {
	switch {
	case s.summary.Status == types.PipelineExecutionStatusCancelled:
		return "the pipeline was changed while the execution ran, which cancels it"
	case outcome == slipway.OutcomeStopped:
		reason := "stopped in CodePipeline"
		if stop := s.summary.StopTrigger; stop != nil && aws.ToString(stop.Reason) != "" {
			reason += ": " + *stop.Reason
		}
		return reason
	case outcome == slipway.OutcomeFailed:
		for _, a := range slices.Backward(s.actions) {
			if a.Status == types.ActionExecutionStatusFailed {
				return fmt.Sprintf("action %s of stage %s failed: %s", aws.ToString(a.ActionName), aws.ToString(a.StageName), cmp.Or(failure(a), "CodePipeline does not say why"))
			}
		}
		return aws.ToString(s.summary.StatusSummary)
	}
	return ""
}

// failure is what CodePipeline says about an action that failed.
func failure(a types.ActionExecutionDetail) string {
	if a.Output == nil || a.Output.ExecutionResult == nil {
		return ""
	}
	if details := a.Output.ExecutionResult.ErrorDetails; details != nil && aws.ToString(details.Message) != "" {
		return strings.TrimRight(*details.Message, ". ")
	}
	return summary(a)
}

// summary is what an action, or who answered it, says of its end.
func summary(a types.ActionExecutionDetail) string {
	if a.Output == nil || a.Output.ExecutionResult == nil {
		return ""
	}
	return aws.ToString(a.Output.ExecutionResult.ExternalExecutionSummary)
}

// external is the id of what an action made elsewhere, for example in CodeDeploy.
func external(a *types.ActionExecutionDetail) string {
	if a.Output == nil || a.Output.ExecutionResult == nil {
		return ""
	}
	return aws.ToString(a.Output.ExecutionResult.ExternalExecutionId)
}

// approvals are the manual approvals that it waits for. CodePipeline rejects one by
// itself after seven days, unless the action says otherwise,
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html.
func (s said) approvals() (waits []slipway.Hook) {
	for _, a := range s.actions {
		if a.Status == types.ActionExecutionStatusInProgress && isApproval(a) {
			id := approvalID(aws.ToString(a.StageName), aws.ToString(a.ActionName))
			timeout := cmp.Or(s.timeouts[id], 7*24*time.Hour)
			waits = append(waits, slipway.Hook{
				ID: id, Stage: aws.ToString(a.StageName), Expires: aws.ToTime(a.StartTime).Add(timeout).UTC(), OnExpiry: "ROLLBACK",
			})
		}
	}
	return waits
}

// idle reports whether nothing goes on but that people are waited for.
func (s said) idle() bool {
	waits := false
	for _, a := range s.actions {
		if a.Status != types.ActionExecutionStatusInProgress {
			continue
		}
		if !isApproval(a) {
			return false
		}
		waits = true
	}
	return waits
}

// isApproval reports whether an action asks a person.
func isApproval(a types.ActionExecutionDetail) bool {
	return a.Input != nil && a.Input.ActionTypeId != nil && a.Input.ActionTypeId.Category == types.ActionCategoryApproval
}

// approvalID names a manual approval for people.
func approvalID(stage, action string) string { return stage + "/" + action }

// trigger says why it began. Who started it by API is an ARN; the trigger Lambda's
// ends with its function's name, and its executions are a push's.
func (s said) trigger() slipway.Trigger {
	t := slipway.Trigger{Kind: slipway.TriggerManual, At: aws.ToTime(s.summary.StartTime).UTC()}
	if s.summary.ExecutionType == types.ExecutionTypeRollback {
		t.Kind = slipway.TriggerRollback
	}
	by := s.summary.Trigger
	if by == nil {
		return t
	}
	t.By = aws.ToString(by.TriggerDetail)
	switch by.TriggerType {
	case types.TriggerTypeCloudWatchEvent:
		t.Kind = slipway.TriggerEvent
	case types.TriggerTypePollForSourceChanges:
		t.Kind = slipway.TriggerPoll
	case types.TriggerTypeWebhook, types.TriggerTypeWebhookV2:
		t.Kind = slipway.TriggerWebhook
	case types.TriggerTypeManualRollback, types.TriggerTypeAutomatedRollback:
		t.Kind = slipway.TriggerRollback
	case types.TriggerTypeCreatePipeline:
		t.By = "the pipeline's creation"
	case types.TriggerTypeStartPipelineExecution:
		if strings.Contains(t.By, ":assumed-role/") && strings.HasSuffix(t.By, TriggerFunction) {
			t.Kind = slipway.TriggerEvent
		}
	case types.TriggerTypePutActionRevision:
		t.Kind = slipway.TriggerEvent
	}
	return t
}

// TriggerFunction is what the names of the Lambda functions end with that start
// pipelines when the repository changes.
const TriggerFunction = "slipway-trigger"
