package lambda

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"

	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

const (
	// initMost is how long a runtime may take until it asks for its first event.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
	initMost = 10 * time.Second
	// idleMost is how long an environment is kept that nobody needs; ours.
	idleMost = 10 * time.Minute
)

// environment is a process that runs a version's invocations, one at a time.
type environment struct {
	key    string // the version's
	cmd    *exec.Cmd
	server *http.Server
	output *output
	log    func(line string)
	offers chan *running // taken by the runtime when it asks for the next event
	idle   *time.Timer   // while it waits to be used; guarded by the Service's lock
	used   bool          // before

	dead   chan struct{} // closed when nothing of it is left
	ending string        // how the process ended, once dead is closed

	mu      sync.Mutex
	current *running // nil between invocations
}

// running is an invocation in an environment.
type running struct {
	*invocation
	timeout time.Duration
	done    chan result // room for one
	tail    []byte      // guarded by the environment's lock
}

// key names what environments are alike for.
func (v *version) key() string { return *v.FunctionArn + " " + *v.Version + " " + *v.RevisionId }

// architecture is a machine's architecture in Lambda's words.
func architecture(goarch string) types.Architecture {
	switch goarch {
	case "amd64":
		return types.ArchitectureX8664
	case "arm64":
		return types.ArchitectureArm64
	}
	return types.Architecture(goarch)
}

// emulator is the program that runs what is built for another architecture, qemu's
// user mode; empty where there is none.
func emulator(wanted types.Architecture) string {
	name := map[types.Architecture]string{types.ArchitectureArm64: "qemu-aarch64", types.ArchitectureX8664: "qemu-x86_64"}[wanted]
	for _, name := range []string{name, name + "-static"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// executeProgram runs a version's bootstrap once.
func (s *Service) executeProgram(v *version, inv *invocation) result {
	began := time.Now()
	r := &running{invocation: inv, timeout: time.Duration(*v.Timeout) * time.Second, done: make(chan result, 1)}
	for {
		e, refused := s.take(v, inv)
		if refused != nil {
			return *refused
		}
		e.begin(r)
		e.print("START RequestId: " + inv.ID + " Version: " + *v.Version)
		got, alive := s.invokeIn(e, r)
		e.output.drain()
		e.print("END RequestId: " + inv.ID)
		took := time.Since(began)
		e.print(fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB",
			inv.ID, float64(took.Microseconds())/1000, took.Milliseconds()+1, *v.MemorySize))
		got.Tail = e.end()
		if alive {
			s.giveBack(e)
		}
		if got.Payload == nil && e.used { // it ended while it waited to be used again
			continue
		}
		return got
	}
}

// invokeIn brings an invocation to a runtime and waits for its answer. An
// environment that gives none is killed. There is no payload if it ended before it
// was given the invocation.
func (s *Service) invokeIn(e *environment, r *running) (got result, alive bool) {
	timer := time.NewTimer(initMost + r.timeout)
	defer timer.Stop()
	offers := e.offers
	for {
		select {
		case offers <- r:
			offers = nil
			timer.Reset(r.timeout)
		case got := <-r.done:
			if offers != nil { // the runtime could not initialize
				e.kill()
			}
			return got, offers == nil
		case <-e.dead:
			if offers != nil && e.used {
				return result{}, false
			}
			return e.exited(r), false
		case <-timer.C:
			e.print(fmt.Sprintf("%s %s Task timed out after %.2f seconds", time.Now().UTC().Format(time.RFC3339), r.ID, r.timeout.Seconds()))
			e.kill()
			return timedOut(r.invocation, r.timeout), false
		case <-s.ctx.Done():
			e.kill()
			return failure(r.invocation, "Sandbox.Closed", "the sandbox ends"), false
		}
	}
}

// exited is the result of an invocation whose process ended; an error that it
// reported before counts more.
func (e *environment) exited(r *running) result {
	select {
	case got := <-r.done:
		return got
	default:
		return failure(r.invocation, "Runtime.ExitError", "%s", e.ending)
	}
}

// take is an environment for a version: one that waits, or a new one. If there
// cannot be one, the result says why.
func (s *Service) take(v *version, inv *invocation) (*environment, *result) {
	select {
	case <-s.started:
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	for e := range s.warm {
		if e.key == v.key() && !e.isDead() {
			delete(s.warm, e)
			e.idle.Stop()
			s.mu.Unlock()
			return e, nil
		}
	}
	s.mu.Unlock()
	refuse := func(format string, args ...any) (*environment, *result) {
		got := failure(inv, "Runtime.InvalidEntrypoint", format, args...)
		return nil, &got
	}
	var through string
	if here := architecture(runtime.GOARCH); v.Architectures[0] != here {
		if through = emulator(v.Architectures[0]); through == "" {
			return refuse("the function is built for %s, and this machine is %s: build it for this one, and set its architectures, or install qemu-user", v.Architectures[0], here)
		}
	}
	if !strings.HasPrefix(string(v.Runtime), "provided") {
		return refuse("the sandbox runs a program named bootstrap (the runtimes provided.al2023 and provided.al2), not %s", v.Runtime)
	}
	e, err := s.newEnvironment(v, through)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return refuse("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
	case err != nil:
		return refuse("%v", err)
	}
	return e, nil
}

// giveBack keeps an environment for the next invocation, for a while.
func (s *Service) giveBack(e *environment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.current()[e.key] {
		s.work.Go(e.kill)
		return
	}
	e.used = true
	s.warm[e] = struct{}{}
	e.idle = time.AfterFunc(s.scaled(idleMost), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.retire(e)
	})
}

// retire ends an environment that waits to be used. The caller holds the lock.
func (s *Service) retire(e *environment) {
	if _, waits := s.warm[e]; waits && !s.closed { // Close ends it otherwise
		delete(s.warm, e)
		e.idle.Stop()
		s.work.Go(e.kill)
	}
}

// current are the keys of all versions that there are. The caller holds the lock.
func (s *Service) current() map[string]bool {
	keys := map[string]bool{}
	for _, f := range s.state.Functions {
		for _, v := range append([]*version{f.Latest}, f.Published...) {
			keys[v.key()] = true
		}
	}
	return keys
}

// newEnvironment starts a version's bootstrap, through an emulator if one is named.
func (s *Service) newEnvironment(v *version, through string) (e *environment, err error) {
	dir := s.folder(v)
	bootstrap := filepath.Join(dir, "bootstrap")
	if _, err := os.Stat(bootstrap); err != nil {
		return nil, err
	}
	stream := time.Now().UTC().Format("2006/01/02") + "/[" + *v.Version + "]" + strings.ReplaceAll(uuid.NewString(), "-", "")
	e = &environment{
		key: v.key(), offers: make(chan *running), dead: make(chan struct{}),
		log: func(line string) {
			if s.options.Logs != nil {
				s.options.Logs.Put(*v.LoggingConfig.LogGroup, stream, line)
			}
		},
	}
	listener, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e.server = &http.Server{Handler: e.runtimeAPI(), ReadHeaderTimeout: time.Minute}
	temporary, err := os.MkdirTemp(s.options.Dir, "tmp-")
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	from, to, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, listener.Close(), os.RemoveAll(temporary))
	}
	e.cmd = exec.Command(bootstrap) //nolint:noctx // it is killed as a group
	if through != "" {
		e.cmd = exec.Command(through, bootstrap) //nolint:noctx // as above
	}
	e.cmd.Dir, e.cmd.Stdout, e.cmd.Stderr = dir, to, to
	e.cmd.Env = s.variables(v, listener.Addr().String(), dir, temporary, stream)
	alone(e.cmd)
	err = e.cmd.Start()
	_ = to.Close() // the process has its own
	if err != nil {
		return nil, errors.Join(err, listener.Close(), from.Close(), os.RemoveAll(temporary))
	}
	s.tellLogged(v, stream)
	e.output = readOutput(from, e.print)
	go func() { _ = e.server.Serve(listener) }() // always an error: it was closed
	go e.await(from, temporary)
	return e, nil
}

// tellLogged tells of the calls that keep what an environment prints.
func (s *Service) tellLogged(v *version, stream string) {
	role, group := aws.ToString(v.Role), v.LoggingConfig.LogGroup
	s.options.Calls.Of(role, "logs", "CreateLogStream", &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: &stream})
	s.options.Calls.Of(role, "logs", "PutLogEvents", &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: &stream})
}

// await cleans up once the process ended, by itself or not.
func (e *environment) await(from *os.File, temporary string) {
	err := e.cmd.Wait()
	killGroup(e.cmd) // what it started
	// Who left the group may still hold the pipe.
	_ = from.SetReadDeadline(time.Time{})
	lingering := time.AfterFunc(time.Second, func() { _ = from.Close() })
	<-e.output.ended
	lingering.Stop()
	_ = e.server.Close()
	_ = os.RemoveAll(temporary)
	e.ending = "Runtime exited without providing a reason"
	if err != nil {
		e.ending = "Runtime exited with error: " + err.Error()
	}
	close(e.dead)
}

// kill ends the environment, and returns when nothing of it is left.
func (e *environment) kill() {
	if !e.isDead() {
		killGroup(e.cmd)
	}
	<-e.dead
}

func (e *environment) isDead() bool {
	select {
	case <-e.dead:
		return true
	default:
		return false
	}
}

// begin and end say whose output is printed meanwhile.
func (e *environment) begin(r *running) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = r
}

func (e *environment) end() (tail []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	tail = e.current.tail
	e.current = nil
	return tail
}

// print keeps a line of output.
func (e *environment) print(line string) {
	e.log(line)
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.current; r != nil {
		r.tail = append(append(r.tail, line...), '\n')
		r.tail = r.tail[max(0, len(r.tail)-tailMost):]
	}
}

// reserved are the variables that a function cannot have of its own.
var reserved = map[string]bool{
	"_HANDLER": true, "_X_AMZN_TRACE_ID": true, "AWS_DEFAULT_REGION": true, "AWS_REGION": true, "AWS_EXECUTION_ENV": true,
	"AWS_LAMBDA_FUNCTION_NAME": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true, "AWS_LAMBDA_FUNCTION_VERSION": true,
	"AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_LAMBDA_LOG_GROUP_NAME": true, "AWS_LAMBDA_LOG_STREAM_NAME": true,
	"AWS_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
	"AWS_LAMBDA_RUNTIME_API": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
}

// variables are what a version's process gets: Lambda's own, where AWS is, and the
// function's.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (s *Service) variables(v *version, api, dir, temporary, stream string) []string {
	all := []string{
		"AWS_LAMBDA_RUNTIME_API=" + api, "AWS_LAMBDA_FUNCTION_NAME=" + *v.FunctionName, "AWS_LAMBDA_FUNCTION_VERSION=" + *v.Version,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", *v.MemorySize), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=" + aws.ToString(v.LoggingConfig.LogGroup), "AWS_LAMBDA_LOG_STREAM_NAME=" + stream,
		"AWS_REGION=" + s.options.Region, "AWS_DEFAULT_REGION=" + s.options.Region,
		"AWS_ACCESS_KEY_ID=" + trail.Key(aws.ToString(v.Role), *v.FunctionName), "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_SESSION_TOKEN=sandbox",
		"AWS_ENDPOINT_URL=" + s.endpoint, "AWS_EC2_METADATA_DISABLED=true",
		"_HANDLER=" + aws.ToString(v.Handler), "LAMBDA_TASK_ROOT=" + dir, "LAMBDA_RUNTIME_DIR=" + dir,
		"LANG=en_US.UTF-8", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin", "TMPDIR=" + temporary, "HOME=" + temporary,
	}
	for name, value := range v.Environment {
		all = append(all, name+"="+value)
	}
	return all
}
