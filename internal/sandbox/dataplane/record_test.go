package dataplane

import (
	"testing"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// Thresholds 3 and 2; p passes and f fails; the states are i, h and u.
func TestRecord(t *testing.T) {
	letters := map[controlplane.TargetState]byte{controlplane.TargetInitial: 'i', controlplane.TargetHealthy: 'h', controlplane.TargetUnhealthy: 'u'}
	for _, c := range []struct{ checks, states string }{
		{"p", "h"},               // one pass is enough at first
		{"fpfp", "ihhh"},         // one failure is not
		{"ffp", "iuu"},           // but two are,
		{"ffpppff", "iuuuhhu"},   // and then three passes in a row,
		{"ffppfppp", "iuuuuuuh"}, // which begin again after a failure
	} {
		r := record{state: controlplane.TargetInitial, check: HealthCheck{HealthyThreshold: 3, UnhealthyThreshold: 2}}
		var states []byte
		for _, check := range c.checks {
			before := r.state
			if changed := r.observe(check == 'p'); changed != (r.state != before) {
				t.Errorf("%s: changed is %t from %s to %s", c.checks, changed, before, r.state)
			}
			states = append(states, letters[r.state])
		}
		if string(states) != c.states {
			t.Errorf("%s: %s, want %s", c.checks, states, c.states)
		}
	}
}

func TestVersion(t *testing.T) {
	for image, want := range map[string][2]string{
		"111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.2":      {"webapp1", "1.4.2"},
		"localhost:5000/team/webapp1":                                     {"webapp1", "latest"},
		"webapp1@sha256:00ff":                                             {"webapp1", "sha256:00ff"},
		"111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b:2@sha256:00ff1": {"b", "2"},
	} {
		if name, version := version(image); [2]string{name, version} != want {
			t.Errorf("%s: %s %s, want %v", image, name, version, want)
		}
	}
}
