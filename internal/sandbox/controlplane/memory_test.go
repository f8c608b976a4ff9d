package controlplane_test

import (
	"testing"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane/runtimetest"
)

// TestMemoryRuntime holds the memory runtime to what every runtime promises.
func TestMemoryRuntime(t *testing.T) {
	for _, c := range runtimetest.Cases() {
		inBubble(c.Name, t, func(t *testing.T) {
			runtime := controlplane.NewMemoryRuntime(controlplane.MemoryOptions{})
			defer runtime.Close()
			c.Run(t, runtimetest.Harness{
				Runtime: runtime, TargetGroupARN: "arn:aws:elasticloadbalancing:ca-central-1:111122223333:targetgroup/app/73e2d6bc24d8a067",
				Patience: 10 * time.Minute, Quiet: 10 * time.Minute,
			})
		})
	}
}
