package tfprovider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/deployrepo/files"
)

// imageURI is the function image_uri. It is pure: the text comes from wherever the
// configuration has it.
type imageURI struct{}

// Metadata is the framework's, as are the methods below.
func (imageURI) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "image_uri"
}

func (imageURI) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "The image that a revision.json names",
		MarkdownDescription: "Reads the text of a `revision.json`, as strictly as a deployment does, and returns the image of one container.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "revision_json", MarkdownDescription: "The file's text, for example of `file`, or of a resource that read it."},
			function.StringParameter{Name: "container", AllowNullValue: true, MarkdownDescription: "The container whose image is returned; " +
				"null means the only one that the file names."},
		},
		Return: function.StringReturn{},
	}
}

func (imageURI) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	var container types.String
	if resp.Error = req.Arguments.Get(ctx, &text, &container); resp.Error != nil {
		return
	}
	images, problems := files.ParseRevision("revision.json", []byte(text))
	if err := problems.Err(); err != nil {
		resp.Error = function.NewArgumentFuncError(0, words(err))
		return
	}
	image, err := slipway.ChooseImage(slipway.App{}, images, container.ValueString())
	if err != nil {
		resp.Error = function.NewArgumentFuncError(1, words(err))
		return
	}
	resp.Error = resp.Result.Set(ctx, image.URI)
}
