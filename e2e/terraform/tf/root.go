//go:build e2e

package tf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Root is a folder that terraform runs in.
type Root struct {
	provider *Provider
	dir      string
	env      []string
}

// Root is the configuration in dir, with further variables of the environment.
func (p *Provider) Root(t *testing.T, dir string, env ...string) *Root {
	t.Helper()
	own := map[string]string{}
	for _, variable := range os.Environ() {
		// What a person has set for their own Terraform and AWS is not for a test.
		if name, value, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "TF_") && !strings.HasPrefix(name, "AWS_") {
			own[name] = value
		}
	}
	for _, variable := range append([]string{
		"TF_CLI_CONFIG_FILE=" + p.settings, "TF_REATTACH_PROVIDERS=" + p.reattach, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
		"TF_CLI_ARGS=-no-color",
	}, env...) {
		name, value, _ := strings.Cut(variable, "=")
		own[name] = value
	}
	root := &Root{provider: p, dir: dir}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		root.env = append(root.env, name+"="+own[name])
	}
	return root
}

// Run runs terraform and returns what it printed; an error ends the test.
func (r *Root) Run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := r.Try(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Changes is what a plan would change, or nothing.
func (r *Root) Changes(t *testing.T) string {
	t.Helper()
	out, err := r.Try(t.Context(), "plan", "-detailed-exitcode")
	// 2 is no error of terraform's: there is something to change.
	if exit, exited := errors.AsType[*exec.ExitError](err); exited && exit.ExitCode() == 2 {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// Try runs terraform and returns what it printed to stdout, and an error with
// what it printed elsewhere.
func (r *Root) Try(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, r.provider.terraform, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("terraform %s: %w\n%s%s", strings.Join(args, " "), err, out.Bytes(), errs.Bytes())
	}
	return out.String(), nil
}
