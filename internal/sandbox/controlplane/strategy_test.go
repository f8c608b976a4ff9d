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

// voyage follows a service deployment through its stages.
type voyage struct {
	t     *testing.T
	w     *sandboxtest.World
	s     *sandboxtest.Service
	began time.Time
	seen  []string
}

// embark deploys an image and begins to follow the service deployment that this
// makes.
func embark(t *testing.T, w *sandboxtest.World, s *sandboxtest.Service, tag string) *voyage {
	t.Helper()
	v := &voyage{t: t, w: w, s: s, began: time.Now()}
	before := *newest(t, w, s).ServiceDeploymentArn
	s.Deploy("registry.example.com/" + s.Name + ":" + tag)
	for *newest(t, w, s).ServiceDeploymentArn == before {
		sleep(time.Second)
	}
	return v
}

// until looks every two seconds until done says so: a stage lasts five at least. Each new sight is noted with its
// minute: status, stage, the weights of production and test traffic that the new
// revision shall have, and those that the rules give the alternate target group.
func (v *voyage) until(done func(types.ServiceDeployment) bool) types.ServiceDeployment {
	v.t.Helper()
	last := ""
	for range 24 * 60 * 60 {
		r, sight := v.look(last)
		if sight != last {
			v.seen = append(v.seen, fmt.Sprintf("%d' %s", int(time.Since(v.began).Minutes()), sight))
			last = sight
		}
		if done(r) {
			return r
		}
		sleep(2 * time.Second)
	}
	v.t.Fatalf("it took for ever:\n%s", strings.Join(v.seen, "\n"))
	return types.ServiceDeployment{}
}

// look is one sight. When it is not the last one it looks again, for something may
// have changed meanwhile.
func (v *voyage) look(last string) (types.ServiceDeployment, string) {
	v.t.Helper()
	for {
		r := newest(v.t, v.w, v.s)
		sight := fmt.Sprintf("%s %s %s", r.Status, r.LifecycleStage, v.weights(r))
		if sight == last {
			return r, sight
		}
		if again := newest(v.t, v.w, v.s); again.LifecycleStage == r.LifecycleStage && again.Status == r.Status {
			return r, sight
		}
	}
}

func (v *voyage) weights(r types.ServiceDeployment) string {
	target := r.TargetServiceRevision
	if target.RequestedProductionTrafficWeight == nil || v.s.Managed == nil {
		return "-"
	}
	m := v.s.Managed
	return fmt.Sprintf("%v/%v %v/%v", *target.RequestedProductionTrafficWeight, aws.ToFloat64(target.RequestedTestTrafficWeight),
		v.w.Weights(*m.ProductionListenerRule)[*m.AlternateTargetGroupArn], v.w.Weights(aws.ToString(m.TestListenerRule))[*m.AlternateTargetGroupArn])
}

// ended says whether a service deployment is over.
func ended(r types.ServiceDeployment) bool { return r.FinishedAt != nil }

// in is done in a stage.
func in(stage string) func(types.ServiceDeployment) bool {
	return func(r types.ServiceDeployment) bool { return string(r.LifecycleStage) == stage }
}

// paused is done when a PAUSE hook waits.
func paused(r types.ServiceDeployment) bool { return awaiting(r) != "" }

// awaiting is the id of the hook that waits for an answer, if any.
func awaiting(r types.ServiceDeployment) string {
	for _, h := range r.LifecycleHookDetails {
		if h.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
			return *h.HookId
		}
	}
	return ""
}

// hookStatuses are those of all hooks so far, in order.
func hookStatuses(r types.ServiceDeployment) string {
	var all []string
	for _, h := range r.LifecycleHookDetails {
		all = append(all, string(h.Status))
	}
	return strings.Join(all, " ")
}

func TestBlueGreen(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(10), sandboxtest.DesiredCount(2))
		same(t, "weights after the first deployment", map[string]float64{s.TargetGroup: 100, *s.Managed.AlternateTargetGroupArn: 0}, w.Weights(*s.Managed.ProductionListenerRule))
		st := tell(t, s)
		v := embark(t, w, s, "2.0.0")
		r := v.until(in("BAKE_TIME"))
		same(t, "blue and green bake", "D2 PRIMARY IN_PROGRESS 2/0/2, D1 ACTIVE COMPLETED 2/0/2", named(st))
		same(t, "blue's weights", "0 and 0", fmt.Sprintf("%v and %v", *r.SourceServiceRevisions[0].RequestedProductionTrafficWeight, *r.SourceServiceRevisions[0].RequestedTestTrafficWeight))
		v.until(ended)
		same(t, "the way", []string{
			"0' PENDING  0/0 0/0",
			"0' IN_PROGRESS PRE_SCALE_UP 0/0 0/0",
			"0' IN_PROGRESS SCALE_UP 0/0 0/0",
			"1' IN_PROGRESS POST_SCALE_UP 0/0 0/0",
			"1' IN_PROGRESS TEST_TRAFFIC_SHIFT 0/100 0/100",
			"1' IN_PROGRESS POST_TEST_TRAFFIC_SHIFT 0/100 0/100",
			"1' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 0/100 0/100",
			"1' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 100/100 100/100",
			"1' IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT 100/100 100/100",
			"1' IN_PROGRESS BAKE_TIME 100/100 100/100",
			"11' IN_PROGRESS CLEAN_UP 100/100 100/100",
			"17' SUCCESSFUL CLEAN_UP 100/100 100/100",
		}, dedupe(v.seen))
		st.until(over)
		same(t, "deployments", "D2 PRIMARY COMPLETED 2/0/2", st.deployments(s.Describe()))
		same(t, "statuses", []string{"SUCCESSFUL", "SUCCESSFUL"}, statuses(t, w, s))

		// The next one goes the other way round: green is in the first target group.
		v = embark(t, w, s, "3.0.0")
		v.until(in("BAKE_TIME"))
		same(t, "weights", map[string]float64{s.TargetGroup: 100, *s.Managed.AlternateTargetGroupArn: 0}, w.Weights(*s.Managed.ProductionListenerRule))
		revisions, err := w.ECS().DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*newest(t, w, s).TargetServiceRevision.Arn}})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "resolved target group", s.TargetGroup, *revisions.ServiceRevisions[0].ResolvedConfiguration.LoadBalancers[0].TargetGroupArn)
	})
}

// named is the list of deployments as it is now.
func named(st *story) string {
	d := st.s.Describe()
	st.look(d)
	return st.deployments(d)
}

// dedupe drops sights that differ from the one before in the minute alone.
func dedupe(seen []string) []string {
	var kept []string
	for _, sight := range seen {
		_, what, _ := strings.Cut(sight, " ")
		if len(kept) == 0 || !strings.HasSuffix(kept[len(kept)-1], " "+what) {
			kept = append(kept, sight)
		}
	}
	return kept
}

// way is the voyage without its minutes.
func (v *voyage) way() []string {
	var kept []string
	for _, sight := range v.seen {
		_, what, _ := strings.Cut(sight, " ")
		kept = append(kept, what)
	}
	return kept
}

// shifts are the stages of a voyage that have to do with production traffic.
func (v *voyage) shifts() []string {
	var kept []string
	for _, sight := range v.seen {
		if strings.Contains(sight, "PRODUCTION_TRAFFIC_SHIFT") || strings.Contains(sight, "BAKE_TIME") {
			kept = append(kept, sight)
		}
	}
	return kept
}

func TestCanaryAndLinear(t *testing.T) {
	for _, c := range []struct {
		name   string
		option sandboxtest.ServiceOption
		shifts []string
	}{
		{"canary", sandboxtest.Canary(2.5, 5, 3), []string{
			"1' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 0/100 0/100",
			"1' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 2.5/100 2.5/100",
			"6' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 2.5/100 2.5/100",
			"6' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 100/100 100/100",
			"6' IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT 100/100 100/100",
			"7' IN_PROGRESS BAKE_TIME 100/100 100/100",
		}},
		{"linear", sandboxtest.Linear(40, 2, 0), []string{
			"1' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 0/100 0/100",
			"1' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 40/100 40/100",
			"3' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 40/100 40/100",
			"3' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 80/100 80/100",
			"5' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 80/100 80/100",
			"5' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 100/100 100/100",
			"6' IN_PROGRESS POST_PRODUCTION_TRAFFIC_SHIFT 100/100 100/100",
			"6' IN_PROGRESS BAKE_TIME 100/100 100/100",
		}},
	} {
		inBubble(c.name, t, func(t *testing.T) {
			w := sandboxtest.New(t)
			s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), c.option)
			v := embark(t, w, s, "2.0.0")
			same(t, "status", types.ServiceDeploymentStatusSuccessful, v.until(ended).Status)
			same(t, "the shifts", c.shifts, v.shifts())
			s.Settle()
		})
	}
}

// TestRestartInCanary kills the control plane in the middle of a canary, and its
// runtime with it: the traffic stays where it was, and the rest follows in time.
func TestRestartInCanary(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.Canary(10, 30, 5))
		st := tell(t, s)
		v := embark(t, w, s, "2.0.0")
		v.until(in("PRODUCTION_TRAFFIC_SHIFT"))
		sleep(10 * time.Minute)
		w.Restart()
		same(t, "weights", map[string]float64{s.TargetGroup: 90, *s.Managed.AlternateTargetGroupArn: 10}, w.Weights(*s.Managed.ProductionListenerRule))
		same(t, "weights of the test rule", map[string]float64{s.TargetGroup: 0, *s.Managed.AlternateTargetGroupArn: 100}, w.Weights(*s.Managed.TestListenerRule))
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/1", named(st))
		v.seen = nil
		same(t, "status", types.ServiceDeploymentStatusSuccessful, v.until(ended).Status)
		same(t, "the way", []string{
			"11' IN_PROGRESS PRODUCTION_TRAFFIC_SHIFT 10/100 10/100",
			"31' IN_PROGRESS PRE_PRODUCTION_TRAFFIC_SHIFT 10/100 10/100",
		}, v.seen[:2])
	})
}

// TestSwitchStrategy has a rolling service behind one target group become a
// blue/green one by UpdateService, and roll again.
func TestSwitchStrategy(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced())
		managed := w.Service("cluster1", "other", sandboxtest.Managed(), sandboxtest.DesiredCount(0)).Managed
		st := tell(t, s)
		s.Managed = managed
		s.Update(func(in *ecs.UpdateServiceInput) {
			in.LoadBalancers = s.Describe().LoadBalancers
			in.LoadBalancers[0].AdvancedConfiguration = managed
			in.DeploymentConfiguration = &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(1)}
		})
		st.until(func(d types.Service) bool {
			return w.Weights(*managed.ProductionListenerRule)[*managed.AlternateTargetGroupArn] == 100
		})
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/1", named(st))
		st.until(over)

		s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyRolling}
		})
		v := embark(t, w, s, "3.0.0")
		r := v.until(ended)
		same(t, "stages of a rolling deployment", "", string(r.LifecycleStage))
		same(t, "weights", map[string]float64{s.TargetGroup: 0, *managed.AlternateTargetGroupArn: 100}, w.Weights(*managed.ProductionListenerRule))
		task := s.Tasks()
		same(t, "tasks", true, len(task) > 0)
	})
}

// TestReplacedInCanary: another deployment begins while a canary has a share of
// the traffic. First the traffic is reconciled and the canary goes.
func TestReplacedInCanary(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.Canary(20, 10, 0))
		st := tell(t, s)
		embark(t, w, s, "2.0.0").until(in("PRODUCTION_TRAFFIC_SHIFT"))
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 1/0/1, D1 ACTIVE COMPLETED 1/0/1", named(st))
		v := embark(t, w, s, "3.0.0")
		v.until(in("SCALE_UP"))
		same(t, "the way so far", []string{
			"0' PENDING  0/0 20/100",
			"0' IN_PROGRESS RECONCILE_SERVICE 0/0 0/0",
			"5' IN_PROGRESS PRE_SCALE_UP 0/0 0/0",
			"5' IN_PROGRESS SCALE_UP 0/0 0/0",
		}, v.seen)
		same(t, "statuses", []string{"IN_PROGRESS", "STOPPED", "SUCCESSFUL"}, statuses(t, w, s))
		same(t, "end", types.ServiceDeploymentStatusSuccessful, v.until(ended).Status)
		st.until(over)
		same(t, "deployments", "D3 PRIMARY COMPLETED 1/0/1", st.deployments(s.Describe()))
	})
}

// TestBlueGreenWithoutLoadBalancer has the same stages, and nothing to shift.
func TestBlueGreenWithoutLoadBalancer(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.BlueGreen(2))
		v := embark(t, w, s, "2.0.0")
		r := v.until(ended)
		same(t, "status", types.ServiceDeploymentStatusSuccessful, r.Status)
		same(t, "weight", (*float64)(nil), r.TargetServiceRevision.RequestedProductionTrafficWeight)
		same(t, "the bake", "2' IN_PROGRESS BAKE_TIME -", v.seen[len(v.seen)-3])
	})
}

// TestScaledInBlueGreen: blue and green both follow the desired count.
func TestScaledInBlueGreen(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(30))
		st := tell(t, s)
		v := embark(t, w, s, "2.0.0")
		v.until(in("BAKE_TIME"))
		s.Update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(3) })
		sleep(5 * time.Minute)
		same(t, "deployments", "D2 PRIMARY IN_PROGRESS 3/0/3, D1 ACTIVE COMPLETED 3/0/3", named(st))
		same(t, "end", types.ServiceDeploymentStatusSuccessful, v.until(ended).Status)
	})
}

// TestDeletedInBlueGreen: a service that is deleted in the middle goes.
func TestDeletedInBlueGreen(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.BlueGreen(30))
		v := embark(t, w, s, "2.0.0")
		v.until(in("BAKE_TIME"))
		if _, err := w.ECS().DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: &s.Cluster, Service: &s.Name, Force: aws.Bool(true)}); err != nil {
			t.Fatal(err)
		}
		same(t, "end", types.ServiceDeploymentStatusStopped, v.until(ended).Status)
		same(t, "service", "INACTIVE", *s.Describe().Status)
	})
}
