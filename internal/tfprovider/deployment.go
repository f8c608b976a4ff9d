package tfprovider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
)

// deploymentSource is the data source slipway_deployment: what runs, and what was
// executed last.
type deploymentSource struct{ reader *reader }

var _ datasource.DataSourceWithConfigure = (*deploymentSource)(nil)

type deploymentModel struct {
	appModel
	Server types.String `tfsdk:"server"`

	Images         types.Map    `tfsdk:"images"`
	TaskDefinition types.String `tfsdk:"task_definition"`
	Since          types.String `tfsdk:"since"`
	Drift          types.Bool   `tfsdk:"drift"`
	Execution      types.Object `tfsdk:"execution"`
}

// Metadata is the framework's, as are the methods below.
func (*deploymentSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_deployment"
}

func (*deploymentSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What an app runs, and what became of its last execution, as a Slipway server (`slipway serve`) says. " +
			"What cannot be found out, for example because the service does not exist yet, is null, and a warning says why.",
		Attributes: appAttributes(map[string]schema.Attribute{
			"server": schema.StringAttribute{Optional: true, MarkdownDescription: describeServer + instead},
			"images": schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The images that run, by container: those of all containers of the task definition. " +
				"Where schedules of a batch app run different images in one container, it is any of them."},
			"task_definition": schema.StringAttribute{Computed: true, MarkdownDescription: "The ARN of the task definition that runs: that of the service's primary deployment."},
			"since": schema.StringAttribute{Computed: true, MarkdownDescription: "When AWS began to deploy what runs, in UTC and RFC 3339. " +
				"It is null for a batch app, whose schedules do not say."},
			"drift": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether what runs is not what git says, as far as git names images. It is false where either is not known."},
			"execution": schema.SingleNestedAttribute{
				Computed: true, Attributes: executionAttributes,
				MarkdownDescription: "The last execution of the app's pipeline, which may still be in progress; null when there was none.",
			},
		}),
	}
}

var executionAttributes = map[string]schema.Attribute{
	"id":     schema.StringAttribute{Computed: true, MarkdownDescription: "Its id, which `slipway show` takes."},
	"commit": schema.StringAttribute{Computed: true, MarkdownDescription: "The id of the commit that it deploys."},
	"status": schema.StringAttribute{Computed: true, MarkdownDescription: "Where it stands: `Queued`, `InProgress`, `Stopping`, `Stopped`, `Succeeded`, `Failed` or `Superseded`."},
	"outcome": schema.StringAttribute{Computed: true, MarkdownDescription: "What it really did: `deployed`, `unchanged`, `rolled-back`, `replaced`, `timed-out`, `stopped` or `failed`; " +
		"null until it has ended, and where it never came to deploy."},
	"reason":     schema.StringAttribute{Computed: true, MarkdownDescription: "Why, for a person; null where there is nothing to say."},
	"started_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When it began, in UTC and RFC 3339; null while it is queued."},
	"ended_at":   schema.StringAttribute{Computed: true, MarkdownDescription: "When it ended; null until then."},
}

func (s *deploymentSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	s.reader, _ = req.ProviderData.(*reader) // nil while Terraform only validates
}

func (s *deploymentSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model deploymentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	seen, at, err := s.look(ctx, model)
	if err != nil {
		tell(&resp.Diagnostics, at, "Cannot read what "+model.app().String()+" runs", err)
		return
	}
	if seen.status.Problem != "" {
		resp.Diagnostics.AddAttributeWarning(root("app"), "Not all is known of "+model.app().String(), seen.status.Problem)
	}
	model.set(ctx, seen, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// sight is what a server said of an app.
type sight struct {
	status slipway.AppStatus
	commit string // of the last execution
}

// look asks the server; with an error it returns the attribute that is to be
// changed.
func (s *deploymentSource) look(ctx context.Context, model deploymentModel) (sight, path.Path, error) {
	client, err := s.reader.server(model.Server)
	if err != nil {
		return sight{}, root("server"), err
	}
	var seen sight
	if seen.status, err = client.App(ctx, model.app()); err != nil {
		if errors.Is(err, api.ErrNotFound) {
			return sight{}, root("app"), err
		}
		return sight{}, root("server"), err
	}
	if last := seen.status.Execution; last != nil {
		executions, err := client.Executions(ctx, api.ExecutionQuery{ID: last.ID})
		if err != nil {
			return sight{}, root("server"), err
		}
		for _, execution := range executions {
			seen.commit = execution.Revision.Commit
		}
	}
	return seen, path.Empty(), nil
}

// set fills in what was said.
func (m *deploymentModel) set(ctx context.Context, seen sight, diags *diag.Diagnostics) {
	m.Images = types.MapNull(types.StringType)
	if running := seen.status.Running; running != nil {
		m.Images = imageMap(ctx, running.Images, diags)
		m.TaskDefinition = textOrNull(running.TaskDefinition)
		m.Since = timeOrNull(running.Since)
	}
	m.Drift = types.BoolValue(seen.status.Drift)

	kinds := make(map[string]attr.Type, len(executionAttributes))
	for name, attribute := range executionAttributes {
		kinds[name] = attribute.GetType()
	}
	m.Execution = types.ObjectNull(kinds)
	if last := seen.status.Execution; last != nil {
		execution, problems := types.ObjectValue(kinds, map[string]attr.Value{
			"id": textOrNull(last.ID), "commit": textOrNull(seen.commit), "status": textOrNull(string(last.Status)),
			"outcome": textOrNull(string(last.Outcome)), "reason": textOrNull(last.Reason),
			"started_at": timeOrNull(last.StartedAt), "ended_at": timeOrNull(last.EndedAt),
		})
		diags.Append(problems...)
		m.Execution = execution
	}
}
