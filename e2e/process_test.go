//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// system is a sandbox of its own with no controller, and what is needed to
// run the binary against it.
type system struct {
	tb         testing.TB
	bin        string
	dir        string
	env        []string
	aws        string
	repository string
	server     string // host:port of the controllers
}

// process is a running slipway.
type process struct {
	*exec.Cmd
	output *output
	ended  chan struct{} // closed
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newSystem starts a sandbox.
func newSystem(tb testing.TB, timeScale string) *system {
	tb.Helper()
	s := &system{tb: tb, bin: binary(tb), dir: tb.TempDir()}
	server, _, err := freeAddresses()
	if err != nil {
		tb.Fatal(err)
	}
	s.server = server
	s.env = append(os.Environ(), "SLIPWAY_LISTEN="+server, "SLIPWAY_SERVER=http://"+server,
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	s.start("sandbox", "--no-controller", "--time-scale", timeScale, "--dir", filepath.Join(s.dir, "sandbox"))
	var endpoints struct{ AWS, Repository string }
	s.await("the sandbox", func() error {
		text, err := os.ReadFile(filepath.Join(s.dir, "sandbox", "sandbox.json"))
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &endpoints)
	})
	s.aws, s.repository = endpoints.AWS, endpoints.Repository
	s.env = append(s.env, "AWS_ENDPOINT_URL="+s.aws, "SLIPWAY_REPOSITORY="+s.repository)
	return s
}

// start starts a slipway that is interrupted at the end of the test.
func (s *system) start(args ...string) *process {
	s.tb.Helper()
	p := &process{Cmd: exec.Command(s.bin, args...), output: &output{}, ended: make(chan struct{})}
	p.Env, p.Stdout, p.Stderr = s.env, p.output, p.output
	if err := p.Start(); err != nil {
		s.tb.Fatal(err)
	}
	go func() {
		_ = p.Wait() // how it ended shows in what it wrote
		close(p.ended)
	}()
	s.tb.Cleanup(func() {
		_ = p.Process.Signal(syscall.SIGINT)
		select {
		case <-p.ended:
		case <-time.After(patience):
			_ = p.Process.Kill()
			s.tb.Errorf("slipway %v did not end on SIGINT", args)
		}
		if s.tb.Failed() {
			s.tb.Logf("slipway %v:\n%s", args, p.output)
		}
	})
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// slipway runs a command to its end and returns its stdout.
func (s *system) slipway(args ...string) ([]byte, error) {
	cmd := exec.Command(s.bin, args...)
	cmd.Env = s.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = errors.Join(err, errors.New(stderr.String()))
	}
	return out, err
}

// ready waits until the controller is.
func (s *system) ready() {
	s.tb.Helper()
	s.await("the controller", func() error { return get(http.DefaultClient, "http://"+s.server+"/readyz") })
}

// await tries until there is no error.
func (s *system) await(what string, try func() error) {
	s.tb.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.tb.Fatalf("waited in vain for %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond) //nolint:forbidigo // waits for another process
	}
}
