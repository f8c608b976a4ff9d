package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const published = "../../../../docs/schema"

// TestPublishedSchemas guards the files that editors read.
func TestPublishedSchemas(t *testing.T) {
	t.Parallel()
	schemas, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	if len(schemas) != 2 {
		t.Fatalf("%d schemas, want 2", len(schemas))
	}
	for name, want := range schemas {
		got, err := os.ReadFile(filepath.Join(published, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/schema/%s is out of date: run go generate ./internal/deployrepo/... (-want +got):\n%s", name, diff)
		}
	}
}

func TestRunWritesThem(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	if err := run([]string{dir}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"slipway.schema.json", "pipeline.schema.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := run(nil); err == nil {
		t.Error("no folder is no error")
	}
}
