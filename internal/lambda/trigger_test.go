package lambda_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// A push starts the pipelines of the apps that it changed, at its commit, and no
// others; delivered again, it starts nothing.
func TestTrigger(t *testing.T) {
	inBubble(t, func(r *rig) {
		apps := []string{"webapp1", "webapp2", "service1"}
		r.commit(revisions("1", apps...)...)
		for _, app := range apps {
			r.pipeline(app, byECS(app))
		}
		event := r.commit(append(revisions("2", "webapp1", "service1"), "cluster1/webapp2/pipeline.yaml", "timeout: 10m", "slipway.yaml", "{}", "README.md", "hello")...)
		var first lambda.Result
		for delivery := range 3 {
			result, err := r.trigger(event)
			if err != nil || len(result.Started) != 2 || result.Started[0].App.Name != "service1" || result.Started[1].Pipeline != pipelineOf("webapp1") {
				t.Fatalf("delivery %d: %+v, %v", delivery, result, err)
			}
			if delivery == 0 {
				first = result
			} else if fmt.Sprint(result) != fmt.Sprint(first) {
				t.Errorf("delivery %d answers %v, the first one %v", delivery, result, first)
			}
			r.pass(5 * time.Second)
		}
		for app, want := range map[string]string{"webapp1": r.head, "service1": r.head, "webapp2": ""} {
			if got := strings.Join(r.started(app), " "); got != want {
				t.Errorf("%s was started at %q, want %q", app, got, want)
			}
		}
	})
}

// What an event cannot start is told, and starts nothing: neither what is of no
// concern, nor what was deleted.
func TestTriggerIgnores(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(revisions("1", "webapp1")...)
		first := r.head
		r.pipeline("webapp1", byECS("webapp1"))
		r.commit(revisions("2", "webapp1")...)
		for _, test := range []struct{ event, says string }{
			{event("other", "branch", "master", first, r.head), "repository other"},
			{event("deployment", "branch", "feature", first, r.head), "branch feature"},
			{event("deployment", "tag", "master", first, r.head), "tag master"},
			{event("deployment", "branch", "master", first, ""), "was deleted"},
		} {
			result, err := r.trigger(test.event)
			if err != nil || !strings.Contains(result.Ignored, test.says) {
				t.Errorf("%s: %+v, %v", test.says, result, err)
			}
		}
		path, _ := revision("webapp1", "")
		result, err := r.trigger(r.commit(path, "-"))
		if err != nil || names(result.Deleted) != "webapp1" || len(result.Started) != 0 {
			t.Errorf("deleted: %+v, %v", result, err)
		}
		if got := r.started("webapp1"); len(got) != 0 {
			t.Errorf("started at %v", got)
		}
		for _, bad := range []string{`[]`, `{}`, `{"detail-type": "Scheduled Event"}`} {
			if _, err := r.trigger(bad); err == nil {
				t.Errorf("%s was taken for something", bad)
			}
		}
	})
}

// One app's broken file or missing pipeline fails the call, which Lambda makes again,
// and holds up nobody. Once mended, only what is missing is started.
func TestTriggerFailsLoudly(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(revisions("1", "webapp1", "webapp2", "webapp3")...)
		r.pipeline("webapp1", byECS("webapp1"))
		r.pipeline("webapp2", byECS("webapp2"))
		event := r.commit(append(revisions("2", "webapp1", "webapp3"), "cluster1/webapp2/revision.json", `[{"name": "webapp2"}]`, "cluster1/a b/revision.json", "[]")...)
		for range 2 {
			result, err := r.trigger(event)
			if len(result.Started) != 1 || result.Started[0].App != webapp1 || err == nil {
				t.Fatalf("%+v, %v", result, err)
			}
			for _, part := range []string{
				"cluster1/webapp2 is not started: cluster1/webapp2/revision.json:1:2", "app cluster1/webapp3 has no pipeline: there is no " + pipelineOf("webapp3"),
				"cluster1/a b/revision.json", "rename the folder",
			} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v\ndoes not say %q", err, part)
				}
			}
		}
		if got := len(r.started("webapp1")) + 10*len(r.started("webapp2")); got != 1 {
			t.Errorf("started: %v and %v", r.started("webapp1"), r.started("webapp2"))
		}
		r.pipeline("webapp3", byECS("webapp3"))
		if result, err := r.trigger(event); len(result.Started) != 2 || err == nil || strings.Contains(err.Error(), "webapp3") {
			t.Errorf("once there is the pipeline: %+v, %v", result, err)
		}
		if got := len(r.started("webapp1")) + 10*len(r.started("webapp3")); got != 11 {
			t.Errorf("started: %v and %v", r.started("webapp1"), r.started("webapp3"))
		}
	})
}

// Throttled calls are made again within the invocation; where CodePipeline answers
// nothing at all, the next delivery starts what is missing.
func TestTriggerIsThrottled(t *testing.T) {
	inBubble(t, func(r *rig) {
		apps := []string{"app0", "app1", "app2", "app3", "app4"}
		r.commit(revisions("1", apps...)...)
		for _, app := range apps {
			r.pipeline(app, byECS(app))
		}
		asked := 0
		fault := awsjson.Throttled()
		r.w.Fault(func(operation string) *awsjson.Fault {
			if operation != "StartPipelineExecution" {
				return nil
			}
			if asked++; asked%4 == 0 { // every fourth is let through
				return nil
			}
			return fault
		})
		event := r.commit(revisions("2", apps...)...)
		if result, err := r.trigger(event); err != nil || len(result.Started) != 5 {
			t.Fatalf("%+v, %v", result, err)
		}
		// The answer is lost of some, and never comes of another.
		event = r.commit(revisions("3", apps...)...)
		asked = 0
		r.w.Fault(func(operation string) *awsjson.Fault {
			if operation != "StartPipelineExecution" {
				return nil
			}
			if asked++; asked == 1 || asked == 3 {
				return awsjson.Dropped(true)
			}
			return nil
		})
		if result, err := r.trigger(event); err != nil || len(result.Started) != 5 {
			t.Fatalf("%+v, %v", result, err)
		}
		r.w.Fault(nil)
		r.pass(time.Minute)
		for _, app := range apps {
			if got := r.started(app); len(got) != 2 || got[0] != r.head {
				t.Errorf("%s was started at %v", app, got)
			}
		}
	})
}

// Events come late and out of order. An old one starts only what no newer commit
// changes again.
func TestTriggerIsOvertaken(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(revisions("1", "webapp1", "webapp2")...)
		r.pipeline("webapp1", byECS("webapp1"))
		r.pipeline("webapp2", byECS("webapp2"))
		older := r.commit(revisions("2", "webapp1", "webapp2")...)
		at := r.head
		newer := r.commit(revisions("3", "webapp1")...)
		if _, err := r.trigger(newer); err != nil {
			t.Fatal(err)
		}
		result, err := r.trigger(older)
		if err != nil || names(result.Overtaken) != "webapp1" || len(result.Started) != 1 || result.Started[0].App.Name != "webapp2" {
			t.Errorf("%+v, %v", result, err)
		}
		r.pass(time.Minute)
		if got := r.started("webapp1"); !slices.Equal(got, []string{r.head}) {
			t.Errorf("webapp1 was started at %v", got)
		}
		if got := r.started("webapp2"); !slices.Equal(got, []string{at}) {
			t.Errorf("webapp2 was started at %v", got)
		}
	})
}

// Who conducts is what slipway.yaml says at the branch's head. Where it says nothing of
// anybody, CodePipeline does: the function would not be there otherwise.
func TestTriggerLeavesToTheBuiltinConductor(t *testing.T) {
	for _, test := range []struct{ name, settings, started, builtin string }{
		{"other settings", "defaults: {timeout: 10m}\nclusters: {cluster1: {region: eu-west-1}}", "webapp1 webapp2", ""},
		{"codepipeline", "conductor: codepipeline", "webapp1 webapp2", ""},
		{"builtin", "conductor: builtin", "", "webapp1 webapp2"},
		{"this folder's is builtin", "conductor: codepipeline\nclusters: {cluster1: {conductor: builtin}}", "", "webapp1 webapp2"},
		{"this folder's is codepipeline", "conductor: builtin\nclusters: {cluster1: {conductor: codepipeline}}", "webapp1 webapp2", ""},
		{"only of another folder", "clusters: {cluster2: {conductor: codepipeline}}", "", "webapp1 webapp2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.commit(append(revisions("1", "webapp1", "webapp2"), "slipway.yaml", test.settings)...)
				r.pipeline("webapp1", byECS("webapp1"))
				r.pipeline("webapp2", byECS("webapp2"))
				result, err := r.trigger(r.commit(revisions("2", "webapp1", "webapp2")...))
				var started []slipway.App
				for _, s := range result.Started {
					started = append(started, s.App)
				}
				if err != nil || names(started) != test.started || names(result.Builtin) != test.builtin {
					t.Errorf("%+v, %v", result, err)
				}
				if got := len(r.started("webapp1")); got != len(started)/2 {
					t.Errorf("webapp1 was started %d times", got)
				}
				if told := strings.Contains(r.log.String(), "leaves the app to the builtin conductor"); told != (test.builtin != "") {
					t.Errorf("logged: %t", told)
				}
			})
		})
	}
}

// slipway.yaml says what the pipelines are called, as for `slipway status`, before the
// function's own environment does.
func TestTriggerGoesByPipelineName(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(revisions("1", "webapp1")...)
		r.pipeline("webapp1", byECS("webapp1"))
		event := r.commit(append(revisions("2", "webapp1"), "slipway.yaml", "pipelineName: \"deployment-master-{cluster}-{app}\"")...)
		if result, err := r.trigger(event); err != nil || len(result.Started) != 1 || result.Started[0].Pipeline != pipelineOf("webapp1") {
			t.Errorf("%+v, %v", result, err)
		}
		event = r.commit(append(revisions("3", "webapp1"), "slipway.yaml", "pipelineName: \"{app}-of-{cluster}\"")...)
		result, err := r.trigger(event)
		if err == nil || len(result.Started) != 0 || !strings.Contains(err.Error(), "there is no webapp1-of-cluster1 in CodePipeline") {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// An event that comes once the conductor has changed goes by who it is now: else both
// would deploy, or nobody.
func TestTriggerWhileTheConductorChanges(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(append(revisions("1", "webapp1"), "slipway.yaml", "conductor: codepipeline")...)
		r.pipeline("webapp1", byECS("webapp1"))
		late := r.commit(revisions("2", "webapp1")...)
		r.commit("slipway.yaml", "conductor: builtin")
		if result, err := r.trigger(late); err != nil || len(result.Started) != 0 || names(result.Builtin) != "webapp1" {
			t.Errorf("from CodePipeline: %+v, %v", result, err)
		}
		late = r.commit(revisions("3", "webapp1")...)
		at := r.head
		r.commit("slipway.yaml", "conductor: codepipeline")
		if result, err := r.trigger(late); err != nil || len(result.Started) != 1 {
			t.Errorf("to CodePipeline: %+v, %v", result, err)
		}
		r.pass(time.Minute)
		if got := r.started("webapp1"); !slices.Equal(got, []string{at}) {
			t.Errorf("started at %v", got)
		}
	})
}

// A broken slipway.yaml may hide whose an app is: nothing is started, loudly, until it
// is mended.
func TestTriggerWithABrokenSlipwayYAML(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(revisions("1", "webapp1")...)
		r.pipeline("webapp1", byECS("webapp1"))
		event := r.commit(append(revisions("2", "webapp1"), "slipway.yaml", "conductor: code-pipeline")...)
		at := r.head
		alone := r.commit("slipway.yaml", "conductors: codepipeline")
		for _, event := range []string{event, alone} {
			result, err := r.trigger(event)
			if err == nil || len(result.Started) != 0 || !strings.Contains(err.Error(), "nothing is started: slipway.yaml:1:1") {
				t.Errorf("%+v, %v", result, err)
			}
		}
		if got := r.started("webapp1"); len(got) != 0 {
			t.Errorf("started at %v", got)
		}
		// Lambda delivers again.
		r.commit("slipway.yaml", "conductor: codepipeline")
		if result, err := r.trigger(event); err != nil || len(result.Started) != 1 {
			t.Errorf("mended: %+v, %v", result, err)
		}
		r.pass(time.Minute)
		if got := r.started("webapp1"); !slices.Equal(got, []string{at}) {
			t.Errorf("started at %v", got)
		}
	})
}

// A new branch is all of its apps. A force push is what differs, whatever the history.
func TestTriggerOfBranches(t *testing.T) {
	inBubble(t, func(r *rig) {
		event := r.commit(revisions("1", "webapp1", "webapp2")...)
		first := r.head
		r.pipeline("webapp1", byECS("webapp1"))
		r.pipeline("webapp2", byECS("webapp2"))
		if result, err := r.trigger(event); err != nil || len(result.Started) != 2 {
			t.Errorf("a new branch: %+v, %v", result, err)
		}
		r.commit(revisions("2", "webapp1")...)
		second := r.head
		// As a force push back to the first commit.
		event = r.commit(revisions("1", "webapp1")...)
		var in map[string]any
		_ = json.Unmarshal([]byte(event), &in)
		in["detail"].(map[string]any)["oldCommitId"] = second
		in["detail"].(map[string]any)["commitId"] = first
		forced, _ := json.Marshal(in)
		if result, err := r.trigger(string(forced)); err != nil || len(result.Started) != 1 || result.Started[0].App != webapp1 {
			t.Errorf("a force push: %+v, %v", result, err)
		}
	})
}

func TestSettings(t *testing.T) {
	for _, test := range []struct {
		repository, name string
		ok               bool
	}{
		{"deployment", "", true},
		{"", "", true},
		{"deployment", "{cluster}_{app}", true},
		{"deployment", "{repository}-{app}", false},
		{"deployment", "{cluster}", false},
	} {
		_, err := lambda.SettingsFrom(func(name string) string {
			return map[string]string{"SLIPWAY_REPOSITORY": test.repository, "SLIPWAY_PIPELINE_NAME": test.name}[name]
		})
		if (err == nil) != test.ok {
			t.Errorf("%q, %q: %v", test.repository, test.name, err)
		}
	}
}

// A V1 pipeline cannot be started at a commit: the push is told what is wanted, and the
// others are started.
func TestTriggerOfV1(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.commit(revisions("1", "webapp1", "webapp2")...)
		r.pipeline("webapp1", byECS("webapp1"))
		r.pipeline("webapp2", byECS("webapp2"))
		out, err := r.w.CodePipeline().GetPipeline(r.Context(), &codepipeline.GetPipelineInput{Name: aws.String(pipelineOf("webapp1"))})
		if err != nil {
			t.Fatal(err)
		}
		out.Pipeline.PipelineType, out.Pipeline.ExecutionMode = types.PipelineTypeV1, ""
		if _, err := r.w.CodePipeline().UpdatePipeline(r.Context(), &codepipeline.UpdatePipelineInput{Pipeline: out.Pipeline}); err != nil {
			t.Fatal(err)
		}
		result, err := r.trigger(r.commit(revisions("2", "webapp1", "webapp2")...))
		if len(result.Started) != 1 || result.Started[0].App.Name != "webapp2" {
			t.Errorf("started %+v", result.Started)
		}
		if err == nil || !strings.Contains(err.Error(), "cannot start the pipeline "+pipelineOf("webapp1")) || !strings.Contains(r.log.String(), "must be V2") {
			t.Errorf("%v; the log: %s", err, r.log)
		}
	})
}
