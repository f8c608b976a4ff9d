package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// describedDefinition is the output of the actions that describe one task
// definition: its document keeps what the SDK does not know.
type describedDefinition struct {
	TaskDefinition json.RawMessage
	Tags           []types.Tag
}

func (a api) RegisterTaskDefinition(_ context.Context, document json.RawMessage) (*describedDefinition, error) {
	var in ecs.RegisterTaskDefinitionInput
	if err := awsjson.Unmarshal(document, &in); err != nil {
		return nil, &awsjson.Error{Code: "SerializationException", Message: err.Error()}
	}
	if in.Tags != nil && len(in.Tags) == 0 {
		return nil, errClient("Tags can not be empty.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	members, err := registrable(document, &in)
	if err != nil {
		return nil, err
	}
	f := a.state.Families[*in.Family]
	if f == nil {
		f = &family{}
		a.state.Families[*in.Family] = f
	}
	revision := int32(len(f.Revisions) + 1)
	td := &taskDefinition{
		ARN:          a.arn(fmt.Sprintf("task-definition/%s:%d", *in.Family, revision)),
		Family:       *in.Family,
		Revision:     revision,
		Status:       types.TaskDefinitionStatusActive,
		Document:     members,
		Tags:         in.Tags,
		RegisteredAt: time.Now(),
	}
	f.Revisions = append(f.Revisions, td)
	return a.described(td, in.Tags)
}

func (a api) DescribeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput) (*describedDefinition, error) {
	td, err := a.lookUp(aws.ToString(in.TaskDefinition))
	if err != nil {
		return nil, err
	}
	if td == nil {
		return nil, errClient("Unable to describe task definition.")
	}
	var tags []types.Tag
	if slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
		tags = orEmpty(td.Tags)
	}
	return a.described(td, tags)
}

func (a api) DeregisterTaskDefinition(_ context.Context, in *ecs.DeregisterTaskDefinitionInput) (*describedDefinition, error) {
	reference := aws.ToString(in.TaskDefinition)
	if name, _, err := splitDefinition(reference); err != nil || !strings.Contains(lastPart(reference), ":") {
		return nil, errParameter("Family and revision are both required to deregister a task definition: %s", name)
	}
	td, err := a.lookUp(reference)
	if err != nil {
		return nil, err
	}
	if td == nil || td.Status != types.TaskDefinitionStatusActive {
		return nil, errClient("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
	}
	td.Status = types.TaskDefinitionStatusInactive
	td.DeregisteredAt = aws.Time(time.Now())
	return a.described(td, nil)
}

// DeleteTaskDefinitions marks INACTIVE revisions. ECS removes them some day; the
// sandbox never does.
func (a api) DeleteTaskDefinitions(_ context.Context, in *ecs.DeleteTaskDefinitionsInput) (*deletedDefinitions, error) {
	out := &deletedDefinitions{TaskDefinitions: []json.RawMessage{}, Failures: []types.Failure{}}
	for _, reference := range in.TaskDefinitions {
		td, err := a.lookUp(reference)
		switch {
		case err != nil || td == nil:
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(reference), Reason: aws.String("The specified task definition does not exist.")})
			continue
		case td.Status == types.TaskDefinitionStatusActive:
			out.Failures = append(out.Failures, types.Failure{Arn: aws.String(td.ARN), Reason: aws.String("The specified task definition is still in ACTIVE status. Please deregister the target and try again.")})
			continue
		}
		td.Status = types.TaskDefinitionStatusDeleteInProgress
		td.DeleteRequestedAt = aws.Time(time.Now())
		document, err := td.describe(a.caller())
		if err != nil {
			return nil, err
		}
		out.TaskDefinitions = append(out.TaskDefinitions, document)
	}
	return out, nil
}

// deletedDefinitions is the output of DeleteTaskDefinitions.
type deletedDefinitions struct {
	TaskDefinitions []json.RawMessage
	Failures        []types.Failure
}

func (a api) ListTaskDefinitions(_ context.Context, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	status := in.Status
	if status == "" {
		status = types.TaskDefinitionStatusActive
	}
	var arns []string
	for _, name := range slices.Sorted(maps.Keys(a.state.Families)) {
		if in.FamilyPrefix != nil && *in.FamilyPrefix != name { // despite its name, the full family
			continue
		}
		for _, td := range a.state.Families[name].Revisions {
			if td.Status == status {
				arns = append(arns, td.ARN)
			}
		}
	}
	if in.Sort == types.SortOrderDesc {
		slices.Reverse(arns)
	}
	arns, next, err := page(arns, in.NextToken, in.MaxResults, pageMost)
	return &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: arns, NextToken: next}, err
}

func (a api) ListTaskDefinitionFamilies(_ context.Context, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(a.state.Families)) {
		active := a.state.Families[name].latest() != nil
		if !strings.HasPrefix(name, aws.ToString(in.FamilyPrefix)) ||
			in.Status == types.TaskDefinitionFamilyStatusActive && !active ||
			in.Status == types.TaskDefinitionFamilyStatusInactive && active {
			continue
		}
		names = append(names, name)
	}
	names, next, err := page(names, in.NextToken, in.MaxResults, pageMost)
	return &ecs.ListTaskDefinitionFamiliesOutput{Families: names, NextToken: next}, err
}

// latest is the family's newest ACTIVE revision, or nil.
func (f *family) latest() *taskDefinition {
	for _, td := range slices.Backward(f.Revisions) {
		if td.Status == types.TaskDefinitionStatusActive {
			return td
		}
	}
	return nil
}

// splitDefinition takes family, family:revision or an ARN apart; the revision is
// 0 when there is none.
func splitDefinition(reference string) (family string, revision int32, err error) {
	family, number, found := strings.Cut(lastPart(reference), ":")
	if !found {
		return family, 0, nil
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 1 {
		return family, 0, errParameter("Invalid revision number. Number: %s", number)
	}
	return family, int32(n), nil
}

// lookUp finds a task definition: the newest ACTIVE one of a bare family, any
// but a deleted one of family:revision. It is nil when there is none.
func (c *ControlPlane) lookUp(reference string) (*taskDefinition, error) {
	name, revision, err := splitDefinition(reference)
	if err != nil {
		return nil, err
	}
	f := c.state.Families[name]
	switch {
	case f == nil || int(revision) > len(f.Revisions):
		return nil, nil
	case revision == 0:
		return f.latest(), nil
	default:
		return f.Revisions[revision-1], nil
	}
}

// usable finds a task definition for new tasks, which must be ACTIVE. inactive
// makes the error for one that is not: it differs between actions.
func (c *ControlPlane) usable(reference string, inactive func(string, ...any) error) (*taskDefinition, error) {
	td, err := c.lookUp(reference)
	switch {
	case err != nil:
		return nil, err
	case td == nil:
		return nil, errClient("TaskDefinition not found.")
	case td.Status != types.TaskDefinitionStatusActive:
		return nil, inactive("TaskDefinition is inactive")
	}
	return td, nil
}

// caller is who calls, as ECS records it.
func (c *ControlPlane) caller() string {
	return "arn:aws:iam::" + c.options.Account + ":root"
}
