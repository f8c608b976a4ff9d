package events

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// defaultBus is the bus that AWS's services put their events on.
const defaultBus = "default"

// eventBus is a bus other than the default one.
type eventBus struct {
	types.EventBus
	Tags []types.Tag
}

// CreateEventBus makes a bus.
func (s *Service) CreateEventBus(_ context.Context, in *eventbridge.CreateEventBusInput) (*eventbridge.CreateEventBusOutput, error) {
	return change(s, func() (*eventbridge.CreateEventBusOutput, error) {
		name := aws.ToString(in.Name)
		switch {
		case !validName(name) || len(name) > 256:
			return nil, errValidation("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [/\\.\\-_A-Za-z0-9]+", name)
		case name == defaultBus || s.state.Buses[name] != nil:
			return nil, errExists("Event bus %s already exists.", name)
		}
		now := time.Now().UTC()
		s.state.Buses[name] = &eventBus{Tags: in.Tags, EventBus: types.EventBus{
			Name: &name, Arn: aws.String(s.arn("event-bus/" + name)), Description: in.Description, CreationTime: &now, LastModifiedTime: &now,
		}}
		return &eventbridge.CreateEventBusOutput{EventBusArn: aws.String(s.arn("event-bus/" + name)), Description: in.Description}, nil
	})
}

// DescribeEventBus answers with a bus, the default one if none is named.
func (s *Service) DescribeEventBus(_ context.Context, in *eventbridge.DescribeEventBusInput) (*eventbridge.DescribeEventBusOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, err := s.bus(in.Name)
	if err != nil {
		return nil, err
	}
	b := s.describeBus(name)
	return &eventbridge.DescribeEventBusOutput{Name: b.Name, Arn: b.Arn, Description: b.Description, CreationTime: b.CreationTime, LastModifiedTime: b.LastModifiedTime}, nil
}

// ListEventBuses answers with the buses whose names begin with a prefix.
func (s *Service) ListEventBuses(_ context.Context, in *eventbridge.ListEventBusesInput) (*eventbridge.ListEventBusesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []types.EventBus
	for _, name := range append([]string{defaultBus}, slices.Sorted(maps.Keys(s.state.Buses))...) {
		if strings.HasPrefix(name, aws.ToString(in.NamePrefix)) {
			found = append(found, s.describeBus(name))
		}
	}
	found, next, err := page(found, in.NextToken, in.Limit)
	return &eventbridge.ListEventBusesOutput{EventBuses: found, NextToken: next}, err
}

// DeleteEventBus deletes a bus without rules. One that does not exist is deleted
// as well.
func (s *Service) DeleteEventBus(_ context.Context, in *eventbridge.DeleteEventBusInput) (*eventbridge.DeleteEventBusOutput, error) {
	return change(s, func() (*eventbridge.DeleteEventBusOutput, error) {
		name := aws.ToString(in.Name)
		if name == defaultBus {
			return nil, errValidation("Cannot delete event bus default.")
		}
		for _, r := range s.state.Rules {
			if *r.EventBusName == name {
				return nil, errValidation("Event bus can't be deleted since it has rules.")
			}
		}
		delete(s.state.Buses, name)
		return &eventbridge.DeleteEventBusOutput{}, nil
	})
}

// describeBus is a bus that exists. The caller holds the lock.
func (s *Service) describeBus(name string) types.EventBus {
	if b := s.state.Buses[name]; b != nil {
		return b.EventBus
	}
	return types.EventBus{Name: aws.String(defaultBus), Arn: aws.String(s.arn("event-bus/" + defaultBus))}
}

// bus is the name of a bus that exists, of its name or ARN. The caller holds the
// lock.
func (s *Service) bus(nameOrARN *string) (string, error) {
	name := strings.TrimPrefix(orDefault(nameOrARN), s.arn("event-bus/"))
	if name != defaultBus && s.state.Buses[name] == nil {
		return "", errNotFound("Event bus %s does not exist.", name)
	}
	return name, nil
}

// key is a rule's place in the state: its name, on another bus than the default
// one with the bus's before it.
func key(bus, name string) string {
	if bus == defaultBus {
		return name
	}
	return bus + "/" + name
}

func validName(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}
