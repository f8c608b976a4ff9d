package files

import (
	"cmp"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// Paths of the YAML files.
const (
	// RepositoryPath is relative to the root of the deployment repository.
	RepositoryPath = "slipway.yaml"
	// PipelineName is relative to an app's folder.
	PipelineName = "pipeline.yaml"
	// RevisionName is relative to an app's folder.
	RevisionName = "revision.json"
)

// Repository is the content of slipway.yaml: what holds for the whole
// deployment repository.
type Repository struct {
	// Where the apps of a folder run, by the folder's name. A folder that is
	// not named here is an ECS cluster of the same name, reached as the AWS SDK
	// is configured.
	Clusters map[Name]Cluster `yaml:"clusters"`
	// What holds for every app that says nothing else in its pipeline.yaml.
	Defaults Defaults `yaml:"defaults"`
	// Who runs the pipelines: builtin (slipway serve, the default) or codepipeline
	// (AWS CodePipeline, which Terraform provisions).
	Conductor Conductor `yaml:"conductor"`
	// What the pipelines of AWS CodePipeline are called, by a pattern in which
	// {repository}, {branch}, {cluster} and {app} stand for those names; if it is not
	// said, {repository}-{branch}-{cluster}-{app}.
	PipelineName NamePattern `yaml:"pipelineName"`
}

// Cluster says which ECS cluster a folder means and how to reach it.
type Cluster struct {
	// The ECS cluster's name, if it is not the folder's.
	Cluster Name `yaml:"cluster"`
	// The AWS region.
	Region Region `yaml:"region"`
	// The ARN of the IAM role that is assumed for every call.
	Role Role `yaml:"role"`
	// The base URL of the ECS API, for example of a sandbox.
	Endpoint Endpoint `yaml:"endpoint"`
	// Who runs the pipelines of this folder's apps, if it is not who runs the others':
	// builtin or codepipeline.
	Conductor Conductor `yaml:"conductor"`
}

// Defaults are settings of a pipeline that every app has unless it says
// something else.
type Defaults struct {
	// What happens to a commit that arrives while the app's pipeline is busy:
	// superseded (keep only the newest waiting one), queued (run all in order)
	// or replace (the newer one takes over at once).
	Mode Mode `yaml:"mode"`
	// How long a deployment may take, like 30m.
	Timeout Duration `yaml:"timeout"`
	// How many of the task definitions that Slipway registered for an app stay
	// registered after a deployment that went well, 1 to 9999; all, if it is not
	// said. What runs, ran before, or is named by a rule or a schedule always stays.
	Keep Count `yaml:"keep"`
}

// Pipeline is the content of an app's pipeline.yaml.
type Pipeline struct {
	// What happens to a commit that arrives while the app's pipeline is busy:
	// superseded (keep only the newest waiting one), queued (run all in order)
	// or replace (the newer one takes over at once).
	Mode Mode `yaml:"mode"`
	// How long a deployment may take, like 30m.
	Timeout Duration `yaml:"timeout"`
	// How many of the task definitions that Slipway registered for an app stay
	// registered after a deployment that went well, 1 to 9999; all, if it is not
	// said. What runs, ran before, or is named by a rule or a schedule always stays.
	Keep Count `yaml:"keep"`
	// What the app is in AWS, if it is not the service of the app's name in the
	// cluster of its folder.
	Target Target `yaml:"target"`
	// For a batch app: true runs the new task definition once, as the first of the
	// app's schedules would, before any is moved to it. Unless its containers end
	// with exit code 0, nothing is moved.
	TestRun Switch `yaml:"testRun"`
}

// Target is what an app's pipeline deploys to.
type Target struct {
	// What the app is: service (ECS deploys it), codedeploy (CodeDeploy does) or
	// schedule (a batch app, which EventBridge runs). If it is not said, it is
	// found out: a service of that name, or else schedules.
	Kind Kind `yaml:"kind"`
	// The ECS cluster's name.
	Cluster Name `yaml:"cluster"`
	// The ECS service's name.
	Service Name `yaml:"service"`
	// For a batch app: the family of the task definitions that its schedules run,
	// if it is neither the app's name nor CLUSTER-APP.
	Family Name `yaml:"family"`
	// The CodeDeploy application that deploys the service. If it is not said, it is
	// found by the service, for which all applications may be looked through.
	Application DeployName `yaml:"application"`
	// The deployment group of that application. If it is not said, it is found by the
	// service.
	DeploymentGroup DeployName `yaml:"deploymentGroup"`
}

// conflict says which keys contradict each other, or is empty.
func (t *Target) conflict() string {
	switch {
	case t.DeploymentGroup != "" && t.Application == "":
		return "deploymentGroup needs an application beside it: another application may have a group of that name"
	case t.Application != "" && t.Kind != "" && slipway.Kind(t.Kind) != slipway.KindCodeDeploy:
		return fmt.Sprintf("application is CodeDeploy's, but kind says %s: write codedeploy, or leave one of them out", t.Kind)
	}
	return ""
}

// ParseRepository reads slipway.yaml. Empty text is the zero Repository.
func ParseRepository(file string, text []byte) (Repository, Problems) {
	return parseYAML[Repository](file, text)
}

// ParsePipeline reads a pipeline.yaml. Empty text is the zero Pipeline.
func ParsePipeline(file string, text []byte) (Pipeline, Problems) {
	return parseYAML[Pipeline](file, text)
}

// Resolve returns an app's pipeline: slipway.DefaultPipeline, changed by
// slipway.yaml, changed by the app's pipeline.yaml.
func Resolve(app slipway.App, repository Repository, pipeline Pipeline) slipway.Pipeline {
	resolved := slipway.DefaultPipeline(app)
	cluster := repository.Clusters[Name(app.Cluster)]
	put(&resolved.Mode, slipway.Mode(repository.Defaults.Mode), slipway.Mode(pipeline.Mode))
	put(&resolved.Timeout, slipway.Duration(repository.Defaults.Timeout), slipway.Duration(pipeline.Timeout))
	put(&resolved.Keep, int(repository.Defaults.Keep), int(pipeline.Keep))
	put(&resolved.TestRun, bool(pipeline.TestRun))
	if pipeline.Target.Application != "" {
		resolved.Place.Kind = slipway.KindCodeDeploy
	}
	resolved.Conductor = repository.ConductorOf(app.Cluster)
	put(&resolved.PipelineName, string(repository.PipelineName))
	put(&resolved.Place.Kind, slipway.Kind(pipeline.Target.Kind))
	put(&resolved.Place.Application, string(pipeline.Target.Application))
	put(&resolved.Place.DeploymentGroup, string(pipeline.Target.DeploymentGroup))
	put(&resolved.Place.Family, string(pipeline.Target.Family))
	put(&resolved.Place.Cluster, string(cluster.Cluster), string(pipeline.Target.Cluster))
	put(&resolved.Place.Service, string(pipeline.Target.Service))
	put(&resolved.Place.Region, string(cluster.Region))
	put(&resolved.Place.RoleARN, string(cluster.Role))
	put(&resolved.Place.Endpoint, string(cluster.Endpoint))
	return resolved
}

// ConductorOf is who runs the pipelines of a folder's apps.
func (r Repository) ConductorOf(folder string) slipway.Conductor {
	said := cmp.Or(r.Clusters[Name(folder)].Conductor, r.Conductor)
	if said == conductorBuiltin {
		return slipway.ConductorBuiltin
	}
	return slipway.Conductor(said)
}

// NamesConductor reports whether the file says of any folder who runs its pipelines.
func (r Repository) NamesConductor() bool {
	for _, cluster := range r.Clusters {
		if cluster.Conductor != "" {
			return true
		}
	}
	return r.Conductor != ""
}

// Serverless reports whether no pipeline is the built-in conductor's.
func (r Repository) Serverless() bool {
	for name := range r.Clusters {
		if r.ConductorOf(string(name)) == slipway.ConductorBuiltin {
			return false
		}
	}
	return r.ConductorOf("") != slipway.ConductorBuiltin
}

// put sets target to the last value that is not zero.
func put[T comparable](target *T, values ...T) {
	var zero T
	for _, value := range values {
		if value != zero {
			*target = value
		}
	}
}
