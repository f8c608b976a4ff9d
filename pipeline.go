package slipway

import (
	"cmp"
	"strings"
	"time"
)

// Mode says what happens to a commit that arrives while its app's pipeline is
// busy.
type Mode string

// The modes.
const (
	// ModeSuperseded keeps only the newest waiting execution; older waiting
	// ones end as Superseded.
	ModeSuperseded Mode = "superseded"
	// ModeQueued runs every execution, in order.
	ModeQueued Mode = "queued"
	// ModeReplace lets a newer commit take over at once; the running execution
	// ends as Superseded.
	ModeReplace Mode = "replace"
)

// Conductor is who runs an app's pipeline.
type Conductor string

// The conductors.
const (
	// ConductorBuiltin is Slipway's own engine: `slipway serve`.
	ConductorBuiltin Conductor = ""
	// ConductorCodePipeline is AWS CodePipeline: Slipway starts, stops and tells, and
	// needs no server.
	ConductorCodePipeline Conductor = "codepipeline"
)

// DefaultPipelineName is the pattern of the names of AWS CodePipeline's pipelines:
// that of the Terraform modules.
const DefaultPipelineName = "{repository}-{branch}-{cluster}-{app}"

// NamePipeline is what CodePipeline's pipeline of an app is called by a pattern; an
// empty one is DefaultPipelineName. Repository is the deployment repository's name in
// CodeCommit.
func NamePipeline(pattern, repository, branch string, app App) string {
	return strings.NewReplacer("{repository}", repository, "{branch}", branch, "{cluster}", app.Cluster, "{app}", app.Name).
		Replace(cmp.Or(pattern, DefaultPipelineName))
}

// DefaultTimeout is how long Deploy may take when pipeline.yaml says nothing.
// CodePipeline's ECS action allows at most 60 minutes; a rolling deployment
// with the default deregistration delay of 300 s rarely needs 15.
const DefaultTimeout = 30 * time.Minute

// Pipeline is how one App is deployed: the defaults, changed by slipway.yaml
// and the app's pipeline.yaml as they stood at the commit that is deployed.
type Pipeline struct {
	Mode    Mode     `json:"mode"`
	Timeout Duration `json:"timeout"`
	Place   Place    `json:"place"`
	// Conductor is who runs it.
	Conductor Conductor `json:"conductor,omitempty"`
	// PipelineName is the pattern of its name in AWS CodePipeline, with {repository},
	// {branch}, {cluster} and {app}; empty is DefaultPipelineName.
	PipelineName string `json:"pipelineName,omitempty"`
	// TestRun has a batch app's new task definition run once, and end with exit code
	// 0, before anything is switched to it.
	TestRun bool `json:"testRun,omitempty"`
	// Keep is how many of the task definitions that Slipway registered for the app
	// stay registered after a deployment that went well; 0 keeps all. What runs, ran
	// before, or is named by a rule or a schedule always stays.
	Keep int `json:"keep,omitempty"`
}

// Duration is a span of time whose text form is like "30m0s".
type Duration time.Duration

// String returns the text form.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns the text form, so that JSON shows it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	*d = Duration(span)
	return err
}

// Kind is what an App is in AWS.
type Kind string

// The kinds. KindAny means whatever there is: a service of that name, which ECS
// or CodeDeploy deploys as its deployment controller says, or else schedules.
const (
	KindAny        Kind = ""
	KindService    Kind = "service"
	KindCodeDeploy Kind = "codedeploy"
	KindSchedule   Kind = "schedule"
)

// Place is where an App runs in AWS. Empty Region, RoleARN and Endpoint leave
// it to the SDK's own configuration.
type Place struct {
	// Kind is what it is; KindAny leaves it to be found out.
	Kind    Kind   `json:"kind,omitempty"`
	Cluster string `json:"cluster"`
	Service string `json:"service"`
	// Family is the family of the task definitions that a batch app's schedules run;
	// empty leaves it to be found by the app's name.
	Family string `json:"family,omitempty"`
	// Application and DeploymentGroup are CodeDeploy's, which deploy the service; what
	// is empty is found by the service.
	Application     string `json:"application,omitempty"`
	DeploymentGroup string `json:"deploymentGroup,omitempty"`
	Region          string `json:"region,omitempty"`
	// RoleARN is assumed for every call.
	RoleARN string `json:"roleArn,omitempty"`
	// Endpoint is the base URL of the ECS API.
	Endpoint string `json:"endpoint,omitempty"`
}

// DefaultPipeline is the pipeline of an app with nothing but a revision.json:
// it deploys to the ECS service of the app's name in the ECS cluster of its
// folder's name.
func DefaultPipeline(app App) Pipeline {
	return Pipeline{
		Mode:    ModeSuperseded,
		Timeout: Duration(DefaultTimeout),
		Place:   Place{Cluster: app.Cluster, Service: app.Name},
	}
}
