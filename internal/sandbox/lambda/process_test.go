package lambda_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/lambda"
	"github.com/slipway-cd/slipway/internal/sandbox/protocol"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// binary builds the program of internal/bootstrap once.
var binary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "bootstrap")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", path, "./internal/bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(path)
})

// lines are what functions print, by "group stream".
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Put(group, _, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, group+" "+message)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// real is a Lambda with processes, on a socket.
type real struct {
	*client.Client
	service  *lambda.Service
	printed  *lines
	dir      string
	endpoint string
}

func start(t *testing.T, dir string, state []byte) *real {
	t.Helper()
	r := &real{printed: &lines{}, dir: dir}
	service, err := lambda.New(lambda.Options{Region: "eu-west-1", Account: "111122223333", Dir: dir, TimeScale: 100, Logs: r.printed, State: state})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(protocol.Translate(awsjson.Mux{lambda.TargetPrefix: service.Handler()}))
	service.Start(server.URL)
	t.Cleanup(func() {
		service.Close()
		server.Close()
	})
	r.service, r.endpoint = service, server.URL
	r.Client = client.New(client.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), HTTPClient: http.DefaultClient,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1,
	})
	return r
}

// architectures are those of this machine.
func architectures() []types.Architecture {
	return []types.Architecture{map[string]types.Architecture{"amd64": types.ArchitectureX8664, "arm64": types.ArchitectureArm64}[runtime.GOARCH]}
}

func (r *real) create(t *testing.T, name string, changes ...func(*client.CreateFunctionInput)) {
	t.Helper()
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	create(t, r.Client, name, append([]func(*client.CreateFunctionInput){func(in *client.CreateFunctionInput) {
		in.Code.ZipFile = zipped(t, map[string]string{"bootstrap": string(program)})
		in.Architectures, in.Timeout = architectures(), aws.Int32(30)
	}}, changes...)...)
}

// seen is what the function answers.
type seen struct {
	PID, Count                                                            int
	RequestID, ARN, Name, Memory, Key, Endpoint, Region, Variable, Client string
	Left                                                                  time.Duration
}

func (r *real) invoke(t *testing.T, name, do string) (*client.InvokeOutput, seen) {
	t.Helper()
	out, err := r.Invoke(t.Context(), &client.InvokeInput{
		FunctionName: &name, Payload: fmt.Appendf(nil, `{"Do":%q}`, do), LogType: types.LogTypeTail,
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"a":"b"}}`))),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	if out.FunctionError == nil {
		if err := json.Unmarshal(out.Payload, &got); err != nil {
			t.Fatalf("%s: %v", out.Payload, err)
		}
	}
	return out, got
}

// TestProgram: a real bootstrap, over the real Runtime API.
func TestProgram(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	r.create(t, "f", func(in *client.CreateFunctionInput) {
		in.Environment, in.MemorySize = &types.Environment{Variables: map[string]string{"VARIABLE": "value"}}, aws.Int32(256)
	})
	out, first := r.invoke(t, "f", "print")
	want := seen{
		PID: first.PID, Count: 1, RequestID: first.RequestID, ARN: "arn:aws:lambda:eu-west-1:111122223333:function:f", Name: "f", Memory: "256", Key: trail.Key(role, "f"),
		Endpoint: r.endpoint, Region: "eu-west-1", Variable: "value", Client: "b", Left: first.Left,
	}
	if first != want || first.Left <= 20*time.Second || first.Left > 30*time.Second || *out.ExecutedVersion != "$LATEST" {
		t.Errorf("%+v, want %+v", first, want)
	}
	tail, err := base64.StdEncoding.DecodeString(*out.LogResult)
	if err != nil || !strings.Contains(string(tail), "\nto stdout\nto stderr, without an end\nEND RequestId: "+first.RequestID+"\n") {
		t.Errorf("the tail is %q, %v", tail, err)
	}
	if got := r.printed.text(); !strings.Contains(got, "/aws/lambda/f START RequestId: "+first.RequestID+" Version: $LATEST\n/aws/lambda/f to stdout\n") {
		t.Errorf("printed %s", got)
	}

	// Kept warm, also after an error of the function's.
	if out, _ := r.invoke(t, "f", "fail"); *out.FunctionError != "Unhandled" || string(out.Payload) != `{"errorMessage":"no such pipeline","errorType":"errorString"}` {
		t.Errorf("%s", out.Payload)
	}
	if _, second := r.invoke(t, "f", ""); second.PID != first.PID || second.Count != 3 {
		t.Errorf("the second ran in %+v, the first in %+v", second, first)
	}

	// A process that ends, in whichever way, is replaced.
	if out, _ := r.invoke(t, "f", "exit"); *out.FunctionError != "Unhandled" || !strings.Contains(string(out.Payload), `"errorType":"Runtime.ExitError"`) ||
		!strings.Contains(string(out.Payload), "Runtime exited with error: exit status 3") {
		t.Errorf("%s", out.Payload)
	}
	if out, _ := r.invoke(t, "f", "panic"); *out.FunctionError != "Unhandled" || !strings.Contains(string(out.Payload), `"errorMessage":"lost"`) {
		t.Errorf("%s", out.Payload)
	}
	_, third := r.invoke(t, "f", "")
	if third.Count != 1 || third.PID == first.PID {
		t.Errorf("the third ran in %+v", third)
	}
	if err := syscall.Kill(third.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for alive(third.PID) {
		runtime.Gosched()
	}
	// One invocation may still be given to the process before its end is noticed.
	if out, fourth := r.invoke(t, "f", ""); fourth.Count != 1 {
		if _, fifth := r.invoke(t, "f", ""); fifth.Count != 1 {
			t.Errorf("after one that was killed: %s, then %+v", out.Payload, fifth)
		}
	}

	// What is changed runs in a new process, with what was changed.
	if _, err := r.UpdateFunctionConfiguration(t.Context(), &client.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Environment: &types.Environment{Variables: map[string]string{"VARIABLE": "other"}},
	}); err != nil {
		t.Fatal(err)
	}
	_, changed := r.invoke(t, "f", "")
	if changed.Variable != "other" || changed.Count != 1 {
		t.Errorf("a changed function ran in %+v", changed)
	}

	// After a restart the function is there, and what ran is not.
	state, err := r.service.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r.service.Close()
	if alive(changed.PID) {
		t.Error("a process is left")
	}
	again := start(t, r.dir, state)
	if _, got := again.invoke(t, "f", ""); got.Variable != "other" || got.Count != 1 {
		t.Errorf("after a restart it ran in %+v", got)
	}
}

// TestNoOrphan: a function that hangs is killed with all that it started, at its
// timeout and with the service.
func TestNoOrphan(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	told := filepath.Join(t.TempDir(), "told")
	left := func() (ids [2]int) {
		t.Helper()
		for {
			content, err := os.ReadFile(told)
			if err == nil && len(content) > 0 {
				if _, err := fmt.Sscan(string(content), &ids[0], &ids[1]); err != nil {
					t.Fatal(err)
				}
				return ids
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-t.Context().Done():
				t.Fatal("the function never ran")
			}
		}
	}
	r.create(t, "f", func(in *client.CreateFunctionInput) {
		in.Environment, in.Timeout = &types.Environment{Variables: map[string]string{"VARIABLE": told}}, aws.Int32(2)
	})
	out, _ := r.invoke(t, "f", "hang")
	if *out.FunctionError != "Unhandled" || !strings.Contains(string(out.Payload), `"errorType":"Sandbox.Timedout"`) || !strings.Contains(string(out.Payload), "Task timed out after 2.00 seconds") {
		t.Errorf("%s", out.Payload)
	}
	for _, id := range left() {
		if !dies(id) {
			t.Errorf("process %d is left after the timeout", id)
		}
	}

	if err := os.Remove(told); err != nil {
		t.Fatal(err)
	}
	if _, err := r.UpdateFunctionConfiguration(t.Context(), &client.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Timeout: aws.Int32(900)}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Invoke(t.Context(), &client.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"Do":"hang"}`)}); err != nil {
		t.Fatal(err)
	}
	ids := left()
	r.service.Close()
	for _, id := range ids {
		if !dies(id) {
			t.Errorf("process %d is left after the end", id)
		}
	}
	state, err := r.service.Snapshot()
	if err != nil || !strings.Contains(string(state), `"Attempts":0`) {
		t.Errorf("the event that was interrupted is lost: %s, %v", state, err)
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("in the folder is %v, %v", entries, err)
	}
}

// dies waits for the end of a process that was killed: it is gone when the kernel has
// come to it, and nobody else waits for what a function has started.
func dies(id int) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if !alive(id) {
			return true
		}
		<-tick.C
	}
	return false
}

// alive says whether a process is there. One that only waits for its parent to
// look is not.
func alive(id int) bool {
	if errors.Is(syscall.Kill(id, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// TestEmulator: what is built for another architecture runs where qemu's user mode is
// found, for which a program stands here that runs what it is given.
func TestEmulator(t *testing.T) {
	if _, err := binary(); err != nil { // which needs the PATH
		t.Fatal(err)
	}
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	r := start(t, t.TempDir(), nil)
	other, name := types.ArchitectureArm64, "qemu-aarch64-static"
	if runtime.GOARCH == "arm64" {
		other, name = types.ArchitectureX8664, "qemu-x86_64-static"
	}
	r.create(t, "other", func(in *client.CreateFunctionInput) { in.Architectures = []types.Architecture{other} })
	if out, _ := r.invoke(t, "other", `{}`); aws.ToString(out.FunctionError) == "" || !strings.Contains(string(out.Payload), "built for "+string(other)) {
		t.Errorf("without an emulator: %s", out.Payload)
	}
	program := "#!/bin/sh\necho emulated >&2\nexec \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, name), []byte(program), 0o700); err != nil { //nolint:gosec // it is to run
		t.Fatal(err)
	}
	out, _ := r.invoke(t, "other", `{}`)
	if out.FunctionError != nil || !strings.Contains(r.printed.text(), "emulated") {
		t.Errorf("with one: %s, %s", aws.ToString(out.FunctionError), out.Payload)
	}
}

// TestCannotRun: what cannot run says why.
func TestCannotRun(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	for name, c := range map[string]struct {
		change func(*client.CreateFunctionInput)
		want   string
	}{
		"runtime":   {func(in *client.CreateFunctionInput) { in.Runtime = types.RuntimePython312 }, "not python3.12"},
		"bootstrap": {func(in *client.CreateFunctionInput) { in.Code.ZipFile = zipped(t, map[string]string{"main": "x"}) }, "Couldn't find valid bootstrap"},
		"format":    {func(in *client.CreateFunctionInput) { in.Code.ZipFile = zipped(t, map[string]string{"bootstrap": "x"}) }, "exec format error"},
		"init": {func(in *client.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"INIT": "exit"}}
		}, "Runtime exited with error: exit status 7"},
	} {
		r.create(t, name, c.change)
		if out, _ := r.invoke(t, name, ""); aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), c.want) {
			t.Errorf("%s: %s, want %q", name, out.Payload, c.want)
		}
	}
	escape := &client.CreateFunctionInput{
		FunctionName: aws.String("escape"), Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: zipped(t, map[string]string{"../bootstrap": "x"})},
	}
	if _, err := r.CreateFunction(t.Context(), escape); code(err) != "InvalidParameterValueException" {
		t.Errorf("a zip that leads out of its folder: %v", err)
	}
}
