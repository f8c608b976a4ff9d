//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// endpoint VARIABLE KEY [APP]: waits for the sandbox and puts one of its
// addresses into the environment.
func endpoint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: endpoint VARIABLE aws|repository|http|loadBalancers [APP]")
	}
	await(ts, false, []string{"sandbox/sandbox.json"})
	var endpoints map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("sandbox/sandbox.json")), &endpoints))
	value := endpoints[args[1]]
	if len(args) == 3 {
		value = value.(map[string]any)[args[2]]
	}
	address, ok := value.(string)
	if !ok {
		ts.Fatalf("sandbox.json has no %s", strings.Join(args[1:], " "))
	}
	ts.Setenv(args[0], address)
}

// exits CODE COMMAND...: runs a command that must end with that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ended := errors.AsType[*exec.ExitError](err); ended {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s ended with %d, not %s", strings.Join(args[1:], " "), code, args[0])
	}
}
