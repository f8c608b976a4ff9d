package deployrepo

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// lines are problems as a person sees them, warnings marked.
func lines(problems Problems) []string {
	var out []string
	for _, p := range problems {
		line := p.String()
		if p.Warning {
			line = "warning: " + line
		}
		out = append(out, line)
	}
	return out
}

// oddRepository has something wrong in every way that shows in a tree, and
// good apps between.
func oddRepository(t testing.TB) (dir, head string) {
	t.Helper()
	dir = newBare(t)
	first := commit(t, dir, "nothing yet", change{Path: "README.md", Content: "hello"})
	app := func(name string) slipway.App { return slipway.App{Cluster: "cluster1", Name: name} }
	return dir, commit(t, dir, "all of it",
		revision(app("good"), "good:1"),
		change{Path: "cluster1/good/pipeline.yaml", Content: "mode: queued\n"},
		change{Path: "cluster1/good/notes.txt", Content: "nothing of ours"},
		change{Path: "cluster1/executable/revision.json", Mode: "100755", Content: revisionText(app("executable"), "x:1")},
		change{Path: "cluster1/link/revision.json", Mode: "120000", Content: "../good/revision.json"},
		change{Path: "cluster1/module/revision.json", Mode: "160000", Content: first},
		change{Path: "cluster1/large/revision.json", Content: revisionText(app("large"), "x:1") + strings.Repeat(" ", files.MaxSize)},
		change{Path: "cluster1/full/revision.json", Content: revisionText(app("full"), "x:1") + strings.Repeat(" ", files.MaxSize-len(revisionText(app("full"), "x:1")))},
		change{Path: "cluster1/linked", Mode: "120000", Content: "good"},
		change{Path: "cluster1/lone/pipeline.yaml", Content: "mode: queued\n"},
		change{Path: "cluster1/short/pipeline.yml", Content: "mode: queued\n"},
		change{Path: "cluster1/web app/revision.json", Content: "[]"},
		change{Path: "clüster/app/revision.json", Content: "[]"},
		change{Path: strings.Repeat("x", 250) + "yyyyyy/app/revision.json", Content: "[]"},
		change{Path: ".github/workflows/revision.json", Content: "[]"},
		change{Path: "cluster1/.hidden/revision.json", Content: "[]"},
		change{Path: "revision.json", Content: "[]"},
		change{Path: "cluster1/revision.json", Content: "[]"},
		change{Path: "cluster1/deep/er/revision.json", Content: "[]"},
		change{Path: "cluster1/folder/revision.json/x", Content: "[]"},
		change{Path: "slipway.yml", Content: "x"},
		change{Path: "slipway.yaml", Content: "defaults: {timeout: 20m}\n"},
	)
}

func TestTree(t *testing.T) {
	t.Parallel()
	dir, head := oddRepository(t)
	var seen commands
	r := openWith(t, Options{URL: dir, Logger: seen.logger()})
	seen.take()
	tree, err := r.Tree(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ls-tree"}, seen.take()); diff != "" {
		t.Errorf("git commands (-want +got):\n%s", diff)
	}

	var apps []string
	for _, app := range tree.Sorted() {
		apps = append(apps, app.Name)
	}
	if diff := cmp.Diff([]string{"executable", "full", "good", "large", "link", "module"}, apps); diff != "" {
		t.Errorf("apps (-want +got):\n%s", diff)
	}
	good := tree.Apps[slipway.App{Cluster: "cluster1", Name: "good"}]
	want := AppFiles{
		Revision: File{Blob: run(t, dir, "rev-parse", head+":cluster1/good/revision.json"), Mode: "100644", Size: int64(len(revisionText(slipway.App{Name: "good"}, "good:1")))},
		Pipeline: File{Blob: run(t, dir, "rev-parse", head+":cluster1/good/pipeline.yaml"), Mode: "100644", Size: 13},
	}
	if diff := cmp.Diff(want, good); diff != "" {
		t.Errorf("files of an app (-want +got):\n%s", diff)
	}
	if tree.Config.Blob != run(t, dir, "rev-parse", head+":slipway.yaml") {
		t.Errorf("slipway.yaml is %+v", tree.Config)
	}
	long := strings.Repeat("x", 250) + "yyyyyy"
	wantProblems := []string{
		"cluster1/large/revision.json: has 102443 bytes; at most 102400 (100 KB) are allowed",
		"cluster1/link/revision.json: is a symlink, which is not followed: commit the file itself",
		"warning: cluster1/linked: is a symlink or a submodule, which is not followed: apps in it are not seen",
		"warning: cluster1/lone/pipeline.yaml: has no effect: there is no cluster1/lone/revision.json beside it",
		"cluster1/module/revision.json: is a submodule: commit the file itself",
		"warning: cluster1/short/pipeline.yml: has no effect: its name must be pipeline.yaml",
		`cluster1/web app/revision.json: the app name "web app" has the character ' '; only letters, digits, '-' and '_' are allowed; rename the folder`,
		`clüster/app/revision.json: the cluster name "clüster" has the character 'ü'; only letters, digits, '-' and '_' are allowed; rename the folder`,
		"warning: slipway.yml: has no effect: its name must be slipway.yaml",
		long + `/app/revision.json: the cluster name "xxxxxxxxxxxxxxxxxxxx"… has 256 characters; at most 255 are allowed; rename the folder`,
	}
	if diff := cmp.Diff(wantProblems, lines(tree.Problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestLoadKeepsBrokenAppsApart(t *testing.T) {
	t.Parallel()
	dir, _ := oddRepository(t)
	bad := slipway.App{Cluster: "cluster1", Name: "bad"}
	pipeline := slipway.App{Cluster: "cluster1", Name: "badpipeline"}
	head := commit(t, dir, "broken ones",
		change{Path: bad.RevisionPath(), Content: "[\n  {\"name\": \"bad\",\n   \"imageUri\": \"B ad\"}\n]"},
		revision(pipeline, "x:1"), change{Path: pipeline.PipelinePath(), Content: "timeuot: 5m\n"},
	)
	r := open(t, dir)
	tree, err := r.Tree(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	gone := slipway.App{Cluster: "cluster1", Name: "gone"}
	loaded, err := r.Load(t.Context(), tree, append(tree.Sorted(), gone)...)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"good": "", "executable": "", "full": "",
		"bad":         `cluster1/bad/revision.json:3:16: "B ad" is no image reference`,
		"badpipeline": `cluster1/badpipeline/pipeline.yaml:1:1: unknown key "timeuot"; did you mean "timeout"?`,
		"link":        "cluster1/link/revision.json: is a symlink",
		"module":      "cluster1/module/revision.json: is a submodule",
		"large":       "cluster1/large/revision.json: has 102443 bytes",
		"gone":        "there is no app cluster1/gone at commit " + head[:8],
	} {
		l, found := loaded[slipway.App{Cluster: "cluster1", Name: name}]
		if !found {
			t.Errorf("%s was not loaded", name)
			continue
		}
		if want == "" {
			if l.Err != nil || len(l.Revision.Images) != 1 || l.Revision.Commit == "" || l.Revision.Blob == "" || l.Commit.ID != l.Revision.Commit {
				t.Errorf("%s: %+v", name, l)
			}
			continue
		}
		wantError(t, l.Err, slipway.NextUsage, want)
	}
	if got := len(loaded); got != 9 {
		t.Errorf("%d apps were loaded, want 9: %v", got, slices.Collect(maps.Keys(loaded)))
	}
	good := loaded[slipway.App{Cluster: "cluster1", Name: "good"}].Pipeline
	if good.Mode != slipway.ModeQueued || time.Duration(good.Timeout).Minutes() != 20 {
		t.Errorf("pipeline of the good app: %+v", good)
	}

	// A broken slipway.yaml may hide which account is meant: no app goes on.
	head = commit(t, dir, "broken for all", change{Path: "slipway.yaml", Content: "default: {}\n"})
	_, err = r.Revision(t.Context(), slipway.App{Cluster: "cluster1", Name: "good"}, head)
	wantError(t, err, slipway.NextUsage, "slipway.yaml:1:1", `did you mean "defaults"?`)
}

func TestRevisionPipelineConfig(t *testing.T) {
	t.Parallel()
	dir := newBare(t)
	first := commit(t, dir, "first", revision(webapp1, "web:1"))
	second := commit(t, dir, "settings", change{Path: "slipway.yaml", Content: "clusters:\n  cluster1: {cluster: production, region: ca-central-1}\n"},
		change{Path: webapp1.PipelinePath(), Content: "target: {service: web}\n"})
	third := commit(t, dir, "elsewhere", change{Path: "README.md", Content: "x"})
	r := open(t, "file://"+dir)

	got, err := r.Revision(t.Context(), webapp1, third)
	want := slipway.Revision{
		App: webapp1, Commit: second, Blob: run(t, dir, "rev-parse", first+":"+webapp1.RevisionPath()),
		Images: []slipway.Image{{Container: "webapp1", URI: "web:1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("revision: %v (-want +got):\n%s", err, diff)
	}
	before, err := r.Pipeline(t.Context(), webapp1, first)
	if diff := cmp.Diff(slipway.DefaultPipeline(webapp1), before); diff != "" || err != nil {
		t.Errorf("pipeline before there were settings: %v (-want +got):\n%s", err, diff)
	}
	after, err := r.Pipeline(t.Context(), webapp1, third)
	if err != nil || after.Place != (slipway.Place{Cluster: "production", Service: "web", Region: "ca-central-1"}) {
		t.Errorf("pipeline: %+v, %v", after, err)
	}
	for id, clusters := range map[string]int{first: 0, third: 1} {
		if config, err := r.Config(t.Context(), id); len(config.Clusters) != clusters || err != nil {
			t.Errorf("config at %s: %+v, %v", id, config, err)
		}
	}
	_, err = r.Revision(t.Context(), slipway.App{Cluster: "cluster1", Name: "webapp2"}, third)
	wantError(t, err, slipway.NextUsage, "there is no app cluster1/webapp2")
	_, err = r.Revision(t.Context(), slipway.App{Cluster: "..", Name: "webapp2"}, third)
	wantError(t, err, slipway.NextUsage, "character '.'")
	_, err = r.Pipeline(t.Context(), slipway.App{Cluster: "cluster1"}, third)
	wantError(t, err, slipway.NextUsage, "is empty")
}
