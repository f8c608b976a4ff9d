package cli

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway"
)

// What became of a commit: its execution's end, or why it has none.
func TestFollowCommit(t *testing.T) {
	entry := func(id string) slipway.HistoryEntry { return slipway.HistoryEntry{Commit: slipway.Commit{ID: id}} }
	matching := slipway.AppStatus{App: webapp1, Running: &slipway.RunningSummary{Images: v2}}
	drifted := matching
	drifted.Drift = true
	after := func(d time.Duration, change func(*scripted)) func(*scripted) error {
		begun := time.Now()
		return func(c *scripted) error {
			if time.Since(begun) >= d {
				change(c)
			}
			return nil
		}
	}
	tests := []struct {
		name string
		c    func() *scripted
		code int
		says string
		most time.Duration // of virtual time
	}{
		{
			"it was deployed", func() *scripted {
				deployed := failed2()
				deployed.Status, deployed.Outcome = slipway.StatusSucceeded, slipway.OutcomeDeployed
				return &scripted{executions: []slipway.Execution{deployed}}
			}, 0, "deployed", 0,
		},
		{
			"it was rolled back", func() *scripted { return &scripted{executions: []slipway.Execution{failed2(), ended1()}} },
			3, "rolled back by ECS", 0,
		},
		{
			"the controller sees it late", func() *scripted {
				return &scripted{
					history: []slipway.HistoryEntry{entry(commit1)}, executions: []slipway.Execution{ended1()},
					look: after(10*time.Second, func(c *scripted) { c.executions = []slipway.Execution{failed2()} }),
				}
			}, 3, "rolled back by ECS", 11 * time.Second,
		},
		{
			"what git says runs already", func() *scripted {
				return &scripted{history: []slipway.HistoryEntry{entry(commit2)}, apps: []slipway.AppStatus{matching}}
			}, 0, "unchanged", 0,
		},
		{
			"it started nothing although something else runs", func() *scripted {
				return &scripted{history: []slipway.HistoryEntry{entry(commit2)}, apps: []slipway.AppStatus{drifted}}
			}, 1, "started nothing for it", 0,
		},
		{
			"a newer commit arrived with it", func() *scripted {
				newer := "3333333333333333333333333333333333333333"
				return &scripted{history: []slipway.HistoryEntry{entry(newer), entry(commit2)}, apps: []slipway.AppStatus{matching}}
			}, 4, "superseded by 33333333", 0,
		},
		{
			"the controller follows another repository", func() *scripted {
				return &scripted{history: []slipway.HistoryEntry{entry(commit1)}}
			}, 1, "has not seen commit 22222222", patience + 2*time.Second,
		},
		{
			"the controller restarts", func() *scripted {
				c := &scripted{executions: []slipway.Execution{failed2()}}
				begun := time.Now()
				c.look = func(*scripted) error {
					if time.Since(begun) < 20*time.Second {
						return &slipway.Error{Next: slipway.NextRetry, Message: "does not answer"}
					}
					return nil
				}
				return c
			}, 3, "waiting: does not answer", 22 * time.Second,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				e, out, talk := testEnv()
				err := e.followCommit(t.Context(), test.c(), commitAnswer{App: webapp1, Commit: commit2, Changed: true, Images: v2})
				tell(e, err)
				if exitCode(err) != test.code {
					t.Errorf("exit code %d, want %d", exitCode(err), test.code)
				}
				if !strings.Contains(out.String()+talk.String(), test.says) {
					t.Errorf("stdout %q\nstderr %q\ndo not say %q", out, talk, test.says)
				}
				if took := time.Since(begun); took > test.most {
					t.Errorf("took %s, want at most %s", took, test.most)
				}
			})
		})
	}
}

// Where git said so already and nothing was committed, an execution that ended
// before is no outcome of this run: what runs now counts.
func TestFollowNoCommit(t *testing.T) {
	matching := slipway.AppStatus{App: webapp1, Running: &slipway.RunningSummary{Images: v2}}
	drifted := matching
	drifted.Drift = true
	superseded := failed2()
	superseded.ID = "01930e2c-0000-7000-8000-000000000003"
	superseded.Status, superseded.Outcome = slipway.StatusSuperseded, slipway.OutcomeNone
	running := failed2()
	running.Status, running.Outcome = slipway.StatusInProgress, slipway.OutcomeNone
	tests := []struct {
		name       string
		executions []slipway.Execution
		app        slipway.AppStatus
		code       int
		says       string
	}{
		{"it was deployed, and changed by hand since", []slipway.Execution{succeeded2()}, drifted, 1, "hint: start it with `slipway start cluster1/webapp1`"},
		{"it was deployed, and runs", []slipway.Execution{succeeded2()}, matching, 0, "unchanged"},
		{"it was rolled back", []slipway.Execution{failed2()}, drifted, 1, "git has not changed since commit 22222222, but cluster1/webapp1 does not run what it says"},
		{"it was rolled back, and put there by hand", []slipway.Execution{failed2()}, matching, 0, "unchanged"},
		{"it is under way", []slipway.Execution{superseded, running}, drifted, 3, "rolled back by ECS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				e, out, talk := testEnv()
				c := &scripted{
					history: []slipway.HistoryEntry{{Commit: slipway.Commit{ID: commit2}}},
					apps:    []slipway.AppStatus{test.app}, executions: test.executions,
				}
				c.look = func(c *scripted) error {
					if time.Since(begun) >= time.Second {
						c.executions = []slipway.Execution{failed2()}
					}
					return nil
				}
				err := e.followCommit(t.Context(), c, commitAnswer{App: webapp1, Commit: commit2, Images: v2})
				tell(e, err)
				if exitCode(err) != test.code || !strings.Contains(out.String()+talk.String(), test.says) {
					t.Errorf("exit code %d\nstdout %q\nstderr %q\nwant %d and %q", exitCode(err), out, talk, test.code, test.says)
				}
			})
		})
	}
}

func TestFollowCommitInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		e, _, talk := testEnv()
		c := &scripted{history: []slipway.HistoryEntry{{Commit: slipway.Commit{ID: commit1}}}}
		err := e.followCommit(ctx, c, commitAnswer{App: webapp1, Commit: commit2})
		if exitCode(err) != exitError || !strings.Contains(talk.String(), "stopped waiting; the commit stays") {
			t.Errorf("exit code %d, stderr %q", exitCode(err), talk)
		}
	})
}

// From the command line to the commit and back: the commit is made, the
// controller is told to look, and its execution's end is the exit code.
func TestDeployAndWait(t *testing.T) {
	gitIdentity(t)
	folder := filepath.Join(t.TempDir(), "deployment.git")
	if got := slipwayCommand(t, "init", folder); got.code != 0 {
		t.Fatal(got.err)
	}
	t.Setenv("SLIPWAY_REPOSITORY", folder)
	for _, command := range []string{
		"deploy cluster1/webapp1 --image example.com/webapp1:2 --wait -o json",
		"rollback cluster1/webapp1 --wait -o json",
	} {
		c := &scripted{}
		c.look = func(c *scripted) error {
			if c.refreshed == 0 {
				return nil // it has not looked yet, and knows nothing of the commit
			}
			e := failed2()
			e.Revision.Commit = c.asked
			c.executions = []slipway.Execution{e}
			return nil
		}
		got := slipwayOn(t, c, strings.Fields(command)...)
		if got.code != 3 {
			t.Errorf("%s: exit code %d, want 3: %s", command, got.code, got.err)
		}
		if !strings.Contains(got.out, `"outcome": "rolled-back"`) || !strings.Contains(got.err, "committed webapp1:") {
			t.Errorf("%s: stdout %s\nstderr %s", command, got.out, got.err)
		}
	}
}
