package tfprovider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
)

// The environment variables are those of the command line.
const (
	repositoryVariable = "SLIPWAY_REPOSITORY"
	codeCommitVariable = "SLIPWAY_CODECOMMIT"
	branchVariable     = "SLIPWAY_BRANCH"
	serverVariable     = "SLIPWAY_SERVER"
)

// What the provider's block and a data source's say of the same attribute.
const (
	describeRepository = "The deployment repository: a URL in any form that git knows, or a folder, bare, with a work tree, or none of git's at all."
	describeCodeCommit = "The name of a CodeCommit repository that is read through AWS's API, without git, as the AWS SDK is configured. It conflicts with `repository`."
	describeServer     = "The address of a Slipway server, by default that of one on this machine: `" + defaultServer + "`."
	describeBranch     = "The branch; by default the one that the repository's `HEAD` names."
)

// defaultServer is where `slipway serve` listens if it is not told otherwise.
const defaultServer = "http://127.0.0.1:7878"

// settings say where to read; a provider's block and a data source's have them
// alike.
type settings struct {
	Repository types.String `tfsdk:"repository"`
	CodeCommit types.String `tfsdk:"codecommit"`
	Branch     types.String `tfsdk:"branch"`
}

// validate refuses two places.
func (s settings) validate(diags *diag.Diagnostics) {
	if s.Repository.ValueString() != "" && s.CodeCommit.ValueString() != "" {
		tell(diags, root("codecommit"), "Two deployment repositories", &slipway.Error{
			Next: slipway.NextUsage, Message: "both repository and codecommit are set",
			Hint: "remove one of them: repository is read by git, codecommit through AWS's API",
		})
	}
}

// unknown reports whether any value is not known yet.
func (s settings) unknown() bool {
	return s.Repository.IsUnknown() || s.CodeCommit.IsUnknown() || s.Branch.IsUnknown()
}

// place is where a revision is read.
type place struct {
	repository string // for git; or
	codeCommit string // for AWS's API
	branch     string // empty: the default one
}

// place decides among what the data source says, what its provider does and what
// the environment does, in this order; getenv is os.Getenv. An empty text says
// nothing.
func (s settings) place(provider settings, getenv func(string) string) (place, error) {
	where := place{repository: s.Repository.ValueString(), codeCommit: s.CodeCommit.ValueString()}
	if where == (place{}) {
		for name, value := range map[string]types.String{"repository": provider.Repository, "codecommit": provider.CodeCommit} {
			if value.IsUnknown() {
				return place{}, notKnown(name)
			}
		}
		where = place{repository: provider.Repository.ValueString(), codeCommit: provider.CodeCommit.ValueString()}
	}
	if where == (place{}) {
		where.codeCommit = getenv(codeCommitVariable)
		if where.codeCommit == "" {
			where.repository = getenv(repositoryVariable)
		}
	}
	if where == (place{}) {
		return place{}, &slipway.Error{
			Next: slipway.NextUsage, Message: "no deployment repository is named",
			Hint: "set repository or codecommit, here or in the provider's block, or " + repositoryVariable + " or " + codeCommitVariable + " in the environment",
		}
	}
	branch, err := first("branch", s.Branch, provider.Branch, getenv(branchVariable))
	where.branch = branch
	return where, err
}

// first is the first text that says something.
func first(name string, own, provider types.String, environment string) (string, error) {
	switch {
	case own.ValueString() != "":
		return own.ValueString(), nil
	case provider.IsUnknown():
		return "", notKnown(name)
	case provider.ValueString() != "":
		return provider.ValueString(), nil
	}
	return environment, nil
}

// notKnown is about a value of the provider's block that Terraform does not know
// yet: it plans with a provider that is not configured.
func notKnown(name string) error {
	return &slipway.Error{
		Next: slipway.NextUsage, Message: fmt.Sprintf("the provider's %s is not known before apply, and is needed now", name),
		Hint: fmt.Sprintf("give the provider a %s that is known when Terraform plans, or set %s here", name, name),
	}
}
