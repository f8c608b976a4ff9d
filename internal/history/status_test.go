package history

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestStatus(t *testing.T) {
	webapp1 := slipway.App{Cluster: "cluster1", Name: "webapp1"}
	service1 := slipway.App{Cluster: "cluster1", Name: "service1"}
	v1 := []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:1"}}
	v2 := []slipway.Image{{Container: "webapp1", URI: "example.com/webapp1:2"}}
	head := Head{App: webapp1, Revision: &slipway.Revision{App: webapp1, Commit: "c2", Blob: "y", Images: v2}}
	inGit := &slipway.RevisionSummary{Commit: "c2", Images: v2}
	monday := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	noon := monday.Add(3 * time.Hour)
	rolledBack := slipway.Execution{ID: "1", Status: slipway.StatusFailed, Outcome: slipway.OutcomeRolledBack, Revision: *head.Revision, CreatedAt: noon}
	deployed := slipway.Execution{ID: "1", Status: slipway.StatusSucceeded, Outcome: slipway.OutcomeDeployed, Revision: *head.Revision, CreatedAt: monday}
	earlier := slipway.Execution{ID: "1", Status: slipway.StatusSucceeded, Outcome: slipway.OutcomeDeployed, CreatedAt: noon}
	const arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/webapp1:7"

	tests := []struct {
		name    string
		heads   []Head
		running map[slipway.App]slipway.Running
		newest  map[slipway.App]slipway.Execution
		want    []slipway.AppStatus
	}{
		{
			name: "nothing at all",
			want: []slipway.AppStatus{},
		},
		{
			name:    "what git says runs",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v2, TaskDefinition: arn, Since: monday}},
			newest:  map[slipway.App]slipway.Execution{webapp1: {ID: "1", Status: slipway.StatusSucceeded}},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit,
				Running:   &slipway.RunningSummary{Images: v2, TaskDefinition: arn, Since: monday},
				Execution: &slipway.ExecutionSummary{ID: "1", Status: slipway.StatusSucceeded},
			}},
		},
		{
			name:    "drift: another image runs",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn}},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit, Drift: true,
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn},
			}},
		},
		{
			name:    "drift since git changed: rolled back to what ran before",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn, Since: monday}},
			newest:  map[slipway.App]slipway.Execution{webapp1: rolledBack},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit, Drift: true, DriftSince: noon,
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn, Since: monday}, Execution: rolledBack.Summary(),
			}},
		},
		{
			name:    "drift since somebody deployed something else",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn, Since: noon}},
			newest:  map[slipway.App]slipway.Execution{webapp1: deployed},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit, Drift: true, DriftSince: noon,
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn, Since: noon}, Execution: deployed.Summary(),
			}},
		},
		{
			name:    "an execution of what git said before tells nothing",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn, Since: monday}},
			newest:  map[slipway.App]slipway.Execution{webapp1: earlier},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit, Drift: true, DriftSince: monday,
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn, Since: monday}, Execution: earlier.Summary(),
			}},
		},
		{
			name:    "a batch app that was moved by somebody: AWS does not say when",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn}},
			newest:  map[slipway.App]slipway.Execution{webapp1: deployed},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit, Drift: true,
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn}, Execution: deployed.Summary(),
			}},
		},
		{
			name:    "a batch app that was rolled back",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn}},
			newest:  map[slipway.App]slipway.Execution{webapp1: rolledBack},
			want: []slipway.AppStatus{{
				App: webapp1, Revision: inGit, Drift: true, DriftSince: noon,
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn}, Execution: rolledBack.Summary(),
			}},
		},
		{
			name:  "no drift where it is not known what runs",
			heads: []Head{head},
			want:  []slipway.AppStatus{{App: webapp1, Revision: inGit}},
		},
		{
			name:    "no drift where the service could not be read, and the reason is told",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{webapp1: {Err: errors.New("no such service")}},
			want:    []slipway.AppStatus{{App: webapp1, Revision: inGit, Problem: "no such service"}},
		},
		{
			name:    "no drift where the file is broken; its problem goes before that of the service",
			heads:   []Head{{App: webapp1, Problem: "cluster1/webapp1/revision.json:1:1: empty"}},
			running: map[slipway.App]slipway.Running{webapp1: {Images: v1, TaskDefinition: arn}},
			want: []slipway.AppStatus{{
				App: webapp1, Problem: "cluster1/webapp1/revision.json:1:1: empty",
				Running: &slipway.RunningSummary{Images: v1, TaskDefinition: arn},
			}},
		},
		{
			name:    "removed from git: still shown, with what runs and its last execution; ordered by app",
			heads:   []Head{head},
			running: map[slipway.App]slipway.Running{service1: {Images: v1, TaskDefinition: arn}},
			newest:  map[slipway.App]slipway.Execution{service1: {ID: "1", Status: slipway.StatusFailed}},
			want: []slipway.AppStatus{
				{
					App: service1, Removed: true,
					Running:   &slipway.RunningSummary{Images: v1, TaskDefinition: arn},
					Execution: &slipway.ExecutionSummary{ID: "1", Status: slipway.StatusFailed},
				},
				{App: webapp1, Revision: inGit},
			},
		},
		{
			name:    "removed from git and from ECS: nothing is wrong with that",
			running: map[slipway.App]slipway.Running{service1: {Err: errors.New("no such service")}},
			want:    []slipway.AppStatus{{App: service1, Removed: true}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Status(test.heads, test.running, test.newest)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDrift(t *testing.T) {
	image := func(container, uri string) slipway.Image { return slipway.Image{Container: container, URI: uri} }
	app, proxy := image("app", "example.com/app:1"), image("proxy", "example.com/proxy:1")
	tests := []struct {
		name         string
		git, running []slipway.Image
		want         bool
	}{
		{"same", []slipway.Image{app}, []slipway.Image{app}, false},
		{"order does not matter", []slipway.Image{app, proxy}, []slipway.Image{proxy, app}, false},
		{"a sidecar that git does not name", []slipway.Image{app}, []slipway.Image{proxy, app}, false},
		{"another tag", []slipway.Image{app}, []slipway.Image{image("app", "example.com/app:2")}, true},
		{"the same image in another container", []slipway.Image{app}, []slipway.Image{image("web", "example.com/app:1")}, true},
		{"a container that git names does not run", []slipway.Image{app, proxy}, []slipway.Image{app}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := !slipway.Runs(test.running, test.git); got != test.want {
				t.Errorf("drift = %t, want %t", got, test.want)
			}
		})
	}
}
