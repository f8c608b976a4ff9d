package codepipeline

import (
	"strings"

	"github.com/slipway-cd/slipway"
)

// pipelineName is what an app's pipeline is called.
func (c *Conductor) pipelineName(app slipway.App, settings slipway.Pipeline) string {
	return slipway.NamePipeline(settings.PipelineName, c.options.Repository, c.options.Branch, app)
}

// RepositoryName is the name of a deployment repository by its URL or folder: what a
// CodeCommit repository's clone URL ends with.
func RepositoryName(location string) string {
	location = strings.TrimRight(location, "/")
	location = location[strings.LastIndexAny(location, "/:")+1:]
	return strings.TrimSuffix(location, ".git")
}
