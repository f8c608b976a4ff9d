//go:build e2e

package aws

import (
	"slices"
	"strings"
	"testing"
)

// others asks, by the AWS CLI, the services that moto is.
func (a *anAccount) others(t *testing.T, args ...string) string {
	t.Helper()
	return a.run(t, t.TempDir(), "aws", append([]string{"--endpoint-url", a.moto, "--output", "text"}, args...)...)
}

// isEmpty fails where anything is left in the account but the buckets named. Task
// definitions stay, as the modules say: one may be what a rollback returns to.
func (a *anAccount) isEmpty(t *testing.T, buckets ...string) {
	t.Helper()
	if left := a.left(t); len(left) > 0 {
		t.Errorf("the sandbox still has %v", left)
	}
	for _, kind := range []struct {
		name string
		ask  []string
	}{
		{"VPCs", []string{"ec2", "describe-vpcs", "--filters", "Name=is-default,Values=false", "--query", "Vpcs[].VpcId"}},
		{"load balancers", []string{"elbv2", "describe-load-balancers", "--query", "LoadBalancers[].LoadBalancerName"}},
		{"target groups", []string{"elbv2", "describe-target-groups", "--query", "TargetGroups[].TargetGroupName"}},
		{"roles", []string{"iam", "list-roles", "--query", "Roles[].RoleName"}},
		{"policies", []string{"iam", "list-policies", "--scope", "Local", "--query", "Policies[].PolicyName"}},
		{"alarms", []string{"cloudwatch", "describe-alarms", "--query", "MetricAlarms[].AlarmName"}},
		{"log groups", []string{"logs", "describe-log-groups", "--query", "logGroups[].logGroupName"}},
		{"buckets", []string{"s3api", "list-buckets", "--query", "Buckets[].Name"}},
	} {
		left := strings.Fields(a.others(t, kind.ask...))
		left = slices.DeleteFunc(left, func(name string) bool {
			return name == "None" || kind.name == "buckets" && slices.Contains(buckets, name)
		})
		if len(left) > 0 {
			t.Errorf("there still are %s: %v", kind.name, left)
		}
	}
}
