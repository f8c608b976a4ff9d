//go:build e2e

package aws

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

const (
	account = "111122223333"
	// timeScale makes a rollout of two minutes last two seconds.
	timeScale = 60
	// patience is how long the slowest thing may take before it has failed.
	patience = 90 * time.Second
)

// anAccount is an empty AWS account on this machine.
type anAccount struct {
	region string
	world  *sandbox.World
	// Where AWS's services are: the sandbox's address, and moto's.
	sandbox, moto string
	aws           aws.Config // reaches the sandbox
	made          made       // by roles
}

// open makes an account that has nothing in it.
func open(t *testing.T, region string) *anAccount {
	t.Helper()
	if os.Getenv("SLIPWAY_E2E_AWS") == "" {
		t.Skip("this takes minutes: run make e2e-aws")
	}
	for _, command := range []string{"moto_server", "git", "aws", "bash", "jq"} {
		if _, err := exec.LookPath(command); err != nil {
			t.Skipf("%s is not installed here", command)
		}
	}
	a := &anAccount{region: region, moto: moto(t)}
	w, err := sandbox.New(t.Context(), sandbox.Options{
		Dir: t.TempDir(), TimeScale: timeScale, Region: region, Account: account,
		LoadBalancing: balancing{t, a.moto, region}, Calls: a.made.note,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	a.world, a.sandbox = w, w.Endpoints().AWS
	a.aws = aws.Config{Region: region, BaseEndpoint: aws.String(a.sandbox), Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", "")}
	a.empty(t)
	a.made.forget() // the seeded schedules' calls
	return a
}

// moto runs moto_server until the test ends, and returns its address.
func moto(t *testing.T) string {
	t.Helper()
	// The port is free until somebody else takes it, which is unlikely enough.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	if err != nil {
		t.Fatal(err)
	}
	// The tests' context ends before their cleanups: what is destroyed there needs moto.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, "moto_server", "-H", "127.0.0.1", "-p", port)
	cmd.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+account, "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	cmd.Stdout, cmd.Stderr = log, log
	// moto_server may be a script that starts another process: both are ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed, as it should be
		_ = log.Close()
	})
	address := "http://127.0.0.1:" + port
	eventually(t, "moto answers", func() (bool, error) {
		resp, err := http.Get(address + "/moto-api/data.json")
		if err != nil {
			return false, nil // not yet
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
	return address
}

// attempts has clients ask moto again, which may break a connection that it has not
// read to its end.
const attempts = "AWS_MAX_ATTEMPTS=5"

// env is the environment of a client of the account.
func (a *anAccount) env(home string) []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "GIT_") {
			env = append(env, variable)
		}
	}
	return append(env, a.variables(home)...)
}

// variables say where AWS is, and who the client is.
func (a *anAccount) variables(home string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + a.sandbox, "AWS_REGION=" + a.region, "AWS_DEFAULT_REGION=" + a.region,
		"AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", attempts,
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "HOME=" + home,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
}

// run runs a client of the account in dir, and returns what it printed.
func (a *anAccount) run(t *testing.T, dir, command string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Dir, cmd.Env = dir, a.env(t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// eventually asks until it is so. It fails when it is not so in time, or an error
// says that it never will be.
func eventually(t *testing.T, what string, is func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not within %v", patience))
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		so, err := is()
		switch {
		case err != nil:
			t.Fatalf("%s: %v", what, err)
		case so:
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, context.Cause(ctx))
		}
	}
}
