package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// open opens a world, which the test's end closes.
func open(t *testing.T, options sandbox.Options) *sandbox.World {
	t.Helper()
	if options.TimeScale == 0 {
		options.TimeScale = 200
	}
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	w, err := sandbox.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// client is an unmodified SDK client of the world, without retries.
func client(w *sandbox.World) *ecs.Client {
	return ecs.New(ecs.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(w.Endpoints().AWS),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		Retryer:      aws.NopRetryer{},
	})
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=Developer", "GIT_AUTHOR_EMAIL=developer@example.com",
		"GIT_COMMITTER_NAME=Developer", "GIT_COMMITTER_EMAIL=developer@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func get(ctx context.Context, url string) (code int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	return res.StatusCode, string(content), err
}

// traffic asks a load balancer again and again until stop is called, and then
// says how often each answer came, the task's id left out.
func traffic(t *testing.T, url string) (stop func() map[string]int) {
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range 2 {
		clients.Go(func() {
			for ctx.Err() == nil {
				code, body, err := get(context.WithoutCancel(ctx), url)
				answer, _, _ := strings.Cut(body, " task ")
				if err != nil || code != http.StatusOK {
					answer = fmt.Sprintf("failed: %d %s %v", code, body, err)
				}
				mu.Lock()
				seen[answer]++
				mu.Unlock()
			}
		})
	}
	return func() map[string]int {
		cancel()
		clients.Wait()
		return seen
	}
}

// until describes a service until it is as wanted.
func until(t *testing.T, c *ecs.Client, cluster, name string, wanted func(types.Service) bool) types.Service {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := c.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		if wanted(out.Services[0]) {
			return out.Services[0]
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the service never was as wanted, but:\n%s", describe(out.Services[0]))
		case <-tick.C:
		}
	}
}

func describe(s types.Service) string {
	var b strings.Builder
	for _, d := range s.Deployments {
		fmt.Fprintf(&b, "%s %s %s %d/%d, %d failed: %s\n", *d.Id, *d.Status, d.RolloutState, d.RunningCount, d.DesiredCount, d.FailedTasks, aws.ToString(d.RolloutStateReason))
	}
	for _, e := range s.Events {
		fmt.Fprintf(&b, "%s %s\n", e.CreatedAt.Format(time.TimeOnly), *e.Message)
	}
	return b.String()
}

func completed(s types.Service) bool {
	return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
}

// deploy registers what webapp1 runs with another image, as ever, and updates
// the service. It returns the new deployment's id.
func deploy(t *testing.T, c *ecs.Client, image string) string {
	t.Helper()
	ctx := t.Context()
	service := until(t, c, "cluster1", "webapp1", completed)
	old, err := c.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: service.TaskDefinition})
	if err != nil {
		t.Fatal(err)
	}
	definition := old.TaskDefinition
	definition.ContainerDefinitions[0].Image = &image
	registered, err := c.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: definition.Family, ContainerDefinitions: definition.ContainerDefinitions, Cpu: definition.Cpu, Memory: definition.Memory,
		NetworkMode: definition.NetworkMode, RequiresCompatibilities: definition.RequiresCompatibilities,
		ExecutionRoleArn: definition.ExecutionRoleArn, TaskRoleArn: definition.TaskRoleArn,
	})
	if err != nil {
		t.Fatal(err)
	}
	updated, err := c.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: aws.String("cluster1"), Service: aws.String("webapp1"), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *updated.Service.Deployments[0].Id
}

// The whole world, over real sockets: a push to its repository is heard, a good
// deployment under traffic fails no request, a crashing one is rolled back by
// the circuit breaker without a failed request either, and after a restart
// everything is where it was.
func TestWorld(t *testing.T) {
	dir := t.TempDir()
	w := open(t, sandbox.Options{Dir: dir})
	web := w.Endpoints().LoadBalancers["cluster1/webapp1"]
	if code, body, err := get(t.Context(), web); err != nil || code != http.StatusOK || !strings.HasPrefix(body, "webapp1 1.0.0 task ") {
		t.Fatalf("a new world's load balancer answers %d %q, %v", code, body, err)
	}

	pushes := 0
	w.OnPush(func() { pushes++ })
	clone := filepath.Join(t.TempDir(), "deployment")
	git(t, "", "clone", "--quiet", w.Endpoints().Repository, clone)
	revision := filepath.Join(clone, "cluster1/webapp1/revision.json")
	content, err := os.ReadFile(revision)
	if err != nil {
		t.Fatal(err)
	}
	var images []struct{ Name, ImageURI string }
	if err := json.Unmarshal(content, &images); err != nil {
		t.Fatal(err)
	}
	next := strings.TrimSuffix(images[0].ImageURI, "1.0.0") + "1.1.0"
	if err := os.WriteFile(revision, []byte(strings.ReplaceAll(string(content), images[0].ImageURI, next)), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, clone, "commit", "--quiet", "--all", "--message=webapp1 1.1.0")
	git(t, clone, "push", "--quiet")
	if pushes != 1 {
		t.Errorf("told of %d pushes, want 1", pushes)
	}
	if got, want := git(t, w.RepositoryPath(), "rev-parse", "main"), git(t, clone, "rev-parse", "HEAD"); got != want {
		t.Errorf("the bare repository has %s, want %s", got, want)
	}

	c := client(w)
	stop := traffic(t, web)
	good := deploy(t, c, next)
	until(t, c, "cluster1", "webapp1", completed)
	seen := stop()
	if len(seen) != 2 || seen["webapp1 1.0.0"] == 0 || seen["webapp1 1.1.0"] == 0 {
		t.Errorf("answers during the rollout: %v, want 1.0.0 and 1.1.0 alone", seen)
	}

	stop = traffic(t, web)
	bad := deploy(t, c, images[0].ImageURI+"-crash")
	service := until(t, c, "cluster1", "webapp1", func(s types.Service) bool { return completed(s) && *s.Deployments[0].Id != bad })
	if id := *service.Deployments[0].Id; id != good {
		t.Errorf("rolled back to deployment %s, want %s", id, good)
	}
	if events := describe(service); !strings.Contains(events, "(deployment "+bad+") deployment failed: tasks failed to start.") {
		t.Errorf("no event tells of the failure:\n%s", events)
	}
	if seen := stop(); len(seen) != 1 || seen["webapp1 1.1.0"] == 0 {
		t.Errorf("answers during the crash and its rollback: %v, want 1.1.0 alone", seen)
	}

	before := w.Endpoints()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, sandbox.Options{Dir: dir})
	if diff := cmp.Diff(before, w.Endpoints()); diff != "" {
		t.Errorf("endpoints after a restart (-before +after):\n%s", diff)
	}
	service = until(t, client(w), "cluster1", "webapp1", completed)
	if id := *service.Deployments[0].Id; id != good {
		t.Errorf("after a restart the deployment is %s, want %s", id, good)
	}
	if code, body, err := get(t.Context(), web); err != nil || code != http.StatusOK || !strings.HasPrefix(body, "webapp1 1.1.0 task ") {
		t.Errorf("after a restart the load balancer answers %d %q, %v", code, body, err)
	}
}

// Every app of the article is there, and behind its load balancer if it has one.
func TestSeed(t *testing.T) {
	w := open(t, sandbox.Options{Branch: "master"})
	clone := filepath.Join(t.TempDir(), "deployment")
	git(t, "", "clone", "--quiet", "--branch=master", w.Endpoints().Repository, clone)
	c := client(w)
	for _, cluster := range []string{"cluster1", "cluster2"} {
		for _, app := range []string{"webapp1", "tcpapp1", "service1", "batchapp1"} {
			image := "111122223333.dkr.ecr.eu-west-1.amazonaws.com/" + app + ":1.0.0"
			content, err := os.ReadFile(filepath.Join(clone, cluster, app, "revision.json"))
			if err != nil {
				t.Fatal(err)
			}
			var images []map[string]string
			if err := json.Unmarshal(content, &images); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]map[string]string{{"name": app, "imageUri": image}}, images); diff != "" {
				t.Errorf("%s/%s/revision.json (-want +got):\n%s", cluster, app, diff)
			}
			definition, err := c.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(cluster + "-" + app)})
			if err != nil {
				t.Fatal(err)
			}
			if got := *definition.TaskDefinition.ContainerDefinitions[0].Image; got != image {
				t.Errorf("the task definition of %s/%s has image %s, want %s", cluster, app, got, image)
			}
		}
		services, err := c.ListServices(t.Context(), &ecs.ListServicesInput{Cluster: &cluster})
		if err != nil {
			t.Fatal(err)
		}
		if len(services.ServiceArns) != 3 {
			t.Errorf("%s has services %v, want webapp1, tcpapp1 and service1", cluster, services.ServiceArns)
		}
		if _, body, err := get(t.Context(), w.Endpoints().LoadBalancers[cluster+"/webapp1"]); err != nil || !strings.HasPrefix(body, "webapp1 1.0.0 task ") {
			t.Errorf("webapp1 of %s answers %q, %v", cluster, body, err)
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.Endpoints().LoadBalancers[cluster+"/tcpapp1"], "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "tcpapp1 1.0.0 task ") {
			t.Errorf("tcpapp1 of %s greets with %q, %v", cluster, line, err)
		}
		_ = conn.Close()
	}
}

// What ECS has answered is on disk, so that kill -9 loses none of it.
func TestAnswersAreSaved(t *testing.T) {
	dir := t.TempDir()
	w := open(t, sandbox.Options{Dir: dir})
	out, err := client(w).RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("another"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("another"), Image: aws.String("another:1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	state, err := os.ReadFile(filepath.Join(dir, "ecs.json"))
	if err != nil {
		t.Fatal(err)
	}
	if arn := *out.TaskDefinition.TaskDefinitionArn; !strings.Contains(string(state), arn) {
		t.Errorf("%s was answered, and is not in the saved state", arn)
	}
}

func TestSecondSandboxIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, sandbox.Options{Dir: dir})
	_, err := sandbox.New(t.Context(), sandbox.Options{Dir: dir})
	want := fmt.Sprintf("a sandbox runs in %s already (process %d): stop it, or choose another folder", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOtherAccountIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, sandbox.Options{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := sandbox.New(t.Context(), sandbox.Options{Dir: dir, Account: "444455556666"})
	if err == nil || !strings.Contains(err.Error(), "account 111122223333, not") {
		t.Errorf("got %v, want a word about the account", err)
	}
}

// After Close no goroutine of the world is left.
func TestCloseLeavesNothing(t *testing.T) {
	w := open(t, sandbox.Options{})
	if _, _, err := get(t.Context(), w.Endpoints().LoadBalancers["cluster2/webapp1"]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		var left []string
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			// The data plane, the control plane, the git server, the world itself, and
			// connections that a server of theirs still serves.
			own := strings.Contains(stack, t.Name())
			if !own && (strings.Contains(stack, "slipway/internal/sandbox") || strings.Contains(stack, "net/http.(*conn)")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still running:\n%s", strings.Join(left, "\n\n"))
		}
	}
}

func TestEndpointsFile(t *testing.T) {
	dir := t.TempDir()
	w := open(t, sandbox.Options{Dir: dir})
	endpoints := w.Endpoints()
	endpoints.HTTP = "http://127.0.0.1:1"
	path := filepath.Join(dir, sandbox.EndpointsFile)
	if err := sandbox.WriteEndpoints(path, endpoints); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	balancers := map[string]any{}
	for app, url := range endpoints.LoadBalancers {
		balancers[app] = url
	}
	routing := got["routing"].(map[string]any)
	delete(got, "routing")
	if test := routing["cluster1/tcpapp1"].(map[string]any)["test"]; len(routing) != len(balancers) || test != endpoints.Routing["cluster1/tcpapp1"].Test {
		t.Errorf("routing %v", routing)
	}
	want := map[string]any{"aws": endpoints.AWS, "repository": endpoints.AWS + "/deployment.git", "http": "http://127.0.0.1:1", "loadBalancers": balancers}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sandbox.json (-want +got):\n%s", diff)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close: %v, want no file", err)
	}
}

func TestFaultControl(t *testing.T) {
	w := open(t, sandbox.Options{})
	put := func(body string) (code int, answer string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.Endpoints().AWS+"/control/faults", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		content, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, strings.TrimSpace(string(content))
	}
	list := func() error {
		_, err := client(w).ListClusters(t.Context(), &ecs.ListClustersInput{})
		return err
	}
	code := func(err error) string {
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			return api.ErrorCode()
		}
		return fmt.Sprint(err)
	}

	if status, answer := put(`{"throttled": 1, "actions": ["ListClusters"]}`); status != http.StatusOK || answer != `{"throttled":1,"failed":0,"dropped":0,"latencyMs":0,"actions":["ListClusters"]}` {
		t.Errorf("PUT answered %d %s", status, answer)
	}
	if got := code(list()); got != "ThrottlingException" {
		t.Errorf("all throttled: %s", got)
	}
	if _, err := client(w).ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{}); err != nil {
		t.Errorf("another action: %v", err)
	}
	put(`{"failed": 1}`)
	if got := code(list()); got != "ServerException" {
		t.Errorf("all failed: %s", got)
	}
	put(`{"dropped": 1}`)
	if err := list(); !errors.Is(err, io.EOF) {
		t.Errorf("all dropped: %v", err)
	}
	put(`{}`)
	if err := list(); err != nil {
		t.Errorf("without faults: %v", err)
	}
	for _, bad := range []string{`{"throttled": 2}`, `{"throttled": 0.6, "failed": 0.6}`, `{"latencyMs": -1}`, `{"latency": 1}`, `?`} {
		if status, answer := put(bad); status != http.StatusBadRequest {
			t.Errorf("PUT %s answered %d %s, want 400", bad, status, answer)
		}
	}
	if got := w.Faults(); !cmp.Equal(got, sandbox.Faults{}) {
		t.Errorf("a refused PUT left %+v", got)
	}
}
