package codepipeline

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// source of the events.
const eventSource = "aws.codepipeline"

// event is a change that EventBridge is told of.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
type event struct {
	detailType string
	pipeline   string // its ARN
	detail     map[string]any
}

// eventState is a status as events name it.
func eventState(status string) string {
	if status == "Cancelled" {
		return "CANCELED"
	}
	return strings.ToUpper(status)
}

func (s *Service) emitPipeline(p *pipeline, e *execution, state string) {
	trigger := map[string]any{"trigger-type": e.Trigger.TriggerType, "trigger-detail": aws.ToString(e.Trigger.TriggerDetail)}
	s.emit(p, e, "Pipeline", state, map[string]any{"execution-trigger": trigger})
}

func (s *Service) emitStage(p *pipeline, e *execution, stage, state string) {
	s.emit(p, e, "Stage", state, map[string]any{"stage": stage})
}

func (s *Service) emitAction(p *pipeline, e *execution, stage string, a *actionRun, state string) {
	detail := map[string]any{"stage": stage, "action": a.Name, "action-execution-id": a.ID, "region": s.options.Region}
	if t := p.action(e, stage, a.Name).ActionTypeId; t != nil {
		detail["type"] = map[string]any{"owner": t.Owner, "category": t.Category, "provider": t.Provider, "version": t.Version}
	}
	if state != "STARTED" {
		result := map[string]any{"external-execution-id": a.ExternalID, "external-execution-url": a.ExternalURL, "external-execution-summary": a.Summary}
		if a.Error != nil {
			result["error-code"], result["external-execution-summary"] = a.Error.Code, a.Error.Message
		}
		detail["execution-result"] = result
	}
	s.emit(p, e, "Action", state, detail)
}

// emit has EventBridge told of a change soon, with the lock held.
func (s *Service) emit(p *pipeline, e *execution, what, state string, detail map[string]any) {
	if s.ports.Events == nil || s.closed {
		return
	}
	detail["pipeline"], detail["version"] = *p.Declaration.Name, e.Version
	detail["execution-id"], detail["state"] = e.ID, state
	detail["start-time"] = e.Started.UTC().Format(time.RFC3339Nano)
	s.outbox = append(s.outbox, event{"CodePipeline " + what + " Execution State Change", s.arn(*p.Declaration.Name), detail})
	select {
	case s.told <- struct{}{}:
	default:
	}
}

// tell tells EventBridge what happened, in the order in which it did, until
// Close.
func (s *Service) tell() {
	for {
		select {
		case <-s.told:
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		events := s.outbox
		s.outbox = nil
		s.mu.Unlock()
		for _, e := range events {
			s.ports.Events.Emit(eventSource, e.detailType, []string{e.pipeline}, e.detail)
		}
	}
}
