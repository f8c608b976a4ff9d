package controlplane

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// listenerRulePattern is a rule of an Application Load Balancer, or a listener of
// a Network Load Balancer.
var listenerRulePattern = regexp.MustCompile(`^arn:[^:]+:elasticloadbalancing:[^:]*:[^:]*:(listener-rule/app/|listener/net/)`)

// checkManaged refuses load balancers that the strategy cannot shift traffic
// with.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
func checkManaged(config *types.DeploymentConfiguration, balancers []types.LoadBalancer) error {
	with, seen := 0, map[string]bool{}
	for _, lb := range balancers {
		a := lb.AdvancedConfiguration
		if a != nil && lb.LoadBalancerName != nil {
			return errParameter("advancedConfiguration field is not allowed with ELBv1 loadBalancers")
		}
		for _, arn := range []string{aws.ToString(lb.TargetGroupArn), alternate(a)} {
			if arn != "" && seen[arn] {
				return errParameter("Duplicate targetGroupArn found: %s", arn)
			}
			seen[arn] = true
		}
		if a == nil {
			continue
		}
		with++
		if err := checkRules(a); err != nil {
			return err
		}
	}
	switch {
	case with != 0 && with != len(balancers):
		return errParameter("Either all or none of the provided loadBalancers must have advancedConfiguration defined")
	case native(config) && with != len(balancers):
		return errParameter("advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy")
	case len(balancers) == 0 && (config.CanaryConfiguration != nil || config.LinearConfiguration != nil):
		// ECS's own text for this one is not known.
		return errParameter("The deployment strategy %s needs a load balancer or Service Connect.", config.Strategy)
	}
	return nil
}

// checkRules refuses rules that cannot be shifted.
func checkRules(a *types.AdvancedConfiguration) error {
	if a.AlternateTargetGroupArn == nil || a.ProductionListenerRule == nil || a.RoleArn == nil {
		return errParameter("advancedConfiguration needs alternateTargetGroupArn, productionListenerRule and roleArn.")
	}
	if aws.ToString(a.TestListenerRule) == *a.ProductionListenerRule {
		return errParameter("The following rules cannot be used as both production and test listener rules: %s", *a.ProductionListenerRule)
	}
	for name, rule := range map[string]*string{"productionListenerRule": a.ProductionListenerRule, "testListenerRule": a.TestListenerRule} {
		if rule != nil && !listenerRulePattern.MatchString(*rule) {
			return errParameter("%s has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: %s", name, *rule)
		}
	}
	return nil
}

func alternate(a *types.AdvancedConfiguration) string {
	if a == nil {
		return ""
	}
	return aws.ToString(a.AlternateTargetGroupArn)
}
