//go:build e2e

package aws

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/e2e/terraform/tf"
)

// source is the folder of the modules and examples.
const source = "../../terraform"

// anExample is a copy of the Terraform folder, whose examples are applied to an
// account.
type anExample struct {
	account   *anAccount
	dir       string // of the example's configurations
	providers *tf.Providers
}

// example copies what the example name is made of.
func (a *anAccount) example(t *testing.T, name string) *anExample {
	t.Helper()
	providers := tf.Start(t)
	providers.Add(t, ownProvider(t), a.env(t.TempDir())...)
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	return &anExample{a, filepath.Join(copied, "examples", name), providers}
}

// root is one of the example's configurations, told where AWS is, and what else
// is to be overridden. It is destroyed when the test ends, if the test has not.
func (e *anExample) root(t *testing.T, name, override string, variables ...string) *tf.Root {
	t.Helper()
	dir := filepath.Join(e.dir, name)
	if err := os.WriteFile(filepath.Join(dir, "here_override.tf"), []byte(e.account.override()+override), 0o644); err != nil {
		t.Fatal(err)
	}
	env := e.account.variables(t.TempDir())
	for _, variable := range variables {
		env = append(env, "TF_VAR_"+variable)
	}
	return e.providers.Root(t, dir, env...)
}

// override has the AWS provider ask the sandbox for the services that it has, and
// moto for the others. Override files are merged into the configuration that they
// stand beside, so the examples are applied as they are.
func (a *anAccount) override() string {
	var endpoints strings.Builder
	for _, service := range []string{"codecommit", "codedeploy", "codepipeline", "ecs", "eventbridge", "lambda", "scheduler", "sqs"} {
		fmt.Fprintf(&endpoints, "    %s = %q\n", service, a.sandbox)
	}
	for _, service := range []string{"cloudwatch", "ec2", "elbv2", "iam", "kms", "logs", "s3", "sns", "sts"} {
		fmt.Fprintf(&endpoints, "    %s = %q\n", service, a.moto)
	}
	return fmt.Sprintf(`
provider "aws" {
  access_key              = "sandbox"
  secret_key              = "sandbox"
  skip_metadata_api_check = true
  s3_use_path_style       = true
  max_retries             = 5

  endpoints {
%s  }
}
`, endpoints.String())
}
