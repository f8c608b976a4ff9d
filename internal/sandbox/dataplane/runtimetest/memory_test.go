package runtimetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane/runtimetest"
)

const rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/web/1/2/3"

// The runtime in memory keeps the contract too, in virtual time.
func TestMemoryRuntime(t *testing.T) {
	for _, c := range runtimetest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := controlplane.NewMemoryRuntime(controlplane.MemoryOptions{})
				defer runtime.Close()
				c.Run(t, runtimetest.Harness{
					Runtime: runtime, TargetGroupARN: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0000000000000001",
					OtherGroupARN: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/other/0000000000000002",
					ListenerRule:  rule,
					Share: func(*testing.T) float64 {
						weights, total := runtime.Weights(rule), 0.0
						for _, weight := range weights {
							total += weight
						}
						return weights["arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/other/0000000000000002"] / total
					},
					Patience: time.Hour, Quiet: 10 * time.Minute,
				})
			})
		})
	}
}
