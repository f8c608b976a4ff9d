package controlplane_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// TestLag has reads be late, and the answers of writes not.
func TestLag(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t)
		s := w.Service("cluster1", "service1")
		w.Lag(30 * time.Second)
		before := s.Describe()
		arn := s.Deploy("registry.example.com/service1:2.0.0")
		began := time.Now()
		same(t, "at once", *before.TaskDefinition, *s.Describe().TaskDefinition)
		same(t, "deployments at once", 1, len(s.Describe().Deployments))
		sleep(29 * time.Second)
		same(t, "after 29 s", *before.TaskDefinition, *s.Describe().TaskDefinition)
		same(t, "service deployments after 29 s", []string{"SUCCESSFUL"}, statuses(t, w, s))
		sleep(2 * time.Second)
		same(t, "after 31 s", arn, *s.Describe().TaskDefinition)
		same(t, "service deployments after 31 s", []string{"SUCCESSFUL"}, statuses(t, w, s))
		sleep(10 * time.Second)
		same(t, "service deployments after 41 s", []string{"IN_PROGRESS", "SUCCESSFUL"}, statuses(t, w, s))
		s.Settle()
		lagging := time.Since(began)
		w.Lag(0)
		same(t, "deployments without lag", 1, len(s.Describe().Deployments))
		if lagging < 2*time.Minute {
			t.Errorf("settled after %s", lagging)
		}
		up := s.Update(func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true })
		same(t, "deployments that UpdateService answers with", 2, len(up.Deployments))
	})
}

// TestRates throttles as ECS does: a burst, then the sustained rate, for each
// group of actions by itself.
func TestRates(t *testing.T) {
	inBubble("", t, func(t *testing.T) {
		w := sandboxtest.New(t, sandboxtest.Rates(1))
		s := w.Service("cluster1", "service1") // the world's own calls are free
		client := ecs.NewFromConfig(w.Config(), func(o *ecs.Options) { o.RetryMaxAttempts = 1 })
		served := func(n int, call func() error) int {
			t.Helper()
			ok := 0
			for range n {
				err := call()
				if err == nil {
					ok++
					continue
				}
				api, _ := errors.AsType[smithy.APIError](err)
				if api == nil {
					t.Fatal(err)
				}
				same(t, "error", "ThrottlingException: Rate exceeded", fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage()))
			}
			return ok
		}
		update := func() error {
			_, err := client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: &s.Cluster, Service: &s.Name})
			return err
		}
		describe := func() error {
			_, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &s.Cluster, Services: []string{s.Name}})
			return err
		}
		same(t, "updates of a burst", 50, served(60, update))
		same(t, "reads beside them", 100, served(120, describe))
		sleep(2 * time.Second)
		same(t, "updates after two seconds", 10, served(20, update))
		same(t, "reads after two seconds", 40, served(50, describe))
		if err := errors.Join(func() error { _, err := client.ListClusters(t.Context(), &ecs.ListClustersInput{}); return err }()); err != nil {
			t.Error(err)
		}
	})
}
