package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"
	"modernc.org/sqlite"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/engine"
	"github.com/slipway-cd/slipway/internal/pipeline"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
	"github.com/slipway-cd/slipway/internal/steps/stepstest"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
	"github.com/slipway-cd/slipway/internal/target"
)

// The variables by which a test tells its child process what to do.
const (
	childDatabase  = "SLIPWAY_TEST_DATABASE"
	childEndpoint  = "SLIPWAY_TEST_ENDPOINT"
	childExecution = "SLIPWAY_TEST_EXECUTION" // the id
	childApp       = "SLIPWAY_TEST_APP"
	childImage     = "SLIPWAY_TEST_IMAGE"
	// childKill is when to die: "commit 7", "before RegisterTaskDefinition 1",
	// "behind UpdateService 2"; the number counts from 1. Empty is never.
	childKill = "SLIPWAY_TEST_KILL"
)

// TestMain makes the test binary its own child process.
func TestMain(m *testing.M) {
	if os.Getenv(childDatabase) == "" {
		os.Exit(postgrestest.Run(m))
	}
	killer, err := newKiller(os.Getenv(childKill))
	if err == nil {
		err = conduct(context.Background(), os.Getenv(childDatabase), os.Getenv(childEndpoint),
			submission(os.Getenv(childExecution), os.Getenv(childApp), os.Getenv(childImage)), killer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// submission is the execution of an image.
func submission(id, app, image string) slipway.Execution {
	var of slipway.App
	_ = of.UnmarshalText([]byte(app))
	return slipway.Execution{
		ID: id, CreatedAt: time.Now(), Pipeline: slipway.DefaultPipeline(of),
		Revision: slipway.Revision{App: of, Commit: "c0ffee", Blob: image, Images: []slipway.Image{{Container: of.Name, URI: image}}},
		Trigger:  slipway.Trigger{Kind: slipway.TriggerPush, At: time.Now()},
	}
}

// conduct opens an engine on a database and an ECS, submits e unless that was
// done before, and waits for its end.
func conduct(ctx context.Context, path, endpoint string, e slipway.Execution, killer *killer) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	s, err := inFile(path).Open(ctx)
	if err != nil {
		return err
	}
	run, err := engine.Open(ctx, engine.Options{
		SQLite: s.SQLite(), Postgres: s.Postgres(), Store: s, Queue: s, Source: &stepstest.Cloud{}, Logger: slog.New(slog.DiscardHandler),
		Target: target.New(target.Options{
			HTTPClient: &http.Client{Transport: killer},
			Config: func(context.Context, string) (aws.Config, error) {
				return aws.Config{
					Region: sandboxtest.Region, BaseEndpoint: aws.String(endpoint),
					Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
				}, nil
			},
		}),
	})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	wait := func() error {
		if _, err := s.Execution(ctx, e.ID); slipway.NextOf(err) == slipway.NextUsage {
			if err := run.Submit(ctx, pipeline.Submission{Executions: []slipway.Execution{e}, At: time.Now()}); err != nil {
				return err
			}
		}
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			if e, err := s.Execution(ctx, e.ID); err != nil || e.Status.Ended() {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return errors.Join(wait(), run.Close(), s.Close())
}

// killer kills its own process as kill -9 does: before the commit of a certain
// transaction that changed something, or before or behind a certain call to AWS.
// It is the client's transport.
type killer struct {
	at      string // "commit", "before X", "behind X", or empty
	n       int64
	commits atomic.Int64
	calls   atomic.Int64
}

func newKiller(when string) (*killer, error) {
	k := &killer{}
	if when != "" {
		at, n, _ := strings.Cut(when, " ")
		if at != "commit" {
			operation, count, _ := strings.Cut(n, " ")
			at, n = at+" "+operation, count
		}
		var err error
		if k.n, err = strconv.ParseInt(n, 10, 64); err != nil {
			return nil, fmt.Errorf("kill at %q: %w", when, err)
		}
		k.at = at
	}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		changed := false
		hooks := conn.(sqlite.HookRegisterer)
		hooks.RegisterPreUpdateHook(func(sqlite.SQLitePreUpdateData) { changed = true })
		hooks.RegisterCommitHook(func() int32 {
			if changed && k.commits.Add(1) == k.n && k.at == "commit" {
				k.kill()
			}
			changed = false
			return 0
		})
		hooks.RegisterRollbackHook(func() { changed = false })
		return nil
	})
	return k, nil
}

// RoundTrip makes the call; its answer arrives, and dies with us.
func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	here := false
	if strings.HasSuffix(k.at, " "+operation) {
		here = k.calls.Add(1) == k.n
	}
	if here && strings.HasPrefix(k.at, "before") {
		k.kill()
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if here {
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
		}
		k.kill()
	}
	return response, err
}

func (k *killer) kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until the signal is delivered
}

// TestKill9 runs an execution in a process of its own that dies at one point,
// and goes on with it here: the end is the same wherever it died, one task
// definition is registered, and each update of the service is made once.
func TestKill9(t *testing.T) {
	t.Parallel()
	w := sandboxtest.New(t, sandboxtest.TimeScale(100))
	// A task is healthy when its check says so, sooner than after 40 s of running.
	checked := sandboxtest.Definition(func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "true"}}
	})
	transport := w.Config().HTTPClient.(*http.Client).Transport
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		response, err := transport.RoundTrip(r)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = response.Body.Close() }()
		for key, values := range response.Header {
			rw.Header()[key] = values
		}
		rw.WriteHeader(response.StatusCode)
		_, _ = io.Copy(rw, response.Body)
	}))
	t.Cleanup(server.Close)

	for _, story := range []struct {
		name, tag   string
		options     []sandboxtest.ServiceOption
		outcome     slipway.Outcome
		updates     int
		first, last int // the commits before which it dies; the last one is never made
		calls       []string
	}{
		{
			name: "putback", tag: "2.0.0-crash", options: []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(false)},
			outcome: slipway.OutcomeRolledBack, updates: 2, first: 1, last: 34,
			calls: []string{"RegisterTaskDefinition 1", "UpdateService 1", "UpdateService 2"},
		},
		// It begins like the other one.
		{name: "deployed", tag: "2.0.0", outcome: slipway.OutcomeDeployed, updates: 1, first: 16, last: 25},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			// once runs one execution that is killed at a point, once or again, and
			// reports whether it was.
			once := func(app slipway.App, kill string, again bool) bool {
				image := "registry.example.com/" + app.Name + ":" + story.tag
				s := w.Service(app.Cluster, app.Name, append(story.options, checked)...)
				path, id := database(t), engine.NewID()
				killed := child(t, path, server.URL, id, app, image, kill)
				if killed && again { // at the same point of what is left
					child(t, path, server.URL, id, app, image, kill)
				}
				if err := conduct(t.Context(), path, server.URL, submission(id, app.String(), image), &killer{}); err != nil {
					t.Errorf("killed at %s: %v", kill, err)
				}
				check(t, w, s, path, id, kill, story.outcome, story.updates)
				return killed
			}
			points := []string{}
			for n := story.first; n <= story.last; n++ {
				points = append(points, fmt.Sprintf("commit %d", n))
			}
			for _, call := range story.calls {
				points = append(points, "before "+call, "behind "+call)
			}
			killed := make([]bool, len(points))
			var group errgroup.Group
			group.SetLimit(24)
			for i, point := range points {
				group.Go(func() error {
					killed[i] = once(slipway.App{Cluster: "cluster1", Name: fmt.Sprintf("%s%d", story.name, i)}, point, i%8 == 7)
					return nil
				})
			}
			_ = group.Wait()
			commits := story.last - story.first + 1
			if !killed[0] || killed[commits-1] || slices.Contains(killed[commits:], false) {
				t.Errorf("it died where it should not, or did not where it should: %v", killed)
			}
		})
	}
}

// child runs an execution in a child process and reports whether that was killed.
func child(t *testing.T, path, endpoint, id string, app slipway.App, image, kill string) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), childDatabase+"="+path, childEndpoint+"="+endpoint, childExecution+"="+id,
		childApp+"="+app.String(), childImage+"="+image, childKill+"="+kill)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	err = command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		t.Errorf("child to be killed at %s: %v\n%s", kill, err, stderr.String())
	}
	return false
}

// check compares what became of an execution, in the database and in AWS.
func check(t *testing.T, w *sandboxtest.World, s *sandboxtest.Service, path, id, kill string, outcome slipway.Outcome, updates int) {
	t.Helper()
	database, err := inFile(path).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	e, err := database.Execution(t.Context(), id)
	if err != nil {
		t.Errorf("killed at %s: %v", kill, err)
		return
	}
	if e.Outcome != outcome {
		t.Errorf("killed at %s: it ended as %s; deployment %+v, seen %+v", kill, stepstest.Ended(e), e.Deployment, e.Observation)
		for _, d := range s.Describe().Deployments {
			t.Errorf("ECS has %s: %s, %s, %d of %d tasks running", *d.Id, *d.Status, *d.RolloutStateReason, d.RunningCount, d.DesiredCount)
		}
		return
	}
	client := w.ECS()
	listed, err := client.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(s.Name), Sort: types.SortOrderDesc})
	if err != nil || len(listed.TaskDefinitionArns) != 2 {
		t.Errorf("killed at %s: task definitions are %v, %v", kill, listed, err)
		return
	}
	described, err := client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: aws.String(listed.TaskDefinitionArns[0]), Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		t.Errorf("killed at %s: %v", kill, err)
		return
	}
	tags := map[string]string{}
	for _, tag := range described.Tags {
		tags[*tag.Key] = *tag.Value
	}
	if tags["slipway:execution"] != id || e.Deployment.TaskDefinition != listed.TaskDefinitionArns[0] {
		t.Errorf("killed at %s: %s is tagged %v, and %s was deployed by %s", kill, filepath.Base(listed.TaskDefinitionArns[0]), tags, e.Deployment.TaskDefinition, id)
	}
	deployments, err := client.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Cluster: aws.String(s.Cluster), Service: aws.String(s.Name)})
	if err != nil || len(deployments.ServiceDeployments) != 1+updates {
		t.Errorf("killed at %s: service deployments are %d, %v; want %d", kill, len(deployments.ServiceDeployments), err, 1+updates)
	}
}
