package controller_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/api"
	"github.com/slipway-cd/slipway/internal/controller"
	"github.com/slipway-cd/slipway/internal/deployrepo"
	"github.com/slipway-cd/slipway/internal/sandbox"
	"github.com/slipway-cd/slipway/internal/store"
	"github.com/slipway-cd/slipway/internal/target"
)

// From a push that has landed on the sandbox's git server to the first call that
// writes to ECS, and from there to the end: the embedded system, with real git,
// a database on disk and HTTP to ECS. p50 of the first is what the README
// promises.
func BenchmarkPushToFirstWrite(b *testing.B) {
	ctx := b.Context()
	world, err := sandbox.New(ctx, sandbox.Options{Dir: filepath.Join(b.TempDir(), "sandbox"), TimeScale: 1000})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = world.Close() })
	log := slog.New(slog.DiscardHandler)
	repository, err := deployrepo.Open(ctx, deployrepo.Options{URL: world.RepositoryPath(), Logger: log})
	if err != nil {
		b.Fatal(err)
	}
	c, err := controller.Open(ctx, controller.Options{
		Repository: repository, Database: store.Database{Address: "sqlite:" + filepath.Join(b.TempDir(), "slipway.db")}, Interval: time.Hour, Logger: log,
		Target: target.New(target.Options{Logger: log, Config: func(context.Context, string) (aws.Config, error) {
			return aws.Config{
				Region: "eu-west-1", BaseEndpoint: aws.String(world.Endpoints().AWS),
				Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
			}, nil
		}}),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if err := c.Backend().Refresh(ctx); err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	var landed time.Time
	world.OnPush(func() {
		mu.Lock()
		landed = time.Now()
		mu.Unlock()
		c.Notify(slipway.TriggerPush)
	})
	writer, err := deployrepo.Open(ctx, deployrepo.Options{URL: world.Endpoints().Repository, MirrorDir: filepath.Join(b.TempDir(), "mirror"), Logger: log})
	if err != nil {
		b.Fatal(err)
	}
	app := slipway.App{Cluster: "cluster1", Name: "service1"}
	var toFirstWrite []time.Duration
	for i := 0; b.Loop(); i++ {
		image := fmt.Sprintf("111122223333.dkr.ecr.eu-west-1.amazonaws.com/service1:2.0.%d", i)
		written, err := writer.SetImages(ctx, app, map[string]string{"": image}, deployrepo.WriteOptions{Author: "Ada <ada@example.com>"})
		if err != nil {
			b.Fatal(err)
		}
		execution := ended(b, c.Backend(), app, written.Commit)
		if execution.Outcome != slipway.OutcomeDeployed {
			b.Fatalf("%s: %s", execution.Outcome, execution.Reason)
		}
		mu.Lock()
		toFirstWrite = append(toFirstWrite, execution.Deployment.FirstWriteAt.Sub(landed))
		mu.Unlock()
	}
	slices.Sort(toFirstWrite)
	b.ReportMetric(float64(toFirstWrite[len(toFirstWrite)/2].Microseconds())/1000, "ms-to-first-write-p50")
}

// ended waits for the end of a commit's execution.
func ended(b *testing.B, backend api.Backend, app slipway.App, commit string) slipway.Execution {
	b.Helper()
	for {
		found, err := backend.Executions(b.Context(), api.ExecutionQuery{App: &app, Commit: commit, Limit: 1})
		if err != nil {
			b.Fatal(err)
		}
		if len(found) == 1 && found[0].Status.Ended() {
			return found[0]
		}
		select {
		case <-b.Context().Done():
			b.Fatal(b.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
