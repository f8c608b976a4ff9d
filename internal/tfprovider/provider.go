package tfprovider

import (
	"context"
	"log/slog"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	tfaddr "github.com/hashicorp/terraform-registry-address"
)

//go:generate go run ./reference ../../docs/terraform-provider ../../terraform/provider-examples

// Options are what the provider is made with.
type Options struct {
	// Version is the provider's, for Terraform's log.
	Version string
	// Logger is told each git command at debug level; nil means none.
	Logger *slog.Logger
}

// Name is the namespace and the name by which a configuration requires the provider.
const Name = "slipway-cd/slipway"

// Serve answers Terraform, which has started the process, until Terraform ends it.
// With debug it is started by a person, and says how Terraform finds it.
func Serve(ctx context.Context, o Options, debug bool) error {
	return providerserver.Serve(ctx, func() provider.Provider { return New(o) }, providerserver.ServeOpts{
		// Terraform knows the provider by the folder that it was installed in; the
		// address counts in logs, and with debug for a source that names no host.
		Address: tfaddr.DefaultProviderRegistryHost.String() + "/" + Name,
		Debug:   debug,
	})
}

// New returns a provider that is not configured yet.
func New(o Options) provider.Provider { return &slipwayProvider{Options: o} }

type slipwayProvider struct{ Options }

var (
	_ provider.ProviderWithValidateConfig = (*slipwayProvider)(nil)
	_ provider.ProviderWithFunctions      = (*slipwayProvider)(nil)
)

// providerModel is the provider's block.
type providerModel struct {
	settings
	Server types.String `tfsdk:"server"`
}

// unknown reports whether any value is not known yet.
func (m providerModel) unknown() bool { return m.settings.unknown() || m.Server.IsUnknown() }

// Metadata is the framework's, as are the methods below.
func (p *slipwayProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "slipway", p.Version
}

func (p *slipwayProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads what a [Slipway](https://github.com/slipway-cd/slipway) deployment repository says should run, and what a Slipway server says does run, " +
			"so that a configuration need not name an image. It changes nothing.",
		Attributes: map[string]schema.Attribute{
			"repository": schema.StringAttribute{Optional: true, MarkdownDescription: describeRepository + environment(repositoryVariable)},
			"codecommit": schema.StringAttribute{Optional: true, MarkdownDescription: describeCodeCommit + environment(codeCommitVariable)},
			"region": schema.StringAttribute{
				Optional: true, Validators: []validator.String{regionValidator{}},
				MarkdownDescription: describeRegion + " Where it is not set, the region that the AWS SDK is configured with is, for example by `AWS_REGION` or a profile.",
			},
			"branch": schema.StringAttribute{Optional: true, MarkdownDescription: describeBranch + environment(branchVariable)},
			"server": schema.StringAttribute{Optional: true, MarkdownDescription: describeServer + environment(serverVariable)},
		},
	}
}

// environment says which variable is used where neither block says anything.
func environment(variable string) string {
	return " Where it is not set, the environment variable `" + variable + "` is."
}

func (p *slipwayProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	model.validate(&resp.Diagnostics)
}

func (p *slipwayProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.ClientCapabilities.DeferralAllowed && model.unknown() {
		resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
		return
	}
	resp.DataSourceData = newReader(model, p.Options)
}

func (p *slipwayProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		func() datasource.DataSource { return &revisionSource{} },
		func() datasource.DataSource { return &deploymentSource{} },
	}
}

func (p *slipwayProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{func() function.Function { return imageURI{} }}
}

func (p *slipwayProvider) Resources(context.Context) []func() resource.Resource { return nil }

// root is the path of an attribute of a block.
func root(attribute string) path.Path { return path.Root(attribute) }
