package lambda_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	scheduled "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// schedules makes a batch app webapp1 with n schedules, whose names are long and have
// nothing in common.
func (r *rig) schedules(n int) (names []string) {
	r.Helper()
	cluster, err := r.w.ECS().CreateCluster(r.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("cluster1")})
	if err != nil {
		r.Fatal(err)
	}
	definition, err := r.w.ECS().RegisterTaskDefinition(r.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("webapp1"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions:    []ecstypes.ContainerDefinition{{Name: aws.String("webapp1"), Image: aws.String(images + "1.0.0")}},
	})
	if err != nil {
		r.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("%x", sha256.Sum224([]byte{byte(i)}))
		names = append(names, name)
		if _, err := r.w.Scheduler().CreateSchedule(r.Context(), &scheduler.CreateScheduleInput{
			Name: &name, ScheduleExpression: aws.String("cron(0 5 1 1 ? *)"), FlexibleTimeWindow: &scheduled.FlexibleTimeWindow{Mode: scheduled.FlexibleTimeWindowModeOff},
			Target: &scheduled.Target{
				Arn: cluster.Cluster.ClusterArn, RoleArn: aws.String("arn:aws:iam::111122223333:role/scheduler"),
				EcsParameters: &scheduled.EcsParameters{
					TaskDefinitionArn: definition.TaskDefinition.TaskDefinitionArn, LaunchType: scheduled.LaunchTypeFargate,
					NetworkConfiguration: &scheduled.NetworkConfiguration{AwsvpcConfiguration: &scheduled.AwsVpcConfiguration{Subnets: []string{"subnet-0123456789abcdef0"}}},
				},
			},
		}); err != nil {
			r.Fatal(err)
		}
	}
	return names
}

// More schedules than a token has room for: they are read again, and all are moved, or
// all are put back.
func TestManySchedules(t *testing.T) {
	for _, test := range []struct {
		name, says, runs string
		refused          bool
	}{
		{"moved", "deployed", "webapp1:2", false},
		{"one is refused, and the others are put back", "rolled-back by slipway: ", "webapp1:1", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				all := r.schedules(100)
				r.commit(revisions("1.0.0", "webapp1")...)
				r.pipeline("webapp1", byFunction("webapp1"))
				if status, text := r.ends(r.latest()); status != types.PipelineExecutionStatusSucceeded {
					r.Fatal(text)
				}
				updates := 0
				r.w.Fault(func(operation string) *awsjson.Fault {
					if operation != "UpdateSchedule" {
						return nil
					}
					if updates++; test.refused && (updates == 60 || updates == 61) { // and again, as it is tried again
						return &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "not this one"}}
					}
					return nil
				})
				status, text := r.ends(r.deploy("2.0.0"))
				if !strings.HasPrefix(text, test.says) {
					r.Errorf("%s: %s", status, text)
				}
				for _, name := range all {
					out, err := r.w.Scheduler().GetSchedule(r.Context(), &scheduler.GetScheduleInput{Name: &name})
					if err != nil {
						r.Fatal(err)
					}
					if arn := *out.Target.EcsParameters.TaskDefinitionArn; !strings.HasSuffix(arn, "/"+test.runs) {
						r.Errorf("%s runs %s, want %s", name, arn, test.runs)
					}
				}
			})
		})
	}
}
