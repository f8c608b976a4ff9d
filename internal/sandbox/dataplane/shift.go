package dataplane

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Shift implements controlplane.Runtime: the rule may be named by its own ARN or,
// as CodeDeploy does, by its listener's. Weights are kept to a tenth, the finest
// step of a canary. A rule that no load balancer has is left alone, and so is
// everything when a target group is not there.
func (p *Plane) Shift(listenerRule string, weights map[string]float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, b := range p.balancers {
		if b.rule == "" || b.rule != listenerRule && listenerOf(b.rule) != listenerRule {
			continue
		}
		var forward []Forward
		for _, group := range slices.Sorted(maps.Keys(weights)) {
			forward = append(forward, Forward{TargetGroupARN: group, Weight: int(math.Round(weights[group] * 10))})
		}
		if err := b.forward(forward); err != nil {
			p.logger.Warn("cannot shift traffic", "loadBalancer", name, "rule", listenerRule, "error", err)
		}
	}
}

// listenerOf is the ARN of the listener that a rule of an Application Load
// Balancer belongs to.
func listenerOf(rule string) string {
	listener := strings.Replace(rule, ":listener-rule/", ":listener/", 1)
	return listener[:strings.LastIndex(listener, "/")]
}
