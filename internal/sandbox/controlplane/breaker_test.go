package controlplane_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// newest describes the service's newest service deployment.
func newest(t *testing.T, w *sandboxtest.World, s *sandboxtest.Service) types.ServiceDeployment {
	t.Helper()
	list, err := w.ECS().ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: &s.Cluster, Service: &s.Name})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.ECS().DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{
		ServiceDeploymentArns: []string{*list.ServiceDeployments[0].ServiceDeploymentArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.ServiceDeployments[0]
}

func TestBreakerRollsBack(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.CircuitBreaker(true))
		st := tell(t, s)
		s.Deploy("registry.example.com/webapp1:2.0.0-crash")
		same(t, "deployments up to the rollback", []string{
			"D2 PRIMARY IN_PROGRESS 0/0/1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 0/1/1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 1/0/1 failed 1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 1/1/1 failed 1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 2/0/1 failed 1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 2/0/1 failed 2, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 2/1/1 failed 2, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 3/0/1 failed 2, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 3/0/1 failed 3, D1 ACTIVE COMPLETED 1/0/1",
			"D1 PRIMARY IN_PROGRESS 1/0/1, D2 ACTIVE FAILED 3/0/0 failed 3",
		}, st.until(func(d types.Service) bool {
			return d.Deployments[0].RolloutState == "IN_PROGRESS" && st.names[*d.Deployments[0].Id] == "D1"
		}))
		d := s.Describe()
		same(t, "reason of the failed deployment", "ECS deployment circuit breaker: tasks failed to start.", *d.Deployments[1].RolloutStateReason)
		same(t, "reason of the old one", "ECS deployment circuit breaker: rolling back to deploymentId D1.", st.named(*d.Deployments[0].RolloutStateReason))
		same(t, "task definition", s.TaskDefinition, *d.TaskDefinition)
		r := newest(t, w, s)
		same(t, "status", types.ServiceDeploymentStatusRollbackInProgress, r.Status)
		b := r.DeploymentCircuitBreaker
		same(t, "breaker", "3 of 3, TRIGGERED", fmt.Sprintf("%d of %d, %s", b.FailureCount, b.Threshold, b.Status))

		st.until(over)
		same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
		events := strings.Join(st.events(), "\n")
		for _, want := range []string{
			") (deployment D2) deployment failed: tasks failed to start.\n) rolling back to deployment D1.",
			") (deployment D1) deployment completed.\n) has reached a steady state.",
		} {
			if !strings.Contains(events, want) {
				t.Errorf("events have no\n%s\nin\n%s", want, events)
			}
		}
		same(t, "stopped tasks", []string{
			"T2 of D2: EssentialContainerExited: Essential container in task exited (1)",
			"T3 of D2: EssentialContainerExited: Essential container in task exited (1)",
			"T4 of D2: EssentialContainerExited: Essential container in task exited (1)",
		}, st.stopped())
		r = newest(t, w, s)
		same(t, "status", types.ServiceDeploymentStatusRollbackSuccessful, r.Status)
		same(t, "status reason", "Service deployment rolled back because the circuit breaker threshold was exceeded.", *r.StatusReason)
		same(t, "rolled back to", *r.SourceServiceRevisions[0].Arn, *r.Rollback.ServiceRevisionArn)
		same(t, "current revision", *r.Rollback.ServiceRevisionArn, *s.Describe().CurrentServiceRevisions[0].Arn)
		same(t, "all", []string{"ROLLBACK_SUCCESSFUL", "SUCCESSFUL"}, statuses(t, w, s))
	})
}

func TestBreakerOnOtherFailures(t *testing.T) {
	for _, c := range []struct {
		name, image string
		options     []sandboxtest.ServiceOption
		stopped     []string
	}{
		{
			"cannot be pulled", "registry.example.com/webapp1:2.0.0-missing", nil, []string{
				"T2 of D2: TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref registry.example.com/webapp1:2.0.0-missing: registry.example.com/webapp1:2.0.0-missing: not found",
			},
		}, {
			"fails the load balancer's checks", "registry.example.com/webapp1:2.0.0-unhealthy", []sandboxtest.ServiceOption{sandboxtest.LoadBalanced()}, []string{
				"T2 of D2: ServiceSchedulerInitiated: Task failed ELB health checks in (target-group GROUP) (0)",
			},
		}, {
			"fails its container's check", "registry.example.com/webapp1:2.0.0-unhealthy", []sandboxtest.ServiceOption{containerCheck}, []string{
				"T2 of D2: ServiceSchedulerInitiated: Task failed container health checks (0)",
			},
		},
	} {
		inBubble(c.name, t, func(t *testing.T) {
			w := sandboxtest.New(t)
			s := w.Service("cluster1", "webapp1", append(c.options, sandboxtest.CircuitBreaker(true))...)
			st := tell(t, s)
			st.pace = 5 * time.Second
			s.Deploy(c.image)
			st.until(over)
			same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
			same(t, "first stopped task", c.stopped, st.stopped()[:1])
			same(t, "service deployments", []string{"ROLLBACK_SUCCESSFUL", "SUCCESSFUL"}, statuses(t, w, s))
			if took := time.Since(st.began); took < 2*time.Minute || took > 15*time.Minute {
				t.Errorf("it took %s; real services take 3 to 15 minutes", took)
			}
		})
	}
}

// containerCheck gives the container a health check.
var containerCheck = sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
	in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "exit 0"}, Interval: aws.Int32(10)}
})

func TestHealthEvents(t *testing.T) {
	inBubble("load balancer", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		st := tell(t, s)
		s.Deploy("registry.example.com/webapp1:2.0.0-unhealthy")
		st.until(st.at(3 * time.Minute))
		same(t, "events", []string{
			") has started 1 tasks: (task T2).",
			") registered 1 targets in (target-group GROUP)",
			") (task T2) (port 8080) is unhealthy in (target-group GROUP) due to (reason Health checks failed with these codes: [503]).",
			") has stopped 1 running tasks: (task T2).",
			") deregistered 1 targets in (target-group GROUP)",
			", taskSet D2) has begun draining connections on 1 tasks.",
			") has started 1 tasks: (task T3).",
			") registered 1 targets in (target-group GROUP)",
		}, st.events())
	})
	inBubble("container", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1", containerCheck)
		task := s.Tasks()[0]
		same(t, "task health", types.HealthStatusHealthy, task.HealthStatus)
		same(t, "container health", types.HealthStatusHealthy, task.Containers[0].HealthStatus)
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0-unhealthy")
		st.until(st.at(100 * time.Second))
		same(t, "events", []string{
			") has started 1 tasks: (task T2).",
			") (task T2) failed container health checks.",
			") has stopped 1 running tasks: (task T2).",
			") has started 1 tasks: (task T3).",
		}, st.events())
	})
	inBubble("grace period", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.CircuitBreaker(true))
		st := tell(t, s)
		s.Update(func(in *ecs.UpdateServiceInput) { in.HealthCheckGracePeriodSeconds = aws.Int32(120) })
		s.Deploy("registry.example.com/webapp1:2.0.0-slow") // unhealthy for 90 s
		st.until(over)
		same(t, "deployments", "D2 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
		same(t, "stopped tasks", []string{
			"T1 of D1: ServiceSchedulerInitiated: Scaling activity initiated by (deployment D1) (0)",
		}, st.stopped())
	})
}

func TestBreakerWithoutRollback(t *testing.T) {
	inBubble("failed, and left alone", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.DesiredCount(2), sandboxtest.CircuitBreaker(false))
		st := tell(t, s)
		st.pace = 10 * time.Second
		s.Deploy("registry.example.com/service1:2.0.0-crash")
		st.until(st.at(20 * time.Minute))
		d := s.Describe()
		same(t, "deployments", "D2 PRIMARY FAILED 0/0/2 failed 4, D1 ACTIVE COMPLETED 2/0/2", st.deployments(d))
		same(t, "reason", "ECS deployment circuit breaker: tasks failed to start.", *d.Deployments[0].RolloutStateReason)
		events := st.events()
		same(t, "last event", ") (deployment D2) deployment failed: tasks failed to start.", events[len(events)-1])
		same(t, "service deployments", []string{"STOPPED", "SUCCESSFUL"}, statuses(t, w, s))

		// The next update replaces both.
		s.Deploy("registry.example.com/service1:3.0.0")
		st.until(over)
		same(t, "deployments", "D3 PRIMARY COMPLETED 2/0/2", st.deployments(s.Describe()))
	})
	inBubble("a task that dies is not replaced by the failed deployment", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.CircuitBreaker(false), sandboxtest.Image("registry.example.com/service1:1-crash"), sandboxtest.Unsettled())
		st := tell(t, s)
		st.until(over)
		started := len(s.Tasks())
		st.began = time.Now()
		st.until(st.at(10 * time.Minute))
		same(t, "tasks", started, len(s.Tasks()))
	})
}

// TestRollbackToWhatHasGone: with a minimum of 0 the old deployment has left the
// list by the time the new one fails. It comes back under its old id.
func TestRollbackToWhatHasGone(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.Percentages(0, 100), sandboxtest.CircuitBreaker(true))
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0-crash")
		sights := st.until(func(d types.Service) bool { return len(d.Deployments) == 1 })
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS", sights[len(sights)-1][:len("D2 PRIMARY IN_PROGRESS")])
		w.Restart()
		st.until(over)
		same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
		same(t, "task definition", s.TaskDefinition, *s.Describe().TaskDefinition)
		same(t, "service deployments", []string{"ROLLBACK_SUCCESSFUL", "SUCCESSFUL"}, statuses(t, w, s))
	})
}

func TestFirstDeploymentFails(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.CircuitBreaker(true), sandboxtest.Image("registry.example.com/service1:1-missing"), sandboxtest.Unsettled())
		st := tell(t, s)
		st.pace = time.Minute
		st.until(st.at(30 * time.Minute))
		same(t, "deployments", "D1 PRIMARY FAILED 0/0/1 failed 3", st.deployments(s.Describe()))
		r := newest(t, w, s)
		same(t, "status", types.ServiceDeploymentStatusRollbackFailed, r.Status)
		same(t, "reason", "No rollback candidate was found to run the rollback", *r.StatusReason)
		same(t, "tasks launched", 3, len(s.Tasks()))
	})
}

func TestNoBreaker(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		st := tell(t, s)
		st.pace = time.Minute
		s.Deploy("registry.example.com/service1:2.0.0-missing")
		sights := st.until(st.at(3 * time.Hour))
		for _, sight := range sights {
			if !strings.Contains(sight, "D2 PRIMARY IN_PROGRESS") || !strings.Contains(sight, "D1 ACTIVE COMPLETED 1/0/1") {
				t.Errorf("deployments %s", sight)
			}
		}
		// Waits of 0, 4, 8, 16 and then 27 minutes between attempts of 2 minutes.
		var starts []time.Duration
		complaints := 0
		for _, e := range s.Describe().Events {
			if e.CreatedAt.After(st.began) {
				if strings.Contains(*e.Message, "has started 1 tasks") {
					starts = append([]time.Duration{e.CreatedAt.Sub(st.began).Round(time.Minute)}, starts...)
				}
				if strings.HasSuffix(*e.Message, "is unable to consistently start tasks successfully.") {
					complaints++
				}
			}
		}
		minutes := func(m ...int) (d []time.Duration) {
			for _, n := range m {
				d = append(d, time.Duration(n)*time.Minute)
			}
			return d
		}
		same(t, "starts", minutes(0, 2, 9, 19, 37, 66, 95, 124, 154), starts)
		same(t, "complaints within six hours", 1, complaints)

		st.began = time.Now()
		s.Deploy("registry.example.com/service1:3.0.0")
		st.until(over)
		same(t, "deployments", "D3 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
	})
}

func TestConsecutiveAndCumulativeFailures(t *testing.T) {
	for _, reset := range []bool{true, false} {
		inBubble(fmt.Sprint("reset ", reset), t, func(t *testing.T) {
			w := sandboxtest.New(t)
			s := w.Service("cluster1", "service1", sandboxtest.DesiredCount(2), sandboxtest.Create(func(in *ecs.CreateServiceInput) {
				in.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{
					Enable: true, Rollback: true, ResetOnHealthyTask: &reset,
					ThresholdConfiguration: &types.ThresholdConfiguration{Type: types.ThresholdTypeCount, Value: 2},
				}
			}))
			st := tell(t, s)
			s.Deploy("registry.example.com/service1:2.0.0")
			crash := func(name string) {
				for _, task := range s.Tasks() {
					if st.named(lastPart(*task.TaskArn)) == name {
						w.Exit(lastPart(*task.TaskArn), "service1", 1)
					}
				}
			}
			st.until(st.at(60 * time.Second)) // T3 and T4 run, and are not healthy yet
			crash("T3")
			st.until(st.at(110 * time.Second)) // T4 has become healthy, T5 runs
			crash("T5")
			st.until(over)
			want := "D2 PRIMARY COMPLETED 2/0/2"
			if !reset {
				want = "D1 PRIMARY COMPLETED 2/0/2"
			}
			same(t, "deployments", want, st.deployments(s.Describe())[:len(want)])
		})
	}
}

func TestStopServiceDeployment(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		st := tell(t, s)
		first := newest(t, w, s)
		s.Deploy("registry.example.com/service1:2.0.0")
		// For a moment the previous one is still the newest.
		same(t, "newest right after the update", *first.ServiceDeploymentArn, *newest(t, w, s).ServiceDeploymentArn)
		st.until(st.at(60 * time.Second))
		r := newest(t, w, s)
		same(t, "status", types.ServiceDeploymentStatusInProgress, r.Status)
		same(t, "requested", int32(1), r.TargetServiceRevision.RequestedTaskCount)
		out, err := w.ECS().StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: r.ServiceDeploymentArn})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "ARN", *r.ServiceDeploymentArn, *out.ServiceDeploymentArn)
		same(t, "status", types.ServiceDeploymentStatusRollbackRequested, newest(t, w, s).Status)
		st.until(st.at(70 * time.Second))
		same(t, "status", types.ServiceDeploymentStatusRollbackInProgress, newest(t, w, s).Status)
		st.until(over)
		same(t, "deployments", "D1 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
		same(t, "status", types.ServiceDeploymentStatusRollbackSuccessful, newest(t, w, s).Status)
	})
}
