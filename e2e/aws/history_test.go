//go:build e2e

package aws

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// conducted says in the repository that CodePipeline conducts, which starts nothing.
func (c *aClone) conducted(t *testing.T) {
	t.Helper()
	before := c.account.started(t)
	c.push(t, "Let CodePipeline conduct", nil, aFile{"slipway.yaml", []byte("conductor: codepipeline\n")})
	if after := c.account.started(t); len(after) != len(before) {
		t.Errorf("a change of slipway.yaml started something: %v, before %v", after, before)
	}
}

// ask runs slipway on the repository, without a server and as a person, and reads its
// answer.
func (c *aClone) ask(t *testing.T, answer any, args ...string) {
	t.Helper()
	build(t)
	url := strings.TrimSpace(c.account.run(t, c.dir, "git", "remote", "get-url", "origin"))
	cmd := exec.CommandContext(t.Context(), built.slipway, append(args, "--repository", url, "--branch", c.branch, "--output", "json")...)
	cmd.Dir, cmd.Env = c.dir, append(c.account.env(t.TempDir()), "AWS_ACCESS_KEY_ID="+trail.Key(person, ""))
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("slipway %s: %v\n%s", strings.Join(args, " "), err, complaint.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("slipway %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tells has slipway tell, without a server, what CodePipeline did with webapp1: its
// newest commit was rolled back by ECS, and the ten before it were deployed.
func (c *aClone) tells(t *testing.T) {
	t.Helper()
	c.conducted(t)
	var history []slipway.HistoryEntry
	c.ask(t, &history, "history", "cluster1/webapp1", "--limit", "11")
	for i, entry := range history {
		want := slipway.OutcomeDeployed
		if i == 0 {
			want = slipway.OutcomeRolledBack
		}
		if x := entry.Execution; x == nil || x.Outcome != want {
			t.Errorf("history of %s %q: %+v, want %s", entry.ID, entry.Message, x, want)
		}
	}
	// ECS forgets stopped tasks after an hour of its time, which may be over here.
	if len(history) != 11 || history[0].Execution == nil || !strings.Contains(history[0].Execution.Reason, "rolled back by ECS") {
		t.Errorf("the history, %d entries, does not say why: %+v", len(history), history)
	}
	var pushed slipway.Execution
	c.ask(t, &pushed, "show", history[0].Execution.ID)
	if pushed.Trigger.Kind != slipway.TriggerEvent {
		t.Errorf("a push is told as %+v", pushed.Trigger)
	}
	var apps []slipway.AppStatus
	c.ask(t, &apps, "status")
	for _, app := range apps {
		if app.Conductor != slipway.ConductorCodePipeline || app.Problem != "" || app.Execution == nil || app.Running == nil {
			t.Errorf("status of %s: %+v", app.App, app)
		}
	}
	if len(apps) != 4 {
		t.Errorf("status tells of %d apps", len(apps))
	}
	var started, shown slipway.Execution
	c.ask(t, &started, "start", "cluster1/tcpapp1", "--wait")
	c.ask(t, &shown, "show", started.ID)
	if shown.Outcome != slipway.OutcomeDeployed || shown.App().Name != "tcpapp1" || shown.Trigger.Kind != slipway.TriggerManual {
		t.Errorf("start: %+v", shown)
	}
}
