// Package ecstarget runs what a target of EventBridge or of EventBridge
// Scheduler says of ECS: both describe it alike.
//
//	target {Arn: the cluster, EcsParameters, Input: overrides} ─► RunTask
package ecstarget

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// startedByMost is how many characters RunTask takes in startedBy.
const startedByMost = 128

// Runner runs tasks, as ECS does. It may be called from any goroutine and does
// not wait for the tasks.
type Runner interface {
	RunTask(context.Context, *ecs.RunTaskInput) (*ecs.RunTaskOutput, error)
}

// Invocations are what became of a target's calls so far.
type Invocations struct {
	Count     int    `json:"count"`
	Failed    int    `json:"failed"`
	LastError string `json:"lastError,omitempty"` // of the newest that failed
}

// Add counts a call with its error.
func (i *Invocations) Add(err error) {
	i.Count++
	if err != nil {
		i.Failed++
		i.LastError = err.Error()
	}
}

// Run runs the tasks of a target, a JSON document, once, and tells of the call that
// its role makes. The error is ECS's, or says what the target lacks.
func Run(ctx context.Context, runner Runner, calls trail.Tell, document json.RawMessage, startedBy string) error {
	var target types.Target
	if err := awsjson.Unmarshal(document, &target); err != nil {
		return err
	}
	in, err := input(&target, startedBy)
	if err != nil {
		return err
	}
	calls.Of(aws.ToString(target.RoleArn), "ecs", "RunTask", in)
	out, err := runner.RunTask(ctx, in)
	if err != nil {
		return err
	}
	for _, failure := range out.Failures {
		return fmt.Errorf("%s: %s", aws.ToString(failure.Arn), aws.ToString(failure.Reason))
	}
	return nil
}

// input is the target's call of RunTask.
func input(target *types.Target, startedBy string) (*ecs.RunTaskInput, error) {
	p := target.EcsParameters
	if p == nil || !strings.Contains(aws.ToString(target.Arn), ":cluster/") {
		return nil, fmt.Errorf("the sandbox runs targets that are ECS clusters, with EcsParameters: not %s", aws.ToString(target.Arn))
	}
	in := &ecs.RunTaskInput{
		Cluster:              target.Arn,
		TaskDefinition:       p.TaskDefinitionArn,
		Count:                p.TaskCount,
		Group:                p.Group,
		LaunchType:           ecstypes.LaunchType(p.LaunchType),
		PlatformVersion:      p.PlatformVersion,
		EnableECSManagedTags: p.EnableECSManagedTags,
		EnableExecuteCommand: p.EnableExecuteCommand,
		PropagateTags:        ecstypes.PropagateTags(p.PropagateTags),
		ReferenceId:          p.ReferenceId,
		StartedBy:            aws.String(startedBy[:min(len(startedBy), startedByMost)]),
	}
	if p.NetworkConfiguration != nil && p.NetworkConfiguration.AwsvpcConfiguration != nil {
		vpc := p.NetworkConfiguration.AwsvpcConfiguration
		in.NetworkConfiguration = &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
			Subnets: vpc.Subnets, SecurityGroups: vpc.SecurityGroups, AssignPublicIp: ecstypes.AssignPublicIp(vpc.AssignPublicIp),
		}}
	}
	for _, item := range p.CapacityProviderStrategy {
		in.CapacityProviderStrategy = append(in.CapacityProviderStrategy, ecstypes.CapacityProviderStrategyItem{
			CapacityProvider: item.CapacityProvider, Base: item.Base, Weight: item.Weight,
		})
	}
	for _, tag := range p.Tags {
		in.Tags = append(in.Tags, ecstypes.Tag{Key: tag.Key, Value: tag.Value})
	}
	switch {
	case target.InputPath != nil || target.InputTransformer != nil:
		return nil, fmt.Errorf("the sandbox runs targets with a constant Input: not with InputPath or InputTransformer")
	case aws.ToString(target.Input) != "":
		in.Overrides = &ecstypes.TaskOverride{}
		if err := awsjson.Unmarshal([]byte(*target.Input), in.Overrides); err != nil {
			return nil, fmt.Errorf("the Input is no task override: %w", err)
		}
	}
	return in, nil
}
