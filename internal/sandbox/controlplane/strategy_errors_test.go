package controlplane_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestStrategyErrors has what ECS refuses about strategies, in its words where
// they are known.
func TestStrategyErrors(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "webapp1", sandboxtest.Managed(), sandboxtest.DesiredCount(0))
		client := w.ECS()
		for _, c := range []struct {
			message string // any if empty
			change  func(*types.DeploymentConfiguration, *[]types.LoadBalancer)
		}{
			{"advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy", func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) {
				(*lbs)[0].AdvancedConfiguration = nil
			}},
			{"Either all or none of the provided loadBalancers must have advancedConfiguration defined", func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) {
				other := (*lbs)[0]
				other.AdvancedConfiguration, other.TargetGroupArn = nil, aws.String("arn:other")
				*lbs = append(*lbs, other)
			}},
			{"Duplicate targetGroupArn found: " + s.TargetGroup, func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) {
				(*lbs)[0].AdvancedConfiguration.AlternateTargetGroupArn = &s.TargetGroup
			}},
			{"The following rules cannot be used as both production and test listener rules: " + *s.Managed.ProductionListenerRule, func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) {
				(*lbs)[0].AdvancedConfiguration.TestListenerRule = s.Managed.ProductionListenerRule
			}},
			{
				"productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/my-alb/abc123/def456",
				func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) {
					(*lbs)[0].AdvancedConfiguration.ProductionListenerRule = aws.String("arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/my-alb/abc123/def456")
				},
			},
			{"advancedConfiguration field is not allowed with ELBv1 loadBalancers", func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) {
				(*lbs)[0].LoadBalancerName = aws.String("classic")
			}},
			{"Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.LifecycleHooks = []types.DeploymentLifecycleHook{{TargetType: "SNS", LifecycleStages: []types.DeploymentLifecycleHookStage{"PRE_SCALE_UP"}}}
			}},
			{"Invalid lifecycle stage provided for Pause Hook", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.LifecycleHooks = []types.DeploymentLifecycleHook{pause(5, "ROLLBACK", "TEST_TRAFFIC_SHIFT")}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.LifecycleHooks = []types.DeploymentLifecycleHook{lambda("BAKE_TIME")}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.LifecycleHooks = []types.DeploymentLifecycleHook{pause(20161, "ROLLBACK", "PRE_SCALE_UP")}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				for range 11 {
					d.LifecycleHooks = append(d.LifecycleHooks, lambda("PRE_SCALE_UP"))
				}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.CanaryConfiguration.CanaryPercent = aws.Float64(0.05)
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.CanaryConfiguration.CanaryBakeTimeInMinutes = aws.Int32(1441)
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.Strategy, d.LinearConfiguration = "LINEAR", &types.LinearConfiguration{StepPercent: aws.Float64(2.9)}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) { d.Strategy = "PURPLE" }},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) { d.BakeTimeInMinutes = aws.Int32(-1) }},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.EarlySuccessCriteria = &types.DeploymentEarlySuccessCriteria{Enable: true, HealthyPercent: aws.Int32(100), SourceServiceRevisionCleanup: "BLOCKING"}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.Strategy, d.EarlySuccessCriteria = "ROLLING", &types.DeploymentEarlySuccessCriteria{Enable: true, HealthyPercent: aws.Int32(99), SourceServiceRevisionCleanup: "BLOCKING"}
			}},
			{"", func(d *types.DeploymentConfiguration, _ *[]types.LoadBalancer) {
				d.Alarms = &types.DeploymentAlarms{Enable: true, AlarmNames: []string{}}
			}},
			{"", func(_ *types.DeploymentConfiguration, lbs *[]types.LoadBalancer) { *lbs = []types.LoadBalancer{} }},
		} {
			in := &ecs.UpdateServiceInput{
				Cluster: &s.Cluster, Service: &s.Name, LoadBalancers: s.Describe().LoadBalancers,
				DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: "CANARY", CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(10)}},
			}
			c.change(in.DeploymentConfiguration, &in.LoadBalancers)
			_, err := client.UpdateService(t.Context(), in)
			if err == nil || !strings.Contains(err.Error(), "InvalidParameterException: "+c.message) {
				t.Errorf("want InvalidParameterException: %s, got %v", c.message, err)
			}
		}
		same(t, "strategy", types.DeploymentStrategyRolling, s.Describe().DeploymentConfiguration.Strategy)
		d := s.Update(func(in *ecs.UpdateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{Strategy: "CANARY"}
		})
		c := d.DeploymentConfiguration.CanaryConfiguration
		same(t, "the defaults of a canary", "5% for 10 min", fmt.Sprintf("%v%% for %d min", *c.CanaryPercent, *c.CanaryBakeTimeInMinutes))
		same(t, "deployments", 1, len(d.Deployments))
	})
}
