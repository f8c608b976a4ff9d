package tfprovider

import (
	"maps"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// amazon points the AWS SDK, as the environment configures it, at a sandbox.
func amazon(t *testing.T) *sandboxtest.World {
	t.Helper()
	world := sandboxtest.New(t)
	server := httptest.NewServer(&httputil.ReverseProxy{
		Transport: world.HTTPClient().Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "sandbox.example.com"}) },
	})
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": sandboxtest.Region,
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return world
}

// committer commits files to the repository deployment, one at a time.
func committer(t *testing.T, client *codecommit.Client) func(path, text string) (commit string) {
	var head *string
	return func(path, text string) string {
		t.Helper()
		made, err := client.CreateCommit(t.Context(), &codecommit.CreateCommitInput{
			RepositoryName: aws.String("deployment"), BranchName: aws.String("master"), ParentCommitId: head,
			AuthorName: aws.String("Ada"), Email: aws.String("ada@example.com"),
			PutFiles: []types.PutFileEntry{{FilePath: &path, FileContent: []byte(text)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		head = made.CommitId
		return *head
	}
}

// Through CodeCommit's API the same is read as with git, in a folder or by a URL.
func TestRevisionThroughCodeCommit(t *testing.T) {
	world := amazon(t)
	folder := world.Repository("deployment")
	commit := committer(t, world.CodeCommit())
	first := commit("cluster1/webapp1/revision.json", `[{"name": "web", "imageUri": "example.com/webapp1:1"}]`)
	second := commit("cluster1/webapp1/revision.json", `[{"name": "web", "imageUri": "example.com/webapp1:2"}]`)
	commit("cluster1/other/revision.json", `[{"name": "web", "imageUri": "example.com/other:1"}]`)

	ways := []values{{"codecommit": "deployment"}, {"codecommit": "deployment", "branch": "master"}, {"repository": folder, "branch": "master"}, {"repository": "file://" + folder, "branch": "master"}}
	for at, want := range map[string]struct{ commit, image string }{"": {second, "example.com/webapp1:2"}, first: {first, "example.com/webapp1:1"}} {
		when, err := time.Parse(time.RFC3339, git(t, folder, "log", "-1", "--format=%aI", want.commit))
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range ways {
			got, problem := newPlugin(t, way).read("slipway_revision", webapp1(values{"at_commit": textOrUnset(at)}))
			delete(got, "at_commit")
			said := map[string]string{
				"cluster": "cluster1", "app": "webapp1", "image_uri": want.image, "images.web": want.image,
				"commit": want.commit, "author": "Ada <ada@example.com>", "time": when.UTC().Format(time.RFC3339),
			}
			if diff := cmp.Diff(said, got); diff != "" || problem != "" {
				t.Errorf("%v: %s(-want +got):\n%s", way, problem, diff)
			}
		}
	}
}

// textOrUnset is a value of a block; an empty one is not set.
func textOrUnset(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// Where it may not be asked who touched an app, its images are told all the same.
func TestRevisionThroughCodeCommitWithoutHistory(t *testing.T) {
	world := amazon(t)
	world.Repository("deployment")
	committer(t, world.CodeCommit())("cluster1/webapp1/revision.json", `[{"name": "web", "imageUri": "example.com/webapp1:1"}]`)
	p := newPlugin(t, values{"codecommit": "deployment"})
	world.Fault(func(operation string) *awsjson.Fault {
		if operation != "ListFileCommitHistory" {
			return nil
		}
		return &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "User: ada is not authorized to perform: codecommit:ListFileCommitHistory"}}
	})
	got, problem := p.read("slipway_revision", webapp1(nil))
	want := map[string]string{"cluster": "cluster1", "app": "webapp1", "image_uri": "example.com/webapp1:1", "images.web": "example.com/webapp1:1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, says := range []string{"WARNING at app: Not known who touched cluster1/webapp1 last: ", "not authorized", "hint: ", "allow codecommit:ListFileCommitHistory"} {
		if !strings.Contains(problem, says) {
			t.Errorf("%s\ndoes not say %q", problem, says)
		}
	}
	// What passes is an error: the next plan would say something else.
	world.Fault(func(operation string) *awsjson.Fault {
		if operation != "ListFileCommitHistory" {
			return nil
		}
		return awsjson.Throttled()
	})
	if _, problem = p.read("slipway_revision", webapp1(nil)); !strings.Contains(problem, "ERROR at nothing: Cannot read what git says") || !strings.Contains(problem, "Rate exceeded") {
		t.Error(problem)
	}
}

// The region that is named is the one that is asked.
func TestRegion(t *testing.T) {
	world := amazon(t)
	world.Repository("deployment")
	committer(t, world.CodeCommit())("cluster1/webapp1/revision.json", `[{"name": "web", "imageUri": "example.com/webapp1:1"}]`)
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		t.Fatal(err)
	}
	var scope atomic.Value // of the last request's signature
	server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		scope.Store(r.In.Header.Get("Authorization"))
		r.SetURL(endpoint)
	}})
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	for _, test := range []struct {
		provider, own values
		want          string
	}{
		{nil, nil, sandboxtest.Region},
		{values{"region": "eu-north-1"}, nil, "eu-north-1"},
		{values{"region": "eu-north-1"}, values{"region": "us-gov-west-1"}, "us-gov-west-1"},
		{nil, values{"region": "us-gov-west-1"}, "us-gov-west-1"},
	} {
		own := values{"codecommit": "deployment"}
		maps.Copy(own, test.own)
		_, problem := newPlugin(t, test.provider).read("slipway_revision", webapp1(own))
		if asked, _ := scope.Load().(string); problem != "" || !strings.Contains(asked, "/"+test.want+"/codecommit/") {
			t.Errorf("%v, %v: %s, signed as %s", test.provider, test.own, problem, asked)
		}
	}
	_, problem := newPlugin(t, nil).read("slipway_revision", webapp1(values{"codecommit": "deployment", "region": "Ireland"}))
	if !strings.Contains(problem, "ERROR at region: No name of a region: ") || !strings.Contains(problem, `"Ireland"`) {
		t.Error(problem)
	}
}

// All data sources of a plan see one commit, through CodeCommit's API as well.
func TestErrorsThroughCodeCommit(t *testing.T) {
	world := amazon(t)
	world.Repository("deployment")
	commit := committer(t, world.CodeCommit())
	second := commit("cluster1/webapp1/revision.json", `[{"name": "web", "imageUri": "example.com/webapp1:2"}]`)
	p := newPlugin(t, values{"codecommit": "deployment"})
	if got, problem := p.read("slipway_revision", webapp1(nil)); got["commit"] != second {
		t.Errorf("%v, %s", got, problem)
	}
	commit("cluster1/webapp1/revision.json", `[{"name": "web"}]`)
	if got, problem := p.read("slipway_revision", webapp1(nil)); got["commit"] != second {
		t.Errorf("one plan saw two commits: %v, %s", got, problem)
	}
	p = newPlugin(t, values{"codecommit": "deployment"})
	for _, test := range []struct {
		name string
		set  values
		says []string
	}{
		{"a broken file", webapp1(nil), []string{"ERROR at app: ", `revision.json:1:2: the entry has no "imageUri"`}},
		{"no such app", values{"cluster": "cluster1", "app": "nobody"}, []string{"ERROR at app: ", "cannot read cluster1/nobody/revision.json", "hint: commit the file first"}},
		{"no such branch", webapp1(values{"branch": "none"}), []string{"ERROR at branch: ", "cannot find branch none", "hint: "}},
		{"no such commit", webapp1(values{"at_commit": strings.Repeat("0", 40)}), []string{"ERROR at at_commit: ", "hint: check the commit"}},
		{"no such repository", webapp1(values{"codecommit": "none"}), []string{"ERROR at codecommit: ", "hint: check the name none, the region and the account"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problem := p.read("slipway_revision", test.set)
			for _, says := range test.says {
				if !strings.Contains(problem, says) {
					t.Errorf("%s\ndoes not say %q", problem, says)
				}
			}
		})
	}
}
