package lambda_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// active are the numbers of webapp1's ACTIVE task definitions.
func (r *rig) active() string {
	r.Helper()
	out, err := r.w.ECS().ListTaskDefinitions(r.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("webapp1"), Status: ecstypes.TaskDefinitionStatusActive})
	if err != nil {
		r.Fatal(err)
	}
	var all []string
	for _, arn := range out.TaskDefinitionArns {
		all = append(all, arn[strings.LastIndex(arn, ":")+1:])
	}
	return strings.Join(all, " ")
}

// deployed deploys some versions, each of which has to go well.
func (r *rig) deployed(tags ...string) {
	r.Helper()
	for _, tag := range tags {
		if status, text := r.ends(r.deploy(tag)); status != types.PipelineExecutionStatusSucceeded || !strings.HasPrefix(text, "deployed") {
			r.Fatalf("%s: %s: %s", tag, status, text)
		}
		r.pass(time.Minute) // what comes behind the job's answer
	}
}

// Where pipeline.yaml says so, only the newest of what the function registered stays.
func TestKeep(t *testing.T) {
	inBubble(t, func(r *rig) {
		service := r.ready() // webapp1:1, which the function did not register
		r.deployed("2.0.0", "3.0.0", "4.0.0")
		if got := r.active(); got != "1 2 3 4" {
			t.Fatalf("without keep: %s", got)
		}
		r.commit("cluster1/webapp1/pipeline.yaml", "keep: 2")
		r.deployed("5.0.0")
		if got := r.active(); got != "1 4 5" {
			t.Errorf("with keep: %s", got)
		}
		// What fails leaves all as it was.
		if status, text := r.ends(r.deploy("6.0.0-crash")); status != types.PipelineExecutionStatusFailed {
			t.Errorf("%s: %s", status, text)
		}
		r.pass(time.Minute)
		if got := r.active(); got != "1 4 5 6" {
			t.Errorf("after a failure: %s", got)
		}
		if got := running(service); got != "webapp1:5" {
			t.Errorf("%s runs", got)
		}
	})
}

// What cannot be deregistered, or takes too long, is told, changes no outcome, and is
// left to the next deployment.
func TestKeepThatFails(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.ready()
		r.commit("cluster1/webapp1/pipeline.yaml", "keep: 1")
		fault := &awsjson.Fault{Err: &awsjson.Error{Code: "AccessDeniedException", Message: "not authorized to perform: ecs:DeregisterTaskDefinition"}}
		r.w.Fault(func(operation string) *awsjson.Fault {
			if operation != "DeregisterTaskDefinition" {
				return nil
			}
			return fault
		})
		r.deployed("2.0.0", "3.0.0", "4.0.0")
		fault = &awsjson.Fault{Delay: time.Minute}
		r.deployed("5.0.0")
		if got, want := r.active(), "1 2 3 4 5"; got != want {
			t.Errorf("registered are %s, want %s", got, want)
		}
		for _, says := range []string{"ecs:DeregisterTaskDefinition", "deadline"} {
			told := slices.ContainsFunc(strings.Split(r.log.String(), "\n"), func(line string) bool {
				return strings.Contains(line, "old task definitions stay registered") && strings.Contains(line, says)
			})
			if !told {
				t.Errorf("no record of %q", says)
			}
		}
		r.w.Fault(nil)
		r.deployed("6.0.0")
		if got, want := r.active(), "1 5 6"; got != want {
			t.Errorf("registered are %s, want %s", got, want)
		}
	})
}
