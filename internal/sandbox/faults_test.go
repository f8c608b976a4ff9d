package sandbox

import (
	"testing"
	"time"
)

func TestDraw(t *testing.T) {
	faults := Faults{Throttled: 0.1, Failed: 0.2, Dropped: 0.4, Lost: 0.1, LatencyMs: 30}
	for _, c := range []struct {
		random         float64
		failed         bool
		dropped, after bool
	}{
		{random: 0, failed: true},
		{random: 0.15, failed: true},
		{random: 0.35, dropped: true},
		{random: 0.6, dropped: true, after: true},
		{random: 0.75, dropped: true, after: true},
		{random: 0.85},
	} {
		fault := faults.draw("UpdateService", c.random)
		if (fault.Err != nil) != c.failed || fault.Drop != c.dropped || fault.AfterEffect != c.after || fault.Delay != 30*time.Millisecond {
			t.Errorf("%v: %+v", c.random, fault)
		}
	}
	faults.Actions = []string{"UpdateService"}
	if fault := faults.draw("ListClusters", 0); fault != nil {
		t.Errorf("an action that is not meant: %+v", fault)
	}
}
