package schedule

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/target/raw"
)

// The kinds of targets, which their names begin with.
const (
	ofRule     = "rule"
	ofSchedule = "schedule"
)

// Target is what runs a task definition on time, or on an event.
type Target struct {
	// Name is "rule/RULE/TARGET-ID" or "schedule/GROUP/NAME": AWS has no slash in
	// any of them.
	Name string
	// TaskDefinition is the ARN that it runs. Without a revision it means the
	// family's newest that is ACTIVE, at each run.
	TaskDefinition string

	// fields are the rule's target as it was listed, or the schedule as it was
	// described.
	fields raw.Members
}

// Pinned reports whether an ARN of a task definition names its revision.
func Pinned(arn string) bool { return strings.Contains(arn[strings.LastIndex(arn, "/")+1:], ":") }

// Family is the family of a task definition's ARN, with or without a revision.
func Family(arn string) string {
	family, _, _ := strings.Cut(arn[strings.LastIndex(arn, "/")+1:], ":")
	return family
}

// Label is a target's name for people.
func Label(name string) string {
	kind, rest, _ := strings.Cut(name, "/")
	of, id, _ := strings.Cut(rest, "/")
	switch {
	case kind == ofRule:
		return fmt.Sprintf("target %s of rule %s", id, of)
	case of == defaultGroup:
		return "schedule " + id
	}
	return fmt.Sprintf("schedule %s of group %s", id, of)
}

// defaultGroup is the schedule group of schedules that name none.
const defaultGroup = "default"

// newTarget reads a rule's target, or a schedule. ok is false where it does not run
// tasks of the cluster, or never will again.
func newTarget(kind, of string, fields raw.Members, cluster string, now time.Time) (t Target, ok bool) {
	t.fields = fields
	if fields.At(t.path(kind, "Arn")...) != cluster {
		return Target{}, false
	}
	t.TaskDefinition = fields.At(t.path(kind, "EcsParameters", "TaskDefinitionArn")...)
	id := fields.At("Id")
	if kind == ofSchedule {
		of, id = cmp.Or(fields.At("GroupName"), defaultGroup), fields.At("Name")
	}
	t.Name = strings.Join([]string{kind, of, id}, "/")
	return t, t.TaskDefinition != "" && (kind == ofRule || !over(fields, now))
}

// path is where a target's member is: at the top of a rule's, in a schedule's Target.
func (t Target) path(kind string, members ...string) []string {
	if kind == ofSchedule {
		return append([]string{"Target"}, members...)
	}
	return members
}

// parts are the target's kind, its rule or its group, and its own id or name.
func (t Target) parts() (kind, of, id string) {
	kind, rest, _ := strings.Cut(t.Name, "/")
	of, id, _ = strings.Cut(rest, "/")
	return kind, of, id
}

// running is t's JSON with another task definition.
func (t Target) running(arn string) (raw.Members, error) {
	kind, _, _ := t.parts()
	return t.fields.With(arn, t.path(kind, "EcsParameters", "TaskDefinitionArn")...)
}

// over reports whether a schedule never runs again: a one-time schedule whose time
// is over, or one behind its EndDate. UpdateSchedule would have to set a time in
// the past, which Scheduler refuses. User guide, "Schedule types"; API reference,
// UpdateSchedule, EndDate (which one-time schedules ignore).
func over(fields raw.Members, now time.Time) bool {
	if at, once := strings.CutPrefix(fields.At("ScheduleExpression"), "at("); once {
		zone, err := time.LoadLocation(fields.At("ScheduleExpressionTimezone"))
		if err != nil {
			zone = time.FixedZone("the last on earth", -12*60*60)
		}
		due, err := time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(at, ")"), zone)
		return err == nil && due.Before(now)
	}
	var end float64 // seconds
	if json.Unmarshal(fields["EndDate"], &end) != nil || end == 0 {
		return false
	}
	return time.Unix(int64(end), 0).Before(now)
}

// Task is the call of RunTask that the target makes, for one task. What a rule's
// InputPath or InputTransformer would make of an event is left out: there is none.
func (t Target) Task() (*ecs.RunTaskInput, error) {
	kind, _, _ := t.parts()
	text, err := raw.Encode(t.fields)
	if err != nil {
		return nil, err
	}
	if kind == ofSchedule {
		text = t.fields["Target"]
	}
	// The members are ECS's own, but for the case of some first letters, which
	// encoding/json overlooks.
	var described struct {
		Arn, Input    string
		EcsParameters struct {
			CapacityProviderStrategy []types.CapacityProviderStrategyItem
			EnableECSManagedTags     bool
			EnableExecuteCommand     bool
			Group                    string
			LaunchType               types.LaunchType
			NetworkConfiguration     *types.NetworkConfiguration
			PlacementConstraints     []types.PlacementConstraint
			PlacementStrategy        []types.PlacementStrategy
			PlatformVersion          string
			PropagateTags            types.PropagateTags
			TaskDefinitionArn        string
		}
	}
	if err := json.Unmarshal(text, &described); err != nil {
		return nil, fmt.Errorf("%s is not as AWS describes it: %w", Label(t.Name), err)
	}
	p := described.EcsParameters
	in := &ecs.RunTaskInput{
		Cluster: aws.String(described.Arn), TaskDefinition: aws.String(p.TaskDefinitionArn),
		CapacityProviderStrategy: p.CapacityProviderStrategy, LaunchType: p.LaunchType,
		EnableECSManagedTags: p.EnableECSManagedTags, EnableExecuteCommand: p.EnableExecuteCommand,
		NetworkConfiguration: p.NetworkConfiguration,
		PlacementConstraints: p.PlacementConstraints, PlacementStrategy: p.PlacementStrategy,
		PropagateTags: p.PropagateTags,
	}
	if p.Group != "" {
		in.Group = aws.String(p.Group)
	}
	if p.PlatformVersion != "" {
		in.PlatformVersion = aws.String(p.PlatformVersion)
	}
	if described.Input != "" {
		in.Overrides = &types.TaskOverride{}
		if err := json.Unmarshal([]byte(described.Input), in.Overrides); err != nil {
			return nil, fmt.Errorf("the input of %s is no task override: %w", Label(t.Name), err)
		}
	}
	return in, nil
}
