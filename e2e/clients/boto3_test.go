//go:build e2e

package clients

import (
	"path/filepath"
	"testing"
)

// TestBoto3 runs a script against the seeded world, which asserts what it sees.
func TestBoto3(t *testing.T) {
	_, env := world(t)
	python := ""
	for _, candidate := range []string{"python3", "/usr/bin/python3"} { // what a distribution packages is for its own
		if _, _, err := run(t, env, "", candidate, "-c", "import boto3"); err == nil {
			python = candidate
			break
		}
	}
	if python == "" {
		t.Skip("no python3 with boto3 is installed here")
	}
	script, err := filepath.Abs("testdata/services.py")
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, err := run(t, env, t.TempDir(), python, script); err != nil {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}
