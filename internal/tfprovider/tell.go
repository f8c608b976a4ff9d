package tfprovider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/slipway-cd/slipway"
)

// flags turns the command line's flags into the attributes that stand for them.
var flags = strings.NewReplacer(
	"pass --server", "set server", "--server", "server", "--branch", "branch", "--repository", "repository", "--codecommit", "codecommit",
)

// words are an error as the command line would tell it: what happened, and what to
// do.
func words(err error) string {
	text := err.Error()
	if hint := slipway.HintOf(err); hint != "" {
		text += "\n\nhint: " + hint
	}
	return flags.Replace(text)
}

// tell adds an error, at the attribute that is to be changed or at no attribute.
func tell(diags *diag.Diagnostics, at path.Path, summary string, err error) {
	if at.Equal(path.Empty()) {
		diags.AddError(summary, words(err))
		return
	}
	diags.AddAttributeError(at, summary, words(err))
}
