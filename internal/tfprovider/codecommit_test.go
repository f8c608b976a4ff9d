package tfprovider

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

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

// Through CodeCommit's API the same is read without git, at one commit in one plan.
func TestRevisionThroughCodeCommit(t *testing.T) {
	world := amazon(t)
	client := world.CodeCommit()
	if _, err := client.CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("deployment")}); err != nil {
		t.Fatal(err)
	}
	var head *string
	deploy := func(text string) string {
		made, err := client.CreateCommit(t.Context(), &codecommit.CreateCommitInput{
			RepositoryName: aws.String("deployment"), BranchName: aws.String("master"), ParentCommitId: head,
			PutFiles: []types.PutFileEntry{{FilePath: aws.String("cluster1/webapp1/revision.json"), FileContent: []byte(text)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		head = made.CommitId
		return *head
	}
	first := deploy(`[{"name": "web", "imageUri": "example.com/webapp1:1"}]`)
	second := deploy(`[{"name": "web", "imageUri": "example.com/webapp1:2"}]`)

	p := newPlugin(t, values{"codecommit": "deployment"})
	for _, set := range []values{webapp1(nil), webapp1(values{"branch": "master"})} {
		got, problem := p.read("slipway_revision", set)
		delete(got, "branch")
		want := map[string]string{
			"cluster": "cluster1", "app": "webapp1", "image_uri": "example.com/webapp1:2", "images.web": "example.com/webapp1:2", "commit": second,
		}
		if diff := cmp.Diff(want, got); diff != "" || problem != "" {
			t.Errorf("%s(-want +got):\n%s", problem, diff)
		}
	}
	if got, problem := p.read("slipway_revision", webapp1(values{"at_commit": first})); got["image_uri"] != "example.com/webapp1:1" {
		t.Errorf("at the first commit: %v, %s", got, problem)
	}

	deploy(`[{"name": "web"}]`)
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
