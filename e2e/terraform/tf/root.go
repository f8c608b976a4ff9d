//go:build e2e

package tf

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Root is a folder that terraform runs in.
type Root struct {
	providers *Providers
	dir       string
	env       []string
}

// Root is the configuration in dir, with further variables of the environment.
func (p *Providers) Root(t *testing.T, dir string, env ...string) *Root {
	t.Helper()
	reattach, err := json.Marshal(p.reattach)
	if err != nil {
		t.Fatal(err)
	}
	return &Root{p, dir, slices.Concat(clean(), []string{
		"TF_CLI_CONFIG_FILE=" + p.settings, "TF_REATTACH_PROVIDERS=" + string(reattach), "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
		"TF_CLI_ARGS=-no-color", lazily,
	}, env)}
}

// lazily has terraform and the provider, which read a schema of many megabytes, not
// spend half their time on collecting garbage.
const lazily = "GOGC=400"

// clean is the environment without what a person has set for their own Terraform
// and AWS.
func clean() (env []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "AWS_") {
			env = append(env, variable)
		}
	}
	return env
}

// Run runs terraform and returns what it printed; an error ends the test.
func (r *Root) Run(t *testing.T, args ...string) string {
	t.Helper()
	began := time.Now()
	out, err := r.Try(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: terraform %s took %v", filepath.Base(r.dir), args[0], time.Since(began).Round(time.Second))
	return out
}

// Destroy removes what there is. It does not look first how that has changed: a plan
// has, and most of a command's time goes into it.
func (r *Root) Destroy(t *testing.T) {
	t.Helper()
	r.Run(t, "destroy", "-auto-approve", "-refresh=false")
}

// Changes is what a plan with further arguments would change, or nothing.
func (r *Root) Changes(t *testing.T, args ...string) string {
	t.Helper()
	out, err := r.Try(t.Context(), append([]string{"plan", "-detailed-exitcode"}, args...)...)
	// 2 is no error of terraform's: there is something to change.
	if exit, exited := errors.AsType[*exec.ExitError](err); exited && exit.ExitCode() == 2 {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// Try runs terraform and returns what it printed to stdout; the error says what it
// printed to stderr.
func (r *Root) Try(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, r.providers.terraform, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("terraform %s: %w\n%s", strings.Join(args, " "), err, cmp.Or(errs.String(), out.String()))
	}
	return out.String(), nil
}
