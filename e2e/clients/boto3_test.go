//go:build e2e

package clients

import (
	"path/filepath"
	"testing"
)

// TestBoto3 runs a script against the seeded world, which asserts what it sees.
func TestBoto3(t *testing.T) {
	python := need(t, "python3")
	_, env := world(t)
	if _, errs, err := run(t, env, "", python, "-c", "import boto3"); err != nil {
		t.Skipf("boto3 is not installed here: %s", errs)
	}
	script, err := filepath.Abs("testdata/services.py")
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, err := run(t, env, t.TempDir(), python, script); err != nil {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}
