package cli

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The members of every command's JSON are a promise to scripts: adding one is
// a line here, and taking one away breaks somebody.
func TestJSONMembers(t *testing.T) {
	const (
		execution = "createdAt deployment deployment.app deployment.base deployment.baseImages deployment.baseImages[].imageUri " +
			"deployment.baseImages[].name deployment.commit deployment.execution deployment.firstWriteAt deployment.id " +
			"deployment.images deployment.images[].imageUri deployment.images[].name deployment.phase deployment.place " +
			"deployment.place.cluster deployment.place.region deployment.place.service deployment.preparedAt " +
			"deployment.startedAt deployment.taskDefinition endedAt id observation observation.at observation.draining " +
			"observation.events observation.events[].at observation.events[].message observation.state observation.tasks " +
			"observation.tasks.desired observation.tasks.failed observation.tasks.pending observation.tasks.running outcome " +
			"pipeline pipeline.mode pipeline.place pipeline.place.cluster pipeline.place.endpoint pipeline.place.region " +
			"pipeline.place.roleArn pipeline.place.service pipeline.timeout " +
			"reason revision revision.app revision.blob revision.commit revision.images revision.images[].imageUri " +
			"revision.images[].name rolledBackBy stage startedAt status trigger trigger.at trigger.by trigger.delivery trigger.kind"
	)
	// A deployment that shifts traffic has more to tell.
	shifting := execution + " decisions decisions[].approve decisions[].at decisions[].by decisions[].hook decisions[].reason decisions[].stage " +
		"deployment.resumedAt deployment.strategy observation.bakeMinutes observation.by observation.cause observation.hooks " +
		"observation.hooks[].expires observation.hooks[].id observation.hooks[].onExpiry observation.hooks[].stage observation.stage " +
		"observation.traffic observation.waiting"
	going := "[].app [].drift [].driftSince [].execution [].execution.endedAt [].execution.id [].execution.outcome [].execution.progress " +
		"[].execution.progress.hooks [].execution.progress.hooks[].expires [].execution.progress.hooks[].id [].execution.progress.hooks[].onExpiry " +
		"[].execution.progress.hooks[].stage [].execution.progress.stage [].execution.progress.tasks [].execution.progress.tasks.desired " +
		"[].execution.progress.tasks.failed [].execution.progress.tasks.pending [].execution.progress.tasks.running [].execution.progress.traffic " +
		"[].execution.progress.waiting [].execution.reason [].execution.rolledBackBy [].execution.startedAt [].execution.status [].revision " +
		"[].revision.commit [].revision.images [].revision.images[].imageUri [].revision.images[].name [].running [].running.images " +
		"[].running.images[].imageUri [].running.images[].name [].running.since [].running.taskDefinition"
	tests := map[string]string{
		"approve " + secondID: shifting,
		"reject " + secondID:  shifting,
		"status": "[].app [].drift [].driftSince [].execution [].execution.endedAt [].execution.id [].execution.outcome [].execution.reason " +
			"[].execution.rolledBackBy [].execution.startedAt [].execution.status [].revision [].revision.commit [].revision.images " +
			"[].revision.images[].imageUri [].revision.images[].name [].running [].running.images " +
			"[].running.images[].imageUri [].running.images[].name [].running.since [].running.taskDefinition",
		"status cluster1/webapp1": going,
		"history cluster1/webapp1": "[].author [].commit [].execution [].execution.endedAt [].execution.id " +
			"[].execution.outcome [].execution.reason [].execution.rolledBackBy [].execution.startedAt [].execution.status [].images " +
			"[].images[].imageUri [].images[].name [].message [].time",
		"show cluster1/webapp1":  execution,
		"start cluster1/webapp1": execution,
		"stop " + secondID:       execution,
		"retry cluster1/webapp1": execution,
		"config":                 "[].name [].source [].value",
		"version":                "commit go version",
	}
	for command, want := range tests {
		t.Run(command, func(t *testing.T) {
			c := world()
			if strings.HasPrefix(command, "stop") {
				c.executions[0].Status = "InProgress"
			}
			if want == shifting || want == going {
				c.executions[0] = pausing2()
				c.apps[0].Execution = c.executions[0].Summary()
			}
			got := slipwayOn(t, c, append(strings.Fields(command), "--output", "json")...)
			if got.code != 0 || got.err != "" {
				t.Fatalf("code %d, stderr %q", got.code, got.err)
			}
			checkMembers(t, got.out, want)
		})
	}
}

// The same for the commands that need a repository, and AWS for one of them; in
// this order.
func TestJSONMembersWithARepository(t *testing.T) {
	const commit = "app changed commit execution images images[].imageUri images[].name"
	ecsWorld(t)
	gitIdentity(t)
	t.Setenv("SLIPWAY_REPOSITORY", filepath.Join(t.TempDir(), "deployment.git"))
	for _, step := range []struct {
		command string
		code    int
		want    string
	}{
		{"init", 0, "apps changed commit repository"},
		{"plan cluster1/webapp1 --image example.com/webapp1:2", 0, "app changes changes[].from changes[].path changes[].to commit images images[].imageUri images[].name taskDefinition"},
		{"deploy cluster1/webapp1 --image example.com/webapp1:2", 0, commit},
		{"rollback cluster1/webapp1", 0, commit},
		{"validate", 0, ""},
		{"validate " + brokenFolder(t), 2, "[].column [].file [].line [].message"},
	} {
		got := slipwayCommand(t, append(strings.Fields(step.command), "--output", "json")...)
		if got.code != step.code {
			t.Fatalf("%s: code %d, stderr %q", step.command, got.code, got.err)
		}
		checkMembers(t, got.out, step.want)
	}
}

// brokenFolder has one file with one problem.
func brokenFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "cluster1", "webapp1")
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "revision.json"), []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

func checkMembers(t *testing.T, text, want string) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	found := make(map[string]bool)
	members("", value, found)
	if diff := cmp.Diff(strings.Join(slices.Sorted(slices.Values(strings.Fields(want))), "\n"), strings.Join(slices.Sorted(maps.Keys(found)), "\n")); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// members collects the paths of all members of a JSON value.
func members(path string, value any, found map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			members(path+"[]", element, found)
		}
	case map[string]any:
		for name, member := range value {
			at := strings.TrimPrefix(path+"."+name, ".")
			found[at] = true
			members(at, member, found)
		}
	}
}
