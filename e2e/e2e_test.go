//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// binary is the slipway to test: that of SLIPWAY_BIN, or one built here.
func binary(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv("SLIPWAY_BIN"); path != "" {
		return path
	}
	path := filepath.Join(tb.TempDir(), "slipway")
	build := exec.Command("go", "build", "-o", path, "../cmd/slipway")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("build slipway: %v\n%s", err, out)
	}
	return path
}

func TestScripts(t *testing.T) {
	bin := filepath.Dir(binary(t))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			for name, value := range map[string]string{
				"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.DevNull,
				"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
				"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
				"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PAGER": "",
				"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox", "AWS_EC2_METADATA_DISABLED": "true",
				"SLIPWAY_SANDBOX_DIR": filepath.Join(env.WorkDir, "sandbox"),
			} {
				env.Setenv(name, value)
			}
			env.Values[trafficKey{}] = &scriptTraffic{}
			return addresses(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":    await,
			"endpoint": endpoint,
			"exits":    exits,
			"traffic":  trafficCommand,
		},
		Condition: func(name string) (bool, error) {
			if tool, found := strings.CutPrefix(name, "has:"); found {
				_, err := exec.LookPath(tool)
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
	})
}

// addresses gives each script addresses of its own: for the controller, as the
// commands know it, and for a second one.
func addresses(env *testscript.Env) error {
	first, second, err := freeAddresses()
	env.Setenv("SLIPWAY_LISTEN", first)
	env.Setenv("SLIPWAY_SERVER", "http://"+first)
	env.Setenv("SECOND", second)
	return err
}

// freeAddresses returns two addresses that nobody uses.
func freeAddresses() (first, second string, err error) {
	var listeners [2]net.Listener
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", "", err
		}
	}
	return listeners[0].Addr().String(), listeners[1].Addr().String(), errors.Join(listeners[0].Close(), listeners[1].Close())
}

// patience bounds what a script waits for.
const patience = 60 * time.Second

// await FILE [TEXT]: waits until there is FILE, and TEXT in it.
// await -- COMMAND...: waits until a command ends with 0.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await FILE [TEXT] | await -- COMMAND...")
	}
	deadline := time.Now().Add(patience)
	for {
		var err error
		if args[0] == "--" {
			err = ts.Exec(args[1], args[2:]...)
		} else {
			err = holds(ts.MkAbs(args[0]), strings.Join(args[1:], " "))
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("await %s: %v", strings.Join(args, " "), err)
		}
		time.Sleep(50 * time.Millisecond) //nolint:forbidigo // a script waits for another process
	}
}

func holds(file, text string) error {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("it does not exist")
	}
	if err == nil && !strings.Contains(string(content), text) {
		return fmt.Errorf("it does not hold %q but:\n%s", text, content)
	}
	return err
}
