package tfprovider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
)

// appModel is which app a data source is about.
type appModel struct {
	Cluster types.String `tfsdk:"cluster"`
	App     types.String `tfsdk:"app"`
}

func (m appModel) app() slipway.App {
	return slipway.App{Cluster: m.Cluster.ValueString(), Name: m.App.ValueString()}
}

// appAttributes are those of appModel, and the data source's own.
func appAttributes(own map[string]schema.Attribute) map[string]schema.Attribute {
	own["cluster"] = schema.StringAttribute{
		Required: true, MarkdownDescription: "The cluster: the outer of the two folders that make an app.",
		Validators: []validator.String{nameValidator{func(name string) slipway.App { return slipway.App{Cluster: name, Name: "app"} }}},
	}
	own["app"] = schema.StringAttribute{
		Required: true, MarkdownDescription: "The app: the inner of the two folders, which holds `revision.json`.",
		Validators: []validator.String{nameValidator{func(name string) slipway.App { return slipway.App{Cluster: "cluster", Name: name} }}},
	}
	return own
}

// nameValidator refuses what cannot be a part of an app's name.
type nameValidator struct {
	app func(name string) slipway.App
}

// Description is the framework's, as are the methods below.
func (nameValidator) Description(context.Context) string {
	return "1 to 255 letters, digits, '-' and '_'"
}

func (v nameValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v nameValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := v.app(req.ConfigValue.ValueString()).Validate(); err != nil {
		tell(&resp.Diagnostics, req.Path, "No name of a cluster or an app", err)
	}
}
