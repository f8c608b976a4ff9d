package codepipeline

import (
	"cmp"
	"strings"

	"github.com/slipway-cd/slipway"
)

// pipelineName is what an app's pipeline is called.
func (c *Conductor) pipelineName(app slipway.App, settings slipway.Pipeline) string {
	return strings.NewReplacer(
		"{repository}", c.options.Repository, "{branch}", c.options.Branch, "{cluster}", app.Cluster, "{app}", app.Name,
	).Replace(cmp.Or(settings.PipelineName, slipway.DefaultPipelineName))
}

// RepositoryName is the name of a deployment repository by its URL or folder: what a
// CodeCommit repository's clone URL ends with.
func RepositoryName(location string) string {
	location = strings.TrimRight(location, "/")
	location = location[strings.LastIndexAny(location, "/:")+1:]
	return strings.TrimSuffix(location, ".git")
}
