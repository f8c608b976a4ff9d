package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const wanted = marker + `

## Requirements

- Terraform >= 1.10
- provider ` + "`hashicorp/aws`" + ` >= 5.100

## Inputs

| name | | type | default |
|---|---|---|---|
| ` + "`rules`" + ` | Rules by name: ` + "`a\\|b`" + `. | ` + "`map(object({ prefix = string, days = optional(number, 30) }))`" + ` | required |
| ` + "`tags`" + ` | Tags of the bucket. | ` + "`map(string)`" + ` | ` + "`{}`" + ` |

## Outputs

| name | |
|---|---|
| ` + "`name`" + ` | Name of the bucket. |

## Makes

- ` + "`aws_s3_bucket.this`" + `
`

func TestDescribe(t *testing.T) {
	got, err := Describe("testdata/module")
	if err != nil {
		t.Fatal(err)
	}
	if got != wanted {
		t.Errorf("got\n%s\nwant\n%s", got, wanted)
	}
}

// TestRenew keeps what people wrote, and asks them to write it.
func TestRenew(t *testing.T) {
	root := t.TempDir()
	source, err := os.ReadFile("testdata/module/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "bucket", "versions.tf"), string(source))
	if err := run(root); err == nil || !strings.Contains(err.Error(), "what the module is for") {
		t.Errorf("without a README: %v", err)
	}
	readme := filepath.Join(root, "bucket", "README.md")
	write(t, readme, "# bucket\n")
	if err := run(root); err == nil || !strings.Contains(err.Error(), "there is no line") {
		t.Errorf("without a marker: %v", err)
	}
	for _, old := range []string{"", "\nwhat was once true\n"} {
		write(t, readme, "# bucket\n\nKeeps things.\n\n"+marker+old)
		if err := run(root); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(readme)
		if err != nil {
			t.Fatal(err)
		}
		if want := "# bucket\n\nKeeps things.\n\n" + wanted; string(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestUndescribed refuses an input that nobody described.
func TestUndescribed(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "versions.tf"), "variable \"name\" {}\n")
	write(t, filepath.Join(root, "README.md"), marker)
	if err := run(root); err == nil || !strings.Contains(err.Error(), "variable name has no description") {
		t.Errorf("got %v", err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
