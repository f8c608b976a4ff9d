package tfprovider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
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
	describeCodeCommit = "The name of a CodeCommit repository that is read through AWS's API, without git, with the credentials that the AWS SDK is configured with. It conflicts with `repository`."
	describeRegion     = "The AWS region of the CodeCommit repository, like `eu-west-1`; a `repository` has no use for it."
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
	Region     types.String `tfsdk:"region"`
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

// regionValidator refuses what cannot be the name of a region: the SDK would look for a
// host of that name.
type regionValidator struct{}

// Description is the framework's, as are the methods below.
func (regionValidator) Description(context.Context) string { return "a region like eu-west-1" }

func (v regionValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (regionValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.ValueString() == "" {
		return
	}
	if err := new(files.Region).UnmarshalText([]byte(req.ConfigValue.ValueString())); err != nil {
		tell(&resp.Diagnostics, req.Path, "No name of a region", err)
	}
}

// unknown reports whether any value is not known yet.
func (s settings) unknown() bool {
	return s.Repository.IsUnknown() || s.CodeCommit.IsUnknown() || s.Region.IsUnknown() || s.Branch.IsUnknown()
}

// place is where a revision is read.
type place struct {
	repository string // for git; or
	codeCommit string // for AWS's API
	region     string // of codeCommit; empty: the one that the AWS SDK is configured with
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
	var err error
	if where.codeCommit != "" {
		// The environment's region is the AWS SDK's to read, and so is its profile's.
		if where.region, err = first("region", s.Region, provider.Region, ""); err != nil {
			return place{}, err
		}
	}
	where.branch, err = first("branch", s.Branch, provider.Branch, getenv(branchVariable))
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
