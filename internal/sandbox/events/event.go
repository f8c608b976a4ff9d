package events

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// event is an event as rules match it and targets get it.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
type event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"` // to the second
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

func (s *Service) newEvent(at time.Time, source, detailType string, resources []string, detail json.RawMessage) event {
	return event{
		Version: "0", ID: newID(), DetailType: detailType, Source: source, Account: s.options.Account, Region: s.options.Region,
		Time: at.UTC().Format("2006-01-02T15:04:05Z"), Resources: append([]string{}, resources...), Detail: detail,
	}
}

// Emit puts an event of the account's services on the default bus. It may be
// called from any goroutine, with any lock held but EventBridge's, and does not
// wait for those who get it.
func (s *Service) Emit(source, detailType string, resources []string, detail any) {
	document, err := json.Marshal(detail)
	if err != nil {
		s.options.Logger.Error("an event has no JSON form", "source", source, "type", detailType, "error", err)
		return
	}
	s.accept(defaultBus, s.newEvent(time.Now(), source, detailType, resources, document))
}

// accept has the matching rules of a bus deliver an event.
func (s *Service) accept(bus string, e event) {
	document, err := json.Marshal(e)
	if err != nil {
		s.options.Logger.Error("an event has no JSON form", "source", e.Source, "error", err)
		return
	}
	s.mu.Lock()
	delivered := false
	for _, key := range s.names() {
		r := s.state.Rules[key]
		if *r.EventBusName != bus || r.State == types.RuleStateDisabled || aws.ToString(r.EventPattern) == "" {
			continue
		}
		p, err := readPattern(*r.EventPattern)
		if err != nil { // it was read when it was put
			s.options.Logger.Error("a rule's event pattern cannot be read", "rule", key, "error", err)
			continue
		}
		if p.matchesEvent(document) {
			s.deliver(r, document)
			delivered = true
		}
	}
	s.mu.Unlock()
	if delivered {
		s.options.Changed()
	}
}

// PutEvents puts events on buses. One that is not valid does not hinder the
// others: its entry says what is wrong, and the call succeeds.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (s *Service) PutEvents(_ context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if n := len(in.Entries); n < 1 || n > entriesMost {
		return nil, errValidation("1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length less than or equal to %d and greater than or equal to 1", entriesMost)
	}
	out := &eventbridge.PutEventsOutput{Entries: []types.PutEventsResultEntry{}}
	for _, entry := range in.Entries {
		bus, code, message := s.checkEntry(entry)
		if code != "" {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message})
			continue
		}
		at := time.Now()
		if entry.Time != nil {
			at = *entry.Time
		}
		e := s.newEvent(at, *entry.Source, *entry.DetailType, entry.Resources, json.RawMessage(*entry.Detail))
		s.accept(bus, e)
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String(e.ID)})
	}
	return out, nil
}

// checkEntry finds the bus of an entry; a code says what is wrong with it.
func (s *Service) checkEntry(entry types.PutEventsRequestEntry) (bus, code, message string) {
	for _, member := range []struct {
		name  string
		value *string
	}{{"Source", entry.Source}, {"DetailType", entry.DetailType}, {"Detail", entry.Detail}} {
		if aws.ToString(member.value) == "" {
			return "", "InvalidArgument", fmt.Sprintf("Parameter %s is not valid. Reason: %s is a required argument.", member.name, member.name)
		}
	}
	if strings.HasPrefix(*entry.Source, "aws.") {
		return "", "NotAuthorizedForSourceException", "Not authorized for the source."
	}
	if value, err := readJSON([]byte(*entry.Detail)); err != nil || !isObject(value) {
		return "", "MalformedDetail", "Detail is malformed."
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bus(entry.EventBusName)
	if err != nil {
		return "", "ResourceNotFoundException", fmt.Sprintf("Event bus %s does not exist.", *entry.EventBusName)
	}
	return b, "", ""
}

func isObject(value any) bool {
	_, ok := value.(map[string]any)
	return ok
}

// TestEventPattern says whether an event matches a pattern.
func (s *Service) TestEventPattern(_ context.Context, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	p, err := readPattern(aws.ToString(in.EventPattern))
	if err != nil {
		return nil, err
	}
	value, err := readJSON([]byte(aws.ToString(in.Event)))
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, errValidation("Parameter Event is not valid.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if object[name] == nil {
			return nil, errValidation("Parameter Event is not valid. Reason: %s is a required argument.", name)
		}
	}
	return &eventbridge.TestEventPatternOutput{Result: p.matchesEvent([]byte(*in.Event))}, nil
}

// newID is a random identifier in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// errExists is the error of what cannot be made twice.
func errExists(format string, args ...any) error {
	return &awsjson.Error{Code: "ResourceAlreadyExistsException", Message: fmt.Sprintf(format, args...)}
}

// orDefault is the bus of those who name none.
func orDefault(bus *string) string { return cmp.Or(aws.ToString(bus), defaultBus) }
