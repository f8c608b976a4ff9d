package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// in runs a test in a bubble with an ECS and a target that reaches it.
func in(t *testing.T, test func(t *testing.T, w *sandboxtest.World, e *ECS)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		test(t, w, targetOf(w))
	})
}

func targetOf(w *sandboxtest.World) *ECS {
	return NewECS(Options{Config: func(context.Context, string) (aws.Config, error) { return w.Config(), nil }})
}

// deployment is a new one of an image to webapp1.
func deployment(image string) slipway.Deployment {
	return slipway.Deployment{
		Execution: "0199f000-0000-7000-8000-000000000001", Commit: "3f786850e387550fdab836ed7e6dc881de23001b",
		App:    slipway.App{Cluster: "cluster1", Name: "webapp1"},
		Place:  slipway.Place{Cluster: "cluster1", Service: "webapp1"},
		Images: []slipway.Image{{Container: "webapp1", URI: image}},
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// persisted is d as a restart would find it.
func persisted(t *testing.T, d slipway.Deployment) slipway.Deployment {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var read slipway.Deployment
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// attempt begins an attempt at d's step, as the engine does, and returns what it
// would persist.
func attempt(t *testing.T, e kind, d slipway.Deployment) (slipway.Deployment, error) {
	t.Helper()
	d.Attempt++
	next, err := e.Advance(t.Context(), persisted(t, d))
	if err == nil && next.Attempt != 0 {
		t.Errorf("phase %q begins with attempt %d", next.Phase, next.Attempt)
	}
	return persisted(t, next), err
}

// advance takes d to a phase, and again where an attempt failed that may be
// repeated.
func advance(t *testing.T, e kind, d slipway.Deployment, to slipway.Phase) slipway.Deployment {
	t.Helper()
	for range 30 {
		if d.Phase == to {
			return d
		}
		next, err := attempt(t, e, d)
		if failed, ok := errors.AsType[*slipway.Error](err); ok && failed.Next == slipway.NextRetry {
			pass(failed.RetryAfter)
		} else if err != nil {
			t.Fatalf("phase %q: %v", d.Phase, err)
		}
		d = next
	}
	t.Fatalf("phase %q was not reached: %+v", to, d)
	return d
}

// observe observes d until that is final, and returns all that was observed.
func observe(t *testing.T, e kind, d slipway.Deployment) []slipway.Observation {
	t.Helper()
	var all []slipway.Observation
	for range 1000 {
		o, err := e.Observe(t.Context(), persisted(t, d))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
		if o.Final() {
			if !o.Next.IsZero() {
				t.Errorf("a final observation names a next one at %v", o.Next)
			}
			return all
		}
		wait := time.Until(o.Next)
		if wait <= 0 || wait > 23*time.Second {
			t.Fatalf("the next observation is in %v", wait)
		}
		pass(wait)
	}
	t.Fatalf("no end after %d observations: %+v", len(all), all[len(all)-1])
	return nil
}

func last(all []slipway.Observation) slipway.Observation { return all[len(all)-1] }

// checkEnd compares an observation's verdict; the reason is to have all parts.
func checkEnd(t *testing.T, o slipway.Observation, state slipway.State, by string, reason ...string) {
	t.Helper()
	if o.State != state || o.By != by {
		t.Errorf("got %s by %q (%s), want %s by %q", o.State, o.By, o.Reason, state, by)
	}
	for _, part := range reason {
		if !strings.Contains(o.Reason, part) {
			t.Errorf("the reason %q does not say %q", o.Reason, part)
		}
	}
}

func checkWrites(t *testing.T, w *sandboxtest.World, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.Calls().Writes().Operations()); diff != "" {
		t.Errorf("calls that write (-want +got):\n%s", diff)
	}
}

// describeTask is a task definition as it is, with its tags.
func describeTask(t *testing.T, w *sandboxtest.World, arn string) *ecs.DescribeTaskDefinitionOutput {
	t.Helper()
	out, err := w.ECS().DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(arn), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lost is a fault that lets a request have its effect and loses the answer.
func lost() *awsjson.Fault { return &awsjson.Fault{AfterEffect: true, Drop: true} }

func TestDeploy(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.DesiredCount(2), sandboxtest.CircuitBreaker(true))
		base := s.Describe()
		began := time.Now()
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhasePrepared)
		checkWrites(t, w, []string{}...)
		want := deployment("registry.example.com/webapp1:2.0.0")
		want.Phase, want.PreparedAt, want.Base, want.BaseDeployment = slipway.PhasePrepared, d.PreparedAt, s.TaskDefinition, *base.Deployments[0].Id
		want.Strategy = slipway.StrategyRolling
		want.BaseImages = []slipway.Image{{Container: "webapp1", URI: "registry.example.com/webapp1:1.0.0"}}
		if diff := cmp.Diff(want, d); diff != "" || d.PreparedAt.Before(began) {
			t.Errorf("prepared at %v (-want +got):\n%s", d.PreparedAt, diff)
		}

		d = advance(t, e, d, slipway.PhaseStarted)
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
		primary := s.Describe().Deployments[0]
		if d.ID != *primary.Id || d.TaskDefinition != *primary.TaskDefinition || !d.StartedAt.Equal(*primary.CreatedAt) || d.Reused {
			t.Errorf("started %+v, the service's primary is %s of %s", d, *primary.Id, *primary.TaskDefinition)
		}
		if d.FirstWriteAt.Before(d.PreparedAt) || d.FirstWriteAt.After(d.StartedAt) {
			t.Errorf("first write at %v, prepared %v, started %v", d.FirstWriteAt, d.PreparedAt, d.StartedAt)
		}
		if diff := cmp.Diff(`{"cluster":"cluster1","service":"webapp1","taskDefinition":"`+d.TaskDefinition+`"}`, string(w.RawBodies("UpdateService")[0])); diff != "" {
			t.Errorf("UpdateService (-want +got):\n%s", diff)
		}
		tags := describeTask(t, w, d.TaskDefinition).Tags
		wantTags := []types.Tag{{Key: aws.String("slipway:execution"), Value: &d.Execution}, {Key: aws.String("slipway:app"), Value: aws.String("cluster1/webapp1")}, {Key: aws.String("slipway:commit"), Value: &d.Commit}}
		if diff := cmp.Diff(wantTags, tags, cmp.Comparer(func(a, b types.Tag) bool { return *a.Key == *b.Key && *a.Value == *b.Value })); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}

		all := observe(t, e, d)
		checkEnd(t, last(all), slipway.StateDeployed, "")
		if o := last(all); o.TaskDefinition != d.TaskDefinition || o.Tasks != (slipway.TaskCounts{Desired: 2, Running: 2}) || o.Draining != 0 || len(o.Events) == 0 {
			t.Errorf("the last observation is %+v", o)
		}
		if !slices.ContainsFunc(all, func(o slipway.Observation) bool { return o.Draining > 0 && o.Tasks.Running == 2 }) {
			t.Error("nobody saw the old tasks drain")
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
		if n := w.Calls().Count("DescribeServices"); n > 100 {
			t.Errorf("%v took %d looks", time.Since(began), n)
		}
	})
}

func TestCrashIsRolledBackByECS(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		all := observe(t, e, d)
		const cause = "Essential container in task exited (container webapp1 exit code 1)"
		checkEnd(t, last(all), slipway.StateRolledBack, slipway.ByECS, "rolled back by ECS to webapp1:1: tasks failed to start; ", cause)
		if last(all).TaskDefinition != s.TaskDefinition {
			t.Errorf("runs %s", last(all).TaskDefinition)
		}
		if !slices.ContainsFunc(all, func(o slipway.Observation) bool {
			return o.State == slipway.StateProgressing && strings.Contains(o.Reason, cause)
		}) {
			t.Error("nobody was told about the crashes while they went on")
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")

		// A rollback asked for by us finds it done, and writes nothing; not even
		// where we could not go back to that task definition.
		d.RollbackReason = "out of time"
		deregister(t, w, s.TaskDefinition)
		back, err := e.Rollback(t.Context(), d)
		if err != nil || back.Phase != slipway.PhaseRollingBack || back.RollbackID != d.BaseDeployment {
			t.Fatalf("got %+v, %v", back, err)
		}
		checkEnd(t, last(observe(t, e, back)), slipway.StateRolledBack, slipway.ByECS, "out of time")
		checkWrites(t, w, []string{}...)
	})
}

// TestOthersTasksAreNotTheCause: tasks of what ran before stop, too.
func TestOthersTasksAreNotTheCause(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true))
		w.Exit(lastPart(*s.Tasks()[0].TaskArn), "webapp1", 42)
		s.Settle()
		pass(time.Minute)
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "exit code 1")
		if strings.Contains(o.Reason, "42") {
			t.Errorf("the reason is another deployment's: %s", o.Reason)
		}
	})
}

func TestBreakerWithoutRollback(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(false))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		o := last(observe(t, e, d))
		checkEnd(t, o, slipway.StateFailed, "", "ECS does not roll it back: tasks failed to start", "container webapp1 exit code 1")

		d.RollbackReason, d.Attempt = o.Reason, 1
		w.FaultOnce("UpdateService", lost())
		if _, err := e.Rollback(t.Context(), persisted(t, d)); slipway.NextOf(err) != slipway.NextRetry {
			t.Fatalf("with its answer lost, Rollback says %v", err)
		}
		d.Attempt = 2
		back, err := e.Rollback(t.Context(), persisted(t, d))
		if err != nil || back.Phase != slipway.PhaseRollingBack || back.RollbackID == d.ID || back.RollbackID == d.BaseDeployment {
			t.Fatalf("got %+v, %v", back, err)
		}
		if !back.RollbackStartedAt.After(d.StartedAt) {
			t.Errorf("started %v, rolled back from %v", d.StartedAt, back.RollbackStartedAt)
		}
		o = last(observe(t, e, back))
		checkEnd(t, o, slipway.StateRolledBack, slipway.BySlipway, "put webapp1:1 back", "container webapp1 exit code 1")
		if *s.Describe().TaskDefinition != s.TaskDefinition || o.TaskDefinition != s.TaskDefinition {
			t.Errorf("the service runs %s", *s.Describe().TaskDefinition)
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService", "UpdateService")
	})
}

// TestMayNotStop: whoever may not stop service deployments updates the service.
func TestMayNotStop(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		w.Fault(denied("StopServiceDeployment"))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateFailed, "")
		back, err := e.Rollback(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		o := last(observe(t, e, back))
		checkEnd(t, o, slipway.StateRolledBack, slipway.BySlipway, "put webapp1:1 back")
		if o.TaskDefinition != s.TaskDefinition {
			t.Errorf("runs %s", o.TaskDefinition)
		}
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService", "StopServiceDeployment", "UpdateService")
	})
}

func TestReplaced(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		pass(20 * time.Second)
		s.Deploy("registry.example.com/webapp1:3.0.0")
		checkEnd(t, last(observe(t, e, d)), slipway.StateReplaced, "", "replaced by deployment "+*s.Describe().Deployments[0].Id+" of webapp1:3, made at ")

		// A rollback would undo theirs.
		d.RollbackReason = "stopped"
		back, err := e.Rollback(t.Context(), d)
		if err != nil || back.Phase != slipway.PhaseRollingBack || back.RollbackID != "" {
			t.Fatalf("got %+v, %v", back, err)
		}
		checkEnd(t, last(observe(t, e, back)), slipway.StateReplaced, "", "of webapp1:3")
		checkWrites(t, w, "RegisterTaskDefinition", "UpdateService")
	})
}

func TestOurRollbackIsReplaced(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		back, err := e.Rollback(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		s.Deploy("registry.example.com/webapp1:3.0.0")
		checkEnd(t, last(observe(t, e, back)), slipway.StateReplaced, "", "of webapp1:3")
	})
}

// TestAway: what happened while nobody looked is told by ECS's lasting record.
func TestAway(t *testing.T) {
	for _, tt := range []struct {
		name, image string
		state       slipway.State
		by, reason  string
	}{
		{"deployed", "registry.example.com/webapp1:2.0.0", slipway.StateDeployed, "", "it was deployed; since then replaced by"},
		{"rolled back", "registry.example.com/webapp1:2.0.0-crash", slipway.StateRolledBack, slipway.ByECS, "rolled back by ECS; since then replaced by"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
				s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true))
				d := advance(t, e, deployment(tt.image), slipway.PhaseStarted)
				s.Settle()
				s.Deploy("registry.example.com/webapp1:3.0.0")
				s.Settle()
				pass(48 * time.Hour)
				checkEnd(t, last(observe(t, e, d)), tt.state, tt.by, tt.reason)
			})
		})
	}
}

func TestServiceDeletedMeanwhile(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0"), slipway.PhaseStarted)
		if _, err := w.ECS().DeleteService(t.Context(), &ecs.DeleteServiceInput{
			Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), Force: aws.Bool(true),
		}); err != nil {
			t.Fatal(err)
		}
		checkEnd(t, last(observe(t, e, d)), slipway.StateGone, "", "service webapp1 in cluster cluster1 was deleted")
		pass(24 * time.Hour)
		checkEnd(t, last(observe(t, e, d)), slipway.StateGone, "", "service webapp1 in cluster cluster1")
		_, err := e.Rollback(t.Context(), d)
		checkError(t, err, slipway.NextPerson, "create the service", "service webapp1 in cluster cluster1")

		d.Place.Cluster = "cluster9"
		checkEnd(t, last(observe(t, e, d)), slipway.StateGone, "", "there is no such cluster")
	})
}

// logged is a container that prints to CloudWatch Logs.
func logged(in *ecs.RegisterTaskDefinitionInput) {
	in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
		"awslogs-group": "/ecs/webapp1", "awslogs-region": sandboxtest.Region, "awslogs-stream-prefix": "web",
	}}
}

// TestLastLines: a verdict comes with what the container that failed said last;
// and without it where that may not be read.
func TestLastLines(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
			w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true), sandboxtest.Definition(logged))
			if !allowed {
				w.Fault(denied("GetLogEvents"))
			}
			d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
			all := observe(t, e, d)
			o := last(all)
			checkEnd(t, o, slipway.StateRolledBack, slipway.ByECS, "container webapp1 exit code 1")
			headline, details, _ := strings.Cut(o.Reason, "\n")
			if !strings.HasPrefix(headline, "rolled back by ECS to webapp1:1: tasks failed to start; 3 tasks: ") {
				t.Errorf("the headline is %q", headline)
			}
			lines := strings.Split(details, "\n")
			if !allowed {
				if details != "" || w.Calls().Count("GetLogEvents") != 1 {
					t.Errorf("what may not be read was asked for %d times, and says %q", w.Calls().Count("GetLogEvents"), details)
				}
				return
			}
			if !strings.HasPrefix(lines[0], "the last lines of container webapp1 in task ") || len(lines) < 2 || len(lines) > 1+logLines || !strings.HasPrefix(lines[1], "    ") {
				t.Errorf("the details are %q", details)
			}
			if n := w.Calls().Count("GetLogEvents"); n != 1 {
				t.Errorf("the log was read %d times", n)
			}
		})
	}
}

// TestLastTwentyLines: the newest lines, and no more.
func TestLastTwentyLines(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		s := w.Service("cluster1", "webapp1", sandboxtest.CircuitBreaker(true), sandboxtest.Definition(logged))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-crash"), slipway.PhaseStarted)
		printed := map[string]bool{}
		for {
			for _, task := range s.Tasks() {
				if id := lastPart(*task.TaskArn); *task.TaskDefinitionArn == d.TaskDefinition && *task.LastStatus == "RUNNING" && !printed[id] {
					printed[id] = true
					for n := range 30 {
						w.Around().Logs.Put("/ecs/webapp1", "web/webapp1/"+id, fmt.Sprintf("line %d", n))
					}
				}
			}
			pass(time.Second)
			o, err := e.Observe(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if !o.Final() {
				continue
			}
			lines := strings.Split(o.Reason, "\n")[2:]
			if len(lines) != 20 || strings.TrimSpace(lines[0]) != "line 12" || strings.TrimSpace(lines[19]) != "exiting with status 1" {
				t.Errorf("got %d lines: %q", len(lines), lines)
			}
			return
		}
	})
}

// TestWayBackFails: where the old tasks went first, what ran before has to start
// again, and cannot.
func TestWayBackFails(t *testing.T) {
	const secret = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:database-AbCdEf"
	for name, fault := range map[string]func(string) *awsjson.Fault{"told to ECS": nil, "may not tell ECS": denied("StopServiceDeployment")} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
				w.Service("cluster1", "webapp1", sandboxtest.DesiredCount(2), sandboxtest.Percentages(0, 100), sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
					in.ContainerDefinitions[0].Secrets = []types.Secret{{Name: aws.String("DATABASE"), ValueFrom: aws.String(secret)}}
				}))
				w.DeleteSecret(secret)
				w.Fault(fault)
				d := advance(t, e, deployment(image2), slipway.PhaseStarted)
				checkEnd(t, last(observe(t, e, d)), slipway.StateFailed, "", "of its tasks failed", "ResourceInitializationError")
				began := time.Now()
				back, err := e.Rollback(t.Context(), d)
				if err != nil {
					t.Fatal(err)
				}
				o := last(observe(t, e, back))
				checkEnd(t, o, slipway.StateFailed, "", "of its tasks failed one after the other", "ResourceInitializationError", "secret:database")
				if took := time.Since(began); took > 15*time.Minute {
					t.Errorf("it took %v to see that", took)
				}
			})
		})
	}
}

// TestContainerHealth: an UNHEALTHY container is named.
func TestContainerHealth(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, e *ECS) {
		w.Service("cluster1", "webapp1", sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "curl -f http://localhost:8080/"}}
		}))
		d := advance(t, e, deployment("registry.example.com/webapp1:2.0.0-unhealthy"), slipway.PhaseStarted)
		checkEnd(t, last(observe(t, e, d)), slipway.StateFailed, "", "3 tasks: Task failed container health checks (container webapp1 is UNHEALTHY)")
	})
}
