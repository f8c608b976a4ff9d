package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codepipeline"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// What is written about pipelines that people named, and what they are told to change.
func TestMigrateNamesAndRegions(t *testing.T) {
	t.Parallel()
	app := func(cluster, name string) slipway.App { return slipway.App{Cluster: cluster, Name: name} }
	found := func(pipeline string, of slipway.App, region string) codepipeline.Found {
		return codepipeline.Found{Pipeline: pipeline, App: of, Place: slipway.Place{Cluster: of.Cluster, Service: of.Name, Region: region}, Repository: "deployment", Branch: "master"}
	}
	for name, test := range map[string]struct {
		found      []codepipeline.Found
		repository string
		settings   string
		leftOut    []string
		toDo       []string
	}{
		"as the modules name them": {
			[]codepipeline.Found{found("deployment-master-prod-web", app("prod", "web"), "")}, "deployment", "conductor: codepipeline\n", nil, nil,
		},
		"into a repository of another name": {
			[]codepipeline.Found{found("deployment-master-prod-web", app("prod", "web"), "")}, "apps",
			"conductor: codepipeline\npipelineName: \"deployment-master-{cluster}-{app}\"\n", nil,
			[]string{"the pipeline deployment-master-prod-web of prod/web: its source is the repository deployment: have it read apps"},
		},
		"by a pattern, but one": {
			[]codepipeline.Found{found("web.prod", app("prod", "web"), ""), found("worker.prod", app("prod", "worker"), ""), found("legacy", app("prod", "old"), "")}, "deployment",
			"conductor: codepipeline\npipelineName: \"{app}.{cluster}\"\n", nil,
			[]string{"the pipeline legacy of prod/old: it is looked for as old.prod: make it again by that name"},
		},
		"in regions": {
			[]codepipeline.Found{
				found("deployment-master-prod-web", app("prod", "web"), ""), found("deployment-master-prod-web", app("prod", "web"), "us-east-1"),
				found("deployment-master-prod-worker", app("prod", "worker"), "us-east-1"), found("deployment-master-us-web", app("us", "web"), "us-east-1"),
			}, "deployment",
			"conductor: codepipeline\nclusters:\n  us: {region: us-east-1}\n",
			[]string{
				"pipeline deployment-master-prod-web: pipeline deployment-master-prod-web deploys prod/web too in the pipelines' own region",
				"pipeline deployment-master-prod-worker: it deploys prod/worker in us-east-1, and other apps of the folder are in the pipelines' own region: give it a folder of its own by hand",
			}, nil,
		},
	} {
		by, leftOut := takenOver(test.found)
		pattern := patternOf(by, test.repository)
		if diff := cmp.Diff(test.leftOut, leftOut); diff != "" {
			t.Errorf("%s: left out (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(test.settings, settingsFor(by, pattern)); diff != "" {
			t.Errorf("%s: slipway.yaml (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(test.toDo, unlike(by, test.repository, pattern)); diff != "" {
			t.Errorf("%s: to do (-want +got):\n%s", name, diff)
		}
	}
}

// What CodePipeline cannot do as the built-in conductor did is told, and what it would do
// somewhere else is left to the function.
func TestMigrateToCodePipelineOfUnlikeApps(t *testing.T) {
	pipelinesWorld(t)
	gitIdentity(t)
	folder, out := filepath.Join(t.TempDir(), "deployment"), filepath.Join(t.TempDir(), "pipelines.auto.tfvars.json")
	if made := slipwayCommand(t, "migrate", "--from-codepipeline", folder); made.code != 0 {
		t.Fatal(made.err)
	}
	var changes []deployrepo.FileChange
	for path, content := range map[string]string{
		"slipway.yaml":                      "clusters:\n  cluster2: {conductor: builtin}\n  abroad: {cluster: cluster1, region: us-east-1}\n",
		"cluster1/webapp1/pipeline.yaml":    "mode: replace\ntimeout: 12m\n",
		"cluster1/service1-x/revision.json": `[{"name": "webapp1", "imageUri": "registry.example.com/webapp1:1.0.0"}]`,
		"cluster1/service1-x/pipeline.yaml": "target: {service: webapp1}\n",
		"cluster1-service1/x/revision.json": `[{"name": "webapp1", "imageUri": "registry.example.com/webapp1:1.0.0"}]`,
		"cluster1-service1/x/pipeline.yaml": "target: {cluster: cluster1, service: webapp1}\n",
		"cluster2/later/revision.json":      `[{"name": "later", "imageUri": "registry.example.com/later:1.0.0"}]`,
		"abroad/webapp1/revision.json":      `[{"name": "webapp1", "imageUri": "registry.example.com/webapp1:1.0.0"}]`,
	} {
		changes = append(changes, deployrepo.FileChange{Path: path, Content: []byte(content)})
	}
	repository, err := deployrepo.Open(t.Context(), deployrepo.Options{URL: folder})
	if err == nil {
		_, err = repository.Write(t.Context(), deployrepo.WriteOptions{}, func(context.Context, *deployrepo.View) (deployrepo.Draft, error) {
			return deployrepo.Draft{Message: "More apps", Files: changes}, nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	moved := slipwayCommand(t, "migrate", "--to-codepipeline", folder, "--out", out)
	if moved.code != 0 {
		t.Fatal(moved.err)
	}
	for _, want := range []string{
		"left out cluster1-service1/x: its pipeline would be called as that of cluster1/service1-x",
		"to do: cluster1/webapp1 has the mode replace",
		"to do: slipway.yaml says of the folder cluster2 that another conducts it",
	} {
		if !strings.Contains(moved.err, want) {
			t.Errorf("it does not say %q:\n%s", want, moved.err)
		}
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var variables pipelineVariables
	if err := json.Unmarshal(text, &variables); err != nil {
		t.Fatal(err)
	}
	if got := variables.Pipelines["cluster1-webapp1"]; got.Action != "ECS" || got.Timeout != 12 {
		t.Errorf("the app of its own region: %+v", got)
	}
	if got := variables.Pipelines["abroad-webapp1"]; got.Action != "Lambda" || got.Timeout != 0 {
		t.Errorf("the app of another region: %+v", got)
	}
	if _, has := variables.Pipelines["cluster2-later"]; has {
		t.Error("the app that slipway serve conducts has a pipeline")
	}
}
