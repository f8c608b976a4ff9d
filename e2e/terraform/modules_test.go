//go:build e2e

package terraform

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/e2e/terraform/tf"
)

// source is the folder of the modules and examples.
const source = "../../terraform"

// TestFormat looks at every file, tests and mocks included.
func TestFormat(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed here")
	}
	out, err := exec.CommandContext(t.Context(), terraform, "fmt", "-check", "-diff", "-recursive", "-no-color", source).CombinedOutput()
	if err != nil {
		t.Errorf("run terraform fmt -recursive terraform: %v\n%s", err, out)
	}
}

// TestModules runs each module's own tests, which its configuration must be
// valid for.
func TestModules(t *testing.T) {
	providers := tf.Start(t)
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	found := roots(t, filepath.Join(copied, "modules"))
	if len(found) < 10 {
		t.Fatalf("found only %d modules: %v", len(found), found)
	}
	for _, dir := range found {
		name, err := filepath.Rel(filepath.Join(copied, "modules"), dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := providers.Root(t, dir)
			root.Run(t, "init")
			if out := root.Run(t, "test"); !strings.Contains(out, " 0 failed") || strings.Contains(out, "Success! 0 passed") {
				t.Errorf("there are no tests, or not all passed:\n%s", out)
			}
		})
	}
}

// TestExamples has each configuration of the examples checked against the modules
// and both providers. They are applied in e2e/aws.
func TestExamples(t *testing.T) {
	providers := tf.Start(t)
	own := filepath.Join(t.TempDir(), "terraform-provider-slipway")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", own, "../../cmd/terraform-provider-slipway")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	providers.Add(t, own)
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	found := roots(t, filepath.Join(copied, "examples"))
	if len(found) == 0 {
		t.Fatal("there are no examples")
	}
	for _, dir := range found {
		name, err := filepath.Rel(filepath.Join(copied, "examples"), dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := providers.Root(t, dir)
			root.Run(t, "init", "-backend=false")
			root.Run(t, "validate")
		})
	}
}

// roots are the folders below dir that say which Terraform they need.
func roots(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "versions.tf" {
			found = append(found, filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
