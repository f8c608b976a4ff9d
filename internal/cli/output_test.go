package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

// What people see, at ten past nine.
func TestTables(t *testing.T) {
	w := world()
	removed := slipway.AppStatus{App: slipway.App{Cluster: "cluster2", Name: "gone"}, Removed: true, Running: &slipway.RunningSummary{Images: v1}}
	forgotten := slipway.AppStatus{App: slipway.App{Cluster: "cluster2", Name: "forgotten"}, Removed: true, Execution: ended1().Summary()}
	started := ended1()
	started.ID, started.Status, started.Outcome, started.EndedAt = "01930e2c-0000-7000-8000-000000000003", slipway.StatusInProgress, "", time.Time{}
	started.Observation = &slipway.Observation{State: slipway.StateProgressing, Tasks: slipway.TaskCounts{Desired: 2}, Draining: 2}
	replacing := slipway.AppStatus{
		App:      slipway.App{Cluster: "cluster1", Name: "service2"},
		Revision: &slipway.RevisionSummary{Images: v2}, Running: &slipway.RunningSummary{Images: v2}, Execution: started.Summary(),
	}
	missing := ended1()
	missing.ID = "01930e2d-0000-7000-8000-000000000004"
	missing.Status, missing.Outcome, missing.Reason = slipway.StatusFailed, slipway.OutcomeFailed, "there is no service nosuch in cluster2: create it"
	nosuch := slipway.AppStatus{
		App: slipway.App{Cluster: "cluster2", Name: "nosuch"}, Problem: "there is no service nosuch in cluster2",
		Revision: &slipway.RevisionSummary{Images: v1}, Execution: missing.Summary(),
	}
	broken := slipway.AppStatus{
		App: slipway.App{Cluster: "cluster2", Name: "tcpapp1"}, Problem: "cluster2/tcpapp1/revision.json:1:2: unexpected end of file",
		Running: &slipway.RunningSummary{Images: []slipway.Image{{Container: "app", URI: "example.com/tcp:1"}, {Container: "proxy", URI: "example.com/proxy:2"}}},
	}
	deploying := ended1()
	deploying.Status, deploying.Outcome, deploying.EndedAt = slipway.StatusInProgress, "", time.Time{}
	deploying.Observation = &slipway.Observation{Tasks: slipway.TaskCounts{Desired: 2, Running: 1, Failed: 1}}
	service1 := slipway.AppStatus{
		App:      slipway.App{Cluster: "cluster1", Name: "service1"},
		Revision: &slipway.RevisionSummary{Images: v1}, Running: &slipway.RunningSummary{Images: v1}, Execution: deploying.Summary(),
	}
	moved := slipway.AppStatus{
		App: slipway.App{Cluster: "cluster2", Name: "moved"}, Drift: true,
		Revision: &slipway.RevisionSummary{Images: []slipway.Image{{Container: "moved", URI: "new.example.com/web:1"}}},
		Running:  &slipway.RunningSummary{Images: []slipway.Image{{Container: "moved", URI: "old.example.com/web:1"}, {Container: "sidecar", URI: "example.com/sidecar:1"}}},
	}
	pausing := pausing2()
	pausing.ID = "01930e2e-0000-7000-8000-000000000005"
	pausing.Outcome, pausing.Reason, pausing.EndedAt = "", "", time.Time{}
	canary := slipway.AppStatus{
		App:      slipway.App{Cluster: "cluster1", Name: "service3"},
		Revision: &slipway.RevisionSummary{Images: v2}, Running: &slipway.RunningSummary{Images: v2}, Execution: pausing.Summary(),
	}
	view := statusView{
		apps:       []slipway.AppStatus{service1, replacing, canary, w.apps[0], forgotten, removed, moved, nosuch, broken},
		executions: map[string]slipway.Execution{deploying.ID: deploying, started.ID: started, pausing.ID: pausing},
	}
	stopped := failed2()
	stopped.Status, stopped.Outcome, stopped.RolledBackBy, stopped.Reason = slipway.StatusStopped, slipway.OutcomeStopped, "", "stopped by dev: wrong image"
	stopped.Stop = &slipway.StopRequest{By: "dev", Reason: "wrong image", Abandon: true}
	stopped.Deployment.Reused = true
	history := append([]slipway.HistoryEntry{
		{Commit: slipway.Commit{ID: commit1, Author: "Ops <ops@example.com>", Time: monday.Add(9 * time.Minute), Message: "take webapp1 down\n\nlong story"}, Removed: true},
		{Commit: slipway.Commit{ID: commit2, Author: "Ops <ops@example.com>", Time: monday.Add(8 * time.Minute), Message: "typo"}, Problem: "cluster1/webapp1/revision.json:1:2: unexpected end of file"},
	}, w.history...)

	tests := []struct {
		name string
		show func(*env) error
		want string
	}{
		{"status", func(e *env) error { return e.answer(nil, view.table(e)) }, `
APP                IN GIT                 RUNNING                        LAST EXECUTION      WHEN     NOTE
cluster1/service1  webapp1:1.4.1          webapp1:1.4.1                  in progress         10m ago  deploying: 1 of 2 running, 1 failed
cluster1/service2  webapp1:1.4.2          webapp1:1.4.1 → webapp1:1.4.2  in progress         10m ago  deploying: 0 of 2 running, 2 old still running
cluster1/service3  webapp1:1.4.2          webapp1:1.4.1 → webapp1:1.4.2  awaiting approval   9m ago   deploying: 2 of 2 running, 12.5 % of the traffic; waits at POST_PRODUCTION_TRAFFIC_SHIFT for ` + "`slipway approve cluster1/webapp1`" + `
cluster1/webapp1   webapp1:1.4.2          webapp1:1.4.1                  rolled back by ECS  7m ago   drift by webapp1:7 since 9m ago; webapp1 exited with code 1
cluster2/gone      -                      webapp1:1.4.1                  -                            removed from git
cluster2/moved     new.example.com/web:1  old.example.com/web:1          -                            drift
cluster2/nosuch    webapp1:1.4.1          -                              failed              9m ago   there is no service nosuch in cluster2
cluster2/tcpapp1   -                      app=tcp:1, proxy=proxy:2       -                            cluster2/tcpapp1/revision.json:1:2: unexpected end of file
`},
		{"status of an app that is gone, by name", func(e *env) error {
			return e.answer(nil, statusView{apps: []slipway.AppStatus{forgotten}, named: true}.table(e))
		}, `
APP                 IN GIT  RUNNING  LAST EXECUTION  WHEN    NOTE
cluster2/forgotten  -       -        deployed        9m ago  removed from git
`},
		{"history", func(e *env) error { return e.answer(nil, historyTable(e, history)) }, `
COMMIT    WHEN     IMAGES         RESULT              EXECUTION      AUTHOR  MESSAGE
11111111  1m ago   removed        -                   -              Ops     take webapp1 down
22222222  2m ago   invalid        -                   -              Ops     typo
  cluster1/webapp1/revision.json:1:2: unexpected end of file
22222222  9m ago   webapp1:1.4.2  rolled back by ECS  01930e2b-0000  Dev     webapp1 1.4.2
  webapp1 exited with code 1
11111111  10m ago  webapp1:1.4.1  deployed            01930e2a-6b5c  Dev     webapp1 1.4.1
`},
		{"show a failure", func(e *env) error { return e.answer(nil, executionTable(e, failed2())) }, `
Execution        01930e2b-0000-7000-8000-000000000002
App              cluster1/webapp1
Result           rolled back by ECS
Reason           webapp1 exited with code 1
                 log: no such table
Commit           2222222222222222222222222222222222222222
Image            webapp1 = 111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.2
Trigger          push by Dev <dev@example.com>, delivery d1
Created          2026-11-02 09:01:00 UTC (9m ago)
Started          2026-11-02 09:01:00 UTC (9m ago)
Ended            2026-11-02 09:03:00 UTC (7m ago), took 2m
Stage            Deploy
ECS service      cluster1/webapp1 in eu-west-1
Task definition  arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:8
Copied from      arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7
Images before    111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.1
Deployment       ecs-svc/1111111111111111111
Tasks            2 of 2 running
Observed         2026-11-02 09:00:42 UTC

Events
  09:00:40 (service webapp1) has reached a steady state.
`},
		{"show a stop", func(e *env) error { return e.answer(nil, executionTable(e, stopped)) }, `
Execution        01930e2b-0000-7000-8000-000000000002
App              cluster1/webapp1
Result           stopped
Reason           stopped by dev: wrong image
Commit           2222222222222222222222222222222222222222
Image            webapp1 = 111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.2
Trigger          push by Dev <dev@example.com>, delivery d1
Stop             asked for by dev: wrong image (abandon: the service is left as it is)
Created          2026-11-02 09:01:00 UTC (9m ago)
Started          2026-11-02 09:01:00 UTC (9m ago)
Ended            2026-11-02 09:03:00 UTC (7m ago), took 2m
Stage            Deploy
ECS service      cluster1/webapp1 in eu-west-1
Task definition  arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:8 (registered before)
Copied from      arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7
Images before    111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.1
Deployment       ecs-svc/1111111111111111111
Tasks            2 of 2 running
Observed         2026-11-02 09:00:42 UTC

Events
  09:00:40 (service webapp1) has reached a steady state.
`},
		{"show one in progress", func(e *env) error { return e.answer(nil, executionTable(e, deploying)) }, `
Execution        01930e2a-6b5c-7000-8000-000000000001
App              cluster1/webapp1
Result           in progress
Doing            deploying: 1 of 2 running, 1 failed
Commit           1111111111111111111111111111111111111111
Image            webapp1 = 111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.1
Trigger          push by Dev <dev@example.com>, delivery d1
Created          2026-11-02 09:00:00 UTC (10m ago)
Started          2026-11-02 09:00:00 UTC (10m ago)
Stage            Deploy
ECS service      cluster1/webapp1 in eu-west-1
Task definition  arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:8
Copied from      arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7
Images before    111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.1
Deployment       ecs-svc/1111111111111111111
Tasks            1 of 2 running, 1 failed
`},
		{"the answer about a failure", func(e *env) error { return e.answerExecution(failed2()) }, `
cluster1/webapp1 webapp1:1.4.2: rolled back by ECS after 2m (execution 01930e2b-0000-7000-8000-000000000002)
  webapp1 exited with code 1
  log: no such table
`},
		{"the answer about a success", func(e *env) error { return e.answerExecution(ended1()) }, `
cluster1/webapp1 webapp1:1.4.1: deployed after 42s (execution 01930e2a-6b5c-7000-8000-000000000001)
`},
		{"the answer about one that waits", func(e *env) error {
			return e.answerExecution(slipway.Execution{ID: firstID, Status: slipway.StatusQueued, Revision: slipway.Revision{App: webapp1, Images: v1}})
		}, `
cluster1/webapp1 webapp1:1.4.1: queued (execution 01930e2a-6b5c-7000-8000-000000000001)
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, out, _ := testEnv()
			e.now = func() time.Time { return monday.Add(10 * time.Minute) }
			if err := test.show(e); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, "\n"+out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What runs while an execution is at work: ECS calls the new task definition
// the service's as soon as the service is updated, before any of its tasks runs.
func TestRunningWhileItIsReplaced(t *testing.T) {
	tests := []struct {
		name   string
		change func(*slipway.Execution)
		runs   []slipway.Image
		want   string
	}{
		{"not started", func(e *slipway.Execution) { e.Deployment.Phase = slipway.PhaseRegistered }, v1, "webapp1:1.4.1"},
		{"started, not looked at", func(*slipway.Execution) {}, v2, "webapp1:1.4.1 → webapp1:1.4.2"},
		{"progressing", func(e *slipway.Execution) {
			e.Observation = &slipway.Observation{State: slipway.StateProgressing}
		}, v2, "webapp1:1.4.1 → webapp1:1.4.2"},
		{"deployed", func(e *slipway.Execution) {
			e.Observation = &slipway.Observation{State: slipway.StateDeployed}
		}, v2, "webapp1:1.4.2"},
		{"ECS rolls back", func(e *slipway.Execution) {
			e.Observation = &slipway.Observation{State: slipway.StateRollingBack}
		}, v1, "webapp1:1.4.2 → webapp1:1.4.1"},
		{"we roll back", func(e *slipway.Execution) { e.Deployment.Phase = slipway.PhaseRollingBack }, v1, "webapp1:1.4.2 → webapp1:1.4.1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := failed2()
			x.Status, x.Outcome, x.Observation = slipway.StatusInProgress, slipway.OutcomeNone, nil
			x.Deployment.Images, x.Deployment.BaseImages = v2, v1
			test.change(&x)
			view := statusView{executions: map[string]slipway.Execution{x.ID: x}}
			_, running, _ := view.cells(slipway.AppStatus{
				App: webapp1, Running: &slipway.RunningSummary{Images: test.runs}, Execution: x.Summary(),
				Revision: &slipway.RevisionSummary{Images: v2},
			})
			if running.text != test.want {
				t.Errorf("%q, want %q", running.text, test.want)
			}
		})
	}
}
