package tfprovider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/codecommit"
	"github.com/slipway-cd/slipway/internal/deployrepo"
)

// revisionSource is the data source slipway_revision: what git says.
type revisionSource struct{ reader *reader }

var (
	_ datasource.DataSourceWithConfigure      = (*revisionSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*revisionSource)(nil)
)

type revisionModel struct {
	appModel
	settings
	AtCommit  types.String `tfsdk:"at_commit"`
	Container types.String `tfsdk:"container"`

	ImageURI types.String `tfsdk:"image_uri"`
	Images   types.Map    `tfsdk:"images"`
	Commit   types.String `tfsdk:"commit"`
	Author   types.String `tfsdk:"author"`
	Time     types.String `tfsdk:"time"`
}

// Metadata is the framework's, as are the methods below.
func (*revisionSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_revision"
}

func (*revisionSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What the deployment repository says that an app should run: the images of its `revision.json`. " +
			"All data sources of a plan see the same commit.",
		Attributes: appAttributes(map[string]schema.Attribute{
			"repository": schema.StringAttribute{Optional: true, MarkdownDescription: describeRepository + instead},
			"codecommit": schema.StringAttribute{Optional: true, MarkdownDescription: describeCodeCommit + instead},
			"region":     schema.StringAttribute{Optional: true, MarkdownDescription: describeRegion + instead, Validators: []validator.String{regionValidator{}}},
			"branch":     schema.StringAttribute{Optional: true, MarkdownDescription: describeBranch + instead},
			"at_commit": schema.StringAttribute{Optional: true, MarkdownDescription: "Reads at this commit of the branch, named by its id or the beginning of it, " +
				"instead of at the branch's head. Through `codecommit` it must be the whole id."},
			"container": schema.StringAttribute{Optional: true, MarkdownDescription: "The container whose image `image_uri` is. " +
				"By default it is the one named like the app, or else the only one; an app with neither needs it."},
			"image_uri": schema.StringAttribute{Computed: true, MarkdownDescription: "The image of the container, as `revision.json` names it."},
			"images":    schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "All images, by container."},
			"commit": schema.StringAttribute{Computed: true, MarkdownDescription: "The id of the newest commit that touched the app's folder. " +
				"It is null, as are `author` and `time`, for a folder that is no git repository, and, with a warning, where CodeCommit's API may not be asked for it. " +
				"Through `codecommit` a commit that only removed files from the folder does not count: the API does not list it."},
			"author": schema.StringAttribute{Computed: true, MarkdownDescription: "That commit's author, as `Name <address>`."},
			"time":   schema.StringAttribute{Computed: true, MarkdownDescription: "When that commit was authored, in UTC and RFC 3339."},
		}),
	}
}

// instead says where a data source's setting is taken from otherwise.
const instead = " Where it is not set, the provider's is used."

func (s *revisionSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	s.reader, _ = req.ProviderData.(*reader) // nil while Terraform only validates
}

func (*revisionSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var model revisionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	model.validate(&resp.Diagnostics)
}

func (s *revisionSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model revisionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	loaded, at, err := s.load(ctx, model)
	if untold, ok := errors.AsType[untold](err); ok {
		resp.Diagnostics.AddAttributeWarning(at, "Not known who touched "+model.app().String()+" last", words(untold))
	} else if err != nil {
		tell(&resp.Diagnostics, at, "Cannot read what git says of "+model.app().String(), err)
		return
	}
	image, err := slipway.ChooseImage(model.app(), loaded.Revision.Images, model.Container.ValueString())
	if err != nil {
		tell(&resp.Diagnostics, root("container"), "Cannot choose the image of "+model.app().String(), err)
		return
	}
	model.set(ctx, image, loaded, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// load reads the app; with an error it returns the attribute that is to be changed. With
// an untold one it returns all the rest, too.
func (s *revisionSource) load(ctx context.Context, model revisionModel) (deployrepo.Loaded, path.Path, error) {
	where, err := s.reader.place(model.settings)
	if err != nil {
		return deployrepo.Loaded{}, root("repository"), err
	}
	repository, err := s.reader.revisions(ctx, where)
	switch {
	case errors.Is(err, deployrepo.ErrNoBranch), errors.Is(err, codecommit.ErrNoBranch):
		return deployrepo.Loaded{}, root("branch"), err
	case err != nil && where.codeCommit != "":
		return deployrepo.Loaded{}, root("codecommit"), err
	case err != nil:
		return deployrepo.Loaded{}, root("repository"), err
	}
	read := repository.Load
	if commit := model.AtCommit.ValueString(); commit != "" {
		read = func(ctx context.Context, app slipway.App) (deployrepo.Loaded, error) {
			return repository.LoadAt(ctx, app, commit)
		}
	}
	loaded, err := read(ctx, model.app())
	_, most := errors.AsType[untold](err)
	switch {
	case most:
		return loaded, root("app"), err
	case err != nil && model.AtCommit.ValueString() != "":
		return deployrepo.Loaded{}, root("at_commit"), err
	case err != nil:
		return deployrepo.Loaded{}, path.Empty(), err
	}
	return loaded, root("app"), loaded.Err
}

// set fills in what was read.
func (m *revisionModel) set(ctx context.Context, image slipway.Image, loaded deployrepo.Loaded, diags *diag.Diagnostics) {
	m.ImageURI = types.StringValue(image.URI)
	m.Images = imageMap(ctx, loaded.Revision.Images, diags)
	m.Commit = textOrNull(loaded.Commit.ID)
	m.Author = textOrNull(loaded.Commit.Author)
	m.Time = timeOrNull(loaded.Commit.Time)
}

func imageMap(ctx context.Context, images []slipway.Image, diags *diag.Diagnostics) types.Map {
	byContainer := make(map[string]string, len(images))
	for _, image := range images {
		byContainer[image.Container] = image.URI
	}
	value, problems := types.MapValueFrom(ctx, types.StringType, byContainer)
	diags.Append(problems...)
	return value
}

func textOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

func timeOrNull(at time.Time) types.String {
	if at.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(at.UTC().Format(time.RFC3339))
}
