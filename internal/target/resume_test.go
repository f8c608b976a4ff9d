package target

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

const image2 = "registry.example.com/webapp1:2.0.0"

func deregister(t *testing.T, w *sandboxtest.World, arn string) {
	t.Helper()
	if _, err := w.ECS().DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(arn)}); err != nil {
		t.Fatal(err)
	}
	w.ForgetCalls()
}

// TestLostAnswers: an answer that gets lost, or a crash before it was written
// down, leads to no second write.
func TestLostAnswers(t *testing.T) {
	for _, fault := range []struct {
		name string
		make func() *awsjson.Fault
	}{
		{"dropped", lost},
		{"server error", func() *awsjson.Fault {
			return &awsjson.Fault{AfterEffect: true, Err: &awsjson.Error{Code: "ServerException", Message: "oops", Status: 500}}
		}},
	} {
		for _, operation := range []string{"RegisterTaskDefinition", "UpdateService"} {
			t.Run(operation+" "+fault.name, func(t *testing.T) {
				in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
					s := w.Service("cluster1", "webapp1")
					began := time.Now()
					w.FaultOnce(operation, fault.make())
					d := advance(t, e, deployment(image2), slipway.PhaseStarted)
					checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
					if primary := s.Describe().Deployments[0]; d.ID != *primary.Id || !d.StartedAt.Equal(*primary.CreatedAt) {
						t.Errorf("started %+v", d)
					}
					if d.FirstWriteAt.Before(began) || d.FirstWriteAt.After(d.StartedAt) {
						t.Errorf("the first write was at %v, the start at %v", d.FirstWriteAt, d.StartedAt)
					}
					checkEnd(t, last(observe(t, targetOf(w), d)), slipway.StateDeployed, "")
				})
			})
		}
	}
}

// TestThrottledWrite: one is not repeated at once, but when the error says.
func TestThrottledWrite(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1")
		d := advance(t, e, deployment(image2), slipway.PhasePrepared)
		w.FaultOnce("RegisterTaskDefinition", awsjson.Throttled())
		_, err := attempt(t, e, d)
		checkError(t, err, slipway.NextRetry, "", "cannot register a task definition of family webapp1", "too many requests")
		checkWrites(t, w, "RegisterTaskDefinition")
		d.Attempt = 1
		d = advance(t, e, d, slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
	})
}

// TestThrottledReads: what was not learnt because ECS was busy is an error, and
// nothing is concluded from it.
func TestThrottledReads(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		d := advance(t, e, deployment(image2), slipway.PhaseStarted)
		s.Settle()
		s.Deploy("registry.example.com/webapp1:3.0.0")
		s.Settle()
		for _, operation := range []string{"DescribeServices", "ListServiceDeployments", "DescribeServiceRevisions"} {
			w.Fault(func(o string) *awsjson.Fault {
				if o == operation {
					return awsjson.Throttled()
				}
				return nil
			})
			_, err := e.Observe(t.Context(), d)
			checkError(t, err, slipway.NextRetry, "", "cannot read the service", "too many requests")
		}
	})
}

// TestDeniedExplanations: a permission that only explanations need is not
// needed for the verdict.
func TestDeniedExplanations(t *testing.T) {
	denied := func(o string) *awsjson.Fault {
		switch o {
		case "ListTasks", "ListServiceDeployments":
			return &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "no"}}
		}
		return nil
	}
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true))
		w.Fault(denied)
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateRolledBack, slipway.ByECS, "tasks failed to start")
	})
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		d := advance(t, e, deployment(image2), slipway.PhaseStarted)
		s.Settle()
		s.Deploy("registry.example.com/webapp1:3.0.0")
		s.Settle()
		w.Fault(denied)
		checkEnd(t, last(observe(t, e, d)), slipway.StateReplaced, "", "of webapp1:3")
	})
}

// TestCrashesAtEveryStep: an attempt's result is never persisted the first time.
func TestCrashesAtEveryStep(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, _ *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(false))
		d := deployment("registry.example.com/webapp1:2.0.0-crash")
		for d.Phase != slipway.PhaseStarted {
			for d.Attempt = 1; d.Attempt < 3; d.Attempt++ {
				if _, err := targetOf(w).Advance(t.Context(), persisted(t, d)); err != nil {
					t.Fatal(err)
				}
			}
			next, err := targetOf(w).Advance(t.Context(), persisted(t, d))
			if err != nil {
				t.Fatal(err)
			}
			d = next
		}
		checkEnd(t, last(observe(t, targetOf(w), d)), slipway.StateFailed, "", "exit code 1")
		var back slipway.Deployment
		for range 3 {
			var err error
			if back, err = targetOf(w).Rollback(t.Context(), persisted(t, d)); err != nil {
				t.Fatal(err)
			}
		}
		checkEnd(t, last(observe(t, targetOf(w), back)), slipway.StateRolledBack, slipway.BySlipway)
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService", "UpdateService")
	})
}

// TestRolledBackWhileAway: the update's answer was lost, and when we come back
// ECS has rolled it back: nothing is started again, and the end is told.
func TestRolledBackWhileAway(t *testing.T) {
	for _, later := range []bool{false, true} {
		in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
			s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true))
			d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseRegistered)
			d.PreparedAt = d.PreparedAt.Add(30 * time.Second) // our clock goes before AWS's
			w.FaultOnce("UpdateService", lost())
			d, err := attempt(t, e, d)
			if slipway.NextOf(err) != slipway.NextRetry {
				t.Fatalf("got %v", err)
			}
			s.Settle()
			if later {
				s.Deploy("registry.example.com/webapp1:3.0.0")
				s.Settle()
			}
			d.Attempt = 1
			d = advance(t, e, d, slipway.PhaseStarted)
			checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
			if !strings.HasPrefix(d.ID, "arn:aws:ecs:") {
				t.Errorf("the id is %s", d.ID)
			}
			checkEnd(t, last(observe(t, e, d)), slipway.StateRolledBack, slipway.ByECS, "circuit breaker threshold was exceeded; ", "container webapp1 exit code 1")
		})
	}
}

// TestRestartsOnChange: somebody changes the service after we read it. Our copy
// would undo that, so it is made anew.
func TestRestartsOnChange(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.DesiredCount(1))
		d := advance(t, e, deployment(image2), slipway.PhaseRegistered)
		changed := change(t, w, s, func(td *ecs.RegisterTaskDefinitionInput) { td.Cpu = aws.String("1024") })
		d, err := attempt(t, e, d)
		if err != nil || d.Phase != slipway.PhaseNew || d.Restarts != 1 || d.TaskDefinition != "" || d.Base != "" {
			t.Fatalf("got %+v, %v", d, err)
		}
		d = advance(t, e, d, slipway.PhaseStarted)
		td := describeTask(t, w, d.TaskDefinition).TaskDefinition
		if d.Base != changed || *td.Cpu != "1024" || *td.ContainerDefinitions[0].Image != image2 {
			t.Errorf("based on %s, with %s CPU units and %s", d.Base, *td.Cpu, *td.ContainerDefinitions[0].Image)
		}

		d = advance(t, e, deployment("registry.example.com/webapp1:4.0.0"), slipway.PhaseRegistered)
		d.Restarts = maxRestarts
		s.Deploy("registry.example.com/webapp1:5.0.0")
		_, err = attempt(t, e, d)
		checkError(t, err, slipway.NextPerson, "who else deploys", "was changed 6 times")
	})
}

// TestForcedAnew: a new deployment of the same task definition does not make our
// copy of it wrong.
func TestForcedAnew(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1")
		d := advance(t, e, deployment(image2), slipway.PhaseRegistered)
		if _, err := w.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), ForceNewDeployment: true,
		}); err != nil {
			t.Fatal(err)
		}
		forced := *s.Describe().Deployments[0].Id
		d = advance(t, e, d, slipway.PhaseStarted)
		if d.Restarts != 0 || d.BaseDeployment != forced {
			t.Errorf("%d restarts, base deployment %s, want %s", d.Restarts, d.BaseDeployment, forced)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
	})
}

func TestInactive(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(false))
		deregister(t, w, s.TaskDefinition)

		// Copying what runs works though it was deregistered.
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateFailed, "")

		// Putting it back needs a copy, of which there is only one.
		d.RollbackReason = "it failed"
		w.FaultOnce("RegisterTaskDefinition", lost())
		if _, err := e.Rollback(t.Context(), d); slipway.NextOf(err) != slipway.NextRetry {
			t.Fatalf("got %v", err)
		}
		w.FaultOnce("UpdateService", lost())
		if _, err := e.Rollback(t.Context(), d); slipway.NextOf(err) != slipway.NextRetry {
			t.Fatalf("got %v", err)
		}
		back, err := e.Rollback(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		checkEnd(t, last(observe(t, e, back)), slipway.StateRolledBack, slipway.BySlipway, "put webapp1:3 back: it failed")
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService", "RegisterTaskDefinition", "UpdateService")
		if td := describeTask(t, w, *s.Describe().TaskDefinition).TaskDefinition; *td.ContainerDefinitions[0].Image != "registry.example.com/webapp1:1.0.0" {
			t.Errorf("the copy runs %s", *td.ContainerDefinitions[0].Image)
		}

		// What we registered is deregistered before it is used.
		d = advance(t, e, deployment(image2), slipway.PhaseRegistered)
		deregister(t, w, d.TaskDefinition)
		_, err = attempt(t, e, d)
		checkError(t, err, slipway.NextPerson, "registers the task definition anew", "cannot update service webapp1 in cluster cluster1 to webapp1:4", "INACTIVE")
	})
}

// TestInactiveSeenLate: ECS refuses to go back to a task definition that it still
// describes as ACTIVE.
func TestInactiveSeenLate(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1")
		d := advance(t, e, deployment(image2), slipway.PhaseStarted)
		w.FaultOnce("UpdateService", &awsjson.Fault{Err: &awsjson.Error{Code: "ClientException", Message: "TaskDefinition is inactive"}})
		back, err := e.Rollback(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		checkEnd(t, last(observe(t, e, back)), slipway.StateRolledBack, slipway.BySlipway, "put webapp1:3 back")
	})
}

func TestUnchanged(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.Image(image2))
		d := advance(t, e, deployment(image2), slipway.PhaseUnchanged)
		if d.Base != s.TaskDefinition || d.ID != "" {
			t.Errorf("got %+v", d)
		}

		// The images are right, but the deployment that brings them is on its way.
		arn := s.Deploy("registry.example.com/webapp1:3.0.0")
		d, err := attempt(t, e, deployment("registry.example.com/webapp1:3.0.0"))
		if err != nil || d.Phase != slipway.PhaseStarted || d.TaskDefinition != arn || d.Base != s.TaskDefinition ||
			d.ID != *s.Describe().Deployments[0].Id || !d.FirstWriteAt.IsZero() {
			t.Fatalf("got %+v, %v", d, err)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
		checkWrites(t, w, []string{}...)
	})
}

// TestFoundCrashing: somebody else's deployment of our images fails, and is put
// back to what it replaced.
func TestFoundCrashing(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		const image = "registry.example.com/webapp1:2.0.0-crash"
		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(false))
		s.Deploy(image)
		d := advance(t, e, deployment(image), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateFailed, "")
		checkWrites(t, w, []string{}...)

		// ECS has given up on it: only a new deployment starts tasks again.
		again := deployment(image)
		again.Reusable = []string{d.TaskDefinition}
		retried := advance(t, e, again, slipway.PhaseStarted)
		if retried.ID == d.ID || retried.TaskDefinition == d.TaskDefinition {
			t.Errorf("the failed deployment was taken up again: %+v", retried)
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")

		back, err := e.Rollback(t.Context(), d)
		if err != nil || back.RollbackID != "" {
			t.Errorf("the first one's rollback would undo the second: %+v, %v", back, err)
		}
	})
}

func TestNothingToPutBack(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.Image(image2), sandboxtest.Unsettled())
		d := advance(t, e, deployment(image2), slipway.PhaseStarted)
		_, err := e.Rollback(t.Context(), d)
		checkError(t, err, slipway.NextNever, "", "nothing to put back")
		checkEnd(t, last(observe(t, e, d)), slipway.StateDeployed, "")
		for _, phase := range []slipway.Phase{slipway.PhaseNew, slipway.PhasePrepared, slipway.PhaseRegistered, slipway.PhaseUnchanged} {
			d.Phase = phase
			if _, err := e.Rollback(t.Context(), d); slipway.NextOf(err) != slipway.NextNever {
				t.Errorf("phase %q is rolled back: %v", phase, err)
			}
			if _, err := e.Observe(t.Context(), d); slipway.NextOf(err) != slipway.NextNever {
				t.Errorf("phase %q is observed: %v", phase, err)
			}
		}
		if _, err := e.Advance(t.Context(), d); slipway.NextOf(err) != slipway.NextNever {
			t.Errorf("phase %q is advanced: %v", d.Phase, err)
		}
	})
}
