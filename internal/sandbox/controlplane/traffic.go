package controlplane

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// resolveTargetGroups notes which target group of each load balancer a revision's tasks
// register in: with managed traffic, the one that the source revision does not
// have, or the same if the strategy is rolling.
func resolveTargetGroups(revision, source *types.ServiceRevision, rolling bool) {
	resolved := []types.ServiceRevisionLoadBalancer{}
	for _, lb := range revision.LoadBalancers {
		r := types.ServiceRevisionLoadBalancer{TargetGroupArn: lb.TargetGroupArn}
		if a := lb.AdvancedConfiguration; a != nil {
			r.ProductionListenerRule = a.ProductionListenerRule
			if rolling && hasTargetGroup(source, a.AlternateTargetGroupArn) || !rolling && hasTargetGroup(source, lb.TargetGroupArn) {
				r.TargetGroupArn = a.AlternateTargetGroupArn
			}
		}
		resolved = append(resolved, r)
	}
	if len(resolved) > 0 {
		revision.ResolvedConfiguration = &types.ResolvedConfiguration{LoadBalancers: resolved}
	}
}

// hasTargetGroup says whether the revision's tasks are in the target group; nil
// has none.
func hasTargetGroup(revision *types.ServiceRevision, arn *string) bool {
	if revision == nil {
		return false
	}
	for i := range revision.LoadBalancers {
		if targetGroupOf(revision, i) == aws.ToString(arn) {
			return true
		}
	}
	return false
}

// targetGroupOf is the target group that the revision's tasks register in behind
// its i-th load balancer.
func targetGroupOf(revision *types.ServiceRevision, i int) string {
	if r := revision.ResolvedConfiguration; r != nil && i < len(r.LoadBalancers) {
		return aws.ToString(r.LoadBalancers[i].TargetGroupArn)
	}
	return aws.ToString(revision.LoadBalancers[i].TargetGroupArn)
}

// production and test are the rules of a load balancer for either traffic.
func production(a *types.AdvancedConfiguration) *string { return a.ProductionListenerRule }
func test(a *types.AdvancedConfiguration) *string       { return a.TestListenerRule }

// ruled says whether the revision has a rule for that traffic, so that ECS
// shifts it.
func ruled(revision *types.ServiceRevision, rule func(*types.AdvancedConfiguration) *string) bool {
	return slices.ContainsFunc(revision.LoadBalancers, func(lb types.LoadBalancer) bool {
		return lb.AdvancedConfiguration != nil && rule(lb.AdvancedConfiguration) != nil
	})
}

// share gives green and blue their shares of that traffic; nil when there is none
// to shift.
func (s *service) share(percent float64, rule func(*types.AdvancedConfiguration) *string) map[string]float64 {
	green, blue := s.sides()
	switch {
	case green == nil || !ruled(s.revision(green.Revision), rule):
		return nil
	case blue == nil:
		return map[string]float64{green.Revision: percent}
	default:
		return map[string]float64{green.Revision: percent, blue.Revision: 100 - percent}
	}
}

// shift gives blue and green the shares that the step at hand says.
func (c *ControlPlane) shift(s *service) {
	step := s.Course.step()
	if p := step.Production; p != nil {
		s.Production = s.share(*p, production)
		c.forward(s, s.Production, production)
	}
	if p := step.Test; p != nil {
		s.Test = s.share(*p, test)
		c.forward(s, s.Test, test)
	}
}

// sides are the deployments that share the traffic; blue may be nil.
func (s *service) sides() (green, blue *deployment) {
	primary, other := s.primary(), s.deployment(s.Course.Other)
	if s.Course.Back {
		return other, primary
	}
	return primary, other
}

// forward sets the weights of each load balancer's rule from the shares that
// revisions have. The rules are those of the service as it is.
func (c *ControlPlane) forward(s *service, shares map[string]float64, rule func(*types.AdvancedConfiguration) *string) {
	for i, lb := range s.LoadBalancers {
		a := lb.AdvancedConfiguration
		if a == nil || rule(a) == nil || shares == nil {
			continue
		}
		weights := map[string]float64{aws.ToString(lb.TargetGroupArn): 0, aws.ToString(a.AlternateTargetGroupArn): 0}
		for arn, percent := range shares {
			if revision := s.revision(arn); revision != nil && i < len(revision.LoadBalancers) {
				weights[targetGroupOf(revision, i)] += percent
			}
		}
		c.options.Runtime.Shift(*rule(a), weights)
	}
}

// resumeTraffic tells the runtime again how the service's traffic goes.
func (c *ControlPlane) resumeTraffic(s *service) {
	if len(s.Rollouts) == 0 {
		return
	}
	whole := map[string]float64{s.source().Revision: 100}
	shares := func(known map[string]float64) map[string]float64 {
		if known == nil {
			return whole
		}
		return known
	}
	c.forward(s, shares(s.Production), production)
	c.forward(s, shares(s.Test), test)
}

// weigh adds the shares of the traffic that a revision has, if ECS manages it.
func (s *service) weigh(summary *types.ServiceRevisionSummary) {
	if s.Production != nil {
		summary.RequestedProductionTrafficWeight = aws.Float64(s.Production[*summary.Arn])
	}
	if s.Test != nil {
		summary.RequestedTestTrafficWeight = aws.Float64(s.Test[*summary.Arn])
	}
}

// weights are the shares by revision that a hook is told: none but in the stages
// that are about them.
func (s *service) weights(at stage) (test, production map[string]float64) {
	test, production = map[string]float64{}, map[string]float64{}
	switch at {
	case stageTestShift:
		maps.Copy(test, s.Test)
	case stagePreProduction, stageProduction:
		maps.Copy(production, s.Production)
	default:
	}
	return test, production
}
