package target

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestKindIsFound: what kind of app it is, is written down with the first step; for
// a service that costs no call more than the step itself.
func TestKindIsFound(t *testing.T) {
	in(t, func(t *testing.T, w *sandboxtest.World, _ *ECS) {
		a := New(Options{Config: func(context.Context, string) (aws.Config, error) { return w.Config(), nil }})
		w.Service("cluster1", "webapp1")
		next, err := a.Advance(t.Context(), deployment("registry.example.com/webapp1:2.0.0"))
		if err != nil || next.Place.Kind != slipway.KindService || next.Phase != slipway.PhasePrepared {
			t.Fatalf("got %+v, %v", next, err)
		}
		if diff := cmp.Diff([]string{"DescribeServices", "DescribeTaskDefinition"}, w.Calls().Operations()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}

		w.Service("cluster1", "webapp2", sandboxtest.ByCodeDeploy())
		d := deployment("registry.example.com/webapp2:2.0.0")
		d.Place.Service, d.Images[0].Container = "webapp2", "webapp2"
		next, err = a.Advance(t.Context(), d)
		if err != nil || next.Place.Kind != slipway.KindCodeDeploy {
			t.Errorf("got %+v, %v", next.Place, err)
		}

		d.Place.Service = "nothing"
		next, err = a.Advance(t.Context(), d)
		checkError(t, err, slipway.NextPerson, "create the service", "there is no service nothing in cluster cluster1")
		if diff := cmp.Diff(d, next); diff != "" {
			t.Errorf("an error changed the deployment (-want +got):\n%s", diff)
		}

		// A deployment of a build that knew one kind only goes on as that.
		d = deployment("registry.example.com/webapp1:2.0.0")
		d.Phase, d.ID, d.Base, d.TaskDefinition = slipway.PhaseStarted, "ecs-svc/1", "a", "b"
		if _, ok := a.of(d).(*ECS); !ok {
			t.Errorf("it goes on as %T", a.of(d))
		}
	})
}
