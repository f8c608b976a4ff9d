package runtimetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane/runtimetest"
)

// The runtime in memory keeps the contract too, in virtual time.
func TestMemoryRuntime(t *testing.T) {
	for _, c := range runtimetest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := controlplane.NewMemoryRuntime(controlplane.MemoryOptions{})
				defer runtime.Close()
				c.Run(t, runtimetest.Harness{
					Runtime: runtime, TargetGroupARN: "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0000000000000001",
					Patience: time.Hour, Quiet: 10 * time.Minute,
				})
			})
		})
	}
}
