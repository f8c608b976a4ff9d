package dataplane

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// healthChecker is how ELB's health checks name themselves in User-Agent.
const healthChecker = "ELB-HealthChecker/2.0"

// app is what a container runs on one port.
type app struct {
	container string
	port      int32
	image     string
	taskID    string
	behaviour controlplane.Behaviour
	readyAt   time.Time // for a slow one

	listener net.Listener
	server   *http.Server
	// lines says that the app speaks lines instead of HTTP.
	lines atomic.Bool
	// sent is what load balancers have sent here and what was not answered yet.
	sent sync.WaitGroup

	mu    sync.Mutex
	ended bool                  // no more connections
	conns map[net.Conn]struct{} // that speak lines
	work  sync.WaitGroup        // on conns
}

func newApp(taskID string, container controlplane.ContainerSpec, port int32, slow time.Duration) (*app, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &app{
		container: container.Name, port: port, image: container.Image, taskID: taskID,
		behaviour: controlplane.BehaviourOf(container.Image), readyAt: time.Now().Add(slow),
		listener: listener, conns: map[net.Conn]struct{}{},
	}
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: time.Minute}
	return a, nil
}

func (a *app) address() string { return a.listener.Addr().String() }

// ready reports whether the app has come up well.
func (a *app) ready() bool {
	switch a.behaviour {
	case controlplane.BehaviourCrash, controlplane.BehaviourUnhealthy:
		return false
	case controlplane.BehaviourSlow:
		return !time.Now().Before(a.readyAt)
	default:
		return true
	}
}

// greeting is the app's answer, like "webapp1 1.4.2 task 0123…\n".
func (a *app) greeting() string {
	name, version := version(a.image)
	return fmt.Sprintf("%s %s task %s\n", name, version, a.taskID)
}

// version splits an image's reference into the last part of its name and its
// tag, or digest.
func version(image string) (name, version string) {
	name, digest, byDigest := strings.Cut(path.Base(image), "@")
	name, tag, tagged := strings.Cut(name, ":")
	switch {
	case tagged:
		return name, tag
	case byDigest:
		return name, digest
	default:
		return name, "latest"
	}
}

// serve serves connections until the app ends.
func (a *app) serve() {
	_ = a.server.Serve(accepter{a.listener, a}) // always an error: it was closed
	a.work.Wait()
}

// accepter hands those connections to the HTTP server that do not speak lines.
type accepter struct {
	net.Listener
	app *app
}

func (l accepter) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.app.lines.Load() {
			return conn, err
		}
		l.app.speakLines(conn)
	}
}

// ServeHTTP answers every path with the greeting, once it has read the body;
// and health checks by whether the app is ready.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Sandbox-Image", a.image)
	w.Header().Set("X-Sandbox-Task", a.taskID)
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	healthCheck := r.URL.Path == "/health" || r.UserAgent() == healthChecker
	if healthCheck && !a.ready() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, a.greeting())
}

// terminate does what a well-behaved program does on SIGTERM: it answers what it
// was sent, accepts nothing more, ends what is open and goes. It reports false
// when ctx ended first, which kills the app.
func (a *app) terminate(ctx context.Context) bool {
	a.endLines(false)
	a.awaitSent(ctx)
	err := a.server.Shutdown(ctx)
	a.kill()
	return err == nil
}

// awaitSent returns when load balancers await no answer any more, or when ctx
// ends. To close the listener, or a connection that is idle, would break a
// request that was sent but not seen yet.
func (a *app) awaitSent(ctx context.Context) {
	answered := make(chan struct{})
	go func() { // may outlive a kill: until a client whose request was cut off is done with it
		a.sent.Wait()
		close(answered)
	}()
	select {
	case <-answered:
	case <-ctx.Done():
	}
}

// kill ends the app at once.
func (a *app) kill() {
	_ = a.server.Close()
	_ = a.listener.Close() // it may not have been served yet
	a.endLines(true)
}
