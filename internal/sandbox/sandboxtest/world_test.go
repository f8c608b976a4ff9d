package sandboxtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestOutsideBubble deploys in real time, a thousand times as fast as AWS.
func TestOutsideBubble(t *testing.T) {
	w := sandboxtest.New(t, sandboxtest.TimeScale(1000))
	s := w.Service("cluster1", "webapp1", sandboxtest.LoadBalanced(), sandboxtest.DesiredCount(2))
	arn := s.Deploy("registry.example.com/webapp1:2.0.0")
	d := s.Settle()
	if *d.TaskDefinition != arn || d.RunningCount != 2 || len(d.Deployments) != 1 {
		t.Errorf("%d of %s in %d deployments", d.RunningCount, *d.TaskDefinition, len(d.Deployments))
	}
}

func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		if calls := w.Calls(); len(calls) != 0 {
			t.Errorf("the World's own calls are recorded: %v", calls.Operations())
		}
		w.FaultOnce("UpdateService", awsjson.Throttled())
		client, ctx := w.ECS(), t.Context()
		if _, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &s.Cluster, Services: []string{s.Name}}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &s.Cluster, Service: &s.Name, DesiredCount: aws.Int32(2)}); err != nil {
			t.Fatal(err)
		}
		calls := w.Calls()
		if diff := cmp.Diff([]string{"DescribeServices", "UpdateService", "UpdateService"}, calls.Operations()); diff != "" {
			t.Errorf("calls, with the SDK's retry (-want +got):\n%s", diff)
		}
		if n := len(calls.Writes()); n != 2 || calls.Count("UpdateService") != 2 {
			t.Errorf("%d writes", n)
		}
		if body := string(w.RawBodies("UpdateService")[1]); !strings.Contains(body, `"desiredCount":2`) {
			t.Errorf("body %s", body)
		}
		w.ForgetCalls()
		if n := len(w.Calls()); n != 0 {
			t.Errorf("%d calls remembered", n)
		}
	})
}

// TestLostAnswers: the client cannot tell whether its call had an effect.
func TestLostAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		once := func(o *ecs.Options) { o.RetryMaxAttempts = 1 }
		update := func(desired int32) error {
			_, err := w.ECS().UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: &s.Cluster, Service: &s.Name, DesiredCount: &desired}, once)
			return err
		}
		for _, c := range []struct {
			fault *awsjson.Fault
			after int32
		}{{awsjson.Dropped(false), 1}, {awsjson.Dropped(true), 2}} {
			w.FaultOnce("UpdateService", c.fault)
			err := update(2)
			if _, answered := errors.AsType[smithy.APIError](err); err == nil || answered {
				t.Errorf("%+v: error %v", c.fault, err)
			}
			if got := s.Describe().DesiredCount; got != c.after {
				t.Errorf("%+v: desired %d, want %d", c.fault, got, c.after)
			}
		}
		w.Fault(func(string) *awsjson.Fault { return awsjson.Unavailable() })
		if err := update(3); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("error %v", err)
		}
		w.Fault(nil)
		if err := update(3); err != nil {
			t.Error(err)
		}
	})
}

func TestSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		w.Fault(func(string) *awsjson.Fault { return &awsjson.Fault{Delay: time.Minute} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.ECS().ListClusters(ctx, &ecs.ListClustersInput{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if _, err := w.ECS().ListClusters(t.Context(), &ecs.ListClustersInput{}); err != nil {
			t.Error(err)
		}
	})
}

func TestServiceOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1", sandboxtest.Image("registry.example.com/other:7"), sandboxtest.Percentages(50, 150),
			sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) { in.Family = aws.String("family1") }),
			sandboxtest.Create(func(in *ecs.CreateServiceInput) {
				in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
			}))
		if !strings.HasSuffix(s.TaskDefinition, "/family1:1") || s.TargetGroup != "" {
			t.Errorf("%+v", s)
		}
		d := s.Describe()
		if *d.DeploymentConfiguration.MinimumHealthyPercent != 50 || *d.DeploymentConfiguration.MaximumPercent != 150 || *d.Tags[0].Key != "a" {
			t.Errorf("%+v", d.DeploymentConfiguration)
		}
		if image := *s.Tasks()[0].Containers[0].Image; image != "registry.example.com/other:7" {
			t.Errorf("image %s", image)
		}
	})
}
