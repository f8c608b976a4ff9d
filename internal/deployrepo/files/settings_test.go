package files

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
)

func TestParseRepository(t *testing.T) {
	t.Parallel()
	text := `# ---------------------------------------------------------- [comment] -----------------------------------------
clusters:
  cluster1:
    cluster: production
    region: ca-central-1   # here
    role: arn:aws:iam::111122223333:role/deploy/slipway
    endpoint: http://127.0.0.1:4566/ecs
  "2": {region: us-gov-west-1}
  empty:
defaults:
  mode: queued
  timeout: 1h30m
`
	want := Repository{
		Clusters: map[Name]Cluster{
			"cluster1": {Cluster: "production", Region: "ca-central-1", Role: "arn:aws:iam::111122223333:role/deploy/slipway", Endpoint: "http://127.0.0.1:4566/ecs"},
			"2":        {Region: "us-gov-west-1"},
			"empty":    {},
		},
		Defaults: Defaults{Mode: "queued", Timeout: Duration(90 * time.Minute)},
	}
	for name, text := range map[string]string{"LF": text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "BOM": "\ufeff" + text} {
		got, problems := ParseRepository("slipway.yaml", []byte(text))
		if diff := cmp.Diff(want, got); diff != "" || problems != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, problems, diff)
		}
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "---\n", "null", "defaults:\n", "{}"} {
		got, problems := ParseRepository("slipway.yaml", []byte(empty))
		if diff := cmp.Diff(Repository{}, got); diff != "" || problems != nil {
			t.Errorf("%q: %v (-want +got):\n%s", empty, problems, diff)
		}
	}
}

func TestParseYAMLProblems(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"all at once": {"cluster:\n  a: {}\ndefaults:\n  timeuot: 5m\n  mode: Queued\n", []string{
			`1:1: unknown key "cluster"; did you mean "clusters"?`, `4:3: unknown key "timeuot"; did you mean "timeout"?`,
			`5:9: mode: "Queued" is no mode: write one of superseded, queued, replace; did you mean "queued"?`,
		}},
		"nothing near":     {"notifications: {}\n", []string{`1:1: unknown key "notifications"; known are: clusters, defaults, conductor, pipelineName`}},
		"conductor":        {"conductor: code-pipeline\n", []string{`1:12: conductor: "code-pipeline" is no conductor: write one of builtin, codepipeline; did you mean "codepipeline"?`}},
		"pipeline name":    {"pipelineName: deploy-{app}\n", []string{`1:15: pipelineName: "deploy-{app}" is no pattern of pipelines' names: write one like deployment-{cluster}-{app}, with {cluster} and {app} in it`}},
		"durations":        {"defaults: {timeout: 30}", []string{`1:21: timeout: "30" is no duration: write one like 30m, 1h30m or 90s`}},
		"negative":         {"defaults: {timeout: -5m}", []string{`1:21: timeout: "-5m" is no duration: write one like 30m, 1h30m or 90s`}},
		"zero":             {"defaults: {timeout: 0s}", []string{`1:21: timeout: "0s" is no duration: write one like 30m, 1h30m or 90s`}},
		"too long":         {"defaults: {timeout: 99999999999999h}", []string{`1:21: timeout: "99999999999999h" is no duration: write one like 30m, 1h30m or 90s`}},
		"region":           {"clusters:\n  a:\n    region: Montréal\n", []string{`3:13: region: "Montréal" is no AWS region: write one like ca-central-1`}},
		"role":             {"clusters: {a: {role: deployer}}", []string{`1:22: role: "deployer" is no ARN of a role: write one like arn:aws:iam::111122223333:role/slipway`}},
		"password":         {"clusters: {a: {endpoint: 'https://user:secret@example.com'}}", []string{`1:26: endpoint: "https://user:secret@example.com" is no endpoint: write a URL like https://ecs.example.com, without user and password`}},
		"folder's name":    {"clusters:\n  a.b: {}\n", []string{`2:3: "a.b" is no name: write 1 to 255 letters, digits, '-' and '_'`}},
		"a list":           {"- clusters\n", []string{"1:1: the file must be a mapping, like KEY: VALUE"}},
		"a word":           {"clusters\n", []string{"1:1: the file must be a mapping, like KEY: VALUE"}},
		"list for mapping": {"clusters: [a, b]\n", []string{"1:11: clusters must be a mapping, like KEY: VALUE"}},
		"mapping for word": {"defaults:\n  mode: [queued]\n", []string{"2:9: mode must be a single value"}},
		"duplicate":        {"defaults: {}\ndefaults: {}\n", []string{`2:1: is not YAML: mapping key "defaults" already defined at [1:1]`}},
		"anchors":          {"clusters:\n  a: &x {region: ca-central-1}\n  b: *x\n", []string{"2:6: a is an anchor, an alias or a tag: write the plain value", "3:6: b is an anchor, an alias or a tag: write the plain value"}},
		"two documents":    {"defaults: {}\n---\ndefaults: {}\n", []string{"3:9: holds a second document: write one file with one document"}},
		"a tab":            {"defaults:\n\tmode: queued\n", []string{"2:1: is not YAML: found character '\t' that cannot start any token"}},
		"not closed":       {"clusters: {a: {", []string{"1:15: is not YAML: could not find flow mapping end token '}'"}},
		"deep brackets":    {"defaults:\n  mode: " + strings.Repeat("[", MaxSize/2), []string{"2:49: is nested too deeply: the settings have three levels"}},
		"deep lists":       {strings.Repeat("- ", MaxSize/2), []string{"1:82: is nested too deeply: the settings have three levels"}},
		"too large":        {strings.Repeat("#", MaxSize+1), []string{" has 102401 bytes; at most 102400 (100 KB) are allowed"}},
		"not UTF-8":        {"defaults:\n  mode: \xff", []string{"2:9: is not UTF-8: save it as UTF-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := ParseRepository("slipway.yaml", []byte(tc.text))
			if diff := cmp.Diff(tc.want, lines(problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(Repository{}, got); diff != "" {
				t.Errorf("a broken file yields something:\n%s", diff)
			}
		})
	}
}

func TestParsePipelineProblems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"target: {kind: schedules}":                  `1:16: kind: "schedules" is no kind of app: write one of service, codedeploy, schedule; did you mean "schedule"?`,
		"target: {family: 'night/ly'}":               `1:18: family: "night/ly" is no name: write 1 to 255 letters, digits, '-' and '_'`,
		"testRun: yes":                               `1:10: testRun: "yes" is neither true nor false`,
		"target: {deploymentGroup: production}":      `1:10: target: deploymentGroup needs an application beside it: another application may have a group of that name`,
		"target: {kind: service, application: shop}": `1:10: target: application is CodeDeploy's, but kind says service: write codedeploy, or leave one of them out`,
		"target: {application: shop/1}":              `1:23: application: "shop/1" is no name in CodeDeploy: write 1 to 100 letters, digits and . _ + = , @ -`,
		"target: {deploymentgroup: x}":               `1:10: unknown key "deploymentgroup"; did you mean "deploymentGroup"?`,
		"keep: 0":                                    `1:7: keep: "0" is no number from 1 to 9999`,
		"keep: all":                                  `1:7: keep: "all" is no number from 1 to 9999`,
		"testrun: true":                              `1:1: unknown key "testrun"; did you mean "testRun"?`,
	} {
		got, problems := ParsePipeline("pipeline.yaml", []byte(text))
		if diff := cmp.Diff([]string{want}, lines(problems)); diff != "" || got != (Pipeline{}) {
			t.Errorf("%s: %+v, problems (-want +got):\n%s", text, got, diff)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	app := slipway.App{Cluster: "cluster1", Name: "webapp1"}
	repository := Repository{
		Clusters: map[Name]Cluster{"cluster1": {Cluster: "production", Region: "ca-central-1", Role: "role", Endpoint: "endpoint"}},
		Defaults: Defaults{Mode: "queued", Timeout: Duration(time.Hour)},
	}
	place := slipway.Place{Cluster: "production", Service: "webapp1", Region: "ca-central-1", RoleARN: "role", Endpoint: "endpoint"}
	for name, tc := range map[string]struct {
		repository Repository
		pipeline   string
		want       slipway.Pipeline
	}{
		"nothing said":       {want: slipway.DefaultPipeline(app)},
		"slipway.yaml":       {repository: repository, want: slipway.Pipeline{Mode: slipway.ModeQueued, Timeout: slipway.Duration(time.Hour), Place: place}},
		"another's cluster":  {repository: Repository{Clusters: map[Name]Cluster{"cluster2": {Region: "x"}}}, want: slipway.DefaultPipeline(app)},
		"pipeline.yaml wins": {repository: repository, pipeline: "mode: replace\ntimeout: 5m\n", want: slipway.Pipeline{Mode: slipway.ModeReplace, Timeout: slipway.Duration(5 * time.Minute), Place: place}},
		"a target": {repository: repository, pipeline: "target: {cluster: other, service: web}", want: slipway.Pipeline{Mode: slipway.ModeQueued, Timeout: slipway.Duration(time.Hour),
			Place: slipway.Place{Cluster: "other", Service: "web", Region: "ca-central-1", RoleARN: "role", Endpoint: "endpoint"}}},
		"retention": {repository: Repository{Defaults: Defaults{Keep: 10}}, pipeline: "keep: 3", want: slipway.Pipeline{Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(slipway.DefaultTimeout), Keep: 3,
			Place: slipway.Place{Cluster: "cluster1", Service: "webapp1"}}},
		"CodeDeploy": {pipeline: "target: {application: shop, deploymentGroup: production}", want: slipway.Pipeline{Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(slipway.DefaultTimeout),
			Place: slipway.Place{Kind: slipway.KindCodeDeploy, Cluster: "cluster1", Service: "webapp1", Application: "shop", DeploymentGroup: "production"}}},
		"CodePipeline": {repository: Repository{Conductor: "codepipeline", PipelineName: "cd-{cluster}-{app}"}, want: slipway.Pipeline{Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(slipway.DefaultTimeout),
			Conductor: slipway.ConductorCodePipeline, PipelineName: "cd-{cluster}-{app}", Place: slipway.Place{Cluster: "cluster1", Service: "webapp1"}}},
		"another conductor for the cluster": {repository: Repository{Conductor: "codepipeline", Clusters: map[Name]Cluster{"cluster1": {Conductor: "builtin"}}}, want: slipway.DefaultPipeline(app)},
		"a batch app": {pipeline: "target: {kind: schedule, family: nightly}\ntestRun: true", want: slipway.Pipeline{Mode: slipway.ModeSuperseded, Timeout: slipway.Duration(slipway.DefaultTimeout), TestRun: true,
			Place: slipway.Place{Kind: slipway.KindSchedule, Cluster: "cluster1", Service: "webapp1", Family: "nightly"}}},
	} {
		pipeline, problems := ParsePipeline("pipeline.yaml", []byte(tc.pipeline))
		if problems != nil {
			t.Fatal(problems)
		}
		if diff := cmp.Diff(tc.want, Resolve(app, tc.repository, pipeline)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzParsePipeline: whatever the text, the parser comes back, and a problem
// stands where an editor can go.
func FuzzParsePipeline(f *testing.F) {
	for _, seed := range []string{"", "mode: queued\n", "target: {cluster: a, service: b}\ntimeout: 5m", "a: &b [*b]", "? x\n: y", "- |\n  x", "\t", "{", "mode: !!str queued", "mode: >-\n  queued\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		pipeline, problems := ParsePipeline("pipeline.yaml", text)
		for _, p := range problems {
			if (p.Line == 0) != (p.Column == 0) || p.Line < 0 || p.Column < 0 || p.Message == "" {
				t.Fatalf("problem %+v", p)
			}
		}
		if problems.Err() != nil && pipeline != (Pipeline{}) {
			t.Fatalf("a broken file yields %+v", pipeline)
		}
	})
}
