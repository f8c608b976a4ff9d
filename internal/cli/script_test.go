package cli

import (
	"errors"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata/script are what a user would type where no server is
// needed. `exits CODE COMMAND…` is ours: it runs a command and expects that exit
// code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(s *testscript.Env) error {
			s.Setenv("HOME", s.WorkDir)
			s.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			s.Setenv("GIT_CONFIG_COUNT", "3")
			for i, setting := range [][2]string{
				{"user.name", "Dev"}, {"user.email", "dev@example.com"}, {"init.defaultBranch", "main"},
			} {
				s.Setenv("GIT_CONFIG_KEY_"+strconv.Itoa(i), setting[0])
				s.Setenv("GIT_CONFIG_VALUE_"+strconv.Itoa(i), setting[1])
			}
			// Port 1 (tcpmux, RFC 1078) is one that nobody listens on.
			s.Setenv("SLIPWAY_SERVER", "http://127.0.0.1:1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
