//go:build e2e

// Command external stands in for the Terraform provider hashicorp/external where
// that cannot be had. It is for tests alone: it has the one data source,
//
//	terraform ──► data "external" ──► program: the query on stdin, the result on stdout
//
// as that provider's documentation describes it, and nothing else.
//
// https://github.com/hashicorp/terraform-provider-external/blob/main/docs/data-sources/external.md
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	tfaddr "github.com/hashicorp/terraform-registry-address"
)

func main() {
	err := providerserver.Serve(context.Background(), func() provider.Provider { return standIn{} }, providerserver.ServeOpts{
		Address: tfaddr.DefaultProviderRegistryHost.String() + "/hashicorp/external",
	})
	if err != nil {
		log.Fatal(err)
	}
}

type standIn struct{}

func (standIn) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "external"
}

func (standIn) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (standIn) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

func (standIn) Resources(context.Context) []func() resource.Resource { return nil }

func (standIn) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return source{} }}
}

// source is the data source.
type source struct{}

// model is its block.
type model struct {
	ID         types.String      `tfsdk:"id"`
	Program    []string          `tfsdk:"program"`
	WorkingDir types.String      `tfsdk:"working_dir"`
	Query      map[string]string `tfsdk:"query"`
	Result     map[string]string `tfsdk:"result"`
}

func (source) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName
}

func (source) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"id":          schema.StringAttribute{Computed: true},
		"program":     schema.ListAttribute{Required: true, ElementType: types.StringType},
		"working_dir": schema.StringAttribute{Optional: true},
		"query":       schema.MapAttribute{Optional: true, ElementType: types.StringType},
		"result":      schema.MapAttribute{Computed: true, ElementType: types.StringType},
	}}
}

func (source) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	result, err := ask(ctx, m.Program, m.WorkingDir.ValueString(), m.Query)
	if err != nil {
		resp.Diagnostics.AddError("The external program did not answer", err.Error())
		return
	}
	m.ID, m.Result = types.StringValue("-"), result
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
