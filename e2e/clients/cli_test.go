//go:build e2e

package clients

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// cli is the AWS CLI on a world of its own. Each command takes half a second of a
// processor: what is waited for is asked for through the SDK, and then once by it.
type cli struct {
	t         *testing.T
	w         *sandbox.World
	path, dir string
	env       []string
}

// newCLI makes the world. The test is skipped where the AWS CLI is missing.
func newCLI(t *testing.T) *cli {
	t.Helper()
	path := need(t, "aws")
	w, env := world(t)
	return &cli{t, w, path, t.TempDir(), env}
}

// ask runs a command, and reads the document that it prints.
func (c *cli) ask(args ...string) map[string]any {
	c.t.Helper()
	out, errs, err := run(c.t, c.env, c.dir, c.path, append(args, "--output", "json")...)
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	answer := map[string]any{}
	if strings.TrimSpace(out) != "" {
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return answer
}

// refused runs a command that must fail, and say why.
func (c *cli) refused(says string, args ...string) {
	c.t.Helper()
	if out, errs, err := run(c.t, c.env, c.dir, c.path, args...); err == nil || !strings.Contains(errs, says) {
		c.t.Errorf("aws %s: %v, want %s\n%s%s", strings.Join(args, " "), err, says, out, errs)
	}
}

// same compares what the CLI printed.
func (c *cli) same(what string, want, got any) {
	c.t.Helper()
	if want != got {
		c.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// until asks for a minute at most.
func (c *cli) until(what string, done func(context.Context) (bool, error)) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		so, err := done(ctx)
		if err != nil {
			c.t.Fatalf("%s: %v", what, err)
		}
		if so {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("%s did not come", what)
		}
	}
}
