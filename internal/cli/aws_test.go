package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// amazon points the AWS SDK, as the environment configures it, at a handler.
func amazon(t *testing.T, handler http.Handler) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": sandboxtest.Region,
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
}

// ecsWorld is a cluster with webapp1, which has a sidecar, and batch, whose
// containers go by other names.
func ecsWorld(t *testing.T) {
	t.Helper()
	world := sandboxtest.New(t, sandboxtest.TimeScale(10_000))
	amazon(t, &httputil.ReverseProxy{
		Transport: world.HTTPClient().Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "sandbox.example.com"}) },
	})
	world.Service("cluster1", "webapp1", sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{
			Name: aws.String("proxy"), Image: aws.String("registry.example.com/proxy:2"), Essential: aws.Bool(true),
		})
	}))
	world.Service("cluster1", "service1", sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Name = aws.String("main")
	}))
}

// gitIdentity is who commits in a test.
func gitIdentity(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"HOME": t.TempDir(), "XDG_CONFIG_HOME": "", "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Dev", "GIT_AUTHOR_EMAIL": "dev@example.com",
		"GIT_COMMITTER_NAME": "Dev", "GIT_COMMITTER_EMAIL": "dev@example.com",
	} {
		t.Setenv(name, value)
	}
}

// From what runs, `init` writes a repository that would change nothing; `plan`
// says so, and says what another image would change.
func TestInitFromClusterThenPlan(t *testing.T) {
	ecsWorld(t)
	gitIdentity(t)
	folder := filepath.Join(t.TempDir(), "deployment")
	made := slipwayCommand(t, "init", folder, "--from-cluster", "cluster1", "-o", "json")
	if made.code != 0 {
		t.Fatalf("code %d: %s", made.code, made.err)
	}
	if !strings.Contains(made.err, "cluster1/webapp1: only the container webapp1 is named; what else runs beside it stays as it is") {
		t.Errorf("does not say what was left out: %s", made.err)
	}
	if !strings.Contains(made.err, "found 2 services: cluster1/service1, cluster1/webapp1\n") {
		t.Errorf("does not list the services: %s", made.err)
	}
	for path, want := range map[string]string{
		"cluster1/webapp1/revision.json":  `{"name": "webapp1", "imageUri": "registry.example.com/webapp1:1.0.0"}`,
		"cluster1/service1/revision.json": `{"name": "main", "imageUri": "registry.example.com/service1:1.0.0"}`,
	} {
		text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
		if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "proxy") {
			t.Errorf("%s is %s, %v; want %s alone", path, text, err, want)
		}
	}

	t.Setenv("SLIPWAY_REPOSITORY", folder)
	tests := []struct {
		args string
		code int
		want []slipway.FieldChange
		says string
	}{
		{"plan cluster1/webapp1", 0, []slipway.FieldChange{}, ""},
		{"plan cluster1/service1", 0, []slipway.FieldChange{}, ""},
		{
			"plan cluster1/webapp1 --image registry.example.com/webapp1:1.1.0", 0,
			[]slipway.FieldChange{{
				Path: "containerDefinitions[webapp1].image",
				From: "registry.example.com/webapp1:1.0.0", To: "registry.example.com/webapp1:1.1.0",
			}}, "",
		},
		{"plan cluster1/webapp1 --image proxy=registry.example.com/proxy:3", 2, nil, `names no container "proxy"`},
		{"plan cluster1/nobody", 2, nil, "there is no app cluster1/nobody"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			got := slipwayCommand(t, append(strings.Fields(test.args), "-o", "json")...)
			if got.code != test.code || !strings.Contains(got.err, test.says) {
				t.Fatalf("code %d: %s", got.code, got.err)
			}
			if test.code != 0 {
				return
			}
			var answer planAnswer
			if err := json.Unmarshal([]byte(got.out), &answer); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, answer.Changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if !strings.Contains(answer.TaskDefinition, ":task-definition/") || answer.Commit == "" {
				t.Errorf("task definition %q, commit %q", answer.TaskDefinition, answer.Commit)
			}
		})
	}
	t.Run("for people", func(t *testing.T) {
		got := slipwayCommand(t, "plan", "cluster1/webapp1", "--image", "registry.example.com/webapp1:1.1.0")
		for _, want := range []string{"with 1 field changed:", "containerDefinitions[webapp1].image", "- registry.example.com/webapp1:1.0.0", "+ registry.example.com/webapp1:1.1.0"} {
			if !strings.Contains(got.out, want) {
				t.Errorf("%s\ndoes not say %q", got.out, want)
			}
		}
		if got := slipwayCommand(t, "plan", "cluster1/webapp1"); !strings.Contains(got.out, "nothing to change") {
			t.Errorf("%s\ndoes not say that there is nothing to change", got.out)
		}
	})
}

// A foreground run tells its progress and nothing of how it is made, unless it
// is asked.
func TestRunTellsProgressAlone(t *testing.T) {
	ecsWorld(t)
	gitIdentity(t)
	folder := filepath.Join(t.TempDir(), "deployment.git")
	t.Setenv("SLIPWAY_REPOSITORY", folder)
	for _, args := range []string{"init", "deploy cluster1/webapp1 --image registry.example.com/webapp1:1.1.0"} {
		if got := slipwayCommand(t, strings.Fields(args)...); got.code != 0 {
			t.Fatal(got.err)
		}
	}
	got := slipwayCommand(t, "run", "cluster1/webapp1")
	if got.code != 0 || !strings.Contains(got.out, ": deployed") || !strings.Contains(got.err, "updating the service") || strings.Contains(got.err, "level=") {
		t.Errorf("code %d, stdout %q, stderr:\n%s", got.code, got.out, got.err)
	}
	if got := slipwayCommand(t, "run", "cluster1/webapp1", "--verbose"); !strings.Contains(got.err, "level=INFO") {
		t.Errorf("--verbose logs nothing:\n%s", got.err)
	}
}

func TestAnEndpointThatIsNoURL(t *testing.T) {
	ecsWorld(t)
	gitIdentity(t)
	t.Setenv("AWS_ENDPOINT_URL", "::bad")
	got := slipwayCommand(t, "init", filepath.Join(t.TempDir(), "deployment"), "--from-cluster", "cluster1")
	if got.code != 1 || !strings.Contains(got.err, `AWS_ENDPOINT_URL, or the profile's endpoint_url, is no URL: "::bad"`) || !strings.Contains(got.err, "hint: ") {
		t.Errorf("code %d: %s", got.code, got.err)
	}
}

func TestInitFromAnUnknownCluster(t *testing.T) {
	ecsWorld(t)
	gitIdentity(t)
	folder := filepath.Join(t.TempDir(), "deployment")
	got := slipwayCommand(t, "init", folder, "--from-cluster", "cluster9")
	if got.code == 0 || !strings.Contains(got.err, "cluster9") {
		t.Errorf("code %d: %s", got.code, got.err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("left a folder behind: %v", err)
	}
}

// CodeCommit is asked with GetFile alone, at the branch that was named; its
// errors say what to do.
func TestImageURIFromCodeCommit(t *testing.T) {
	amazon(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ RepositoryName, FilePath, CommitSpecifier string }
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &in)
		fail := func(kind string) {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": "no"})
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch {
		case r.Header.Get("X-Amz-Target") != "CodeCommit_20150413.GetFile":
			fail("UnknownOperationException")
		case in.RepositoryName != "deployment":
			fail("RepositoryDoesNotExistException")
		case in.CommitSpecifier != "" && in.CommitSpecifier != "master":
			fail("CommitDoesNotExistException")
		case in.FilePath != "cluster1/webapp1/revision.json":
			fail("FileDoesNotExistException")
		default:
			uri := "example.com/webapp1:default"
			if in.CommitSpecifier != "" {
				uri = "example.com/webapp1:" + in.CommitSpecifier
			}
			content := []byte(`[{"name": "webapp1", "imageUri": "` + uri + `"}]`)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"blobId": "b", "commitId": commit1, "fileContent": content, "fileMode": "NORMAL", "filePath": in.FilePath, "fileSize": len(content),
			})
		}
	}))
	tests := []struct {
		app, args string
		want      string
		hint      string
	}{
		{"webapp1", "--codecommit deployment", "example.com/webapp1:default", ""},
		{"webapp1", "--codecommit deployment --branch master", "example.com/webapp1:master", ""},
		{"webapp1", "--codecommit deployment --branch release", "", "check --branch"},
		{"webapp1", "--codecommit elsewhere", "", "check the name elsewhere"},
		{"nobody", "--codecommit deployment", "", "commit cluster1/nobody/revision.json first"},
	}
	for _, test := range tests {
		t.Run(test.app+" "+test.args, func(t *testing.T) {
			var out, talk strings.Builder
			query := `{"app_name": "` + test.app + `", "cluster_name": "cluster1"}`
			args := append([]string{"image-uri"}, strings.Fields(test.args)...)
			code := Main(t.Context(), args, IO{In: strings.NewReader(query), Out: &out, Err: &talk})
			if test.want != "" {
				if want := `{"imageUri":"` + test.want + `"}` + "\n"; code != 0 || out.String() != want {
					t.Errorf("code %d, stdout %q, stderr %q; want %q", code, &out, &talk, want)
				}
				return
			}
			if code != 1 || out.Len() > 0 || !strings.Contains(talk.String(), "hint: "+test.hint) {
				t.Errorf("code %d, stdout %q, stderr %q; want 1, nothing, and %q", code, &out, &talk, test.hint)
			}
		})
	}
}

func TestOwnImages(t *testing.T) {
	image := func(container string) slipway.Image {
		return slipway.Image{Container: container, URI: "example.com/" + container + ":1"}
	}
	app := slipway.App{Cluster: "cluster1", Name: "web"}
	tests := []struct {
		name         string
		images, want []slipway.Image
	}{
		{"the only one", []slipway.Image{image("main")}, []slipway.Image{image("main")}},
		{"the one of the app's name", []slipway.Image{image("proxy"), image("web")}, []slipway.Image{image("web")}},
		{"none of the app's name", []slipway.Image{image("proxy"), image("main")}, []slipway.Image{image("proxy"), image("main")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ownImages(app, test.images)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
