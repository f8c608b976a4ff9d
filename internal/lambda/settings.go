package lambda

import (
	"cmp"
	"strings"

	"github.com/slipway-cd/slipway"
)

// Settings are what the function's environment says.
type Settings struct {
	// Repository is the deployment repository's name in CodeCommit. Events of others
	// are ignored. Empty leaves it to whoever sends events.
	Repository string
	// Branch is what is deployed. Events of other branches are ignored. Empty is the
	// repository's default branch.
	Branch string
	// PipelineName is how the pipelines are named where slipway.yaml does not say it:
	// a text with {repository}, {branch}, {cluster} and {app}.
	PipelineName string
}

// SettingsFrom reads SLIPWAY_REPOSITORY, SLIPWAY_BRANCH and SLIPWAY_PIPELINE_NAME.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	s := Settings{
		Repository: getenv("SLIPWAY_REPOSITORY"), Branch: getenv("SLIPWAY_BRANCH"),
		PipelineName: cmp.Or(getenv("SLIPWAY_PIPELINE_NAME"), slipway.DefaultPipelineName),
	}
	for _, part := range []string{"{cluster}", "{app}"} {
		if !strings.Contains(s.PipelineName, part) {
			return s, slipway.Usagef("SLIPWAY_PIPELINE_NAME is %q: without %s in it, several apps would have one pipeline", s.PipelineName, part)
		}
	}
	return s, nil
}
