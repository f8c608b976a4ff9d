//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the binary weighs: on disk, stripped, and in memory when it has nothing
// to do.
func BenchmarkWeight(b *testing.B) {
	info, err := os.Stat(binary(b))
	if err != nil {
		b.Fatal(err)
	}
	s := newSystem(b, "100")
	serve := s.start("serve", "--database", "sqlite:"+filepath.Join(s.dir, "slipway.db"))
	s.ready()
	for b.Loop() {
		time.Sleep(3 * time.Second) //nolint:forbidigo // idle is what is measured
	}
	resident, err := residentBytes(serve.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
	b.ReportMetric(float64(resident)/1e6, "MB-resident-idle")
	b.ReportMetric(0, "ns/op")
}

// residentBytes reads VmRSS of /proc.
func residentBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			return kilobytes * 1024, nil
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmRSS", pid)
}
