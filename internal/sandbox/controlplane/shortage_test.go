package controlplane_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestNoCapacity: without room on Fargate no task is made, ECS says so, and the
// circuit breaker counts; RunTask answers with failures.
func TestNoCapacity(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.DesiredCount(2), sandboxtest.CircuitBreaker(true))
		before := s.Describe()
		w.Capacity(false)
		s.Deploy("registry.example.com/service1:2.0.0")
		after := s.Settle()
		same(t, "task definition", *before.TaskDefinition, *after.TaskDefinition)
		same(t, "tasks", 2, len(s.Tasks()))
		said := 0
		for _, e := range after.Events {
			if strings.HasSuffix(*e.Message, "(service service1) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.") {
				said++
			}
		}
		same(t, "events about it", 1, said)
		run := func() *ecs.RunTaskOutput {
			out, err := w.ECS().RunTask(t.Context(), &ecs.RunTaskInput{
				Cluster: aws.String("cluster1"), TaskDefinition: aws.String("service1"), NetworkConfiguration: after.NetworkConfiguration,
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		out := run()
		same(t, "tasks run", 0, len(out.Tasks))
		same(t, "failure", "Capacity is unavailable at this time. Please try again later or in a different availability zone", *out.Failures[0].Reason)
		w.Capacity(true)
		same(t, "tasks run with room", 1, len(run().Tasks))
		theirs := s.Deploy("registry.example.com/service1:3.0.0")
		same(t, "with room", theirs, *s.Settle().TaskDefinition)
	})
}

// TestMissingSecret: a task whose secret was deleted does not start.
func TestMissingSecret(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		const secret = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:service1-AbCdEf"
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.CircuitBreaker(true), sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].Secrets = []types.Secret{{Name: aws.String("PASSWORD"), ValueFrom: aws.String(secret)}}
		}))
		w.DeleteSecret(secret)
		s.Update(func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true })
		s.Settle()
		failed := 0
		for _, task := range s.Tasks() {
			if task.StopCode != types.TaskStopCodeTaskFailedToStart {
				continue
			}
			failed++
			for _, part := range []string{"ResourceInitializationError: unable to pull secrets or registry auth: ", secret, "Secrets Manager can't find the specified secret."} {
				if !strings.Contains(*task.StoppedReason, part) {
					t.Errorf("%q does not say %q", *task.StoppedReason, part)
				}
			}
		}
		same(t, "tasks that failed to start", 3, failed)
	})
}
