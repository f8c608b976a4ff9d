//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/tfprovider"
)

const requireProvider = `
terraform {
  required_providers {
    slipway = {
      source = "slipway-cd/slipway"
    }
  }
}
`

// terraform is the program; the test is skipped without.
func terraform(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("there is no terraform in PATH")
	}
	t.Setenv("CHECKPOINT_DISABLE", "1") // it asks nobody for a newer one
	t.Setenv("TF_CLI_CONFIG_FILE", os.DevNull)
	return path
}

// accept runs Terraform with the provider in this process: nothing is installed.
func accept(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	t.Setenv("TF_ACC_TERRAFORM_PATH", terraform(t))
	t.Setenv("TF_ACC_PROVIDER_NAMESPACE", "slipway-cd")
	for i := range steps {
		steps[i].Config = requireProvider + steps[i].Config
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"slipway": providerserver.NewProtocol6WithError(tfprovider.New(tfprovider.Options{Version: "test"})),
		},
		Steps: steps,
	})
}

// says is a pattern for words that Terraform wraps.
func says(words string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(words), " ", `\s+`))
}

// newDeploymentRepository is a folder that says what should run.
func newDeploymentRepository(t *testing.T, image string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "cluster1", "webapp1", "revision.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, `[{"name": "webapp1", "imageUri": %q}]`, image), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestProviderRevision(t *testing.T) {
	folder := newDeploymentRepository(t, "example.com/webapp1:1")
	block := fmt.Sprintf("provider \"slipway\" {\n  repository = %q\n}\n", folder)
	const webapp1 = `
data "slipway_revision" "webapp1" {
  cluster = "cluster1"
  app     = "webapp1"
}
`
	accept(t, // the last step's configuration is what is destroyed in the end
		// A provider that is known only then is an error that says what to do.
		resource.TestStep{
			Config: `
resource "terraform_data" "repository" {
  input            = "there"
  triggers_replace = ["another"]
}

provider "slipway" {
  repository = terraform_data.repository.id
}
` + webapp1,
			ExpectError: says("the provider's repository is not known before apply"),
		},
		resource.TestStep{
			Config:      block + strings.ReplaceAll(webapp1, `"webapp1"`, `"nobody"`),
			ExpectError: says("there is no app cluster1/nobody"),
		},
		resource.TestStep{
			Config:      block + strings.ReplaceAll(webapp1, `= "webapp1"`, `= "web/app"`),
			ExpectError: says("the app name \"web/app\" has the character '/'"),
		},
		resource.TestStep{
			Config: block + webapp1,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("data.slipway_revision.webapp1", tfjsonpath.New("image_uri"), knownvalue.StringExact("example.com/webapp1:1")),
				statecheck.ExpectKnownValue("data.slipway_revision.webapp1", tfjsonpath.New("images"), knownvalue.MapExact(map[string]knownvalue.Check{
					"webapp1": knownvalue.StringExact("example.com/webapp1:1"),
				})),
				statecheck.ExpectKnownValue("data.slipway_revision.webapp1", tfjsonpath.New("commit"), knownvalue.Null()),
			},
		},
		// An app that is known only once something is made is read then.
		resource.TestStep{
			Config: block + `
resource "terraform_data" "app" {
  input = "webapp1"
}

data "slipway_revision" "later" {
  cluster = "cluster1"
  app     = terraform_data.app.output
}
`,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("data.slipway_revision.later", tfjsonpath.New("image_uri"), knownvalue.StringExact("example.com/webapp1:1")),
			},
		},
	)
}

func TestProviderFunction(t *testing.T) {
	accept(t,
		resource.TestStep{
			Config: `
output "image" {
  value = provider::slipway::image_uri("[{}]", "web")
}
`,
			ExpectError: says(`revision.json:1:2: the entry has no "name"`),
		},
		resource.TestStep{
			Config: `
output "image" {
  value = provider::slipway::image_uri(jsonencode([{ name = "web", imageUri = "example.com/webapp1:1" }]), null)
}
`,
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("image", knownvalue.StringExact("example.com/webapp1:1"))},
		},
	)
}

// What runs is what a controller has deployed.
func TestProviderDeployment(t *testing.T) {
	terraform(t)
	s := newSystem(t, "200")
	s.start("serve", "--database", "sqlite:"+filepath.Join(s.dir, "slipway.db"), "--poll", "20ms")
	s.ready()
	app, image := slipway.App{Cluster: "cluster1", Name: "webapp1"}, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:2.0.0"
	if _, err := s.slipway("deploy", app.String(), "--image", image); err != nil {
		t.Fatal(err)
	}
	s.await("the deployment", func() error { return deployed(s, app, image) })
	const address = "data.slipway_deployment.webapp1"
	accept(t, resource.TestStep{
		Config: fmt.Sprintf(`
provider "slipway" {
  server = "http://%s"
}

data "slipway_deployment" "webapp1" {
  cluster = "cluster1"
  app     = "webapp1"
}
`, s.server),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(address, tfjsonpath.New("images").AtMapKey("webapp1"), knownvalue.StringExact(image)),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("task_definition"), knownvalue.StringRegexp(regexp.MustCompile(`:task-definition/`))),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("since"), knownvalue.StringRegexp(regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`))),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("drift"), knownvalue.Bool(false)),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("execution").AtMapKey("outcome"), knownvalue.StringExact("deployed")),
			statecheck.ExpectKnownValue(address, tfjsonpath.New("execution").AtMapKey("commit"), knownvalue.StringRegexp(regexp.MustCompile(`^[0-9a-f]{40}$`))),
		},
	})
}

// The provider that `make` builds installs from its folder, as the documentation
// says, and the examples are valid with it.
func TestProviderFromAMirror(t *testing.T) {
	program := terraform(t)
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make in PATH")
	}
	const host = "terraform.example.com"
	dir := t.TempDir()
	mirror, configuration := filepath.Join(dir, "mirror"), filepath.Join(dir, "configuration")
	run(t, "..", "make", "--no-print-directory", "terraform-provider", "PROVIDER_MIRROR="+mirror, "PROVIDER_HOST="+host, "PROVIDER_VERSION=1.2.3")
	built := filepath.Join(mirror, host, "slipway-cd", "slipway", "1.2.3", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-slipway_v1.2.3")
	if _, err := os.Stat(built); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "settings.tfrc")
	write(t, settings, fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path    = %q\n    include = [\"%s/*/*\"]\n  }\n}\n", mirror, host))
	t.Setenv("TF_CLI_CONFIG_FILE", settings)
	t.Setenv("TF_IN_AUTOMATION", "1")
	t.Setenv("TF_INPUT", "0")
	t.Setenv("SLIPWAY_REPOSITORY", newDeploymentRepository(t, "example.com/webapp1:1"))

	write(t, filepath.Join(configuration, "main.tf"), strings.ReplaceAll(requireProvider, "slipway-cd/slipway", host+"/slipway-cd/slipway")+`
data "slipway_revision" "webapp1" {
  cluster = "cluster1"
  app     = "webapp1"
}

output "image" {
  value = data.slipway_revision.webapp1.image_uri
}
`)
	run(t, configuration, program, "init")
	run(t, configuration, program, "apply", "-auto-approve")
	var outputs map[string]struct{ Value string }
	if err := json.Unmarshal([]byte(run(t, configuration, program, "output", "-json")), &outputs); err != nil {
		t.Fatal(err)
	}
	if got := outputs["image"].Value; got != "example.com/webapp1:1" {
		t.Errorf("the image is %q", got)
	}
	run(t, configuration, program, "plan", "-detailed-exitcode") // nothing to change

	t.Run("examples", func(t *testing.T) { validExamples(t, program, host, dir) })
}

// validExamples has Terraform check each folder of examples, with the host in front
// of the provider's name.
func validExamples(t *testing.T, program, host, dir string) {
	const examples = "../terraform/provider-examples"
	run(t, examples, program, "fmt", "-check", "-recursive", "-diff")
	files, err := filepath.Glob(examples + "/*/*.tf")
	deeper, deeperErr := filepath.Glob(examples + "/*/*/*.tf")
	if files = append(files, deeper...); err != nil || deeperErr != nil || len(files) < 4 {
		t.Fatalf("the examples are %v, %v, %v", files, err, deeperErr)
	}
	for i, file := range files {
		folder := filepath.Join(dir, fmt.Sprintf("example%d", i))
		if err := os.CopyFS(folder, os.DirFS(filepath.Dir(file))); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, filepath.Base(file)), strings.ReplaceAll(string(text), `"slipway-cd/slipway"`, `"`+host+`/slipway-cd/slipway"`))
		run(t, folder, program, "init")
		run(t, folder, program, "validate")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a program in a folder and returns what it prints.
func run(t *testing.T, folder, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}
