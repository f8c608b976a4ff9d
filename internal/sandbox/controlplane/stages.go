package controlplane

import (
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// stage is a lifecycle stage of a service deployment. The SDK knows those of
// deployments and those of hooks apart, and PRE_PRODUCTION_TRAFFIC_SHIFT only
// among the latter; here they are one.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
type stage string

const (
	stageReconcile      stage = "RECONCILE_SERVICE"
	stagePreScaleUp     stage = "PRE_SCALE_UP"
	stageScaleUp        stage = "SCALE_UP"
	stagePostScaleUp    stage = "POST_SCALE_UP"
	stageTestShift      stage = "TEST_TRAFFIC_SHIFT"
	stagePostTestShift  stage = "POST_TEST_TRAFFIC_SHIFT"
	stagePreProduction  stage = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	stageProduction     stage = "PRODUCTION_TRAFFIC_SHIFT"
	stagePostProduction stage = "POST_PRODUCTION_TRAFFIC_SHIFT"
	stageBake           stage = "BAKE_TIME"
	stageCleanUp        stage = "CLEAN_UP"
)

// step is a stage on the way of a service deployment. Linear and canary
// deployments pass the production shift once for each increment.
type step struct {
	Stage stage
	// Production and Test are the green revision's share of the traffic in percent
	// from this step on; nil leaves it.
	Production, Test *float64 `json:",omitempty"`
	// Least is how long the step takes: a bake time. That of an increment is
	// spent in its production shift (ours: AWS does not say in which stage).
	Least time.Duration `json:",omitempty"`
}

// plot is what the way of a service deployment depends on.
type plot struct {
	config *types.DeploymentConfiguration
	// first: there is no blue revision, so nothing to shift from or to bake
	// beside (ours).
	first bool
	// several: more than one revision was ACTIVE when it began.
	several bool
	// shiftTime is what a shift takes beyond the change itself.
	shiftTime time.Duration
}

// stepsOf is the way of a service deployment, by its strategy. A rolling one has
// no stages, but ECS was seen to call a hook at PRE_SCALE_UP, and at no other.
func stepsOf(p plot) []step {
	if !native(p.config) {
		return []step{{Stage: stagePreScaleUp}}
	}
	var steps []step
	if p.several {
		steps = append(steps, step{Stage: stageReconcile, Production: aws.Float64(0), Test: aws.Float64(0)})
	}
	steps = append(steps,
		step{Stage: stagePreScaleUp}, step{Stage: stageScaleUp}, step{Stage: stagePostScaleUp},
		step{Stage: stageTestShift, Test: aws.Float64(100), Least: p.shiftTime}, step{Stage: stagePostTestShift})
	weights, bake := increments(p.config)
	if p.first {
		weights = []float64{100}
	}
	for _, weight := range weights {
		shift := step{Stage: stageProduction, Production: aws.Float64(weight), Least: p.shiftTime}
		if weight < 100 {
			shift.Least += bake
		}
		steps = append(steps, step{Stage: stagePreProduction}, shift)
	}
	steps = append(steps, step{Stage: stagePostProduction})
	if !p.first {
		steps = append(steps, step{Stage: stageBake, Least: minutes(p.config.BakeTimeInMinutes)})
	}
	return append(steps, step{Stage: stageCleanUp})
}

// stepsBack is the way of a rollback: what runs the traffic again must be all
// there, then the traffic returns, and the hooks of both shifts are called again.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
func stepsBack(shiftTime time.Duration) []step {
	return []step{
		{Stage: stageScaleUp},
		{Stage: stageProduction, Production: aws.Float64(0), Least: shiftTime},
		{Stage: stageTestShift, Test: aws.Float64(0)},
		{Stage: stageCleanUp},
	}
}

// increments are the green revision's shares of production traffic, one after
// the other, and how long to bake between them.
func increments(config *types.DeploymentConfiguration) (weights []float64, bake time.Duration) {
	switch config.Strategy {
	case types.DeploymentStrategyCanary:
		if canary := *config.CanaryConfiguration.CanaryPercent; canary < 100 {
			weights = append(weights, canary)
		}
		bake = minutes(config.CanaryConfiguration.CanaryBakeTimeInMinutes)
	case types.DeploymentStrategyLinear:
		// In tenths, so that the sums are exact.
		by := math.Round(*config.LinearConfiguration.StepPercent * 10)
		for share := by; share < 1000; share += by {
			weights = append(weights, share/10)
		}
		bake = minutes(config.LinearConfiguration.StepBakeTimeInMinutes)
	default: // all at once
	}
	return append(weights, 100), bake
}

// native says whether the strategy is one with stages, and not rolling.
func native(config *types.DeploymentConfiguration) bool {
	return config.Strategy != types.DeploymentStrategyRolling
}

// minutes is a member in minutes as a duration.
func minutes(member *int32) time.Duration {
	return time.Duration(aws.ToInt32(member)) * time.Minute
}

// sight is what decides whether a step is over.
type sight struct {
	elapsed time.Duration // since it began
	// waiting: a hook of it has not come to its end; refusal is why one of them
	// wants the deployment rolled back.
	waiting bool
	refusal string
	// ready: all tasks of the primary deployment are healthy.
	ready bool
	// strays: there are tasks of revisions that are neither blue nor green.
	strays bool
}

// verdict is what becomes of a step.
type verdict int

const (
	stay verdict = iota
	onward
	back
)

// judge says what becomes of a step, and why when it is not well. The last one,
// CLEAN_UP, is over with the deployment.
func (s step) judge(v sight) (verdict, string) {
	switch {
	case v.refusal != "":
		return back, v.refusal
	case s.Stage == stageScaleUp && v.elapsed >= stageMost:
		return back, reasonStageTooLong
	case v.waiting, v.elapsed < s.Least,
		s.Stage == stageReconcile && v.strays,
		s.Stage == stageScaleUp && !v.ready,
		s.Stage == stageCleanUp:
		return stay, ""
	default:
		return onward, ""
	}
}
