package tfprovider

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func webapp1(more values) values {
	set := values{"cluster": "cluster1", "app": "webapp1"}
	maps.Copy(set, more)
	return set
}

func TestRevision(t *testing.T) {
	t.Parallel()
	folder, first := newRepository(t)
	second := commit(t, folder, "cluster1/webapp1", `[{"name": "web", "imageUri": "example.com/webapp1:2"}]`)
	commit(t, folder, "cluster1/other", `[{"name": "other", "imageUri": "example.com/other:1"}]`)
	git(t, folder, "branch", "old", first)
	p := newPlugin(t, values{"repository": folder})

	got, problem := p.read("slipway_revision", webapp1(nil))
	if problem != "" {
		t.Fatal(problem)
	}
	want := map[string]string{
		"cluster": "cluster1", "app": "webapp1", "image_uri": "example.com/webapp1:2", "images.web": "example.com/webapp1:2",
		"commit": second, "author": "Ada <ada@example.com>", "time": "2026-01-02T01:04:05Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at the head (-want +got):\n%s", diff)
	}

	pair := values{"cluster": "cluster1", "app": "pair"}
	for _, test := range []struct {
		name  string
		set   values
		image string // or
		says  []string
	}{
		{name: "a commit", set: webapp1(values{"at_commit": first[:12]}), image: "example.com/webapp1:1"},
		{name: "a branch", set: webapp1(values{"branch": "old"}), image: "example.com/webapp1:1"},
		{name: "named like the app", set: pair, image: "example.com/pair:1"},
		{name: "a container", set: values{"cluster": "cluster1", "app": "pair", "container": "proxy"}, image: "example.com/proxy:2"},
		{name: "a URL", set: webapp1(values{"repository": "file://" + folder}), image: "example.com/webapp1:2"},
		{name: "the value of an empty variable", set: webapp1(values{"repository": "", "branch": ""}), image: "example.com/webapp1:2"},
		{
			name: "neither", set: values{"cluster": "cluster1", "app": "two"},
			says: []string{"ERROR at container: ", `names no container "two"; it names app, proxy`, "hint: name one of them as container"},
		},
		{
			name: "no such container", set: webapp1(values{"container": "proxy"}),
			says: []string{"ERROR at container: ", `cluster1/webapp1/revision.json names no container "proxy"; it names web`},
		},
		{
			name: "no such app", set: values{"cluster": "cluster1", "app": "nobody"},
			says: []string{"ERROR at app: Cannot read what git says of cluster1/nobody: ", "there is no app cluster1/nobody", "hint: slipway status lists the apps"},
		},
		{name: "no name", set: values{"cluster": "cluster1", "app": "web app"}, says: []string{"ERROR at app: ", "has the character ' '"}},
		{name: "no cluster's name", set: values{"cluster": "", "app": "webapp1"}, says: []string{"ERROR at cluster: ", "the cluster name is empty"}},
		{name: "no such commit", set: webapp1(values{"at_commit": "0123456789"}), says: []string{"ERROR at at_commit: ", `has no commit "0123456789"`}},
		{
			name: "no such branch", set: webapp1(values{"branch": "none"}),
			says: []string{"ERROR at branch: ", `has no branch "none"; it has: main, old`, "hint: name one of them with branch"},
		},
		{
			name: "no such folder", set: webapp1(values{"repository": filepath.Join(folder, "none")}),
			says: []string{"ERROR at repository: ", "there is no such folder", "hint: check the path"},
		},
		{
			name: "two places", set: webapp1(values{"repository": folder, "codecommit": "deployment"}),
			says: []string{"ERROR at codecommit: ", "both repository and codecommit are set", "hint: remove one of them"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, problem := p.read("slipway_revision", test.set)
			if got["image_uri"] != test.image {
				t.Errorf("the image is %q, want %q", got["image_uri"], test.image)
			}
			if (problem != "") != (test.says != nil) {
				t.Errorf("says %q", problem)
			}
			for _, says := range test.says {
				if !strings.Contains(problem, says) {
					t.Errorf("%s\ndoes not say %q", problem, says)
				}
			}
		})
	}
}

// A folder that is no repository has images, but no commit.
func TestRevisionOfAFolder(t *testing.T) {
	t.Parallel()
	folder, _ := newRepository(t)
	if err := os.RemoveAll(filepath.Join(folder, ".git")); err != nil {
		t.Fatal(err)
	}
	p := newPlugin(t, nil)
	got, problem := p.read("slipway_revision", webapp1(values{"repository": folder}))
	want := map[string]string{
		"cluster": "cluster1", "app": "webapp1", "repository": folder,
		"image_uri": "example.com/webapp1:1", "images.web": "example.com/webapp1:1",
	}
	if diff := cmp.Diff(want, got); diff != "" || problem != "" {
		t.Errorf("%s(-want +got):\n%s", problem, diff)
	}
	_, problem = p.read("slipway_revision", webapp1(values{"repository": folder, "at_commit": "0123456789"}))
	if !strings.Contains(problem, "ERROR at at_commit: ") || !strings.Contains(problem, "not a git repository") {
		t.Error(problem)
	}
}

// A broken file is told with its line and column.
func TestRevisionThatIsBroken(t *testing.T) {
	t.Parallel()
	folder, _ := newRepository(t)
	commit(t, folder, "cluster1/webapp1", "[{\"name\": \"web\",\n \"imageUri\": 1}]")
	_, problem := newPlugin(t, values{"repository": folder}).read("slipway_revision", webapp1(nil))
	if !strings.Contains(problem, "ERROR at app: ") || !strings.Contains(problem, `cluster1/webapp1/revision.json:2:14: "imageUri" must be a string in quotes`) {
		t.Error(problem)
	}
}

// All data sources of a plan see the same commit; the next plan sees the next.
func TestRevisionsOfOnePlan(t *testing.T) {
	t.Parallel()
	folder, _ := newRepository(t)
	p := newPlugin(t, values{"repository": folder})
	before, _ := p.read("slipway_revision", webapp1(nil))
	commit(t, folder, "cluster1/webapp1", `[{"name": "web", "imageUri": "example.com/webapp1:2"}]`)
	if after, _ := p.read("slipway_revision", webapp1(nil)); after["image_uri"] != before["image_uri"] {
		t.Errorf("one plan saw %s and %s", before["image_uri"], after["image_uri"])
	}
	if next, _ := newPlugin(t, values{"repository": folder}).read("slipway_revision", webapp1(nil)); next["image_uri"] != "example.com/webapp1:2" {
		t.Errorf("the next plan saw %s", next["image_uri"])
	}
}

// The provider's block may have values that are not known yet: that matters where
// they are needed.
func TestUnknownProvider(t *testing.T) {
	t.Parallel()
	folder, _ := newRepository(t)
	for _, attribute := range []string{"repository", "codecommit"} {
		p := newPlugin(t, values{attribute: tftypes.UnknownValue})
		_, problem := p.read("slipway_revision", webapp1(nil))
		for _, says := range []string{"ERROR at repository: ", "the provider's " + attribute + " is not known before apply", "hint: give the provider a " + attribute + " that is known"} {
			if !strings.Contains(problem, says) {
				t.Errorf("%s\ndoes not say %q", problem, says)
			}
		}
		if got, problem := p.read("slipway_revision", webapp1(values{"repository": folder})); got["image_uri"] != "example.com/webapp1:1" {
			t.Errorf("with a repository of its own: %v, %s", got, problem)
		}
	}
	p := newPlugin(t, values{"repository": folder, "branch": tftypes.UnknownValue})
	if _, problem := p.read("slipway_revision", webapp1(nil)); !strings.Contains(problem, "the provider's branch is not known") {
		t.Error(problem)
	}
	if got, problem := p.read("slipway_revision", webapp1(values{"branch": "main"})); got["image_uri"] != "example.com/webapp1:1" {
		t.Errorf("with a branch of its own: %v, %s", got, problem)
	}
}
