//go:build e2e

package aws

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// built are the binaries that the tests share.
var built struct {
	once             sync.Once
	dir              string
	provider, lambda string
	slipway          string
	external         string // the stand-in for hashicorp/external
	err              error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // the next test makes its own
	}
	os.Exit(code)
}

// build builds our own provider and the functions' zip file.
func build(t *testing.T) {
	t.Helper()
	built.once.Do(func() { built.err = buildAll() })
	if built.err != nil {
		t.Fatal(built.err)
	}
}

func buildAll() (err error) {
	if built.dir, err = os.MkdirTemp("", "slipway-e2e-aws-"); err != nil {
		return err
	}
	built.provider = filepath.Join(built.dir, "terraform-provider-slipway")
	bootstrap := filepath.Join(built.dir, "bootstrap")
	built.external = filepath.Join(built.dir, "terraform-provider-external")
	commands := map[string]string{
		built.provider: "../../cmd/terraform-provider-slipway", bootstrap: "../../cmd/slipway-lambda", built.external: "./external",
	}
	if built.slipway = os.Getenv("SLIPWAY_BIN"); built.slipway == "" {
		built.slipway = filepath.Join(built.dir, "slipway")
		commands[built.slipway] = "../../cmd/slipway"
	}
	for output, command := range commands {
		cmd := exec.Command("go", "build", "-tags", "e2e", "-trimpath", "-ldflags", "-s -w", "-o", output, command)
		cmd.Env, cmd.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	built.lambda = filepath.Join(built.dir, "slipway-lambda.zip")
	return pack(built.lambda, bootstrap)
}

// pack makes a zip file of one executable.
func pack(path, executable string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // closed below, when it is whole
	content, err := os.Open(executable)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	packed := zip.NewWriter(file)
	header := &zip.FileHeader{Name: filepath.Base(executable), Method: zip.Deflate}
	header.SetMode(0o755)
	entry, err := packed.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, content); err != nil {
		return err
	}
	if err := packed.Close(); err != nil {
		return err
	}
	return file.Close()
}

func ownProvider(t *testing.T) string {
	t.Helper()
	build(t)
	return built.provider
}

// lambdaVariables tell an example which functions to make: of this machine's
// architecture, since the sandbox runs them here.
func lambdaVariables(t *testing.T) []string {
	t.Helper()
	build(t)
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if architecture == "" {
		t.Skipf("Lambda has no %s", runtime.GOARCH)
	}
	return []string{"lambda_zip=" + built.lambda, "lambda_architecture=" + architecture}
}
