//go:build e2e

package tf

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	tfaddr "github.com/hashicorp/terraform-registry-address"
)

// version is the AWS provider's that is looked for.
const version = "5.100.0"

// offline is in terraform's settings.
const offline = "disable_checkpoint = true\n"

// Providers are running providers, and the terraform that attaches to them.
type Providers struct {
	terraform string
	settings  string
	reattach  map[string]json.RawMessage
}

// Start runs the AWS provider until the test has ended. The test is skipped where
// terraform or the provider is missing: neither is fetched for a test.
func Start(t *testing.T) *Providers {
	t.Helper()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed here")
	}
	binary := find(t)
	// Nothing of the person's own settings: no mirror, no credentials.
	settings := filepath.Join(t.TempDir(), "settings.tfrc")
	if err := os.WriteFile(settings, []byte(offline), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &Providers{terraform, settings, map[string]json.RawMessage{}}
	p.Add(t, binary)
	return p
}

// Add runs a further provider until the test has ended, with further variables of
// the environment.
func (p *Providers) Add(t *testing.T, binary string, env ...string) {
	t.Helper()
	// The test's context ends before its cleanups, which may still need the provider.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, binary, "-debug")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Env = append(append(clean(), lazily), env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // ended by the signal, as it should be
	})
	reattach, err := announced(stdout)
	if err != nil {
		t.Fatalf("%s -debug: %v", binary, err)
	}
	maps.Copy(p.reattach, reattach)
	go func() { _, _ = io.Copy(io.Discard, stdout) }() // a full pipe would stop it
}

// Install has terraform find a further provider, "namespace/type", in a folder. It
// is terraform that starts it: in the root's folder, and with its environment.
func (p *Providers) Install(t *testing.T, name, version, binary string) {
	t.Helper()
	mirror := filepath.Join(filepath.Dir(p.settings), "mirror")
	dir := filepath.Join(mirror, tfaddr.DefaultProviderRegistryHost.String(), name, version, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "terraform-provider-"+filepath.Base(name))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.settings, fmt.Appendf(nil, "%s\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", offline, mirror), 0o644); err != nil {
		t.Fatal(err)
	}
}

// announced reads where the provider can be reached.
func announced(r io.Reader) (reattach map[string]json.RawMessage, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "TF_REATTACH_PROVIDERS="); ok {
			return reattach, json.Unmarshal([]byte(strings.Trim(value, "'")), &reattach)
		}
	}
	return nil, fmt.Errorf("it ended before it said where it can be reached: %w", lines.Err())
}

// find is the provider in one of the places where providers are kept.
func find(t *testing.T) string {
	t.Helper()
	home, _ := os.UserHomeDir() // none is one place less
	places := []string{
		os.Getenv("TF_PLUGIN_CACHE_DIR"), filepath.Join(home, ".terraform.d", "plugins"), filepath.Join(home, ".terraform.d", "plugin-cache"),
		"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins",
	}
	others, err := filepath.Glob("/opt/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range append(places, others...) {
		// The folder below a place is named after where the provider comes from.
		found, err := filepath.Glob(filepath.Join(place, "*/hashicorp/aws", version, "*/terraform-provider-aws*"))
		if place != "" && err == nil && len(found) > 0 {
			return found[0]
		}
	}
	t.Skipf("the provider hashicorp/aws %s is in no folder of providers here", version)
	return ""
}
