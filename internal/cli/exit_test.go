package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
)

func TestExitCode(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing wrong", nil, 0},
		{"an error that says nothing of itself", errors.New("boom"), 1},
		{"wrong usage", slipway.Usagef("no such app"), 2},
		{"wrong usage, wrapped", fmt.Errorf("deploy: %w", slipway.Usagef("no such app")), 2},
		{"a person must act", &slipway.Error{Next: slipway.NextPerson}, 1},
		{"to be retried", &slipway.Error{Next: slipway.NextRetry}, 1},
		{"deployed", endedAs(slipway.Execution{Status: slipway.StatusSucceeded, Outcome: slipway.OutcomeDeployed}), 0},
		{"unchanged", endedAs(slipway.Execution{Status: slipway.StatusSucceeded, Outcome: slipway.OutcomeUnchanged}), 0},
		{"failed", endedAs(slipway.Execution{Status: slipway.StatusFailed, Outcome: slipway.OutcomeFailed}), 1},
		{"failed before it deployed", endedAs(slipway.Execution{Status: slipway.StatusFailed}), 1},
		{"rolled back", endedAs(slipway.Execution{Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack}), 3},
		{"replaced", endedAs(slipway.Execution{Status: slipway.StatusSuperseded, Outcome: slipway.OutcomeReplaced}), 4},
		{"superseded before it began", endedAs(slipway.Execution{Status: slipway.StatusSuperseded}), 4},
		{"timed out", endedAs(slipway.Execution{Status: slipway.StatusFailed, Outcome: slipway.OutcomeTimedOut}), 5},
		{"stopped", endedAs(slipway.Execution{Status: slipway.StatusStopped, Outcome: slipway.OutcomeStopped}), 6},
		{"stopped before it began", endedAs(slipway.Execution{Status: slipway.StatusStopped}), 6},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(test.err); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
}

// What a person typed wrongly ends with 2, says what is wrong and where to
// look, and leaves stdout alone.
func TestUsage(t *testing.T) {
	tests := []struct{ args, says, hint string }{
		{"stauts", "did you mean", "see `slipway --help`"},
		{"status --wacht", "unknown flag --wacht", "see `slipway status --help`"},
		{"status --output yaml", "--output must be one of", "see `slipway status --help`"},
		{"status webapp1", "write CLUSTER/APP", "see `slipway status --help`"},
		{"history", "expected", "see `slipway history --help`"},
		{"history cluster1/webapp1 --limit 0", "--limit must be between", "see `slipway history --help`"},
		{"show webapp1", "neither an execution's id nor CLUSTER/APP", "see `slipway show --help`"},
		{"show ..", "neither an execution's id nor CLUSTER/APP", "see `slipway show --help`"},
		{"show cluster1/web.app", "only letters", "see `slipway show --help`"},
		{"version --quiet --verbose", "can't be used together", "see `slipway version --help`"},
		{"serve --poll 0s", "--poll must be longer than 0s", "see `slipway serve --help`"},
		{"deploy cluster1/webapp1 --image =foo:1", "no container before the \"=\"", "write CONTAINER=URI"},
		{"plan cluster1/webapp1 --repository /nonexistent", "/nonexistent: there is no such folder\nhint:", "slipway init /nonexistent"},
		{"status --server 127.0.0.1:7878", "is no server's address", ""},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			got := slipwayCommand(t, strings.Fields(test.args)...)
			if got.code != 2 || got.out != "" {
				t.Errorf("code %d and stdout %q, want 2 and nothing", got.code, got.out)
			}
			if !strings.Contains(got.err, test.says) || !strings.Contains(got.err, test.hint) {
				t.Errorf("%s\ndoes not say %q and %q", got.err, test.says, test.hint)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"status", "--help"}, {"history", "--help"}} {
		got := slipwayCommand(t, args...)
		if got.code != 0 || got.err != "" || !strings.Contains(got.out, "Usage: slipway") {
			t.Errorf("%q: code %d, stderr %q, stdout %q", args, got.code, got.err, got.out)
		}
	}
}
