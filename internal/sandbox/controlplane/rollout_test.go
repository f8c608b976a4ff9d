package controlplane_test

import (
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

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// inBubble runs a test in virtual time.
func inBubble(name string, t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// story follows a service. Ids become names in the order of their appearance:
// deployments D1, D2…, tasks T1, T2….
type story struct {
	t     *testing.T
	s     *sandboxtest.Service
	names map[string]string
	began time.Time
	pace  time.Duration // how often until looks
}

func tell(t *testing.T, s *sandboxtest.Service) *story {
	st := &story{t: t, s: s, names: map[string]string{}, began: time.Now(), pace: time.Second}
	st.look(s.Describe())
	return st
}

// look gives names to what is new.
func (st *story) look(d types.Service) {
	name := func(id, letter string) {
		if st.names[id] == "" {
			n := 1
			for _, other := range st.names {
				if strings.HasPrefix(other, letter) {
					n++
				}
			}
			st.names[id] = fmt.Sprintf("%s%d", letter, n)
		}
	}
	for _, deployment := range slices.Backward(d.Deployments) {
		name(*deployment.Id, "D")
	}
	for _, event := range slices.Backward(d.Events) {
		for _, part := range strings.Split(*event.Message, "(task ")[1:] {
			id, _, _ := strings.Cut(part, ")")
			name(id, "T")
		}
	}
	for _, lb := range d.LoadBalancers {
		st.names[*lb.TargetGroupArn] = "GROUP"
	}
}

// named replaces ids by names.
func (st *story) named(text string) string {
	for id, name := range st.names {
		text = strings.ReplaceAll(text, id, name)
	}
	return text
}

// deployments is the list of deployments in one line.
func (st *story) deployments(d types.Service) string {
	var parts []string
	for _, e := range d.Deployments {
		part := fmt.Sprintf("%s %s %s %d/%d/%d", st.names[*e.Id], *e.Status, e.RolloutState, e.RunningCount, e.PendingCount, e.DesiredCount)
		if e.FailedTasks > 0 {
			part += fmt.Sprintf(" failed %d", e.FailedTasks)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// until follows the deployments, a look every pace, and returns each new sight
// until done says so.
func (st *story) until(done func(types.Service) bool) []string {
	st.t.Helper()
	var seen []string
	for range 60 * 60 {
		d := st.s.Describe()
		st.look(d)
		if sight := st.deployments(d); len(seen) == 0 || seen[len(seen)-1] != sight {
			seen = append(seen, sight)
		}
		if done(d) {
			return seen
		}
		sleep(st.pace)
	}
	st.t.Fatalf("it took for ever:\n%s", strings.Join(seen, "\n"))
	return nil
}

// sleep lets virtual time pass.
func sleep(d time.Duration) { <-time.After(d) }

// over says whether a rollout has ended and nothing moves any more.
func over(d types.Service) bool {
	return len(d.Deployments) == 1 && d.Deployments[0].RolloutState != types.DeploymentRolloutStateInProgress &&
		d.PendingCount == 0 && (d.RunningCount == d.DesiredCount || d.Deployments[0].RolloutState == types.DeploymentRolloutStateFailed)
}

// at is done once that much time has passed since the story began.
func (st *story) at(d time.Duration) func(types.Service) bool {
	return func(types.Service) bool { return time.Since(st.began) >= d }
}

// events are the messages since the story began, oldest first, without the
// service's name.
func (st *story) events() []string {
	st.t.Helper()
	d := st.s.Describe()
	st.look(d)
	var messages []string
	for _, e := range slices.Backward(d.Events) {
		if e.CreatedAt.After(st.began) {
			messages = append(messages, strings.TrimPrefix(st.named(*e.Message), "(service "+st.s.Name))
		}
	}
	return messages
}

// stopped tells how the tasks that have stopped came to their end.
func (st *story) stopped() []string {
	var ends []string
	for _, task := range st.s.Tasks() {
		if task.StopCode != "" {
			end := fmt.Sprintf("%s of %s: %s: %s", st.named(lastPart(*task.TaskArn)), st.named(*task.StartedBy), task.StopCode, st.named(*task.StoppedReason))
			if code := task.Containers[0].ExitCode; code != nil {
				end += fmt.Sprintf(" (%d)", *code)
			}
			ends = append(ends, end)
		}
	}
	return ends
}

func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestRollBehindLoadBalancer(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		st := tell(t, s)
		before := s.Describe().Deployments[0]
		arn := s.Deploy("registry.example.com/webapp1:2.0.0")

		same(t, "deployments", []string{
			"D2 PRIMARY IN_PROGRESS 0/0/1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 0/1/1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/1",
			"D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/0",
			"D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 0/0/0",
			"D2 PRIMARY COMPLETED 1/0/1",
		}, st.until(over))
		// The order and texts of real events: the stop is decided before the
		// target is deregistered, the deployment is complete when it has drained.
		same(t, "events", []string{
			") has started 1 tasks: (task T2).",
			") registered 1 targets in (target-group GROUP)",
			") has stopped 1 running tasks: (task T1).",
			") deregistered 1 targets in (target-group GROUP)",
			", taskSet D1) has begun draining connections on 1 tasks.",
			") (deployment D2) deployment completed.",
			") has reached a steady state.",
		}, st.events())
		same(t, "stopped tasks", []string{
			"T1 of D1: ServiceSchedulerInitiated: Scaling activity initiated by (deployment D1) (0)",
		}, st.stopped())

		d := s.Describe()
		after := d.Deployments[0]
		same(t, "task definition of the service", arn, *d.TaskDefinition)
		same(t, "task definition of the deployment", arn, *after.TaskDefinition)
		same(t, "reason", fmt.Sprintf("ECS deployment %s completed.", *after.Id), *after.RolloutStateReason)
		if *before.Id == *after.Id || !strings.HasPrefix(*after.Id, "ecs-svc/") || len(*after.Id) != len("ecs-svc/")+19 {
			t.Errorf("deployment ids %s, %s", *before.Id, *after.Id)
		}
		if took := time.Since(st.began); took < 6*time.Minute || took > 8*time.Minute {
			t.Errorf("it took %s, and AWS between 6 and 8 minutes", took)
		}
		task := s.Tasks()[0]
		for _, r := range s.Tasks() {
			if r.StopCode == "" {
				task = r
			}
		}
		same(t, "group", "service:webapp1", *task.Group)
		same(t, "startedBy", *after.Id, *task.StartedBy)
		if digest := aws.ToString(task.Containers[0].ImageDigest); !strings.HasPrefix(digest, "sha256:") || len(digest) != 71 {
			t.Errorf("image digest %q", digest)
		}
	})
}

func TestRollWithoutLoadBalancer(t *testing.T) {
	inBubble("three tasks", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1", sandboxtest.DesiredCount(3))
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0")
		st.until(over)
		same(t, "events", []string{
			") has started 3 tasks: (task T4) (task T5) (task T6).",
			") has stopped 3 running tasks: (task T1) (task T2) (task T3).",
			") (deployment D2) deployment completed.",
			") has reached a steady state.",
		}, st.events())
		if took := time.Since(st.began); took < 90*time.Second || took > 2*time.Minute {
			t.Errorf("it took %s: a task must run for 40 s to be healthy", took)
		}
	})
	inBubble("0 and 100 percent: the old one first", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1", sandboxtest.Percentages(0, 100))
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0")
		st.until(over)
		same(t, "events", []string{
			") has stopped 1 running tasks: (task T1).",
			") has started 1 tasks: (task T2).",
			") (deployment D2) deployment completed.",
			") has reached a steady state.",
		}, st.events())
	})
	inBubble("no room: stalled", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1", sandboxtest.DesiredCount(3), sandboxtest.Percentages(100, 125))
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0")
		st.until(st.at(10 * time.Minute))
		const stalled = ") was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
		same(t, "events", []string{stalled}, st.events())
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 0/0/3, D1 ACTIVE COMPLETED 3/0/3", st.deployments(s.Describe()))

		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(200)}
		})
		st.until(over)
		same(t, "last event", ") has reached a steady state.", st.events()[len(st.events())-1])
	})
}

func TestFirstDeployment(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		began := time.Now()
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.Unsettled())
		st := tell(t, s)
		st.began = began
		same(t, "deployments", []string{
			"D1 PRIMARY IN_PROGRESS 0/0/1", "D1 PRIMARY IN_PROGRESS 0/1/1", "D1 PRIMARY IN_PROGRESS 1/0/1", "D1 PRIMARY COMPLETED 1/0/1",
		}, st.until(over))
		same(t, "events", []string{
			") has started 1 tasks: (task T1).",
			") registered 1 targets in (target-group GROUP)",
			") (deployment D1) deployment completed.",
			") has reached a steady state.",
		}, st.events())
	})
}

func TestReplacedHalfway(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0")
		st.until(st.at(20 * time.Second))
		s.Deploy("registry.example.com/service1:3.0.0")
		same(t, "deployments", []string{
			"D3 PRIMARY IN_PROGRESS 0/0/1, D2 ACTIVE IN_PROGRESS 0/1/1, D1 ACTIVE COMPLETED 1/0/1",
			"D3 PRIMARY IN_PROGRESS 0/0/1, D2 ACTIVE IN_PROGRESS 0/0/0, D1 ACTIVE COMPLETED 1/0/1",
			"D3 PRIMARY IN_PROGRESS 0/1/1, D2 ACTIVE IN_PROGRESS 0/0/0, D1 ACTIVE COMPLETED 1/0/1",
			"D3 PRIMARY IN_PROGRESS 0/1/1, D1 ACTIVE COMPLETED 1/0/1",
			"D3 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/1",
			"D3 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/0",
			"D3 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 0/0/0",
			"D3 PRIMARY COMPLETED 1/0/1",
		}, st.until(over))
		same(t, "events", []string{
			") has started 1 tasks: (task T2).",
			") stopped 1 pending tasks.",
			") has started 1 tasks: (task T3).",
			") has stopped 1 running tasks: (task T1).",
			") (deployment D3) deployment completed.",
			") has reached a steady state.",
		}, st.events())
		same(t, "service deployments", []string{"SUCCESSFUL", "STOPPED", "SUCCESSFUL"}, statuses(t, w, s))
	})
}

func TestServiceDeployments(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		s.Deploy("registry.example.com/webapp1:2.0.0")
		var seen []string
		for range 450 {
			sight := fmt.Sprintf("%v %s", statuses(t, w, s), s.Describe().Deployments[0].RolloutState)
			if len(seen) == 0 || seen[len(seen)-1] != sight {
				seen = append(seen, sight)
			}
			sleep(time.Second)
		}
		same(t, "service deployments, and the rollout state", []string{
			"[SUCCESSFUL] IN_PROGRESS", // not recorded yet
			"[PENDING SUCCESSFUL] IN_PROGRESS",
			"[IN_PROGRESS SUCCESSFUL] IN_PROGRESS",
			"[SUCCESSFUL SUCCESSFUL] IN_PROGRESS", // before the old task is gone
			"[SUCCESSFUL SUCCESSFUL] COMPLETED",
		}, seen)
	})
}

// statuses are those of the service's deployments, newest first.
func statuses(t *testing.T, w *sandboxtest.World, s *sandboxtest.Service) []string {
	t.Helper()
	out, err := w.ECS().ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: &s.Cluster, Service: &s.Name})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range out.ServiceDeployments {
		all = append(all, string(d.Status))
	}
	return all
}

func TestUpdateWithoutDeployment(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1", sandboxtest.DesiredCount(2))
		st := tell(t, s)
		for name, change := range map[string]func(*ecs.UpdateServiceInput){
			"nothing":              func(*ecs.UpdateServiceInput) {},
			"same task definition": func(in *ecs.UpdateServiceInput) { in.TaskDefinition = &s.TaskDefinition },
			"its bare family":      func(in *ecs.UpdateServiceInput) { in.TaskDefinition = aws.String("service1") },
			"same network":         func(in *ecs.UpdateServiceInput) { in.NetworkConfiguration = s.Describe().NetworkConfiguration },
			"desired count":        func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(3) },
			"grace period":         func(in *ecs.UpdateServiceInput) { in.HealthCheckGracePeriodSeconds = aws.Int32(7) },
			"deployment configuration": func(in *ecs.UpdateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(50)}
			},
			"propagated tags": func(in *ecs.UpdateServiceInput) { in.PropagateTags = types.PropagateTagsService },
		} {
			d := s.Update(change)
			st.look(d)
			if len(d.Deployments) != 1 || st.names[*d.Deployments[0].Id] != "D1" {
				t.Errorf("%s: deployments %s", name, st.deployments(d))
			}
		}
		same(t, "deployments", []string{
			"D1 PRIMARY COMPLETED 2/0/3", "D1 PRIMARY COMPLETED 2/1/3", "D1 PRIMARY COMPLETED 3/0/3",
		}, st.until(over))
		// Counts are right before the new task is healthy; the event comes after.
		st.until(st.at(5 * time.Minute))
		same(t, "events", []string{") has started 1 tasks: (task T3).", ") has reached a steady state."}, st.events())

		d := s.Describe()
		same(t, "grace period", int32(7), *d.HealthCheckGracePeriodSeconds)
		same(t, "minimum", int32(50), *d.DeploymentConfiguration.MinimumHealthyPercent)
		same(t, "maximum, which was not given", int32(200), *d.DeploymentConfiguration.MaximumPercent)

		s.Update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(0) })
		st.until(over)
		same(t, "counts", []int32{0, 0, 0}, []int32{s.Describe().RunningCount, s.Describe().PendingCount, s.Describe().DesiredCount})
	})
}

func TestUpdateWithDeployment(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1")
		st := tell(t, s)
		n := 1
		for _, change := range []func(*ecs.UpdateServiceInput){
			func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true },
			func(in *ecs.UpdateServiceInput) {
				in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
			},
			func(in *ecs.UpdateServiceInput) { in.PlatformVersion = aws.String("1.4.0") },
			func(in *ecs.UpdateServiceInput) {
				in.ServiceRegistries = []types.ServiceRegistry{{RegistryArn: aws.String("arn:aws:servicediscovery:ca-central-1:111122223333:service/srv-1")}}
			},
			func(in *ecs.UpdateServiceInput) {
				in.ServiceConnectConfiguration = &types.ServiceConnectConfiguration{Enabled: true}
			},
			func(in *ecs.UpdateServiceInput) {
				in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: aws.String("arn:tg"), ContainerName: &s.Name, ContainerPort: aws.Int32(8080)}}
			},
		} {
			n++
			d := s.Update(change)
			st.look(d)
			if got := fmt.Sprintf("D%d", n); st.names[*d.Deployments[0].Id] != got || *d.Deployments[0].Status != "PRIMARY" {
				t.Errorf("deployments %s, want a new %s", st.deployments(d), got)
			}
			s.Settle()
		}
		same(t, "task definition", s.TaskDefinition, *s.Describe().TaskDefinition)
	})
}

func TestDesiredCountDuringRollout(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		s := sandboxtest.New(t).Service("cluster1", "service1", sandboxtest.DesiredCount(2))
		st := tell(t, s)
		s.Deploy("registry.example.com/service1:2.0.0")
		st.until(st.at(20 * time.Second))
		s.Update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(4) })
		st.until(over)
		same(t, "deployments", "D2 PRIMARY COMPLETED 4/0/4", st.deployments(s.Describe()))
		same(t, "events", []string{
			") has started 2 tasks: (task T3) (task T4).",
			") has started 2 tasks: (task T5) (task T6).",
			") has stopped 2 running tasks: (task T1) (task T2).",
			") (deployment D2) deployment completed.",
			") has reached a steady state.",
		}, st.events())
	})
}
