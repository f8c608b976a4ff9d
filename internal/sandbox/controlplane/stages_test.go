package controlplane

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

// tell is a way in words: stages with the shares from there on and bake times.
func tell(steps []step) string {
	var told []string
	for _, s := range steps {
		words := strings.ToLower(string(s.Stage))
		if s.Test != nil {
			words += fmt.Sprintf(" test %v", *s.Test)
		}
		if s.Production != nil {
			words += fmt.Sprintf(" %v", *s.Production)
		}
		if s.Least > 0 {
			words += fmt.Sprintf(" (%d min)", int(s.Least.Minutes()))
		}
		told = append(told, words)
	}
	return strings.Join(told, ", ")
}

// TestSteps has the order of the stages.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
func TestSteps(t *testing.T) {
	const up = "pre_scale_up, scale_up, post_scale_up, test_traffic_shift test 100, post_test_traffic_shift, "
	canary := func(percent float64) *types.DeploymentConfiguration {
		return mergeConfiguration(nil, &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(7), CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(percent)},
		})
	}
	linear := func(percent float64) *types.DeploymentConfiguration {
		return mergeConfiguration(nil, &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyLinear, LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(percent), StepBakeTimeInMinutes: aws.Int32(2)},
		})
	}
	blueGreen := mergeConfiguration(nil, &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(5)})
	for name, c := range map[string]struct {
		plot plot
		want string
	}{
		"rolling, which has a hook": {plot{config: mergeConfiguration(nil, nil)}, "pre_scale_up"},
		"blue/green": {plot{config: blueGreen}, up +
			"pre_production_traffic_shift, production_traffic_shift 100, post_production_traffic_shift, bake_time (5 min), clean_up"},
		"a service's first": {plot{config: canary(5), first: true}, up +
			"pre_production_traffic_shift, production_traffic_shift 100, post_production_traffic_shift, clean_up"},
		"several revisions": {plot{config: blueGreen, several: true}, "reconcile_service test 0 0, " + up +
			"pre_production_traffic_shift, production_traffic_shift 100, post_production_traffic_shift, bake_time (5 min), clean_up"},
		"canary": {plot{config: canary(0.1)}, up +
			"pre_production_traffic_shift, production_traffic_shift 0.1 (10 min), pre_production_traffic_shift, production_traffic_shift 100, post_production_traffic_shift, bake_time (7 min), clean_up"},
		"canary of all": {plot{config: canary(100)}, up +
			"pre_production_traffic_shift, production_traffic_shift 100, post_production_traffic_shift, bake_time (7 min), clean_up"},
		"linear, behind a Network Load Balancer": {plot{config: linear(33.3), shiftTime: networkShift}, strings.Replace(up, "test 100", "test 100 (10 min)", 1) +
			"pre_production_traffic_shift, production_traffic_shift 33.3 (12 min), pre_production_traffic_shift, production_traffic_shift 66.6 (12 min), " +
			"pre_production_traffic_shift, production_traffic_shift 99.9 (12 min), pre_production_traffic_shift, production_traffic_shift 100 (10 min), " +
			"post_production_traffic_shift, bake_time, clean_up"},
	} {
		if diff := cmp.Diff(c.want, tell(stepsOf(c.plot))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff("scale_up, production_traffic_shift 0, test_traffic_shift test 0, clean_up", tell(stepsBack(0))); diff != "" {
		t.Errorf("the way back (-want +got):\n%s", diff)
	}
}

// TestLinearSteps: three percent are 34 steps, and no rounding adds one.
func TestLinearSteps(t *testing.T) {
	for percent, want := range map[float64]int{3: 34, 3.1: 33, 10: 10, 12.5: 8, 33.4: 3, 50: 2, 60: 2, 100: 1} {
		weights, _ := increments(&types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyLinear, LinearConfiguration: &types.LinearConfiguration{StepPercent: &percent},
		})
		if len(weights) != want || weights[len(weights)-1] != 100 {
			t.Errorf("%v %%: the steps %v", percent, weights)
		}
	}
}

func TestJudgeStep(t *testing.T) {
	for _, c := range []struct {
		name  string
		step  step
		sight sight
		want  verdict
	}{
		{"nothing to wait for", step{Stage: stagePostScaleUp}, sight{}, onward},
		{"a hook is not over", step{Stage: stagePostScaleUp}, sight{waiting: true}, stay},
		{"a hook refuses, another is not over", step{Stage: stagePostScaleUp}, sight{waiting: true, refusal: "no"}, back},
		{"it bakes", step{Stage: stageBake, Least: time.Hour}, sight{elapsed: time.Hour - 1}, stay},
		{"it has baked", step{Stage: stageBake, Least: time.Hour}, sight{elapsed: time.Hour}, onward},
		{"it has baked, and a hook goes on", step{Stage: stageProduction, Least: time.Hour}, sight{elapsed: time.Hour, waiting: true}, stay},
		{"tasks come up", step{Stage: stageScaleUp}, sight{elapsed: time.Hour}, stay},
		{"tasks are up", step{Stage: stageScaleUp}, sight{ready: true}, onward},
		{"tasks do not come up in a day", step{Stage: stageScaleUp}, sight{elapsed: 24 * time.Hour}, back},
		{"others are still there", step{Stage: stageReconcile}, sight{strays: true}, stay},
		{"others are still there, later", step{Stage: stagePostScaleUp}, sight{strays: true}, onward},
		{"the last one is over with the deployment", step{Stage: stageCleanUp}, sight{elapsed: 48 * time.Hour, ready: true}, stay},
	} {
		if got, reason := c.step.judge(c.sight); got != c.want || (got == back) != (reason != "") {
			t.Errorf("%s: %d %q, want %d", c.name, got, reason, c.want)
		}
	}
}
