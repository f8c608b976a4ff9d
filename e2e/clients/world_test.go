//go:build e2e

package clients

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// timeScale makes five minutes last five seconds.
const timeScale = 60

// world is a new seeded sandbox, and the environment with which any client of
// AWS reaches it.
func world(t *testing.T) (w *sandbox.World, env []string) {
	t.Helper()
	w, err := sandbox.New(t.Context(), sandbox.Options{Dir: t.TempDir(), TimeScale: timeScale})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") {
			env = append(env, variable)
		}
	}
	return w, append(env, "AWS_ENDPOINT_URL="+w.Endpoints().AWS, "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "HOME="+t.TempDir())
}

// need skips the test where a command is missing.
func need(t *testing.T, command string) string {
	t.Helper()
	path, err := exec.LookPath(command)
	if err != nil {
		t.Skipf("%s is not installed here", command)
	}
	return path
}

// run runs a command and returns what it printed to stdout and to stderr.
func run(t *testing.T, env []string, dir, command string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Env, cmd.Dir = env, dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}
