package lambda_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/sandboxtest"
)

// ready makes the service webapp1 at 1.0.0, and its pipeline, whose first execution
// has ended.
func (r *rig) ready(options ...sandboxtest.ServiceOption) *sandboxtest.Service {
	r.Helper()
	service := r.w.Service("cluster1", "webapp1", append([]sandboxtest.ServiceOption{sandboxtest.Image(images + "1.0.0")}, options...)...)
	r.commit(revisions("1.0.0", "webapp1")...)
	r.pipeline("webapp1", byFunction("webapp1"))
	if status, text := r.ends(r.latest()); status != types.PipelineExecutionStatusSucceeded || !strings.HasPrefix(text, "unchanged: ") {
		r.Fatalf("the first execution %s: %s", status, text)
	}
	r.w.ForgetCalls()
	r.mu.Lock()
	r.calls = 0
	r.mu.Unlock()
	return service
}

// deploy commits a new revision of webapp1, triggers, and returns the execution.
func (r *rig) deploy(tag string) string {
	r.Helper()
	path, content := revision("webapp1", tag)
	result, err := r.trigger(r.commit(path, content+"\n")) // other content, even where the image is the same
	if err != nil || len(result.Started) != 1 {
		r.Fatalf("%+v, %v", result, err)
	}
	return result.Started[0].Execution
}

func (r *rig) latest() string {
	r.Helper()
	out, err := r.w.CodePipeline().ListPipelineExecutions(r.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String(pipelineOf("webapp1"))})
	if err != nil {
		r.Fatal(err)
	}
	return *out.PipelineExecutionSummaries[0].PipelineExecutionId
}

func (r *rig) status(execution string) types.PipelineExecutionStatus {
	r.Helper()
	out, err := r.w.CodePipeline().GetPipelineExecution(r.Context(), &codepipeline.GetPipelineExecutionInput{
		PipelineName: aws.String(pipelineOf("webapp1")), PipelineExecutionId: &execution,
	})
	if err != nil {
		r.Fatal(err)
	}
	return out.PipelineExecution.Status
}

// ends waits for an execution's end and returns what its Deploy action says.
func (r *rig) ends(execution string) (types.PipelineExecutionStatus, string) {
	r.Helper()
	for range 3000 {
		switch status := r.status(execution); status {
		case types.PipelineExecutionStatusInProgress, types.PipelineExecutionStatusStopping:
			r.pass(5 * time.Second)
		default:
			return status, r.says(execution)
		}
	}
	r.Fatalf("it does not end: %s", r.says(execution))
	return "", ""
}

// says is what an execution's Deploy action says.
func (r *rig) says(execution string) string {
	r.Helper()
	out, err := r.w.CodePipeline().ListActionExecutions(r.Context(), &codepipeline.ListActionExecutionsInput{
		PipelineName: aws.String(pipelineOf("webapp1")), Filter: &types.ActionExecutionFilter{PipelineExecutionId: &execution},
	})
	if err != nil {
		r.Fatal(err)
	}
	for _, a := range out.ActionExecutionDetails {
		if *a.ActionName != "Deploy" || a.Output == nil || a.Output.ExecutionResult == nil {
			continue
		}
		if e := a.Output.ExecutionResult.ErrorDetails; e != nil {
			return aws.ToString(e.Message)
		}
		return aws.ToString(a.Output.ExecutionResult.ExternalExecutionSummary)
	}
	return ""
}

// writes are the calls that wrote to what runs.
func (r *rig) writes() string {
	var all []string
	for _, call := range r.w.Calls().Writes() {
		switch call.Operation {
		case "RegisterTaskDefinition", "UpdateService", "StopServiceDeployment", "CreateDeployment", "StopDeployment", "PutTargets", "UpdateSchedule", "RunTask":
			all = append(all, call.Operation)
		}
	}
	return strings.Join(all, " ")
}

func running(s *sandboxtest.Service) string {
	definition := s.Settle().TaskDefinition
	return (*definition)[strings.LastIndex(*definition, "/")+1:]
}

func TestDeploy(t *testing.T) {
	for _, test := range []struct {
		name    string
		tag     string
		service []sandboxtest.ServiceOption
		status  types.PipelineExecutionStatus
		says    []string // the first is how it begins
		writes  string
		runs    string
	}{
		{name: "deployed", tag: "2.0.0", status: types.PipelineExecutionStatusSucceeded, says: []string{"deployed"}, writes: "RegisterTaskDefinition UpdateService", runs: "webapp1:2"},
		{name: "unchanged", tag: "1.0.0", status: types.PipelineExecutionStatusSucceeded, says: []string{"unchanged"}, runs: "webapp1:1"},
		{
			name: "rolled back by ECS", tag: "2.0.0-crash", service: []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(true)}, status: types.PipelineExecutionStatusFailed,
			says: []string{"rolled-back by ecs: ", "exit code 1"}, writes: "RegisterTaskDefinition UpdateService", runs: "webapp1:1",
		},
		{
			name: "rolled back by us", tag: "2.0.0-crash", service: []sandboxtest.ServiceOption{sandboxtest.CircuitBreaker(false)}, status: types.PipelineExecutionStatusFailed,
			says: []string{"rolled-back by slipway: ", "exit code 1", "webapp1:1 was put back"}, writes: "RegisterTaskDefinition UpdateService UpdateService", runs: "webapp1:1",
		},
		{
			name: "blue/green", tag: "2.0.0", service: []sandboxtest.ServiceOption{sandboxtest.Managed(), sandboxtest.BlueGreen(5)}, status: types.PipelineExecutionStatusSucceeded,
			says: []string{"deployed"}, writes: "RegisterTaskDefinition UpdateService", runs: "webapp1:2",
		},
		{
			name: "CodeDeploy", tag: "2.0.0", service: []sandboxtest.ServiceOption{sandboxtest.ByCodeDeploy()}, status: types.PipelineExecutionStatusSucceeded,
			says: []string{"deployed"}, writes: "RegisterTaskDefinition CreateDeployment",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				service := r.ready(test.service...)
				status, text := r.ends(r.deploy(test.tag))
				if status != test.status || !strings.HasPrefix(text, test.says[0]) {
					r.Errorf("it ended as %s: %s", status, text)
				}
				for _, part := range test.says {
					if !strings.Contains(text, part) {
						r.Errorf("%s\ndoes not say %q", text, part)
					}
				}
				if got := r.writes(); got != test.writes {
					r.Errorf("it wrote %s, want %s", got, test.writes)
				}
				if test.runs != "" && running(service) != test.runs {
					r.Errorf("%s runs, want %s", running(service), test.runs)
				}
			})
		})
	}
}

// The tags tell which of CodePipeline's executions registered a task definition.
func TestIdentity(t *testing.T) {
	inBubble(t, func(r *rig) {
		service := r.ready()
		id := r.deploy("2.0.0")
		if status, text := r.ends(id); status != types.PipelineExecutionStatusSucceeded {
			r.Fatal(text)
		}
		out, err := r.w.ECS().DescribeTaskDefinition(r.Context(), &ecs.DescribeTaskDefinitionInput{
			TaskDefinition: service.Describe().TaskDefinition, Include: []ecstypes.TaskDefinitionField{ecstypes.TaskDefinitionFieldTags},
		})
		if err != nil {
			r.Fatal(err)
		}
		tags := map[string]string{}
		for _, tag := range out.Tags {
			tags[*tag.Key] = *tag.Value
		}
		if tags["slipway:execution"] != id || tags["slipway:commit"] != r.head {
			r.Errorf("tags %v, execution %s of %s", tags, id, r.head)
		}
	})
}

// Where the function's process dies, at the nth call of an operation, before or behind
// its effect: nothing is registered or started twice, and it ends the same.
func TestKilled(t *testing.T) {
	const deployed, rolledBack = "RegisterTaskDefinition UpdateService", "RegisterTaskDefinition UpdateService UpdateService"
	for _, test := range []struct {
		tag       string
		operation string
		nth       int
		says      string
		writes    string
	}{
		{"2.0.0", "GetFile", 1, "deployed", deployed},
		{"2.0.0", "PutJobSuccessResult", 1, "deployed", deployed}, // the claim
		{"2.0.0", "RegisterTaskDefinition", 1, "deployed", deployed},
		{"2.0.0", "UpdateService", 1, "deployed", deployed},
		{"2.0.0", "PutJobSuccessResult", 2, "deployed", deployed},
		{"2.0.0-crash", "UpdateService", 2, "rolled-back by slipway", rolledBack},
		{"2.0.0-crash", "PutJobFailureResult", 1, "rolled-back by slipway", rolledBack},
	} {
		for _, behind := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, at %s %d, behind %t", test.tag, test.operation, test.nth, behind), func(t *testing.T) {
				inBubble(t, func(r *rig) {
					service := r.ready(sandboxtest.CircuitBreaker(false))
					k := &killer{network: r.w.HTTPClient().Transport, operation: test.operation, nth: test.nth, behind: behind}
					r.around = func(_ int, _ []byte, handle func(http.RoundTripper) error) error {
						p := &process{killer: k}
						err := handle(p)
						if p.died() {
							return errKilled // whatever it said
						}
						return err
					}
					status, text := r.ends(r.deploy(test.tag))
					if !strings.HasPrefix(text, test.says) {
						r.Errorf("it ended as %s: %s", status, text)
					}
					if seen := k.count(); seen < test.nth {
						r.Errorf("%s was called %d times", test.operation, seen)
					}
					if got := r.effects(); got != test.writes {
						r.Errorf("it wrote %s, want %s", got, test.writes)
					}
					if got, want := running(service), map[string]string{"2.0.0": "webapp1:2", "2.0.0-crash": "webapp1:1"}[test.tag]; got != want {
						r.Errorf("%s runs, want %s", got, want)
					}
				})
			})
		}
	}
}

// killer kills the process that makes a certain call: processes may run at once.
type killer struct {
	network   http.RoundTripper
	operation string
	nth       int
	behind    bool

	mu   sync.Mutex
	seen int
}

func (k *killer) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}

// kills counts a call, and reports whether it is the one.
func (k *killer) kills(request *http.Request) bool {
	if !strings.HasSuffix(request.Header.Get("X-Amz-Target"), "."+k.operation) {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	return k.seen == k.nth
}

// process is the network of a process: once it is dead, no call gets through.
type process struct {
	*killer
	dead atomic.Bool
}

var errKilled = errors.New("the process was killed")

func (p *process) died() bool { return p.dead.Load() }

func (p *process) RoundTrip(request *http.Request) (*http.Response, error) {
	switch {
	case p.died():
		return nil, errKilled
	case !p.kills(request):
		return p.network.RoundTrip(request)
	}
	p.dead.Store(true)
	if p.behind {
		if answer, err := p.network.RoundTrip(request); err == nil {
			_ = answer.Body.Close()
		}
	}
	return nil, errKilled
}

// effects are the writes that had an effect.
func (r *rig) effects() string {
	var all []string
	for _, call := range r.w.Calls().Writes().Effective() {
		switch call.Operation {
		case "RegisterTaskDefinition", "UpdateService":
			all = append(all, call.Operation)
		}
	}
	return strings.Join(all, " ")
}

// The same job at the same time, twice: one of them deploys.
func TestDeliveredTwice(t *testing.T) {
	inBubble(t, func(r *rig) {
		service := r.ready(sandboxtest.CircuitBreaker(false))
		r.around = func(_ int, _ []byte, handle func(http.RoundTripper) error) error {
			other := make(chan error, 1)
			go func() { other <- handle(nil) }()
			return errors.Join(handle(nil), <-other)
		}
		if status, text := r.ends(r.deploy("2.0.0")); status != types.PipelineExecutionStatusSucceeded {
			r.Errorf("%s: %s", status, text)
		}
		if got := r.effects(); got != "RegisterTaskDefinition UpdateService" || running(service) != "webapp1:2" {
			r.Errorf("it wrote %s", got)
		}
	})
}

// Stop and wait puts back what ran before; stop and abandon leaves it to ECS.
func TestStop(t *testing.T) {
	for _, test := range []struct {
		name    string
		abandon bool
		before  int // which call
		says    string
		runs    string
	}{
		{"before anything was done", false, 1, "stopped: stopped: oh no; the service was not touched", "webapp1:1"},
		{"while it is deployed", false, 3, "stopped: stopped: oh no; ", "webapp1:1"},
		{"and abandon", true, 3, "", "webapp1:2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				service := r.ready()
				r.around = func(call int, _ []byte, handle func(http.RoundTripper) error) error {
					if call == test.before {
						id := r.latest()
						if _, err := r.w.CodePipeline().StopPipelineExecution(r.Context(), &codepipeline.StopPipelineExecutionInput{
							PipelineName: aws.String(pipelineOf("webapp1")), PipelineExecutionId: &id, Abandon: test.abandon, Reason: aws.String("oh no"),
						}); err != nil {
							return err
						}
					}
					return handle(nil)
				}
				status, text := r.ends(r.deploy("2.0.0-slow"))
				if status != types.PipelineExecutionStatusStopped || !strings.HasPrefix(text, test.says) {
					r.Errorf("%s: %s", status, text)
				}
				if got := running(service); got != test.runs {
					r.Errorf("%s runs, want %s", got, test.runs)
				}
			})
		})
	}
}

// What the action's configuration lacks is told, at once.
func TestConfigurationErrors(t *testing.T) {
	for _, test := range []struct{ parameters, says string }{
		{``, "UserParameters"},
		{`{"cluster":"cluster1","app":"webapp1","commit":"master"}`, `commit is "master"`},
		{`{"cluster":"cluster1","app":"","commit":"#{SourceVariables.CommitId}"}`, "the app name is empty"},
		{`{"cluster":"cluster1","apps":"webapp1","commit":"#{SourceVariables.CommitId}"}`, `unknown field "apps"`},
		{`{"cluster":"cluster1","app":"gone","commit":"#{SourceVariables.CommitId}"}`, "cluster1/gone/revision.json"},
	} {
		t.Run(test.parameters, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.commit(revisions("1.0.0", "webapp1")...)
				deploy := byFunction("webapp1")
				deploy.Configuration["UserParameters"] = test.parameters
				if test.parameters == "" {
					delete(deploy.Configuration, "UserParameters")
				}
				r.pipeline("webapp1", deploy)
				status, text := r.ends(r.latest())
				if status != types.PipelineExecutionStatusFailed || !strings.Contains(text, test.says) {
					r.Errorf("%s: %s", status, text)
				}
			})
		})
	}
}

// What fails for a while is tried again by later calls, and given up in the end.
func TestThrottled(t *testing.T) {
	for _, test := range []struct {
		operation string
		lasts     time.Duration
		says      string
	}{
		{"RegisterTaskDefinition", 5 * time.Minute, "deployed"},
		{"UpdateService", 5 * time.Minute, "deployed"},
		{"RegisterTaskDefinition", time.Hour, "failed: gave up after 30m0s"},
		{"GetFile", 5 * time.Minute, "deployed"},
		{"PutJobSuccessResult", 30 * time.Second, "deployed"},
	} {
		t.Run(fmt.Sprint(test.operation, test.lasts), func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.ready()
				since := time.Now()
				id := r.deploy("2.0.0")
				r.w.Fault(func(operation string) *awsjson.Fault {
					if operation == test.operation && time.Since(since) < test.lasts {
						return awsjson.Throttled()
					}
					return nil
				})
				status, text := r.ends(id)
				if !strings.HasPrefix(text, test.says) {
					r.Errorf("%s after %s: %s", status, time.Since(since), text)
				}
				if test.says == "deployed" && r.effects() != "RegisterTaskDefinition UpdateService" {
					r.Errorf("it wrote %s", r.effects())
				}
			})
		})
	}
}

// The function's log never has the job's credentials in it.
func TestCredentialsAreNotLogged(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.ready()
		var payload []byte
		r.around = func(_ int, event []byte, handle func(http.RoundTripper) error) error {
			payload = event
			return handle(nil)
		}
		r.ends(r.deploy("2.0.0-crash"))
		var in struct {
			Job struct {
				Data struct {
					ArtifactCredentials struct{ SecretAccessKey string }
				}
			} `json:"CodePipeline.job"`
		}
		if err := json.Unmarshal(payload, &in); err != nil || in.Job.Data.ArtifactCredentials.SecretAccessKey == "" {
			r.Fatalf("%v: %s", err, payload)
		}
		if strings.Contains(r.log.String(), `"`+in.Job.Data.ArtifactCredentials.SecretAccessKey+`"`) || strings.Contains(r.log.String(), "artifactCredentials") {
			r.Error("they are in the log")
		}
	})
}
